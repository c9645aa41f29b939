"""The data under `matrices/`: it holds together, and every cell of it has a claim."""

from __future__ import annotations

import re

import pytest
from packaging.specifiers import SpecifierSet

from clusters.paths import CHECKOUT
from conformance import claims, consistency, matrix, plan
from conformance.claims import Value
from conformance.classify import CLASSES
from conformance.estimate import load_durations
from conformance.matrix import MATRICES
from conformance.model import Cell, PsaLevel, Topology
from conformance.probes import PROBES

LINES = {"embedded": ("1.32", "1.33", "1.34", "1.35", "1.36"), "kind": (), "k3d": (), "existing": ()}
#: What the embedded cluster's node is like.
NODE: dict[str, Value] = {
    "seccomp_default": False,
    "apparmor": False,
    "ids_per_pod": 65536,
    "seccomp_profiles": False,
    "emulators": False,
}
NO_SANDBOX = "--oci-worker-no-process-sandbox"
#: The builders of the default matrix; others belong to wider matrices and leave it as it is.
BASIC = {
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
    "rootless-unconfined-sandbox": ("executor-proc-mount-eperm", "r", "r"),
    "rootless-unset-sandbox": ("executor-proc-mount-eperm", "executor-proc-mount-eperm", "r"),
    "rootless-userns": ("executor-proc-mount-eperm", "executor-proc-mount-eperm", "r"),
    "rootless-userns-no-sandbox": ("supported", "supported", "r"),
    "rootless-userns-seccomp": ("rootlesskit-clone-eperm", "rootlesskit-clone-eperm", "r"),
    "rootless-userns-restricted": ("rootlesskit-clone-eperm",) * 3,
    "rootless-userns-apparmor": ("apparmor-not-enabled",) * 3,
    "rootless-userns-unmasked": ("supported", "supported", "r"),
    "rootless-unmasked-no-sandbox": ("supported", "supported", "r"),
    "rootless-unmasked-image-ids": ("rootlesskit-newuidmap-eperm", "rootlesskit-newuidmap-eperm", "r"),
    "rootless-unmasked-seccomp": ("rootlesskit-clone-eperm", "rootlesskit-clone-eperm", "r"),
    "rootless-unmasked-unconfined": ("supported", "r", "r"),
    "rootless-unmasked-restricted": ("rootlesskit-clone-eperm", "rootlesskit-clone-eperm", "r"),
    "rootless-drop-all-add-setid": ("supported", "supported", "r"),
    "rootless-no-escalation": ("rootlesskit-newuidmap-eperm", "rootlesskit-newuidmap-eperm", "r"),
    "rootless-unconfined-tcp-init": ("supported", "r", "r"),
    "rootful-userns-sysadmin": ("supported", "r", "r"),
    "rootful-userns-no-sandbox": ("snapshotter-bind-eperm", "snapshotter-bind-eperm", "r"),
    "rootful-userns-seccomp": ("snapshotter-bind-eperm", "snapshotter-bind-eperm", "r"),
    "rootful-no-sandbox": ("executor-no-process-sandbox-gate", "executor-no-process-sandbox-gate", "r"),
    "radius-shipped": ("supported", "r", "r"),
    "radius-fs-group": ("supported", "r", "r"),
    "radius-apparmor-pinned": ("apparmor-not-enabled", "apparmor-not-enabled", "r"),
    "radius-chmod-after-chown": ("init-container-chmod-eperm", "init-container-chmod-eperm", "r"),
    "radius-no-escalation": ("rootlesskit-clone-eperm", "rootlesskit-clone-eperm", "r"),
    "radius-escalation": ("rootlesskit-clone-eperm", "rootlesskit-clone-eperm", "r"),
    "radius-rootful-userns": ("snapshotter-bind-eperm", "snapshotter-bind-eperm", "r"),
    "radius-rootful-userns-no-sandbox": ("snapshotter-bind-eperm", "snapshotter-bind-eperm", "r"),
    "radius-restricted-as-written": ("rootlesskit-newuidmap-eperm", "rootlesskit-newuidmap-eperm", "r"),
    "radius-restricted": ("rootlesskit-clone-eperm",) * 3,
    "buildah-chroot-overlay": ("supported", "supported", "r"),
    "buildah-chroot-vfs": ("supported", "supported", "r"),
    "buildah-userns": ("supported", "supported", "r"),
    "buildah-runtime-default": ("buildah-userns-eperm", "buildah-userns-eperm", "r"),
    "buildah-restricted": ("buildah-userns-eperm",) * 3,
    "podman-chroot-overlay": ("supported", "supported", "r"),
    "podman-chroot-vfs": ("supported", "supported", "r"),
    "podman-userns": ("supported", "supported", "r"),
    "podman-runtime-default": ("buildah-userns-eperm", "buildah-userns-eperm", "r"),
    "podman-restricted": ("buildah-userns-eperm",) * 3,
    "buildah-isolation-rootless": ("buildah-sysctl-readonly", "buildah-sysctl-readonly", "r"),
    "buildah-localhost-restricted": ("seccomp-profile-missing",) * 3,
    "kaniko-root": ("supported", "supported", "r"),
    "kaniko-root-runtime-default": ("supported", "supported", "r"),
    "kaniko-userns": ("supported", "supported", "r"),
    "daemonless-rootless": ("supported", "supported", "r"),
    "rootless-unset-buildx": ("supported", "supported", "r"),
    "kaniko-userns-restricted": ("supported",) * 3,
    "kaniko-user": ("kaniko-permission-denied", "kaniko-permission-denied", "r"),
    "daemonless-userns-privileged": ("supported", "r", "r"),
    "rootless-localhost": ("seccomp-profile-missing", "seccomp-profile-missing", "r"),
    "rootless-localhost-restricted": ("seccomp-profile-missing",) * 3,
    "rootless-localhost-userns-restricted": ("seccomp-profile-missing",) * 3,
    "rootless-unmasked-host-users": ("procmount-needs-hostusers-false",) * 3,
}


