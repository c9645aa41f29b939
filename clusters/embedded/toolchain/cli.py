"""`python -m clusters toolchain`: build, list, prune and update the programs of the embedded cluster."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from clusters.embedded.toolchain import cache
from clusters.embedded.toolchain.programs import Program, every, pick, programs_for
from clusters.embedded.toolchain.prune import prune
from clusters.embedded.toolchain.supply import ensure, look
from clusters.embedded.toolchain.tools import DEFAULT_LINE, tools_named
from clusters.embedded.toolchain.update import update

_LINE = click.option(
    "--kubernetes", "line", default=DEFAULT_LINE, show_default=True, metavar="LINE", help="Kubernetes line, e.g. 1.34."
)
_MIB = 2**20


@click.group("toolchain", help="The programs of the embedded cluster, built from pinned sources into a cache.")
def toolchain_group() -> None:
    """Group the commands below."""


@toolchain_group.command("build")
@_LINE
@click.argument("programs", nargs=-1, metavar="[PROGRAM]...")
def build(line: str, programs: tuple[str, ...]) -> None:
    """Build what an embedded cluster needs, or just the named programs, and print where they are."""
    wanted = pick(programs, kubernetes=line) if programs else programs_for(line)
    for name, path in ensure(wanted, progress=_say).items():
        click.echo(f"{name} {path}")


@toolchain_group.command("list")
@_LINE
def list_(line: str) -> None:
    """Show each program of a Kubernetes line, whether it is built, and what else is in the cache."""
    state = look(every(line))
    versions = {entry.folder: str(entry.made_from["version"]) for entry in cache.entries()}
    used = {path.parent for path in state.found.values()}
    table = Table("program", "version", "size (MiB)", "state", box=None, pad_edge=False)
    for program in every(line):
        path = state.found.get(program.name)
        size = "" if path is None else f"{path.stat().st_size / _MIB:.1f}"
        version = program.version if path is None else versions.get(path.parent, program.version)
        table.add_row(program.name, version, size, _state(program, built=path is not None))
    for entry in cache.entries():
        if entry.folder not in used:
            size = f"{cache.size_of(entry.folder) / _MIB:.1f}"
            table.add_row(entry.program, versions[entry.folder], size, "for another plan")
    Console().print(table)
    click.echo(f"in {cache.root()}")
    if cache.work_exists():
        click.echo("A build is running or was interrupted: `build` goes on from there, `prune` removes what it left.")
    if lacking := [program.name for program in state.missing if not program.optional]:
        click.echo(
            f"{len(lacking)} missing for Kubernetes {line}: `python -m clusters toolchain build --kubernetes {line}`"
        )


@toolchain_group.command("prune")
@click.option("--all", "everything", is_flag=True, help="Remove what is in use too.")
def prune_(everything: bool) -> None:  # noqa: FBT001 - click passes a flag
    """Remove programs that no current version uses, and what interrupted builds left."""
    freed = prune(everything=everything, progress=_say)
    click.echo(f"freed {freed / _MIB:.0f} MiB")


@toolchain_group.command("update")
@click.argument("tools", nargs=-1, metavar="[TOOL]...")
def update_(tools: tuple[str, ...]) -> None:
    """Write go.mod and go.sum of the named tools, or of all, after programs.toml was changed."""
    update(tools_named(tools), progress=_say)


def _state(program: Program, *, built: bool) -> str:
    if built:
        return "built"
    return "not built (optional)" if program.optional else "missing"


def _say(line: str) -> None:
    click.echo(line, err=True)
