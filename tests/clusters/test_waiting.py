from __future__ import annotations

import pytest

from clusters import waiting
from clusters.errors import TooSlowError


def test_waiting_ends_with_what_the_check_returns() -> None:
    answers = iter([None, False, "here"])
    assert waiting.until(lambda: next(answers), limit=5, what="it", interval=0.001) == "here"


def test_waiting_gives_up_and_says_what_it_waited_for() -> None:
    with pytest.raises(TooSlowError, match=r"0\.02 s of waiting for the moon"):
        waiting.until(lambda: None, limit=0.02, what="the moon", interval=0.005)


def test_an_error_of_the_check_ends_the_waiting_at_once() -> None:
    def fail() -> None:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        waiting.until(fail, limit=60, what="it")
