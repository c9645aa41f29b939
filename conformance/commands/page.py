"""The reference page of the command lines, from the commands themselves: `python -m conformance.commands.page`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from clusters.cli import clusters
from conformance.cli import group

#: The command lines there are, by what one types.
ROOTS: Final[dict[str, click.Command]] = {"conformance": group, "python -m clusters": clusters}

_HEAD: Final = """# Command lines

Every command and option, as `--help` shows them.
From a checkout they are run as `uv run conformance ...` and `uv run python -m clusters ...`.
`nox -s conformance -- ...` takes the options of `conformance run`.

This page is generated: `uv run python -m conformance.commands.page > docs/reference/cli.md`.
"""
#: Wide enough for the longest usage line, so that no terminal decides where lines break.
_WIDTH: Final = 110


def commands(name: str, command: click.Command, parent: click.Context | None = None) -> Iterator[click.Context]:
    """Yield the context of a command and of all below it; what one types for it is its `command_path`."""
    settings = {**command.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            yield from commands(word, below, context)


def markdown() -> str:
    """Return the page."""
    parts = [_HEAD]
    for name, root in ROOTS.items():
        parts += [f"## {each.command_path}\n\n```text\n{_help(each)}\n```\n" for each in commands(name, root)]
    return "\n".join(parts)


def _help(context: click.Context) -> str:
    return "\n".join(line.rstrip() for line in context.get_help().splitlines())


if __name__ == "__main__":
    click.echo(markdown(), nl=False)
