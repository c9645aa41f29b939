"""Platforms have several names, and a worker lists them in one line."""

from __future__ import annotations

import pytest

from conformance.doctor.platforms import listed, normalise


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("Linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/amd64/v2", "linux/amd64/v2"),
    ],
)
def test_a_platform_has_one_name(given: str, normal: str) -> None:
    assert normalise(given) == normal


@pytest.mark.parametrize("text", ["", "amd64", "linux/", "linux/amd64/v2/x", "linux amd64"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        normalise(text)


def test_each_worker_is_read_by_itself() -> None:
    output = "ID:\ta\nPlatforms:\tlinux/amd64,linux/386\n\nID:\tb\nPlatforms:\t\nBuildKit:\tx\n"
    assert listed(output) == (("linux/amd64", "linux/386"), ())
