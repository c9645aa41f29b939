"""Which programs there are, and which of them a cluster of some Kubernetes line needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clusters.embedded.toolchain.catalog import ToolRecord, load
from clusters.embedded.toolchain.tools import DEFAULT_LINE, KUBERNETES_LINES, choices, tools_for
from clusters.errors import UsageError


@dataclass(frozen=True, kw_only=True, slots=True)
class GoProgram:
    """A program built in the folder `modules/<tool>` from `package` of `module` with these flags."""

    name: str
    tool: str
    version: str
    module: str
    package: str
    tags: tuple[str, ...]
    ldflags: tuple[str, ...]
    cgo: bool
    libraries: tuple[str, ...]
    disk_gib: float
    optional: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DebianProgram:
    """A program taken from a Debian package, where it is at `path`; the distribution decides the version."""

    name: str
    package: str
    path: str
    optional: bool = False

    @property
    def version(self) -> str:
        """Where the version comes from."""
        return "debian"


Program = GoProgram | DebianProgram


def programs_for(kubernetes: str = DEFAULT_LINE) -> tuple[Program, ...]:
    """Return what an embedded cluster of that line needs and nothing more, in the order it is built.

    Raises UsageError for a line that is not pinned.
    """
    return tuple(program for program in every(kubernetes) if not program.optional)


def pick(names: Iterable[str], *, kubernetes: str = DEFAULT_LINE) -> tuple[Program, ...]:
    """Return the programs of these names, optional ones too. Raises UsageError for a name or line that is not there."""
    known = {program.name: program for program in every(kubernetes)}
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            raise UsageError(f"no program {name!r} in the toolchain: there are {choices(name, known)}")
    return tuple(program for name, program in known.items() if name in wanted)


def version_of(program: str, line: str = DEFAULT_LINE) -> str:
    """Return the version that is pinned, e.g. `v1.35.4`; `debian` for what the distribution decides."""
    return pick([program], kubernetes=line)[0].version


def build_command(missing: Iterable[Program]) -> str:
    """Return the command that builds these programs."""
    wanted = tuple(missing)
    tools = {program.tool for program in wanted if isinstance(program, GoProgram)}
    lines = [
        line for line in KUBERNETES_LINES if line != DEFAULT_LINE and tools & {tool.name for tool in tools_for(line)}
    ]
    options = [f"--kubernetes {line}" for line in lines]
    return " ".join(["python -m clusters toolchain build", *options, *(program.name for program in wanted)])


def every(line: str) -> tuple[Program, ...]:
    """Return all there is for a Kubernetes line, optional programs too. Raises UsageError for an unknown line."""
    packaged = (
        DebianProgram(name=item.program, package=item.package, path=item.path, optional=item.optional)
        for item in load().debian
    )
    built = (program for tool in (*load().tools, *tools_for(line)) for program in _of(tool))
    return (*packaged, *built)


def _of(tool: ToolRecord) -> Iterator[GoProgram]:
    major, minor, _ = tool.version.removeprefix("v").split(".")
    for build in tool.build:
        ldflags = tuple(flag.format(version=tool.version, major=major, minor=minor) for flag in build.ldflags)
        for name, package in build.programs.items():
            yield GoProgram(
                name=name,
                tool=tool.name,
                version=tool.version,
                module=tool.module,
                package=package,
                tags=build.tags,
                ldflags=ldflags,
                cgo=build.cgo,
                libraries=build.libraries,
                disk_gib=tool.disk_gib,
                optional=name in build.optional,
            )
