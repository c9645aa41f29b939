"""How images are made, read from `images/`: one folder an image, `recipe.toml` in each, `debian.toml` beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clusters.embedded.images.layer import Architecture, FileCapability
from clusters.errors import UsageError

_Model = TypeVar("_Model", bound=BaseModel)
_AbsolutePath = Annotated[str, Field(pattern=r"^/[^/]")]
_Mode = Annotated[int, Field(ge=0, le=0o1777)]
_Package = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Archive(_Strict):
    """A Debian archive: its address, and the suites of it that are used."""

    uri: Annotated[str, Field(pattern=r"^https?://\S+$")]
    suites: list[str] = Field(min_length=1)


class Debian(_Strict):
    """Where packages come from, and what of them is never wanted.

    `without`: packages that count as installed and so are not fetched, nor what only they need.
    `drop`: globs of absolute paths that are left out of every layer.
    """

    release: str
    components: list[str] = Field(min_length=1)
    keyring: _AbsolutePath
    archives: list[Archive] = Field(min_length=1)
    without: list[_Package] = Field(default_factory=list)
    drop: list[_AbsolutePath] = Field(default_factory=list)


class Directory(_Strict):
    """A directory to make; `owner` is a uid and a gid."""

    path: _AbsolutePath
    mode: _Mode = 0o755
    owner: tuple[int, int] = Field(default=(0, 0), strict=False)


class File(Directory):
    """A file to put there: `source` lies beside the recipe; a folder means all files below it."""

    mode: _Mode = 0o644
    source: str


class Joined(_Strict):
    """A file that is other files of the same layer, one after the other: `pieces` is a glob of absolute paths."""

    path: _AbsolutePath
    pieces: _AbsolutePath
    mode: _Mode = 0o644


class Link(_Strict):
    """Symbolic links that all say `target`."""

    target: str = Field(min_length=1)
    paths: list[_AbsolutePath] = Field(min_length=1)


class Grant(_Strict):
    """Capabilities for a file of the same layer."""

    path: _AbsolutePath
    capabilities: list[Annotated[FileCapability, Field(strict=False)]] = Field(min_length=1)


class Served(_Strict):
    """An image that lies below `path` as a registry of the distribution project stores it, under `name` and `tag`.

    `platforms` are the architectures that it is made for, in an index; none means this machine's, without an index.
    """

    recipe: str
    path: _AbsolutePath
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$")]
    tag: Annotated[str, Field(pattern=r"^\w[\w.-]{0,127}$")] = "latest"
    platforms: list[Annotated[Architecture, Field(strict=False)]] = Field(default_factory=list)


class Layer(_Strict):
    """One layer: packages with all they need (less `drop`), programs of the toolchain, and single files.

    Where two say the same path, what comes later here wins: packages, programs, directories, files, joined, links,
    served.
    """

    summary: str
    packages: list[_Package] = Field(default_factory=list)
    drop: list[_AbsolutePath] = Field(default_factory=list)
    programs: dict[str, _AbsolutePath] = Field(default_factory=dict)
    directories: list[Directory] = Field(default_factory=list)
    files: list[File] = Field(default_factory=list)
    joined: list[Joined] = Field(default_factory=list)
    links: list[Link] = Field(default_factory=list)
    served: list[Served] = Field(default_factory=list)
    grants: list[Grant] = Field(default_factory=list)


class Config(_Strict):
    """What a container of the image is started with; nothing is inherited."""

    user: str = ""
    entrypoint: list[str] = Field(default_factory=list)
    command: list[str] = Field(default_factory=list)
    directory: str = "/"
    environment: dict[str, str] = Field(default_factory=dict)
    volumes: list[_AbsolutePath] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)


class Recipe(_Strict):
    """An image, or, without `config`, something that other images are built on (`bases`, lowest first)."""

    summary: str
    bases: list[str] = Field(default_factory=list)
    layers: list[Layer] = Field(default_factory=list)
    config: Config | None = None

    @model_validator(mode="after")
    def _is_of_something(self) -> Recipe:
        if not self.bases and not self.layers:
            raise ValueError("it has neither bases nor layers")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Cookbook:
    """All recipes of a folder by name, and where their packages come from."""

    folder: Path
    debian: Debian
    recipes: Mapping[str, Recipe]

    def chain(self, name: str) -> tuple[str, ...]:
        """Return the names an image is made of, lowest first, itself last; what two bases share comes once."""
        below = (part for base in self.recipes[name].bases for part in self.chain(base))
        return (*dict.fromkeys(below), name)

    def images(self) -> tuple[str, ...]:
        """Return the names of those that become images, sorted."""
        return tuple(sorted(name for name, recipe in self.recipes.items() if recipe.config is not None))


def load_cookbook(folder: Path) -> Cookbook:
    """Read every recipe below `folder`. Raises UsageError that names the file and the key."""
    recipes = {path.parent.name: _load(path, Recipe) for path in sorted(folder.glob("*/recipe.toml"))}
    if not recipes:
        raise UsageError(f"{folder} has no recipes (<image>/recipe.toml): is the checkout complete? `git status` tells")
    for name, recipe in recipes.items():
        _check_bases(folder, (name,), recipes)
        _check_sources(folder / name, recipe)
        _check_served(folder / name, recipe, recipes)
    return Cookbook(folder=folder, debian=_load(folder / "debian.toml", Debian), recipes=recipes)


def _load(path: Path, model: type[_Model]) -> _Model:
    try:
        return model.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): is the checkout complete? `git status` tells"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        problems = "\n".join(f"  {_key(e['loc'])}: {e['msg']}" for e in error.errors())
        raise UsageError(f"{path} is not as a recipe must be; correct these keys:\n{problems}") from error


def _key(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".") or "(file)"


def _check_bases(folder: Path, seen: tuple[str, ...], recipes: Mapping[str, Recipe]) -> None:
    path = folder / seen[-1] / "recipe.toml"
    for base in recipes[seen[-1]].bases:
        if base not in recipes:
            raise UsageError(f"{path}: bases: there is no recipe {base!r}; there are {', '.join(sorted(recipes))}")
        if base in seen:
            raise UsageError(f"{path}: bases: {' -> '.join([*seen, base])} goes in a circle")
        _check_bases(folder, (*seen, base), recipes)


def _check_sources(folder: Path, recipe: Recipe) -> None:
    for number, layer in enumerate(recipe.layers):
        for place, file in enumerate(layer.files):
            if not (folder / file.source).exists():
                key = f"layers[{number}].files[{place}].source"
                raise UsageError(f"{folder / 'recipe.toml'}: {key}: there is no {folder / file.source}")


def _check_served(folder: Path, recipe: Recipe, recipes: Mapping[str, Recipe]) -> None:
    """Refuse to serve what is no image, and what serves images itself: then nothing can go in a circle."""
    for number, layer in enumerate(recipe.layers):
        for place, served in enumerate(layer.served):
            key = f"{folder / 'recipe.toml'}: layers[{number}].served[{place}].recipe"
            inner = recipes.get(served.recipe)
            if inner is None or inner.config is None:
                raise UsageError(f"{key}: there is no image {served.recipe!r}: a recipe of that name with a [config]")
            if any(layer.served for layer in inner.layers):
                raise UsageError(f"{key}: {served.recipe!r} serves images itself")
