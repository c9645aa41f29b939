from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance import plan
from conformance.errors import UsageError
from conformance.matrix import Block, Matrix
from conformance.model import Builder, Node, Role
from conformance.plan import Selection

CHOICES = {"embedded": ("1.34", "1.35"), "existing": ()}


def builder(name: str, *, control: bool = False) -> Builder:
    return Builder.model_validate(
        {"name": name, "summary": "s", "origin": "o", "image": "buildkit-rootless", "control": control}
    )


BUILDERS = {name: builder(name, control=name == "full") for name in ("full", "rootless-a", "rootless-b")}


NODES = {"default": Node(), "strict": Node(name="strict", seccomp_default=True)}


def block(**changes: object) -> Block:
    values: dict[str, object] = {
        "clusters": ("embedded",),
        "kubernetes": ("1.35",),
        "levels": ("privileged", "baseline", "restricted"),
        "builders": ("*",),
    }
    return Block.model_validate(values | changes)


def matrix(*blocks: Block) -> Matrix:
    return Matrix(
        name="m",
        origin="m.toml",
        summary="s",
        blocks=blocks or (block(),),
        builders=BUILDERS,
        nodes=NODES,
        folder=Path(),
    )


def ids(made: plan.Plan) -> list[str]:
    return [cell.id for cell in made.cells]


def faults(selection: Selection, *blocks: Block) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        plan.make(matrix(*blocks), selection, CHOICES)
    return caught.value.faults


def test_every_combination_is_planned_in_a_fixed_order() -> None:
    made = plan.make(matrix(), Selection(), CHOICES)
    assert ids(made) == [
        f"embedded-1.35-{level}-{name}"
        for level in ("privileged", "baseline", "restricted")
        for name in ("full", "rootless-a", "rootless-b")
    ]


def test_each_cluster_gets_one_control_cell_that_is_not_counted() -> None:
    made = plan.make(matrix(), Selection(kubernetes=("1.35", "1.34"), levels=("baseline",)), CHOICES)
    assert [cell.id for cell in made.controls] == [
        "embedded-1.34-privileged-full-control",
        "embedded-1.35-privileged-full-control",
    ]
    assert {cell.role for cell in made.controls} == {Role.CONTROL}
    assert {cell.role for cell in made.cells} == {Role.SELECTED}
    assert list(made)[:2] == list(made.controls)
    assert [key.name for key in made.clusters] == ["embedded-1.34", "embedded-1.35"]


@pytest.mark.parametrize(
    ("globs", "planned"),
    [
        (("*",), ["full", "rootless-a"]),
        (("rootless-*",), ["rootless-a"]),
        (("rootless-b",), ["rootless-b"]),
        (("rootless-?", "*-b"), ["rootless-a", "rootless-b"]),
    ],
)
def test_a_glob_means_the_matrixs_own_builders_unless_it_has_none_of_them(
    globs: tuple[str, ...], planned: list[str]
) -> None:
    own = block(builders=("full", "rootless-a"), levels=("baseline",))
    made = plan.make(matrix(own), Selection(builders=globs), CHOICES)
    assert [cell.builder.name for cell in made.cells] == planned


def test_options_narrow_the_matrix() -> None:
    made = plan.make(matrix(), Selection(levels=("baseline",), builders=("rootless-*",)), CHOICES)
    assert ids(made) == ["embedded-1.35-baseline-rootless-a", "embedded-1.35-baseline-rootless-b"]


def test_a_pinned_policy_is_in_the_cells_id() -> None:
    made = plan.make(matrix(), Selection(levels=("baseline@v1.34",), builders=("full",)), CHOICES)
    assert ids(made) == ["embedded-1.35-baseline-v1.34-full"]


def test_a_level_may_be_asked_for_at_several_versions() -> None:
    made = plan.make(matrix(), Selection(levels=("baseline@v1.34", "baseline"), builders=("full",)), CHOICES)
    assert ids(made) == ["embedded-1.35-baseline-full", "embedded-1.35-baseline-v1.34-full"]


def test_an_option_narrows_each_block_to_what_the_block_has() -> None:
    blocks = block(levels=("baseline",)), block(kubernetes=("1.34",), levels=("restricted",), builders=("full",))
    made = plan.make(matrix(*blocks), Selection(builders=("full", "rootless-a")), CHOICES)
    assert ids(made) == [
        "embedded-1.34-restricted-full",
        "embedded-1.35-baseline-full",
        "embedded-1.35-baseline-rootless-a",
    ]