def node_of(cell: Cell) -> dict[str, Value]:
    """Return what the embedded cluster's node is like for a cell."""
    asked = cell.node
    seen: dict[str, Value] = {
        "seccomp_default": asked.seccomp_default,
        "apparmor": asked.apparmor,
        "seccomp_profiles": asked.seccomp_profiles,
        "emulators": asked.emulators,
    }
    # Before 1.33 the server drops hostUsers, so no user namespace is there to be measured.
    return seen if cell.kubernetes == "1.32" else seen | {"ids_per_pod": asked.ids_per_pod}


SIDECARS = {name: each for name, each in matrix.load().builders.items() if each.topology is Topology.SIDECAR}


def planned(name: str) -> plan.Plan:
    return plan.make(matrix.load(name), plan.Selection(), LINES, probes=tuple(PROBES))


def every_cell() -> tuple[Cell, ...]:
    return tuple(cell for name in matrix.names() for cell in planned(name))


def claimed(cell: Cell, node: dict[str, Value]) -> str | None:
    found = claims.resolve(claims.load(MATRICES), cell, node).claim
    return found.expect if found is not None else None


def _latest(cell: Cell) -> bool:
    return cell.level.version == "latest"


def test_the_default_matrix_is_the_basic_builders_at_every_level_on_the_embedded_cluster() -> None:
    made = planned("default")
    assert len(made.cells) == 21
    assert {cell.builder.name for cell in made.cells} == BASIC
    assert {cell.level.psa for cell in made.cells} == set(PsaLevel)
    assert {cell.cluster for cell in made.cells} == {"embedded-1.35"}
    assert [cell.id for cell in made.controls] == ["embedded-1.35-privileged-rootful-privileged-control"]


