from __future__ import annotations

from pathlib import Path

from conformance.options import OPTIONS, Request


def test_every_option_is_a_field_of_the_request_and_none_is_extra() -> None:
    assert {option.field for option in OPTIONS} == set(Request.model_fields)


def test_what_was_not_given_keeps_its_default() -> None:
    request = Request.of({"cluster": None, "psa": (), "matrix": None, "keep": False})
    assert request == Request()


def test_a_request_can_be_repeated_from_its_arguments() -> None:
    request = Request(psa=("baseline@v1.34", "restricted"), builder=("rootless-*",), keep=True, run_dir=Path("x/y"))
    words = request.arguments()
    assert "--psa=baseline@v1.34" in words
    assert "--psa=restricted" in words
    assert "--builder=rootless-*" in words
    assert "--run-dir=x/y" in words
    assert "--keep" in words
    assert not any(word.startswith("--chart") for word in words)