def test_a_cell_that_two_blocks_name_is_planned_once() -> None:
    made = plan.make(matrix(block(), block(levels=("baseline@latest",))), Selection(), CHOICES)
    assert len(ids(made)) == len(set(ids(made))) == 9


def test_a_provider_without_lines_takes_any_line() -> None:
    made = plan.make(matrix(), Selection(clusters=("existing",), kubernetes=("1.29",), builders=("full",)), CHOICES)
    assert ids(made)[0] == "existing-1.29-privileged-full"


def test_kubernetes_lines_are_ordered_as_numbers() -> None:
    asked = Selection(clusters=("existing",), kubernetes=("1.10", "1.9"), levels=("baseline",), builders=("full",))
    assert ids(plan.make(matrix(), asked, CHOICES)) == ["existing-1.9-baseline-full", "existing-1.10-baseline-full"]


def test_every_wrong_value_is_told_at_once_with_what_is_nearest() -> None:
    told = faults(
        Selection(
            clusters=("embeded",), kubernetes=("1.99",), levels=("basline", "baseline@1.34"), builders=("rotless-a",)
        )
    )
    assert [fault.split(":")[0] for fault in told] == ["--cluster", "--kubernetes", "--psa", "--psa", "--builder"]
    assert "did you mean 'embedded'?" in told[0]
    assert "Known Kubernetes lines: 1.34, 1.35" in told[1]
    assert "did you mean 'baseline'?" in told[2]
    assert "write baseline@latest or such as baseline@v1.34" in told[3]
    assert "did you mean 'rootless-a'?" in told[4]


@pytest.mark.parametrize("line", ["v1.35", "1.35.4", "2.0", ""])
def test_what_is_no_kubernetes_line_is_refused_though_any_line_goes(line: str) -> None:
    (fault,) = faults(Selection(clusters=("existing",), kubernetes=(line,)))
    assert fault.startswith("--kubernetes: unknown Kubernetes line")


def test_a_glob_that_matches_nothing_is_refused() -> None:
    (fault,) = faults(Selection(builders=("rootfull-*", "full")))
    assert "unknown builder 'rootfull-*'" in fault


def test_a_version_that_is_left_out_after_the_at_is_refused() -> None:
    (fault,) = faults(Selection(levels=("baseline@",)))
    assert "names no policy version" in fault


def test_a_fault_of_the_matrix_names_its_file() -> None:
    (fault,) = faults(Selection(), block(levels=("basline",)))
    assert fault.startswith("m.toml: unknown Pod Security level 'basline'")


def test_a_line_that_only_another_provider_has_is_refused() -> None:
    choices = {"embedded": ("1.34", "1.35"), "kind": ("1.33",)}
    with pytest.raises(UsageError, match=r"'embedded' has no Kubernetes line 1\.33\. Its lines: 1\.34, 1\.35"):
        plan.make(matrix(), Selection(kubernetes=("1.33",)), choices)


def test_a_policy_newer_than_the_server_is_refused() -> None:
    (fault,) = faults(Selection(levels=("baseline@v1.36",)))
    assert "newer than Kubernetes 1.35" in fault


def test_a_selection_that_leaves_nothing_is_refused() -> None:
    blocks = block(levels=("baseline",), builders=("full",)), block(levels=("restricted",), builders=("rootless-a",))
    (fault,) = faults(Selection(levels=("restricted",), builders=("full",)), *blocks)
    assert "no cell is left" in fault


def test_a_builders_name_too_long_for_a_cells_id_is_refused() -> None:
    name = "r" * 50
    node = "n" * 50
    long = Matrix(
        name="m",
        origin="m.toml",
        summary="s",
        blocks=(block(builders=(name,), nodes=(node,)),),
        builders={**BUILDERS, name: builder(name)},
        nodes={**NODES, node: Node(name=node, seccomp_default=True)},
        folder=Path(),
    )
    with pytest.raises(UsageError, match="shorten it"):
        plan.make(long, Selection(), CHOICES)


def test_a_kind_of_node_makes_a_cluster_of_its_own_after_the_default_one() -> None:
    made = plan.make(matrix(block(nodes=("strict", "default"), levels=("baseline",))), Selection(), CHOICES)
    assert [key.name for key in made.clusters] == ["embedded-1.35", "embedded-1.35-strict"]
    assert ids(made)[-1] == "embedded-1.35-strict-baseline-rootless-b"
    assert {cell.node.seccomp_default for cell in made.on(made.clusters[1])} == {True}
    chosen = plan.make(matrix(block(levels=("baseline",))), Selection(nodes=("strict",)), CHOICES)
    assert [key.name for key in chosen.clusters] == ["embedded-1.35-strict"]


