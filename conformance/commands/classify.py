"""`conformance classify`: name the failure in a log, for people who have a log and no cluster."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import IO, Final

import click

from conformance.classify import CLASSES, TextFinding, classify_text
from conformance.classify.page import KINDS
from conformance.errors import ExitCode
from conformance.model import SourceKind

_HELP = """Name the failure in a log: class, layer, kind, the line it rests on, what it means and what to do.

FILE is a log, `-` or nothing is standard input. A build's output, a daemon's log, `kubectl describe`, events, helm's
output: any mixture will do.

\b
Examples:
  conformance classify build.log
  kubectl logs mypod -c buildkitd | conformance classify
  conformance classify --kind daemon buildkitd.log
  conformance classify --jsonl < texts.jsonl > classes.jsonl

With --jsonl each line in is `{"id", "text"}` and each line out
`{"id", "class", "layer", "kind", "evidence", "candidates", "decisive"}`; `class` is null where no rule matches.

\b
Exit codes:
  0  every text has a class (with --jsonl: every line could be read)
  1  no rule matches in one of the texts
  3  a file or a line cannot be read
"""
_STDIN: Final = "-"


def _classify(files: tuple[str, ...], kind: str, *, jsonl: bool) -> None:
    codes = set()
    for file in files or (_STDIN,):
        try:
            with click.open_file(file, "rb") as stream:
                code = _stream(file, stream) if jsonl else _show(file, stream.read(), SourceKind(kind))
        except BrokenPipeError:
            # Whoever reads us has seen enough; Python would complain once more when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(int(ExitCode.AS_CLAIMED))
        except OSError as error:
            click.echo(f"error: cannot read {file}: {error.strerror or error}: check the path", err=True)
            code = ExitCode.USAGE
        codes.add(code)
    sys.exit(int(max(codes)))


def _show(file: str, data: bytes, kind: SourceKind) -> ExitCode:
    finding = classify_text(data, kind, file)
    if finding.class_ is None:
        click.echo(f"{file}: unclassified: no rule knows this text; keep more of the output around the failure")
        return ExitCode.CLAIMS_BROKEN
    class_ = CLASSES[finding.class_]
    rows = [("layer", class_.layer.value), ("kind", f"{class_.kind.value}, {KINDS[class_.kind]}")]
    rows += [("evidence", f"{each.file}:{each.line}: {each.text}") for each in finding.evidence]
    if finding.detail and finding.detail not in finding.evidence[0].text:
        rows.append(("detail", finding.detail))
    rows += [("meaning", class_.meaning), ("remedy", class_.remedy), ("reference", class_.reference)]
    if finding.candidates:
        rows.append(("candidates", ", ".join(finding.candidates)))
    rows.append(("decisive", "yes" if finding.decisive else "no: this text alone does not settle it"))
    click.echo(f"{file}: {class_.name}")
    for name, value in rows:
        click.echo(f"  {name:10} {value}")
    return ExitCode.AS_CLAIMED


def _stream(file: str, stream: IO[bytes]) -> ExitCode:
    code = ExitCode.AS_CLAIMED
    for number, answer in _answers(stream):
        if isinstance(answer, str):
            click.echo(f"error: {file}:{number}: {answer}", err=True)
            code = ExitCode.USAGE
        else:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    return code


def _answers(stream: IO[bytes]) -> Iterator[tuple[int, dict[str, object] | str]]:
    """Yield the number of each line and its answer, or what is wrong with it."""
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8", "replace"), strict=False)
        except (ValueError, RecursionError) as error:
            yield number, f"this line is no JSON: {error}"
            continue
        if not isinstance(record, dict) or not isinstance(record.get("text"), str):
            yield number, 'want an object with "id" and "text", a string'
            continue
        yield number, _answer(record.get("id"), classify_text(record["text"]))


def _answer(name: object, finding: TextFinding) -> dict[str, object]:
    return {
        "id": name,
        "class": finding.class_,
        "layer": finding.layer.value if finding.layer else None,
        "kind": finding.kind.value if finding.kind else None,
        "evidence": [{"file": each.file, "line": each.line, "text": each.text} for each in finding.evidence],
        "candidates": list(finding.candidates),
        "decisive": finding.decisive,
    }


@click.command("classify", help=_HELP, short_help="Name the failure in a log.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--jsonl", is_flag=True, help="Read and write one JSON object a line, as a stream.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in SourceKind]),
    default=SourceKind.UNKNOWN.value,
    show_default=True,
    help="Where the text comes from, where you know it: it narrows the rules.",
)
def classify_command(files: tuple[str, ...], jsonl: bool, kind: str) -> None:  # noqa: FBT001 — click passes flags so
    """Name the failure in a log."""
    _classify(files, kind, jsonl=jsonl)
