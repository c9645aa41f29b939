"""What a probe is, what it works with, and how it says that it cannot look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from clusters.provider import Capability
from conformance.errors import ApiError
from conformance.kube import Json, Ran
from conformance.model import Evidence, Facts, ProbeFinding, Source, SourceKind
from conformance.stages.context import CellRun, StageFailedError
from conformance.waiting import Deadline

#: Where facts stand: findings cite them there.
OBSERVATION_FILE: Final = "observation.json"
#: The longest text that is kept as a fact.
_FACT: Final = 300


class CannotLookError(Exception):
    """The look cannot be done with this tool or on this cluster; the message says why, in a few words."""


class LookBrokeError(Exception):
    """Something broke that the probe is not about; the message says what."""


@dataclass(kw_only=True, slots=True)
class ProbeRun:
    """One probe of one cell under way. What it sees goes into `sources`, below `probes/<name>/`."""

    name: str
    cell_run: CellRun
    #: When the probe must be done.
    deadline: Deadline
    sources: list[Source]

    def note(self, file: str, text: str) -> None:
        """Keep a text below the probe's folder."""
        self.sources.append(Source(file=f"probes/{self.name}/{file}", kind=SourceKind.PROBE, text=text))

    def image(self, tag: str) -> str:
        """Return what an image of this probe is pushed as: its own repository, no other cell's."""
        return f"{self.cell_run.image_name}-{self.name}:{tag}"

    def script(self, file: str, *lines: str) -> Ran:
        """Run shell lines in the client's container and keep what they said. Raises LookBrokeError when cut off."""
        argv = [*self.cell_run.driver.shell, "\n".join(lines)]
        ran = self.cell_run.in_client(argv, within=self.deadline.remaining)
        self.note(file, ran.output)
        if ran.broken:
            raise LookBrokeError(f"the API server did not answer to the end of {file}: {ran.broken.rstrip('.')}")
        if ran.code is None:
            raise LookBrokeError(f"{file} did not end in the time the probe has")
        return ran

    def in_builder(self, *argv: str) -> Ran:
        """Run a command in the builder's container."""
        cell_run = self.cell_run
        return cell_run.kube.execute(
            cell_run.namespace,
            str(self.pod()["metadata"]["name"]),
            cell_run.builder_container,
            list(argv),
            within=min(self.deadline.remaining, cell_run.timeouts.command),
        )

    def pod(self) -> Json:
        """Return the builder's pod. Raises LookBrokeError when it is gone."""
        try:
            return self.cell_run.pod()
        except StageFailedError as error:
            raise LookBrokeError(str(error)) from error

    def usable(self) -> bool:
        """Ask the builder once whether builds can begin."""
        driver = self.cell_run.driver
        try:
            ran = self.cell_run.in_client(
                driver.hello(), within=min(self.deadline.remaining, self.cell_run.timeouts.dial)
            )
        except StageFailedError:
            return False
        except ApiError as error:
            if error.status is None:
                # The API server itself is gone: waiting for the builder brings nothing.
                raise
            # The container is between two lives.
            return False
        return ran.ok and driver.is_usable(ran.output)


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A probe as the table lists it."""

    name: str
    #: One sentence: what holds when nothing is found.
    summary: str
    #: What can be found instead, by name, each with one sentence on what it means.
    findings: Mapping[str, str]
    #: Looks, without an opinion. Raises CannotLookError, LookBrokeError, ApiError, WaitError, StageFailedError.
    look: Callable[[ProbeRun], Facts]
    #: Says what the facts mean; does no I/O, so that stored facts can be judged again.
    judge: Callable[[Facts], ProbeFinding]
    #: What the cluster must be able to do; without it the probe does not run.
    requires: frozenset[Capability] = frozenset()
    #: Kills, fills or evicts something: runs last, and only where that is allowed.
    disruptive: bool = False


def cite(facts: Facts, *names: str) -> tuple[Evidence, ...]:
    """Return facts as evidence, `name = value`."""
    return tuple(
        Evidence(file=OBSERVATION_FILE, line=0, text=f"{name} = {facts.get(name, 'not seen')}") for name in names
    )


def found(facts: Facts, finding: str, detail: str, *names: str) -> ProbeFinding:
    """Return a finding that rests on the named facts."""
    return ProbeFinding(found=finding, detail=detail, evidence=cite(facts, *names))


def last_line(text: str) -> str:
    """Return the last line that says something, short enough for a fact."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_FACT] if lines else ""
