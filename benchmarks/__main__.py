"""`python -m benchmarks [NAME...]`: run measurements and print their tables; `nox -s bench` calls this."""

from __future__ import annotations

import os
import platform
from importlib import import_module
from typing import Final

import click

#: What is measured, in the order of what it costs.
NAMES: Final = ("plan", "report", "classify", "cluster", "matrix")


@click.command(help=f"Measure {', '.join(NAMES)} (default: all of them) and print one Markdown table each.")
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
def main(names: tuple[str, ...]) -> None:
    """Run the measurements that were named."""
    click.echo(f"{os.cpu_count()} cores, {platform.machine()}, kernel {platform.release()}")
    for name in names or NAMES:
        click.echo(f"\n## {name}\n")
        for line in import_module(f"benchmarks.{name}").measure():
            click.echo(line)


if __name__ == "__main__":
    main()
