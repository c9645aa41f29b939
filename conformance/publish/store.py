"""The folder of everything published: `<chart>-<version>/<cluster>/`, and the matrix over all of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from clusters.paths import CHECKOUT
from conformance.errors import UsageError
from conformance.publish import overview, page
from conformance.publish.gather import digest, join
from conformance.publish.records import Published, Shelf
from conformance.report.json import pretty

REPORTS: Final = CHECKOUT / "reports"

_RECORD: Final = "report.json"
_PAGE: Final = "README.md"
_EVIDENCE: Final = "evidence"


def publish(root: Path, shelves: Sequence[Shelf], *, as_of: date | None = None) -> tuple[Path, ...]:
    """Join what a run has to publish with what is there; return the files that changed.

    `as_of` is the day that ages are counted to; None: the day of the newest published run.
    Raises UsageError when what is there cannot be read.
    """
    changed: list[Path] = []
    for shelf in shelves:
        folder = root / shelf.published.folder
        former = _read_shelf(folder)
        changed += _write_folder(folder, files(join(former, shelf) if former is not None else shelf))
    everything = read_all(root)
    if everything:
        day = as_of or date.fromisoformat(max(each.newest for each in everything))
        changed += _write(root / _PAGE, overview.render(everything, day))
    return tuple(changed)


def read_all(root: Path) -> tuple[Published, ...]:
    """Read everything published, in a fixed order. Raises UsageError with every file that cannot be read."""
    found: list[Published] = []
    faults: list[str] = []
    for path in sorted(root.glob(f"*/*/{_RECORD}")):
        try:
            found.append(_read(path))
        except UsageError as error:
            faults += error.faults
    if faults:
        raise UsageError(*faults)
    return tuple(found)


def files(shelf: Shelf) -> dict[str, str]:
    """Return every file of a published cluster by its name, relative to its folder."""
    return {
        _PAGE: page.render(shelf.published),
        _RECORD: pretty(shelf.published),
        **{f"{_EVIDENCE}/{cell}.txt": text for cell, text in shelf.excerpts.items()},
    }


def differences(root: Path) -> tuple[str, ...]:
    """Say which files are not what `publish` writes: edited, missing, or belonging to nothing. Raises UsageError."""
    found: list[str] = []
    expected: set[Path] = set()
    everything = read_all(root)
    for each in everything:
        folder = root / each.folder
        known = {
            cell.cell.id: text for cell in each.cells if (text := _text(_excerpt(folder, cell.cell.id))) is not None
        }
        shelf = Shelf(published=each, excerpts=known)
        found += [
            f"{_excerpt(folder, cell.cell.id)}: is not the evidence that was published"
            for cell in each.cells
            if shelf.excerpts.get(cell.cell.id) is None or digest(shelf.excerpts[cell.cell.id]) != cell.excerpt
        ]
        wanted = files(shelf)
        expected |= {folder / name for name in wanted}
        found += [f"{folder / name}: was edited" for name, text in wanted.items() if _text(folder / name) != text]
    if everything:
        expected.add(root / _PAGE)
        text = _text(root / _PAGE) or ""
        day = overview.as_of_in(text)
        if day is None or text != overview.render(everything, day):
            found.append(f"{root / _PAGE}: does not show what is published")
    there = {path for path in root.rglob("*") if path.is_file()}
    found += [f"{path}: belongs to nothing that is published" for path in sorted(there - expected)]
    return tuple(f"{fault}: run `conformance publish RUN` again, edit nothing by hand" for fault in found)


def _read_shelf(folder: Path) -> Shelf | None:
    if not (folder / _RECORD).exists():
        return None
    published = _read(folder / _RECORD)
    excerpts = {cell.cell.id: _text(_excerpt(folder, cell.cell.id)) or "" for cell in published.cells}
    return Shelf(published=published, excerpts=excerpts)


def _read(path: Path) -> Published:
    try:
        return Published.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as what `conformance publish` writes: {error}") from error


def _write_folder(folder: Path, wanted: dict[str, str]) -> list[Path]:
    changed = [path for name, text in wanted.items() for path in _write(folder / name, text)]
    for path in (folder / _EVIDENCE).glob("*"):
        if f"{_EVIDENCE}/{path.name}" not in wanted:
            path.unlink()
            changed.append(path)
    return changed


def _write(path: Path, text: str) -> list[Path]:
    """Write a file that differs, and return it; leave one alone that is as it should be."""
    content = text.encode("utf-8", "backslashreplace")
    if path.exists() and path.read_bytes() == content:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return [path]


def _excerpt(folder: Path, cell: str) -> Path:
    return folder / _EVIDENCE / f"{cell}.txt"


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", "replace") if path.is_file() else None
