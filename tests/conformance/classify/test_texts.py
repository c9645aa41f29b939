"""The rules against texts whose class is known: tests/data/classify (its README says where they come from)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.classify import CLASSES, classify_text, score
from conformance.model import VerdictKind

DATA = Path(__file__).parents[2] / "data" / "classify"
OBSERVED: list[dict[str, Any]] = [json.loads(line) for line in (DATA / "observed.jsonl").read_text().splitlines()]
LABELLED = ("corpus", "unseen", "composed")


def judged(name: str) -> list[score.Judged]:
    return score.judge(score.read((DATA / f"{name}.jsonl").read_text().splitlines()))


def rate(of: list[score.Judged]) -> float:
    return sum(each.right for each in of) / len(of)


def misses(of: list[score.Judged]) -> str:
    return "\n".join(f"{each.labelled.id}: taken for {each.found}" for each in of if not each.right)


@pytest.mark.parametrize(("name", "budget"), [("corpus", 0.95), ("unseen", 0.95), ("composed", 1.0)])
def test_texts_get_their_class(name: str, budget: float) -> None:
    every = judged(name)
    assert rate(every) >= budget, misses(every)


def test_sources_of_both_halves_of_the_corpus_are_known_alike() -> None:
    first, second = score.halves(judged("corpus"))
    assert not {j.labelled.source for j in first} & {j.labelled.source for j in second}
    assert abs(rate(first) - rate(second)) <= 0.03


@pytest.mark.parametrize("name", LABELLED)
def test_noise_is_never_taken_for_a_definite_verdict(name: str) -> None:
    assert not [each.labelled.id for each in judged(name) if each.false_verdict]


@pytest.mark.parametrize("record", OBSERVED, ids=lambda record: record["file"])
def test_whole_outputs_of_builders(record: dict[str, Any]) -> None:
    finding = classify_text((DATA / "observed" / record["file"]).read_bytes())
    if record["works"]:
        assert finding.kind in {None, VerdictKind.NOISE}, finding
    elif finding.class_ != record["class"]:
        assert record["class"] in finding.candidates, finding
        assert not finding.decisive


@pytest.mark.parametrize("refusal", (DATA.parent / "psa-refusals.jsonl").read_text().splitlines())
def test_every_refusal_of_pod_security_is_known_by_its_level(refusal: str) -> None:
    text = json.loads(refusal)["text"]
    level = "restricted" if 'PodSecurity "restricted' in text else "baseline"
    finding = classify_text(text)
    assert finding.class_ == f"psa-{level}-violation"
    assert finding.decisive
    assert classify_text(text.replace("violates", "would violate")).class_ == "psa-warning"


def test_every_class_has_a_text() -> None:
    seen: set[str | None] = {each.labelled.label for name in LABELLED for each in judged(name)}
    seen |= {record["class"] for record in OBSERVED}
    for record in OBSERVED:
        if record["works"]:
            seen.add(classify_text((DATA / "observed" / record["file"]).read_bytes()).class_)
    # No text is only its own: facts put it in the place of others.
    assert CLASSES.keys() - seen == {"buildkitd-policy-denied"}