def test_the_sidecars_matrix_is_every_sidecar_at_every_level() -> None:
    sidecars = {name for name in matrix.load().builders if name.startswith(("rootless-", "rootful-"))}
    unpinned = {(str(cell.level), cell.builder.name) for cell in planned("sidecars").cells if _latest(cell)}
    assert unpinned == {(f"{level}@latest", name) for level in PsaLevel for name in sidecars}


def test_the_sidecars_matrix_pins_the_policy_for_every_builder_with_an_unmasked_proc() -> None:
    pinned = {(str(cell.level), cell.builder.name) for cell in planned("sidecars").cells if not _latest(cell)}
    unmasked = {
        name for name, each in matrix.load().builders.items() if each.security_context.get("procMount") == "Unmasked"
    }
    assert pinned == {("baseline@v1.34", name) for name in unmasked}


def test_the_claims_hold_together() -> None:
    tables = [matrix.load(name) for name in matrix.names()]
    consistency.check(
        claims.load(MATRICES),
        builders=tables[0].builders,
        providers=LINES,
        classes=CLASSES,
        cells=plan.reachable(tables, LINES),
        probes={name: probe.findings for name, probe in PROBES.items()},
    )


@pytest.mark.parametrize("cell", [cell for cell in every_cell() if not cell.optional], ids=lambda cell: cell.id)
def test_every_cell_has_a_claim(cell: Cell) -> None:
    found = claims.resolve(claims.load(MATRICES), cell, node_of(cell))
    assert found.claim is not None, f"{found.reason}: add a claim for {cell.id} to matrices/claims/"
    assert found.claim.source
    assert found.claim.date


@pytest.mark.parametrize("builder", sorted(SEEN))
@pytest.mark.parametrize("index", range(3), ids=list(PsaLevel))
def test_what_is_claimed_on_the_embedded_cluster_is_what_was_seen(builder: str, index: int) -> None:
    level = list(PsaLevel)[index]
    (cell,) = plan.make(matrix.load(), plan.Selection(levels=(level,), builders=(builder,)), LINES).cells
    wanted = SEEN[builder][index]
    assert claimed(cell, NODE) == (f"psa-{level}-violation" if wanted == "r" else wanted)


@pytest.mark.parametrize("builder", ["rootless-userns-unmasked", "rootless-unmasked-no-sandbox"])
@pytest.mark.parametrize(
    ("line", "level", "wanted"),
    [
        ("1.35", "baseline@v1.34", "psa-baseline-violation"),
        ("1.34", "baseline", "psa-baseline-violation"),
        ("1.34", "privileged", "supported"),
        ("1.36", "baseline", "supported"),
        ("1.36", "baseline@v1.35", "supported"),
        ("1.32", "privileged", None),
    ],
)
def test_an_unmasked_proc_is_claimed_by_the_policys_version(
    builder: str, line: str, level: str, wanted: str | None
) -> None:
    selection = plan.Selection(kubernetes=(line,), levels=(level,), builders=(builder,))
    (cell,) = plan.make(matrix.load(), selection, LINES).cells
    assert claimed(cell, NODE) == wanted


@pytest.mark.parametrize("ids", [65536, 262144, None])
def test_the_images_own_ids_are_claimed_not_to_fit_only_where_that_was_seen(ids: int | None) -> None:
    selection = plan.Selection(levels=("baseline",), builders=("rootless-unmasked-image-ids",))
    (cell,) = plan.make(matrix.load(), selection, LINES).cells
    node = {name: value for name, value in (NODE | {"ids_per_pod": ids}).items() if value is not None}
    assert claimed(cell, node) == {65536: "rootlesskit-newuidmap-eperm", 262144: "supported", None: None}[ids]


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
    assert claimed(cell, node) == wanted


