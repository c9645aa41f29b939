"""`conformance classes`: list the failure classes, make their reference page, score the rules."""

from __future__ import annotations

import json
from pathlib import Path

import click

from conformance.classify import CLASSES, score
from conformance.classify.page import as_dict, markdown
from conformance.errors import UsageError
from conformance.model import Layer, VerdictKind

_HELP = """List the failure classes: name, kind, layer and meaning.

\b
Examples:
  conformance classes --layer admission
  conformance classes --kind U --json
  conformance classes --markdown > docs/reference/classes.md
  conformance classes --score labelled.jsonl

--score reads lines of `{"id", "label", "text", "source"}` and prints how many texts get their label, what others are
taken for, and the score of two halves split by source.
"""


@click.command("classes", help=_HELP, short_help="List the failure classes.")
@click.option("--layer", type=click.Choice([layer.value for layer in Layer]), help="Only this layer.")
@click.option("--kind", type=click.Choice([kind.value for kind in VerdictKind]), help="Only this kind of verdict.")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
@click.option("--markdown", "as_markdown", is_flag=True, help="As the reference page.")
@click.option("--score", "labelled", type=click.Path(dir_okay=False, path_type=Path), help="Score the rules on a file.")
def classes_command(
    layer: str | None,
    kind: str | None,
    as_json: bool,  # noqa: FBT001 — click passes flags so
    as_markdown: bool,  # noqa: FBT001
    labelled: Path | None,
) -> None:
    """List the failure classes. Raises UsageError when the file to score cannot be read."""
    if labelled is not None:
        click.echo(score.report(score.judge(score.read(_lines(labelled)))))
        return
    chosen = [
        class_
        for class_ in CLASSES.values()
        if layer in {None, class_.layer.value} and kind in {None, class_.kind.value}
    ]
    if as_json:
        click.echo(json.dumps([as_dict(class_) for class_ in chosen], indent=2, ensure_ascii=False))
    elif as_markdown:
        click.echo(markdown(chosen), nl=False)
    else:
        width = max((len(class_.name) for class_ in chosen), default=0)
        for class_ in chosen:
            click.echo(f"{class_.name:{width}}  {class_.kind.value}  {class_.layer.value:11}  {class_.meaning}")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}: check the path") from error
