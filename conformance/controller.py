"""What the controlling process does beside pytest: the run's folder, its results, its reports, its clusters."""

from __future__ import annotations

import traceback
from contextlib import ExitStack, suppress
from threading import RLock

from conformance import chart, handover, provenance, resume
from conformance.artifacts import INTERRUPTED, RunFolder
from conformance.classify import RULES_DIGEST
from conformance.display import Display
from conformance.errors import ExitCode, UsageError
from conformance.handover import Handover, Shared
from conformance.judge import exit_code, not_run
from conformance.lifecycle import Lifecycle
from conformance.model import Result, Run
from conformance.preflight import Checked
from conformance.report import HTML, console, summary, write_reports


class Controller:
    """One run, from its plan to its reports. The only writer of `results.jsonl`."""

    def __init__(self, checked: Checked) -> None:
        """Create nothing yet."""
        self.checked = checked
        self.display = Display(checked.plan, checked.claims)
        self.exit_code: ExitCode | None = None
        #: Somebody wanted the run to end before its time.
        self.interrupted = False
        self._folder: RunFolder | None = None
        self._lifecycle: Lifecycle | None = None
        #: Control cells end in the threads of their clusters.
        self._lock = RLock()
        self._held = ExitStack()
        self._results: dict[str, Result] = {}
        self._run: Run | None = None
        #: A result could not be written.
        self._unwritten = False

    @property
    def folder(self) -> RunFolder | None:
        """Return the run's folder; None before the run has begun."""
        return self._folder

    def begin(self) -> Handover:
        """Write the plan and begin to stand up the clusters, each of which runs its control cell first."""
        checked, helm = self.checked, chart.helm_version()
        self._folder = folder = checked.resumed or self._new_folder()
        try:
            self._held.enter_context(folder.held())
        except UsageError:
            # It is another process' run.
            self._folder = None
            raise
        self._results = {result.cell: result for result in checked.kept}
        if checked.resumed is None:
            folder.write_plan(checked.plan)
            self._run = provenance.begun(
                folder.run_id,
                request=checked.request,
                chart=checked.chart,
                charts=checked.charts.values(),
                helm=helm,
                rules=RULES_DIGEST,
            )
        else:
            handover.forget(folder)
            self._run = resume.continued(folder.read_run(), provenance.now())
            self.display.say(f"taken up: {len(checked.kept)} verdicts stand")
        folder.write_run(self._run)
        self.display.watch(folder)
        shared = Shared(
            run_id=folder.run_id,
            folder=folder.path,
            request=checked.request,
            charts=dict(checked.charts),
            claims=checked.claims,
            helm=helm,
            git_commit=self._run.git_commit,
        )
        self._lifecycle = Lifecycle(checked, shared, folder, self.display.say, self.display.cluster)
        self.display.say(f"run {self._folder.run_id} in {self._folder.path}")
        self._lifecycle.begin(self.record)
        return Handover(shared=shared, cells=checked.plan.cells)

    def _new_folder(self) -> RunFolder:
        base = self.checked.request.run_dir
        try:
            return RunFolder.create(base)
        except OSError as error:
            raise UsageError(f"--run-dir {base}: {error.strerror}: name another folder") from error

    def record(self, result: Result) -> None:
        """Keep a result, once: on disk before it is shown."""
        with self._lock:
            if self._folder is None or result.cell in self._results:
                return
            try:
                self._folder.append_result(result)
            except OSError as error:
                self._unwritten = True
                self.display.say(f"{result.cell}: its result cannot be written: {error}")
            self._results[result.cell] = result
            self.display.ended(result)
            if self._lifecycle is not None:
                self._lifecycle.cell_ended(result.cell)

    def record_not_run(self, cell_id: str, reason: str) -> None:
        """Keep that a planned cell did not run."""
        cell = next((cell for cell in self.checked.plan if cell.id == cell_id), None)
        if cell is not None:
            self.record(not_run(cell, reason))

    def record_broken(self, cell_id: str, text: str) -> None:
        """Keep that the harness itself failed in a cell; the text says how."""
        lines = [line for line in text.splitlines() if line.strip()]
        self.record_not_run(cell_id, f"the harness failed: {lines[-1] if lines else 'no message'}")
        if self._folder is not None:
            # Its last line is in the result already.
            with suppress(OSError):
                self._folder.write_text(f"cells/{cell_id}/harness-failure.txt", text)

    def finish(self) -> ExitCode:
        """Give every planned cell a result, write the reports, show them, and say how the run ends."""
        if self._folder is None:
            return ExitCode.INFRASTRUCTURE
        if self.exit_code is not None:
            return self.exit_code
        try:
            self.exit_code = self._finish(self._folder)
        except OSError as error:
            self.exit_code = ExitCode.INTERRUPTED if self.interrupted else ExitCode.INFRASTRUCTURE
            self.display.close()
            self.display.say(f"{self._folder.path} cannot be written: {error}. What it has, `conformance report` shows")
        return self.exit_code

    def _finish(self, folder: RunFolder) -> ExitCode:
        for cell in self.checked.plan:
            if cell.id not in self._results:
                self.record(not_run(cell, INTERRUPTED if self.interrupted else "the run ended before it"))
        clusters = self._lifecycle.made() if self._lifecycle is not None else ()
        failed = any(each.failure for each in clusters)
        results = tuple(self._results.values())
        code = exit_code(results, interrupted=self.interrupted, infrastructure=failed or self._unwritten)
        self.display.close()
        console.show(folder, self.display.console)
        if self._run is not None:
            ended = provenance.ended(self._run, clusters, interrupted=self.interrupted)
            folder.write_run(ended)
            if ended.clusters:
                self.display.console.print(summary.cost(ended))
        whole = self._write_reports(folder)
        return ExitCode.INFRASTRUCTURE if code is ExitCode.AS_CLAIMED and not whole else code

    def _write_reports(self, folder: RunFolder) -> bool:
        """Write the reports and say whether that worked: a fault of theirs takes nothing from the verdicts."""
        try:
            write_reports(folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault of a report
            kept = folder.write_text("report-failure.txt", traceback.format_exc())
            self.display.say(f"the reports could not be written: {error!r} (see {kept}); mend that, then run")
            self.display.say(f"`conformance report {folder.path}`")
            return False
        self.display.console.print(f"for reviewers: {folder.path / HTML}")
        return True

    def end(self) -> None:
        """Finish, if that has not been done, and delete the clusters."""
        if self._folder is None or self._lifecycle is None:
            return
        try:
            self.finish()
        finally:
            failures = self._lifecycle.end()
            for failure in failures:
                self.display.say(failure)
            if failures and self.exit_code in {ExitCode.AS_CLAIMED, ExitCode.NOTHING_RAN}:
                self.exit_code = ExitCode.INFRASTRUCTURE
            self._held.close()
