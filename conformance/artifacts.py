"""The folder of a run: plan, results, what was seen of each cell. Nothing reaches it unredacted or uncapped."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from conformance import redact
from conformance.capping import cap, cap_texts
from conformance.errors import UsageError
from conformance.judge import not_run
from conformance.model import SCHEMA_VERSION, Cell, Observation, Result, Run

RecordT = TypeVar("RecordT", bound=BaseModel)

RUNS: Final = Path(".conformance/runs")
LATEST: Final = "latest"
OBSERVATION: Final = "observation.json"

#: The reason of a cell without a result in a run that was killed.
INTERRUPTED: Final = "interrupted"


def new_run_id(now: datetime | None = None) -> str:
    """Return a name that sorts by time (UTC, to the minute) and does not collide, e.g. `20261121-0412-ab3f`."""
    return f"{now or datetime.now(UTC):%Y%m%d-%H%M}-{secrets.token_hex(2)}"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run. The controller alone writes plan and results; each cell's folder has its own writer."""

    path: Path

    @classmethod
    def create(cls, base: Path = RUNS) -> RunFolder:
        """Make the folder of a new run and point `latest` at it."""
        base.mkdir(parents=True, exist_ok=True)
        while True:
            path = base / new_run_id()
            try:
                path.mkdir()
            except FileExistsError:
                continue
            break
        pointer = base / f".{LATEST}-{path.name}"
        pointer.symlink_to(path.name)
        pointer.replace(base / LATEST)
        return cls(path)

    @classmethod
    def open(cls, name: str | Path, base: Path = RUNS) -> RunFolder:
        """Open a run by its id (or `latest`) under `base`, or by its path. Raises UsageError when there is none."""
        for path in (Path(name), base / name):
            if (path / "plan.jsonl").is_file():
                return cls(path.resolve())
        runs = sorted(path.parent.name for path in base.glob("*/plan.jsonl") if path.parent.name != LATEST)
        known = f"Runs there: {', '.join(runs[-5:])}" if runs else f"There are no runs in {base}"
        raise UsageError(f"{name} is no run: neither it nor {base / name} holds a plan.jsonl. {known}")

    @property
    def run_id(self) -> str:
        """Return the run's id."""
        return self.path.name

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run while the block runs: nobody else takes it up. Raises UsageError when somebody does."""
        lock = FileLock(self.path / ".lock", blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise UsageError(f"run {self.run_id} is going on: wait for its end, or interrupt it") from error
        try:
            yield
        finally:
            lock.release()

    def cell(self, cell_id: str) -> Path:
        """Return the folder of a cell."""
        return self.path / "cells" / cell_id

    def write_run(self, run: Run) -> None:
        """Write `run.json`; again whenever more is known."""
        _write_json(self.path / "run.json", run)

    def read_run(self) -> Run:
        """Read `run.json`; a run that was killed before it wrote one has only an id. Raises UsageError."""
        path = self.path / "run.json"
        if not path.exists():
            return Run(run_id=self.run_id, started="")
        return _parse(path, Run, path.read_text(encoding="utf-8"))

    def write_plan(self, cells: Iterable[Cell]) -> None:
        """Write a line for each planned cell, controls among them, before anything else happens."""
        lines = "".join(_line(cell) for cell in cells)
        _replace(self.path / "plan.jsonl", lines)

    def read_plan(self) -> tuple[Cell, ...]:
        """Read the planned cells in their order. Raises UsageError when the file is damaged."""
        return tuple(_read_lines(self.path / "plan.jsonl", Cell))

    def append_result(self, result: Result) -> None:
        """Add a line to `results.jsonl` and see it onto the disk."""
        with (self.path / "results.jsonl").open("a+b") as file:
            _cut_torn_line(file)
            # What UTF-8 cannot hold (half a surrogate pair out of somebody's JSON) is written as JSON's own escape.
            file.write(_line(result).encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())

    def read_results(self) -> tuple[Result, ...]:
        """Read what has a result, one a cell (the last counts), in the plan's order.

        A torn last line, as a killed run leaves it, is passed over. Raises UsageError when another line is damaged.
        """
        path = self.path / "results.jsonl"
        found = {result.cell: result for result in _read_lines(path, Result, torn=True)} if path.exists() else {}
        order = {cell.id: index for index, cell in enumerate(self.read_plan())}
        return tuple(sorted(found.values(), key=lambda result: order.get(result.cell, len(order))))

    def complete_results(self, reason: str = INTERRUPTED) -> tuple[Result, ...]:
        """Return a result for every planned cell: what is missing is `not-run` for this reason. Writes nothing."""
        found = {result.cell: result for result in self.read_results()}
        return tuple(found.get(cell.id) or not_run(cell, reason) for cell in self.read_plan())

    def fill_not_run(self, reason: str) -> tuple[Result, ...]:
        """Write `not-run` for every planned cell without a result and return those lines."""
        known = {result.cell for result in self.read_results()}
        missing = tuple(not_run(cell, reason) for cell in self.read_plan() if cell.id not in known)
        for result in missing:
            self.append_result(result)
        return missing

    def write_observation(self, cell_id: str, observation: Observation, *, attempt: int | None = None) -> Observation:
        """Write what was seen of a cell, each source into a file of its own, and return it as it was written.

        Classify what is returned: only that can be classified again from disk and give the same lines. An `attempt`
        that did not count (1, 2, ...) goes into a folder of its own, `tries/<attempt>`.
        """
        folder = self.cell(cell_id) if attempt is None else self.cell(cell_id) / "tries" / str(attempt)
        # A file of another try would pass for one of this.
        for former in _sources_in(folder) - {source.file for source in observation.sources}:
            _inside(folder, former).unlink(missing_ok=True)
        sources = []
        for source in observation.sources:
            text = cap(redact.text(source.text))
            _replace(_inside(folder, source.file), text)
            sources.append(source.model_copy(update={"text": text}))
        content = cap_texts(redact.data(observation.model_dump(mode="json")))
        _replace(_inside(folder, OBSERVATION), _pretty(content))
        return Observation.model_validate(content).model_copy(update={"sources": tuple(sources)})

    def read_observation(self, cell_id: str, *, texts: bool = True) -> Observation | None:
        """Read a cell's observation, with its sources' texts or without; None when nothing was seen.

        Raises UsageError when it is damaged.
        """
        folder = self.cell(cell_id)
        path = folder / OBSERVATION
        if not path.exists():
            return None
        observation = _parse_fast(path, Observation, path.read_text(encoding="utf-8"))
        if not texts:
            return observation
        sources = []
        for source in observation.sources:
            file = _inside(folder, source.file)
            text = file.read_bytes().decode("utf-8", "surrogatepass") if file.exists() else ""
            sources.append(source.model_copy(update={"text": text}))
        return observation.model_copy(update={"sources": tuple(sources)})

    def read_text(self, cell_id: str, name: str) -> str | None:
        """Read a file of a cell's folder; None when there is none. Raises UsageError when the name leads out of it."""
        try:
            return _inside(self.cell(cell_id), name).read_bytes().decode("utf-8", "surrogatepass")
        except (FileNotFoundError, IsADirectoryError):
            return None

    def write_page(self, name: str, text: str) -> Path:
        """Write a report made of nothing but this folder's files, which hold no secrets, and return its path.

        It is not redacted as a text again: that could break its data and the scripts whose hashes it names.
        """
        path = _inside(self.path, name)
        _replace(path, text)
        return path

    def write_report(self, name: str, text: str) -> Path:
        """Write a report beside the results and return its path."""
        path = _inside(self.path, name)
        _replace(path, redact.text(text))
        return path

    def write_text(self, name: str, text: str) -> Path:
        """Write a log or another text, redacted and capped, and return its path."""
        path = _inside(self.path, name)
        _replace(path, cap(redact.text(text)))
        return path


