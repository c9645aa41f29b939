from __future__ import annotations

from conformance.nearest import nearest, unknown


def test_a_typo_finds_the_name_that_was_meant() -> None:
    assert nearest("embeded", ["kind", "embedded", "k3d"]) == "embedded"


def test_a_word_like_nothing_finds_nothing() -> None:
    assert nearest("zzzz", ["kind", "embedded"]) is None


def test_a_reader_learns_what_was_meant_and_what_there_is() -> None:
    said = unknown("provider", "embeded", ["k3d", "embedded"])
    assert said == "unknown provider 'embeded': did you mean 'embedded'? Known providers: embedded, k3d"


def test_a_reader_learns_that_there_is_nothing_to_choose_from() -> None:
    assert unknown("matrix", "x", [], plural="matrices").endswith("Known matrices: there are none")


def test_of_very_many_names_the_nearest_are_listed_and_the_rest_counted() -> None:
    names = [f"git-{number}" for number in range(40)] + ["rootlesskit-clone-eperm", "rootlesskit-clone-eacces"]
    said = unknown("class", "rootlesskit-clone-eprm", names, plural="classes")
    assert "rootlesskit-clone-eacces, rootlesskit-clone-eperm and 34 more" in said
    assert len(said) < 250
