"""Claims held against what is published."""

from __future__ import annotations

from pathlib import Path

from conformance.claims import load
from conformance.matrix import MATRICES, load_builders
from conformance.model import Builder, Claim, Layer, VerdictKind
from conformance.publish import REPORTS, Published, differences, faults, gather, read_all
from tests.conformance.publish.published import STRICT, UNSET, ran, refused
from tests.conformance.records import builder, claim, result

BUILDERS = {each.builder.name: each.builder for each in (UNSET, STRICT)}


def published(tmp_path: Path) -> tuple[Published, ...]:
    gathered = gather(ran(tmp_path, "2026-11-21", (UNSET, result(UNSET)), (STRICT, refused(STRICT))))
    return tuple(shelf.published for shelf in gathered.shelves)


def strict(expect: str = "rootlesskit-clone-eperm") -> Claim:
    return claim(expect, builder="rootless-restricted", origin="claims.toml:9")


def test_claims_that_published_cells_show_have_no_fault(tmp_path: Path) -> None:
    assert faults([claim(), strict()], published(tmp_path), BUILDERS) == ()


def test_a_claim_without_published_evidence_is_a_fault(tmp_path: Path) -> None:
    (told,) = faults([claim(), strict(), claim(levels=("privileged",), origin="a:3")], published(tmp_path), BUILDERS)
    assert told.startswith("a:3: nothing published shows that rootless-unset at privileged -> supported: publish a run")


def test_a_published_cell_that_contradicts_its_claim_is_a_fault(tmp_path: Path) -> None:
    (told,) = faults([claim("oom-killed"), strict()], published(tmp_path), BUILDERS)
    assert told.startswith("claims.toml:1: the claim rootless-unset at baseline -> oom-killed is contradicted: run")
    assert "saw supported in embedded-1.35-baseline-rootless-unset" in told


def test_a_refusal_by_another_class_contradicts(tmp_path: Path) -> None:
    (told,) = faults([claim(), strict("oom-killed")], published(tmp_path), BUILDERS)
    assert "saw rootlesskit-clone-eperm" in told


def test_a_claim_that_says_why_it_cannot_be_shown_is_no_fault(tmp_path: Path) -> None:
    other = claim(levels=("privileged",), unproven="no node with AppArmor is at hand")
    assert faults([claim(), strict(), other], published(tmp_path), BUILDERS) == ()


def test_a_claim_that_is_shown_and_says_it_cannot_be_is_a_fault(tmp_path: Path) -> None:
    (told,) = faults([claim(unproven="none"), strict()], published(tmp_path), BUILDERS)
    assert "remove its `unproven`" in told


def test_a_claim_for_another_kind_of_node_is_neither_shown_nor_contradicted(tmp_path: Path) -> None:
    other = claim("oom-killed", conditions={"apparmor": True}, origin="a:3")
    (told,) = faults([claim(), strict(), other], published(tmp_path), BUILDERS)
    assert told.startswith("a:3: nothing published shows")


def test_a_builder_with_other_settings_now_is_not_what_was_tested(tmp_path: Path) -> None:
    changed: dict[str, Builder] = {**BUILDERS, "rootless-unset": builder(args=("--debug",))}
    (told,) = faults([claim(), strict()], published(tmp_path), changed)
    assert told.startswith("claims.toml:1: nothing published shows")
    reworded = {**BUILDERS, "rootless-unset": builder(summary="other words")}
    assert faults([claim(), strict()], published(tmp_path), reworded) == ()


def test_the_newest_run_counts(tmp_path: Path) -> None:
    old = gather(
        ran(tmp_path, "2026-11-01", (UNSET, refused(UNSET, layer=Layer.ADMISSION, kind=VerdictKind.UNSUPPORTED)))
    )
    everything = [shelf.published.model_copy(update={"version": "0.0.9"}) for shelf in old.shelves]
    assert faults([claim(), strict()], [*everything, *published(tmp_path)], BUILDERS) == ()


def test_what_is_published_here_is_as_generated_and_contradicts_no_claim() -> None:
    """That every claim has its evidence, `conformance publish --check` says."""
    assert differences(REPORTS) == ()
    found = faults(load(MATRICES), read_all(REPORTS), load_builders(MATRICES / "builders"))
    assert [fault for fault in found if "contradicted" in fault or "remove its" in fault] == []
