"""What is kept here of a use of a cluster: where it is and which run's label to look for. No credentials."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from clusters import paths
from clusters.existing.kubeconfigs import Place
from clusters.existing.names import PROVIDER


class Record(BaseModel):
    """A use of a cluster. The kubeconfig is named, not copied."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    run_id: str
    kubeconfig: Path
    context: str

    @property
    def place(self) -> Place:
        """Return which cluster that is."""
        return Place(kubeconfig=self.kubeconfig, context=self.context)


def write(record: Record) -> None:
    """Keep a record, for its owner alone. Raises FileExistsError when there is one of that name."""
    folder = _folder(record.name)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    (folder / "use.json").write_text(record.model_dump_json(indent=1))


def read(name: str) -> Record | None:
    """Return what is kept under a name, None when that is nothing that can be read."""
    try:
        return Record.model_validate_json((_folder(name) / "use.json").read_text())
    except (FileNotFoundError, ValidationError):
        return None


def forget(name: str) -> None:
    """Remove what is kept under a name; nothing is no error."""
    shutil.rmtree(_folder(name), ignore_errors=True)


def names() -> Iterator[str]:
    """Yield every name that something is kept under."""
    base = paths.state_dir() / PROVIDER
    yield from sorted(path.name for path in base.iterdir()) if base.is_dir() else ()


def _folder(name: str) -> Path:
    return (paths.state_dir() / PROVIDER / name).absolute()
