"""The pytest plugin: options, one item a cell, and the hooks that hand over, record and clean up.

Load it by `-p conformance.plugin`. With xdist the controller owns the clusters; `-n0` takes the same path.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Final, Protocol

import pytest

from clusters import interrupts
from clusters.errors import ClustersError
from conformance import alluredir, preflight
from conformance.controller import Controller
from conformance.errors import ConformanceError, ExitCode
from conformance.handover import Handover
from conformance.model import Result
from conformance.options import OPTIONS, Request, Takes
from conformance.scheduling import InOrder

#: The user property under which an item sends its result to the controller.
RESULT: Final = "conformance-result"

_HANDOVER: Final = pytest.StashKey[Handover]()
_CONTROLLER: Final = pytest.StashKey[Controller]()
_SESSION: Final = pytest.StashKey[pytest.Session]()
_WORKER_INPUT: Final = "conformance_handover"


class WorkerNode(Protocol):
    """What xdist's hooks are given for a worker."""

    workerinput: dict[str, Any]
    config: pytest.Config


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `conformance run`."""
    group = parser.getgroup("conformance", "conformance of in-cluster image builders")
    for option in OPTIONS:
        match option.takes:
            case Takes.FLAG:
                group.addoption(option.name, action="store_true", help=option.help)
            case Takes.ONE:
                group.addoption(option.name, metavar=option.metavar, help=option.help)
            case Takes.MANY:
                group.addoption(option.name, action="append", metavar=option.metavar, help=option.help)


def pytest_configure(config: pytest.Config) -> None:
    """Take the controller's handover in a worker; check the request anywhere else."""
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[_HANDOVER] = Handover.model_validate_json(worker_input[_WORKER_INPUT])
        return
    try:
        controller = Controller(preflight.check(Request.of(vars(config.option))))
    except (ConformanceError, ClustersError) as error:
        pytest.exit(str(error), returncode=error.exit_code)
    config.stash[_CONTROLLER] = controller
    # SIGINT too: a shell starts background jobs with it ignored, and then nothing would be deleted on it.
    signals = ExitStack()
    signals.enter_context(interrupts.as_interrupts())
    config.add_cleanup(signals.close)
    config.pluginmanager.register(Recorder(controller))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin the run: the clusters are created while the workers start."""
    alluredir.take_over(session.config)
    controller = session.config.stash.get(_CONTROLLER, None)
    if controller is None or session.config.option.collectonly:
        return
    try:
        session.config.stash[_HANDOVER] = controller.begin()
    except ConformanceError as error:
        pytest.exit(str(error), returncode=error.exit_code)
    except OSError as error:
        pytest.exit(f"the run cannot begin: {error}", returncode=ExitCode.INFRASTRUCTURE)
    except KeyboardInterrupt:
        pytest.exit("interrupted while the clusters were being created", returncode=ExitCode.INTERRUPTED)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerNode) -> None:
    """Hand everything to an xdist worker."""
    node.workerinput[_WORKER_INPUT] = node.config.stash[_HANDOVER].model_dump_json(by_alias=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:  # noqa: ANN401 - xdist's, untyped here
    """Hand cells out in the plan's order."""
    return InOrder(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item of each cell, in the plan's order, with the cell's id as the test's."""
    if "cell" in metafunc.fixturenames:
        stash = metafunc.config.stash
        controller = stash.get(_CONTROLLER, None)
        cells = stash[_HANDOVER].cells if controller is None else controller.checked.plan.cells
        metafunc.parametrize("cell", cells, ids=[cell.id for cell in cells])


@pytest.fixture(scope="session")
def handover(request: pytest.FixtureRequest) -> Handover:
    """Return what the controller handed over."""
    return request.config.stash[_HANDOVER]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give the run its exit code: pytest's own knows nothing of claims."""
    controller = session.config.stash.get(_CONTROLLER, None)
    if controller is not None and not session.config.option.collectonly:
        session.exitstatus = controller.finish()
        session.config.stash[_SESSION] = session
        alluredir.write(session.config, controller.folder, controller.display.say)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Delete the clusters, whatever happened; a second Ctrl-C does not stop that. What stays changes how it ends."""
    controller = config.stash.get(_CONTROLLER, None)
    if controller is not None:
        with interrupts.held_back():
            controller.end()
        session = config.stash.get(_SESSION, None)
        if session is not None and controller.exit_code is not None:
            session.exitstatus = controller.exit_code


class Recorder:
    """Writes results as they come; registered in the controller only."""

    def __init__(self, controller: Controller) -> None:
        """Record into the controller's run folder."""
        self._controller = controller

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember that somebody wanted it to end; pytest calls this for its own exits too."""
        if not isinstance(excinfo.value, pytest.exit.Exception) or excinfo.value.returncode == ExitCode.INTERRUPTED:
            self._controller.interrupted = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result an item sent, or why there is none."""
        sent = dict(report.user_properties).get(RESULT)
        if report.when == "call" and isinstance(sent, str):
            self._controller.record(Result.model_validate_json(sent))
        elif report.skipped:
            self._controller.record_not_run(_cell(report.nodeid), _skip_reason(report))
        elif report.failed:
            self._controller.record_broken(_cell(report.nodeid), report.longreprtext)


def _cell(nodeid: str) -> str:
    return nodeid.partition("[")[2].removesuffix("]")


def _skip_reason(report: pytest.TestReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")
