"""The folder of a cluster on this machine: its record and kubeconfig. Without it the cluster is found by its name."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from clusters import paths
from clusters.aks.names import PROVIDER


class Record(BaseModel):
    """Where a cluster was made: a later process may have other settings, and must not look elsewhere."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    run_id: str
    kubernetes: str
    subscription: str
    endpoint: str
    region: str
    machine: str
    #: The tags of its resource group.
    tags: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """The files of one cluster; `path` is theirs alone."""

    path: Path

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig, mode 0600."""
        return self.path / "kubeconfig"

    @property
    def record(self) -> Path:
        """Return the file that says where the cluster was made."""
        return self.path / "cluster.json"

    def make(self, record: Record) -> None:
        """Make the folder and write the record. Raises FileExistsError when the folder is there."""
        self.path.mkdir(mode=0o700, parents=True)
        self.record.write_text(record.model_dump_json(indent=1))

    def read(self) -> Record | None:
        """Return the record, None when there is none that can be read."""
        try:
            return Record.model_validate_json(self.record.read_text())
        except (FileNotFoundError, ValidationError):
            return None

    def write_kubeconfig(self, content: bytes) -> None:
        """Write the kubeconfig so that only its owner can read it, whatever the umask."""
        descriptor = os.open(self.kubeconfig, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as sink:
            sink.write(content)

    def remove(self) -> None:
        """Remove the folder; one that is gone is no error."""
        shutil.rmtree(self.path, ignore_errors=True)


def folder_of(name: str) -> Folder:
    """Return the folder of a cluster, which need not be there."""
    return Folder(path=(paths.state_dir() / PROVIDER / name).absolute())