def test_an_unknown_kind_of_node_is_refused() -> None:
    assert faults(Selection(nodes=("strikt",))) == (
        "--node: unknown kind of node 'strikt': did you mean 'strict'? Known kinds of node: default, strict",
    )


def test_a_cell_is_optional_only_where_every_block_that_has_it_says_so() -> None:
    must = block(levels=("baseline",), builders=("rootless-a",))
    may = must.model_copy(update={"optional": True, "builders": ("rootless-a", "rootless-b")})
    for blocks in ((must, may), (may, must)):
        made = plan.make(matrix(*blocks), Selection(), CHOICES)
        assert [cell.optional for cell in made.cells] == [False, True]
        assert not made.controls[0].optional


def test_what_a_claim_can_be_for_includes_every_line_of_the_provider() -> None:
    lines = {cell.kubernetes for cell in plan.reachable([matrix()], CHOICES)}
    assert lines == {"1.34", "1.35"}


@given(
    levels=st.lists(st.sampled_from(["privileged", "baseline", "restricted", "baseline@v1.30"]), unique=True),
    builders=st.lists(st.sampled_from(sorted(BUILDERS)), unique=True),
    lines=st.lists(st.sampled_from(["1.34", "1.35"]), unique=True),
)
def test_a_selection_is_planned_completely_whatever_its_order(
    levels: list[str], builders: list[str], lines: list[str]
) -> None:
    asked = Selection(levels=tuple(levels), builders=tuple(builders), kubernetes=tuple(lines))
    turned = Selection(
        levels=tuple(reversed(levels)), builders=tuple(reversed(builders)), kubernetes=tuple(reversed(lines))
    )
    made = plan.make(matrix(), asked, CHOICES)
    assert made == plan.make(matrix(), turned, CHOICES)
    assert len(made.cells) == (len(levels) or 3) * (len(builders) or 3) * (len(lines) or 1)
    assert len({cell.id for cell in made}) == len(list(made))


PROBES = ("ownership", "isolation", "kill")


def probes_of(selection: Selection, *blocks: Block) -> dict[str, tuple[str, ...]]:
    made = plan.make(matrix(*blocks), selection, CHOICES, probes=PROBES)
    assert all(cell.probes == () for cell in made.controls)
    return {cell.builder.name: cell.probes for cell in made.cells}


def test_a_block_s_probes_look_at_its_cells_in_the_order_of_the_table() -> None:
    blocks = (
        block(levels=("baseline",), builders=("rootless-*",), probes=("kill", "own*")),
        block(levels=("baseline",), builders=("rootless-b", "full"), probes=("isolation",)),
    )
    assert probes_of(Selection(), *blocks) == {
        "full": ("isolation",),
        "rootless-a": ("ownership", "kill"),
        "rootless-b": ("ownership", "isolation", "kill"),
    }


def test_selected_probes_replace_those_of_every_block() -> None:
    blocks = (block(levels=("baseline",), builders=("rootless-a",), probes=("kill",)),)
    assert probes_of(Selection(probes=("i*",)), *blocks) == {"rootless-a": ("isolation",)}
    assert probes_of(Selection(), block(levels=("baseline",), builders=("rootless-a",))) == {"rootless-a": ()}


def test_an_unknown_probe_is_told_with_the_nearest_and_where_it_stands() -> None:
    with pytest.raises(UsageError) as caught:
        plan.make(matrix(block(probes=("ownershp",))), Selection(probes=("kil",)), CHOICES, probes=PROBES)
    option, file = caught.value.faults
    assert option.startswith("--probe: unknown probe 'kil': did you mean 'kill'?")
    assert file.startswith("m.toml: unknown probe 'ownershp': did you mean 'ownership'?")


def test_cells_on_a_cluster_that_stands_already_run_on_the_line_it_has() -> None:
    selection = Selection(clusters=("embedded", "existing"), levels=("baseline",), builders=("rootless-a",))
    made = plan.make(matrix(), selection, CHOICES, standing={"existing": "1.33"})
    assert [cell.id for cell in made.cells] == [
        "embedded-1.35-baseline-rootless-a",
        "existing-1.33-baseline-rootless-a",
    ]
    assert [key.name for key in made.clusters] == ["embedded-1.35", "existing-1.33"]
