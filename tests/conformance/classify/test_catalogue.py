"""The tables of failure classes, as tables."""

from __future__ import annotations

import re

import pytest

from conformance.classify import CLASSES, FailureClass
from conformance.classify.matcher import compiled
from conformance.model import UNCLASSIFIED

EVERY = list(CLASSES.values())


def named(class_: FailureClass) -> str:
    return class_.name


@pytest.mark.parametrize("class_", EVERY, ids=named)
def test_a_class_says_what_it_means_and_what_to_do(class_: FailureClass) -> None:
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", class_.name)
    assert class_.name != UNCLASSIFIED
    for said in (class_.meaning, class_.remedy):
        assert said.endswith(".")
        assert "  " not in said
        assert len(said) < 200
    assert class_.reference.startswith("https://")


@pytest.mark.parametrize("class_", EVERY, ids=named)
def test_classes_refer_to_classes_that_exist(class_: FailureClass) -> None:
    others = {name for rule in class_.rules for name in rule.also} | set(class_.explains)
    assert others <= CLASSES.keys()
    assert class_.name not in others


@pytest.mark.parametrize("class_", EVERY, ids=named)
def test_patterns_compile_and_never_match_nothing(class_: FailureClass) -> None:
    for rule in class_.rules:
        assert compiled(rule.pattern).search(b"") is None, rule.pattern
        for context in (rule.near, rule.unless, rule.unless_near):
            if context:
                assert compiled(context).search(b"") is None, context


def test_only_facts_know_a_class_without_rules() -> None:
    assert [class_.name for class_ in EVERY if not class_.rules] == [
        "rootlesskit-newuidmap-no-file-caps",
        "buildkitd-policy-denied",
    ]
