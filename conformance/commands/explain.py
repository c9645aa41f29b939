"""`conformance explain`: what a failure class means and what to do."""

from __future__ import annotations

import click
from rapidfuzz import fuzz, process

from conformance.classify import CLASSES
from conformance.classify.page import explanation
from conformance.errors import UsageError
from conformance.model import UNCLASSIFIED

_HELP = """Say what a failure class means, what to do, and by which texts it is known.

\b
Examples:
  conformance explain rootlesskit-clone-eperm
  conformance explain psa-baseline-violation

`conformance classes` lists all of them. Exit code 3: there is no such class.
"""
_GUESSES = 3
_UNCLASSIFIED = """unclassified
  meaning    No rule knows this failure. It is counted and shown, never guessed.
  remedy     Read the evidence; add a rule and replay the run (`conformance replay`)."""


@click.command("explain", help=_HELP, short_help="What a failure class means and what to do.")
@click.argument("name", metavar="CLASS")
def explain_command(name: str) -> None:
    """Say what a failure class means and what to do. Raises UsageError where there is no such class."""
    if name == UNCLASSIFIED:
        click.echo(_UNCLASSIFIED)
        return
    if name not in CLASSES:
        nearest = ", ".join(
            found[0] for found in process.extract(name, CLASSES.keys(), scorer=fuzz.WRatio, limit=_GUESSES)
        )
        raise UsageError(f"there is no class {name!r}. Nearest: {nearest}. `conformance classes` lists all of them")
    click.echo(explanation(CLASSES[name]))