def test_every_claim_is_for_a_cell_of_some_matrix() -> None:
    """One that selects no planned cell has lost its cell."""
    cells = every_cell()
    for claim in claims.load(MATRICES):
        assert any(claims.selects(claim, cell, probe=claim.probe) for cell in cells), claim.origin
        SpecifierSet(claim.kubernetes)


def test_every_builder_has_its_row_of_what_was_seen() -> None:
    standalone = {name for name, each in matrix.load().builders.items() if each.topology is Topology.STANDALONE}
    assert set(SEEN) == set(matrix.load().builders) - standalone


def test_every_builder_says_what_it_is_and_where_it_comes_from() -> None:
    for builder in matrix.load().builders.values():
        assert builder.summary.endswith(".")
        assert builder.origin.endswith((".", ")."))


def test_rootful_builders_keep_their_state_where_root_may() -> None:
    for name, builder in SIDECARS.items():
        rootful = name.startswith(("rootful", "radius-rootful"))
        assert (builder.state_directory == "/var/lib/buildkit") is rootful
        assert (builder.security_context.get("runAsUser") == 0) is rootful
        assert ("--oci-worker-binary" in builder.args) is rootful


def test_the_basic_builders_differ_in_what_their_names_say() -> None:
    for name in BASIC:
        builder = matrix.load().builders[name]
        assert (NO_SANDBOX in builder.args) is name.startswith("rootless")
        assert (builder.host_users is False) is ("userns" in name)


def test_a_builder_named_for_its_sandbox_user_namespace_or_proc_has_it() -> None:
    for name, builder in SIDECARS.items():
        if name.startswith("radius-") or name.endswith("-host-users"):
            # Named after what its history calls them; and the one that shows what a combination is refused for.
            continue
        unmasked = "unmasked" in name
        assert (builder.host_users is False) is ("userns" in name or unmasked), name
        assert (builder.security_context.get("procMount") == "Unmasked") is unmasked, name
        if name.endswith("-sandbox"):
            assert (NO_SANDBOX in builder.args) is name.endswith("-no-sandbox"), name


def test_rootless_builders_in_a_user_namespace_get_ids_that_fit_65536_unless_their_name_says_otherwise() -> None:
    for name, builder in SIDECARS.items():
        wanted = builder.host_users is False and name.startswith("rootless") and not name.endswith("-image-ids")
        assert bool(builder.subordinate_ids) is wanted, name
        if wanted:
            _, first, count = builder.subordinate_ids.split(":")
            assert int(first) + int(count) <= 65536, name


def test_every_builders_name_fits_a_cells_id_at_every_pinned_level() -> None:
    for builder in matrix.load().builders.values():
        # LongSlug, the type of Cell.id.
        assert len(f"embedded-1.35-restricted-v1.34-{builder.name}") <= 120, builder.name


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


def test_the_page_on_other_projects_names_builders_and_classes_that_exist() -> None:
    page = (CHECKOUT / "docs" / "explanation" / "references.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and re.search("`(?:root|radius)", line)]
    names = r"`((?:rootless|rootful|radius)-[a-z-]+)`"
    builders = {name for row in rows for name in re.findall(names, row.split(" | ")[2])}
    classes = set(re.findall(r"`([a-z]+(?:-[a-z]+){2,})`", page)) - builders
    assert builders
    assert builders <= set(matrix.load().builders)
    assert classes
    assert classes <= set(CLASSES)


def test_every_probe_of_the_probes_matrix_has_a_claim() -> None:
    table = plan.make(matrix.load("probes"), plan.Selection(), LINES, probes=tuple(PROBES))
    known = claims.load(MATRICES)
    for cell in table.cells:
        assert cell.probes == tuple(PROBES)
        for probe in cell.probes:
            found = claims.resolve(known, cell, {**NODE, "emulators": False, "cgroup_version": 1}, probe=probe)
            assert found.claim is not None, (
                f"{cell.id}: add a claim for its probe {probe} to matrices/claims/probes.toml"
            )
