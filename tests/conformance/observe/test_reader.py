from __future__ import annotations

from typing import cast

import pytest

from conformance.errors import WaitError
from conformance.kube import Json, Kube
from conformance.observe import proc, reader

WHOLE = "==conformance== status\nSeccomp:\t2\n==conformance== end\n"


class Pod:
    """One pod: each look shows its next log, and all the while one phase."""

    def __init__(self, phase: str | None, *logs: str | None) -> None:
        self.phase = phase
        self.frames = list(logs)

    def logs(self, *_: str) -> str | None:
        return self.frames.pop(0) if len(self.frames) > 1 else self.frames[0]

    def pod(self, *_: str) -> Json | None:
        return {"status": {"phase": self.phase}} if self.phase else None


def output(pod: Pod) -> str:
    return reader.output(cast("Kube", pod), "ns", "p", "c", within=0.5)


def test_output_is_taken_as_soon_as_it_is_complete_whatever_the_phase_says() -> None:
    assert output(Pod("Running", None, WHOLE[:20], WHOLE)) == WHOLE


def test_a_pod_that_ended_well_has_said_all() -> None:
    assert output(Pod("Succeeded", "", "short")) == "short"


@pytest.mark.parametrize("phase", ["Failed", None])
def test_a_pod_that_failed_or_is_gone_says_nothing(phase: str | None) -> None:
    assert output(Pod(phase, "half of it")) == ""


def test_a_pod_that_never_starts_is_not_waited_for_for_ever() -> None:
    with pytest.raises(WaitError, match="the output of pod p"):
        output(Pod("Pending", None))


def test_the_last_line_is_what_makes_output_complete() -> None:
    assert proc.is_complete(WHOLE)
    assert not proc.is_complete(WHOLE + "more")
