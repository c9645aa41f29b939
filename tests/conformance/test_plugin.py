"""pytest with our plugin, run as pytest is run; no cluster is created."""

from __future__ import annotations

import sys

import pytest

from clusters import process
from clusters.paths import CHECKOUT
from conformance.plugin import RESULT, Recorder

SUITES = CHECKOUT / "conformance" / "suites"


def run_pytest(*words: str) -> process.Completed:
    command = [sys.executable, "-m", "pytest", f"--config-file={SUITES / 'pytest.ini'}", f"--rootdir={CHECKOUT}"]
    return process.run([*command, *words, SUITES / "test_cells.py"], cwd=CHECKOUT, check=False, timeout=120)


def test_each_cell_is_an_item_named_by_its_id() -> None:
    done = run_pytest("--collect-only", "-q", "--psa=baseline", "--builder=rootless-u*")
    assert done.returncode == 0, done.stdout + done.stderr
    items = [line.rpartition("[")[2].removesuffix("]") for line in done.stdout.splitlines() if "test_cell[" in line]
    assert items == ["embedded-1.35-baseline-rootless-unconfined", "embedded-1.35-baseline-rootless-unset"]


def test_bad_input_ends_with_3_and_a_sentence() -> None:
    done = run_pytest("--psa=baselin")
    assert done.returncode == 3
    assert "did you mean 'baseline'" in done.stdout + done.stderr


class Records:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.interrupted = False

    def record(self, result: object) -> None:
        self.calls.append(("result", str(result), ""))

    def record_not_run(self, cell: str, reason: str) -> None:
        self.calls.append(("not-run", cell, reason))

    def record_broken(self, cell: str, text: str) -> None:
        self.calls.append(("broken", cell, text))


def report(*, when: str, outcome: str, longrepr: object = None, **properties: str) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid="suites/test_cells.py::test_cell[some-cell]",
        location=("", 0, ""),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type] # the literals pytest itself uses
        longrepr=longrepr,  # type: ignore[arg-type] # a text or a triple, as pytest makes them
        when=when,  # type: ignore[arg-type] # as above
        user_properties=list(properties.items()),
    )


@pytest.fixture
def records() -> Records:
    return Records()


def test_a_skipped_cell_is_recorded_with_its_reason(records: Records) -> None:
    skipped = report(when="call", outcome="skipped", longrepr=("file", 1, "Skipped: cluster failed: no disk"))
    Recorder(records).pytest_runtest_logreport(skipped)  # type: ignore[arg-type] # the part of a controller it uses
    assert records.calls == [("not-run", "some-cell", "cluster failed: no disk")]


def test_a_crashed_worker_leaves_a_record(records: Records) -> None:
    crash = report(when="???", outcome="failed", longrepr="worker 'gw0' crashed")
    Recorder(records).pytest_runtest_logreport(crash)  # type: ignore[arg-type] # the part of a controller it uses
    assert records.calls == [("broken", "some-cell", "worker 'gw0' crashed")]


def test_a_result_that_cannot_be_read_is_an_error_and_no_verdict(records: Records) -> None:
    sent = report(when="call", outcome="passed", **{RESULT: "{}"})
    with pytest.raises(ValueError, match="Field required"):
        Recorder(records).pytest_runtest_logreport(sent)  # type: ignore[arg-type] # the part of a controller it uses


def test_pytests_own_exit_is_no_interrupt_but_ctrl_c_is(records: Records) -> None:
    recorder = Recorder(records)  # type: ignore[arg-type] # the part of a controller it uses
    for error, interrupted in ((pytest.exit.Exception("x", 3), False), (KeyboardInterrupt(), True)):
        with pytest.raises(type(error)) as caught:
            raise error
        recorder.pytest_keyboard_interrupt(caught)
        assert records.interrupted is interrupted