def _sources_in(folder: Path) -> set[str]:
    path = folder / OBSERVATION
    return {source.file for source in _parse(path, Observation, path.read_text()).sources} if path.exists() else set()


def _inside(folder: Path, name: str) -> Path:
    """Return a file of a folder; refuse names that lead out of it."""
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
        raise UsageError(f"{name!r} does not name a file inside {folder}: use a relative path without '..'")
    return folder.joinpath(*parts)


def _replace(path: Path, text: str) -> None:
    """Write a file in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(text.encode("utf-8", "surrogatepass"))
    draft.replace(path)


def _write_json(path: Path, record: BaseModel) -> None:
    _replace(path, _pretty(redact.data(record.model_dump(mode="json", by_alias=True))))


def _pretty(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _line(record: BaseModel) -> str:
    content = {"schema_version": SCHEMA_VERSION, **record.model_dump(mode="json", by_alias=True)}
    return json.dumps(redact.data(content), ensure_ascii=False) + "\n"


def _cut_torn_line(file: IO[bytes]) -> None:
    """Remove what follows the last line end: the half line of a run that was killed while it wrote."""
    size = file.seek(0, os.SEEK_END)
    if size == 0 or (file.seek(-1, os.SEEK_END), file.read())[1] == b"\n":
        return
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)


def _read_lines(path: Path, model: type[RecordT], *, torn: bool = False) -> Iterator[RecordT]:
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = text.split("\n")
    if torn and lines[-1]:
        lines[-1] = ""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _parse(Path(f"{path}:{number}"), model, line)


def _parse_fast(where: Path, model: type[RecordT], text: str) -> RecordT:
    """Read a record in one go; whatever is not as it should be is left to `_parse`, which says what."""
    try:
        record = model.model_validate_json(text)
    except ValidationError:
        return _parse(where, model, text)
    return record if getattr(record, "schema_version", None) == SCHEMA_VERSION else _parse(where, model, text)


def _parse(where: Path, model: type[RecordT], text: str) -> RecordT:
    try:
        content = json.loads(text)
        version = content.get("schema_version", SCHEMA_VERSION)
        if "schema_version" not in model.model_fields:
            content.pop("schema_version", None)
        if version != SCHEMA_VERSION:
            raise UsageError(
                f"{where}: has schema version {version}, not {SCHEMA_VERSION}: read it with the harness that wrote it"
            )
        return model.model_validate(content)
    except (ValueError, ValidationError, AttributeError) as error:
        raise UsageError(f"{where}: is damaged or was not written by this program: {error}") from error
