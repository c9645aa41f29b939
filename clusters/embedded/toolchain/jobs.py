"""What is built together: programs of one module with the same flags share one `go build`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clusters.embedded.toolchain.programs import GoProgram, Program


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One `go build`: programs of one folder in `modules/` that differ in nothing but their package."""

    programs: tuple[GoProgram, ...]

    @property
    def first(self) -> GoProgram:
        """Any of them, for what they have in common."""
        return self.programs[0]

    @property
    def title(self) -> str:
        """What is built, for people."""
        return f"{self.first.tool} {self.first.version}"

    @property
    def names(self) -> str:
        """The programs that come out, for people."""
        return ", ".join(program.name for program in self.programs)


def jobs_for(programs: Iterable[Program]) -> tuple[Job, ...]:
    """Group the Go programs among these into jobs, in the order in which they come."""
    groups: dict[tuple[object, ...], list[GoProgram]] = {}
    for program in programs:
        if isinstance(program, GoProgram):
            alike = (program.tool, program.version, program.tags, program.ldflags, program.cgo)
            groups.setdefault(alike, []).append(program)
    return tuple(Job(programs=tuple(members)) for members in groups.values())
