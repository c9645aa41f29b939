"""Give programs that are built, building those that are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from clusters.embedded.toolchain import cache, cgo, debian, disk, go, key
from clusters.embedded.toolchain.gobuild import Builder
from clusters.embedded.toolchain.jobs import jobs_for
from clusters.embedded.toolchain.programs import DebianProgram, GoProgram, Program, build_command
from clusters.embedded.toolchain.progress import Show
from clusters.errors import UnavailableError, UsageError
from clusters.provider import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """Which programs are there, and which are not, in the order in which they are built."""

    found: Mapping[str, Path]
    missing: tuple[Program, ...]


def ensure(programs: Iterable[Program], *, progress: Progress) -> Mapping[str, Path]:
    """Return where each program is, by name, building what is missing.

    A build that is interrupted goes on where it was when this is called again. Raises ClustersError.
    """
    wanted = _distinct(programs)
    if not (state := look(wanted)).missing:
        return state.found
    show = Show(progress)
    with cache.locked(show):
        # The run that was waited for may have built it all.
        if (state := look(wanted)).missing:
            _build(state.missing, show)
            cache.clear_work()
    return locate(wanted)


def locate(programs: Iterable[Program]) -> Mapping[str, Path]:
    """Return where each program is, by name, building nothing. Raises UnavailableError naming what is missing."""
    state = look(_distinct(programs))
    if state.missing:
        names = ", ".join(program.name for program in state.missing)
        raise UnavailableError(f"not built yet: {names}; build what is missing with `{build_command(state.missing)}`")
    return state.found


def look(programs: Iterable[Program]) -> State:
    """Say which programs are there and which are not, changing nothing."""
    found: dict[str, Path] = {}
    missing: list[Program] = []
    using = go.find()
    for program in programs:
        path = _find(program, using)
        if path is None:
            missing.append(program)
        else:
            found[program.name] = path
    return State(found=found, missing=tuple(missing))


def _find(program: Program, using: go.Go | None) -> Path | None:
    match program:
        case DebianProgram():
            return _find_debian(program) or debian.on_path(program)
        case GoProgram():
            return None if using is None else cache.find(key.of_go(program, using), program.name)
        case _:
            assert_never(program)


def _find_debian(program: DebianProgram) -> Path | None:
    """Return what was taken from the package before, of whatever version: it changes when it is pruned, not before."""
    made = [
        entry
        for entry in cache.entries()
        if entry.program == program.name and entry.made_from.get("debian") == program.package
    ]
    return max(made, key=lambda entry: entry.folder.stat().st_mtime).binary if made else None


def _build(missing: tuple[Program, ...], show: Show) -> None:
    jobs = jobs_for(missing)
    disk.check(jobs)
    cgo.check(missing)
    for program in missing:
        if isinstance(program, DebianProgram):
            _take(program, show)
    if not jobs:
        return
    using = go.obtain(show.say)
    show.say(f"building with {using.facts['GOVERSION']} ({using.binary}) into {cache.root()}")
    builder = Builder(using, cache.work())
    for number, (job, following) in enumerate(zip(jobs, (*jobs[1:], None), strict=True), start=1):
        title = f"[{number}/{len(jobs)}] {job.title}"
        # Before building: what is changed meanwhile is not what was built.
        identities = {program.name: key.of_go(program, using) for program in job.programs}
        with show.step(title, f"building {job.names}", "built") as step, builder.prefetching(following):
            for name, built in builder.build(job, step).items():
                cache.publish(identities[name], name, built)


def _take(program: DebianProgram, show: Show) -> None:
    title = f"{program.name} from Debian's package {program.package}"
    with show.step(title, "fetching", "taken"):
        taken = debian.take(program, cache.fresh_folder("debian"))
        identity = key.of_debian(program, version=taken.version, architecture=taken.architecture)
        cache.publish(identity, program.name, taken.binary)


def _distinct(programs: Iterable[Program]) -> tuple[Program, ...]:
    """Drop repetitions. Raises UsageError when one name stands for two versions, which have one place in the answer."""
    distinct = tuple(dict.fromkeys(programs))
    names = [program.name for program in distinct]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two versions of {', '.join(twice)} were asked for at once: ask for each by itself")
    return distinct
