"""Fetch the modules of a job and compile it, telling how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clusters import process
from clusters.embedded.toolchain import cache
from clusters.embedded.toolchain.catalog import MODULES
from clusters.embedded.toolchain.failures import explain
from clusters.embedded.toolchain.go import Go
from clusters.embedded.toolchain.jobs import Job
from clusters.embedded.toolchain.key import BUILD_FLAGS, LDFLAGS
from clusters.embedded.toolchain.limits import LIMITS
from clusters.embedded.toolchain.programs import GoProgram
from clusters.embedded.toolchain.progress import Step
from clusters.errors import CommandError


@dataclass(frozen=True, kw_only=True, slots=True)
class _Package:
    """A package: its name, `main` for a program, and the folder of its source, which tells versions apart."""

    name: str
    folder: str


class Builder:
    """Builds jobs one after the other with module and build caches that they share."""

    def __init__(self, go: Go, work: Path) -> None:
        """Use this `go`, and the folder `work` for everything that is not a result."""
        self._go = go
        self._work = work
        self._compiled: set[str] = set()

    def build(self, job: Job, step: Step) -> dict[str, Path]:
        """Build a job and return program names with where they were put, in a folder of `work`.

        Raises UnavailableError when a module cannot be fetched, CommandError when it does not compile.
        """
        step.detail = "fetching modules"
        packages = self._fetch(job)
        unlinked = {path for path, package in packages.items() if package.name == "main"}
        folders = {package.folder for package in packages.values()}
        expected = len(folders - self._compiled)
        step.detail = f"compiling {expected} packages"
        out = cache.fresh_folder("out")
        done = 0

        def count(line: str) -> None:
            nonlocal done
            if line not in packages:
                return
            done += 1
            unlinked.discard(line)
            # `go` tells when it begins with a package; after the last program's own there is only linking.
            step.detail = f"compiling, {done} of {max(expected, done)} packages" if unlinked else "linking"

        self._run(job, ("build", "-v", *_flags(job), "-o", f"{out}/", *_packages(job)), on_line=count)
        # The standard library and what an earlier job compiled are not compiled again.
        self._compiled |= folders
        return {program.name: out / _binary(program) for program in job.programs}

    @contextmanager
    def prefetching(self, job: Job | None) -> Iterator[None]:
        """Fetch the modules of the next job in the background while the block builds the current one."""
        if job is None:
            yield
            return
        log = self._work / "prefetch.log"
        child = process.spawn(
            (self._go.binary, *_listing(job)), log=log, cwd=MODULES / job.first.tool, env=self._environment(job)
        )
        try:
            yield
        finally:
            # Whether it worked is of no interest: the job fetches what is missing and tells what it cannot get.
            if child.poll() is None:
                process.kill_group(child.pid)
                child.wait()

    def _fetch(self, job: Job) -> Mapping[str, _Package]:
        """Return what is compiled for a job, by the path that it is imported by."""
        lines: list[str] = []
        self._run(job, _listing(job), on_line=lines.append, limit=LIMITS.fetch)
        listed = (line.split(" ", 2) for line in lines if not line.startswith("go: "))
        return {path: _Package(name=name, folder=folder) for path, name, folder in listed}

    def _run(
        self, job: Job, argv: Sequence[str], *, on_line: Callable[[str], None], limit: float = LIMITS.compile
    ) -> None:
        try:
            process.stream(
                (self._go.binary, *argv),
                on_line=on_line,
                cwd=MODULES / job.first.tool,
                env=self._environment(job),
                timeout=limit,
            )
        except CommandError as error:
            raise explain(error, job.first.tool) from error

    def _environment(self, job: Job) -> dict[str, str]:
        return self._go.environment(self._work, cgo=job.first.cgo)


def _listing(job: Job) -> tuple[str, ...]:
    """Name the packages of a job; to do so, `go` fetches every module they come from and no other."""
    return ("list", "-mod=readonly", *_tags(job), "-deps", "-f", "{{.ImportPath}} {{.Name}} {{.Dir}}", *_packages(job))


def _flags(job: Job) -> tuple[str, ...]:
    return (*BUILD_FLAGS, *_tags(job), f"-ldflags={' '.join((*LDFLAGS, *job.first.ldflags))}")


def _tags(job: Job) -> tuple[str, ...]:
    return (f"-tags={','.join(job.first.tags)}",) if job.first.tags else ()


def _binary(program: GoProgram) -> str:
    """Return what `go build` calls a program: the last word of its package's path, whatever it is called here."""
    return program.tool if program.package == "." else program.package.rsplit("/", 1)[1]


def _packages(job: Job) -> tuple[str, ...]:
    return tuple(program.package for program in job.programs)
