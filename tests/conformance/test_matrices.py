"""The data under `matrices/`: it holds together, and every cell of it has a claim."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from conformance import claims, consistency, matrix, plan
from conformance.claims import Value
from conformance.classify import CLASSES
from conformance.estimate import load_durations
from conformance.matrix import MATRICES
from conformance.model import Cell, PsaLevel

LINES = {"embedded": ("1.32", "1.33", "1.34", "1.35", "1.36"), "kind": (), "k3d": (), "existing": ()}
#: What the embedded cluster's node is like.
NODE: dict[str, Value] = {"seccomp_default": False, "apparmor": False}
BUILDERS = {
    "rootless-unconfined",
    "rootless-runtime-default",
    "rootless-unset",
    "rootless-restricted",
    "rootful-userns",
    "rootful-userns-privileged",
    "rootful-privileged",
}
#: As seen by hand on the embedded cluster; r: refused by the level.
SEEN = {
    "rootless-unconfined": ("supported", "r", "r"),
    "rootless-runtime-default": ("rootlesskit-clone-eperm", "rootlesskit-clone-eperm", "r"),
    "rootless-unset": ("supported", "supported", "r"),
    "rootless-restricted": ("rootlesskit-clone-eperm",) * 3,
    "rootful-userns": ("snapshotter-bind-eperm", "snapshotter-bind-eperm", "r"),
    "rootful-userns-privileged": ("supported", "r", "r"),
    "rootful-privileged": ("supported", "r", "r"),
}


def planned(name: str) -> plan.Plan:
    return plan.make(matrix.load(name), plan.Selection(), LINES)


def every_cell() -> tuple[Cell, ...]:
    return tuple(cell for name in matrix.names() for cell in planned(name))


def test_the_default_matrix_is_every_builder_at_every_level_on_the_embedded_cluster() -> None:
    made = planned("default")
    assert len(made.cells) == 21
    assert {cell.builder.name for cell in made.cells} == BUILDERS
    assert {cell.level.psa for cell in made.cells} == set(PsaLevel)
    assert {cell.cluster for cell in made.cells} == {"embedded-1.35"}
    assert [cell.id for cell in made.controls] == ["embedded-1.35-privileged-rootful-privileged-control"]


def test_the_claims_hold_together() -> None:
    tables = [matrix.load(name) for name in matrix.names()]
    consistency.check(
        claims.load(MATRICES),
        builders=tables[0].builders,
        providers=LINES,
        classes=CLASSES,
        cells=plan.reachable(tables, LINES),
    )


@pytest.mark.parametrize("cell", every_cell(), ids=lambda cell: cell.id)
def test_every_cell_has_a_claim(cell: Cell) -> None:
    found = claims.resolve(claims.load(MATRICES), cell, NODE)
    assert found.claim is not None, f"{found.reason}: add a claim for {cell.id} to matrices/claims/"
    assert found.claim.source
    assert found.claim.date


@pytest.mark.parametrize("builder", sorted(SEEN))
@pytest.mark.parametrize("index", range(3), ids=list(PsaLevel))
def test_what_is_claimed_of_the_default_matrix_is_what_was_seen(builder: str, index: int) -> None:
    level = list(PsaLevel)[index]
    cell = next(one for one in planned("default").cells if one.builder.name == builder and one.level.psa is level)
    found = claims.resolve(claims.load(MATRICES), cell, NODE).claim
    wanted = SEEN[builder][index]
    assert found is not None
    assert found.expect == (f"psa-{level}-violation" if wanted == "r" else wanted)


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        ({"seccomp_default": True, "apparmor": False}, "rootlesskit-clone-eperm"),
        ({"seccomp_default": True}, "rootlesskit-clone-eperm"),
        ({"seccomp_default": False, "apparmor": True}, None),
        ({"apparmor": False}, None),
        ({"seccomp_default": False}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("level", ["privileged", "baseline"])
def test_unset_profiles_are_claimed_only_for_nodes_on_which_they_were_seen(
    node: dict[str, Value], wanted: str | None, level: str
) -> None:
    selection = plan.Selection(levels=(level,), builders=("rootless-unset",))
    (cell,) = plan.make(matrix.load(), selection, LINES).cells
    found = claims.resolve(claims.load(MATRICES), cell, node).claim
    assert (found.expect if found is not None else None) == wanted


def test_no_claim_is_made_for_no_cell_of_the_default_matrix() -> None:
    """The committed claims are about the default matrix; one that selects none of its cells has lost its cell."""
    cells = planned("default").cells
    for claim in claims.load(MATRICES):
        assert any(claims.selects(claim, cell) for cell in cells), claim.origin
        SpecifierSet(claim.kubernetes)


def test_every_builder_says_what_it_is_and_where_it_comes_from() -> None:
    for builder in matrix.load().builders.values():
        assert builder.summary.endswith(".")
        assert builder.origin.endswith((".", ")."))


def test_rootful_builders_keep_their_state_where_root_may() -> None:
    for name, builder in matrix.load().builders.items():
        rootful = name.startswith("rootful")
        assert (builder.state_directory == "/var/lib/buildkit") is rootful
        assert (builder.security_context.get("runAsUser") == 0) is rootful
        assert ("--oci-worker-no-process-sandbox" in builder.args) is not rootful
        assert (builder.host_users is False) is ("userns" in name)


def test_the_restricted_builder_has_every_field_that_restricted_demands() -> None:
    context = matrix.load().builders["rootless-restricted"].security_context
    assert context["runAsNonRoot"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_unset_builder_names_no_profile() -> None:
    context = matrix.load().builders["rootless-unset"].security_context
    assert not {"seccompProfile", "appArmorProfile"} & set(context)


def test_the_durations_can_be_read() -> None:
    assert load_durations().cell["default"] > 0
