"""`python -m clusters engine`: a Docker engine of our own by hand, for machines that have none."""

from __future__ import annotations

import os
from typing import NoReturn

import click

from clusters import process
from clusters.docker import own
from clusters.errors import UsageError


@click.group(
    "engine", help="A Docker engine of our own, in namespaces of its own, where there is no other. Needs root."
)
def engine_group() -> None:
    """Group the commands below."""


@engine_group.command("start")
def start() -> None:
    """Start the engine, or keep the one that runs, until `stop`; print how to speak to it."""
    own.prepare(_say)
    engine = own.acquire(own.BY_HAND, _say)
    click.echo(f"export DOCKER_HOST={engine.environment['DOCKER_HOST']}")
    _say(f"its published ports are at {engine.address}; python -m clusters engine stop removes it")


@engine_group.command("stop")
def stop() -> None:
    """Stop the engine and remove its images and containers, as soon as no cluster uses it."""
    own.release(own.BY_HAND)
    left = own.users()
    click.echo(
        f"still used by {', '.join(left)}: it goes with the last of them" if left else "there is no engine of ours"
    )


@engine_group.command("status")
def status() -> None:
    """Say whether the engine runs, where it is and who uses it."""
    engine = own.running()
    if engine is None:
        click.echo(own.trace() or "there is no engine of ours")
        return
    click.echo(f"{engine.environment['DOCKER_HOST']}, ports at {engine.address}, used by {', '.join(own.users())}")


@engine_group.command("run", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...]) -> NoReturn:
    """Run COMMAND (`docker ps`, say) with what it needs to speak to the engine. Raises UsageError when none runs."""
    engine = own.running()
    if engine is None:
        raise UsageError("our Docker engine does not run: python -m clusters engine start")
    path = f"{engine.environment['PATH']}:{os.environ.get('PATH', '')}"
    process.replace(command, env={**os.environ, **engine.environment, "PATH": path})


def _say(line: str) -> None:
    click.echo(line, err=True)
