"""A chart that was named on the command line: found, read, identified."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clusters import paths
from conformance.chart.helm import HelmCommand, finish
from conformance.chart.limits import LIMITS
from conformance.chart.program import find_helm
from conformance.errors import HelmError, UsageError


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartInfo:
    """A chart: `path` is its folder or archive, `digest` identifies its content, `source` is what was asked for."""

    name: str
    version: str
    app_version: str
    path: Path
    digest: str
    source: str


class _ChartYaml(BaseModel):
    """What is needed of Chart.yaml (https://helm.sh/docs/topics/charts/#the-chartyaml-file)."""

    model_config = ConfigDict(frozen=True)

    api_version: Literal["v1", "v2"] = Field(alias="apiVersion")
    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    app_version: str = Field(alias="appVersion", default="", coerce_numbers_to_str=True)
    type: str = "application"


def load(source: str) -> ChartInfo:
    """Read a chart: a folder, a `.tgz`, or `oci://...`, which is downloaded. Raises UsageError that says what is wrong.

    helm is needed for `oci://` alone.
    """
    path = _pull(source) if source.startswith("oci://") else Path(source).expanduser().absolute()
    if path.is_dir():
        text = _read(path / "Chart.yaml", source)
    elif path.is_file():
        text = _read_archived(path, source)
    else:
        raise UsageError(f"--chart {source}: there is no such folder or file. Name a chart's folder, .tgz or oci://.")
    meta = _parse(text, source)
    return ChartInfo(
        name=meta.name,
        version=meta.version,
        app_version=meta.app_version,
        path=path,
        digest=_tree_digest(path) if path.is_dir() else _file_digest(path),
        source=source,
    )


def _read(file: Path, source: str) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"--chart {source}: it has no Chart.yaml. Name the folder that holds Chart.yaml.") from error
    except OSError as error:
        raise UsageError(f"--chart {source}: Chart.yaml cannot be read ({error.strerror}).") from error


def _read_archived(file: Path, source: str) -> bytes:
    """Return `<chart>/Chart.yaml` of an archive made by `helm package`."""
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                if Path(member.name).name == "Chart.yaml" and member.name.strip("/").count("/") == 1:
                    content = archive.extractfile(member)
                    return content.read() if content else b""
    except (OSError, tarfile.TarError) as error:
        raise UsageError(f"--chart {source}: it is no chart archive ({error}). Make one by `helm package`.") from error
    raise UsageError(f"--chart {source}: the archive has no Chart.yaml. Make one by `helm package`.")


def _parse(text: bytes, source: str) -> _ChartYaml:
    try:
        meta = _ChartYaml.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UsageError(f"--chart {source}: Chart.yaml is no YAML: {error}") from error
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc'])) or 'Chart.yaml'}: {fault['msg']}" for fault in error.errors())
        raise UsageError(*(f"--chart {source}: Chart.yaml is not valid: {fault}" for fault in faults)) from error
    if meta.type != "application":
        raise UsageError(f"--chart {source}: it is a {meta.type} chart, which installs nothing.")
    return meta


def _pull(source: str) -> Path:
    """Download a chart and return the archive's place in the cache, named by its content."""
    kept = paths.cache_dir() / "charts"
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as folder:
        try:
            finish(HelmCommand(find_helm(), limit=LIMITS.pull).run(["pull", source, "--destination", folder]))
        except HelmError as error:
            raise UsageError(f"--chart {source}: it cannot be downloaded. {error}") from error
        (archive,) = Path(folder).iterdir()
        return archive.replace(kept / f"{_file_digest(archive).removeprefix('sha256:')}.tgz")


def _file_digest(path: Path) -> str:
    with path.open("rb") as content:
        return "sha256:" + hashlib.file_digest(content, "sha256").hexdigest()


def _tree_digest(folder: Path) -> str:
    """Identify a folder by its files' names and contents."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{file.relative_to(folder)}\0{_file_digest(file)}\n".encode())
    return "sha256:" + total.hexdigest()
