"""Images that pods pull: by role, from a file in this package and one of the user's own."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from clusters import registry
from clusters.errors import UsageError
from clusters.provider import Image, ImageRole, Progress

UPSTREAM = Path(__file__).with_name("upstream_images.toml")

#: A file of the same form; its entries go before ours.
VARIABLE = "BUILD_CONFORMANCE_IMAGES_FILE"


class Entry(BaseModel):
    """An image: `reference` as a pod names it (with its registry), `origin` says who made it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Annotated[str, Field(pattern=registry.REFERENCE.pattern)]
    origin: str


_FILE: Final = TypeAdapter(dict[ImageRole, Entry])


def load() -> Mapping[ImageRole, Entry]:
    """Return the image of each role that has one. Raises UsageError that names the file and its faults."""
    own = os.environ.get(VARIABLE)
    files = [UPSTREAM, *([Path(own)] if own else [])]
    return {role: entry for file in files for role, entry in _read(file).items()}


def require(roles: frozenset[ImageRole]) -> Mapping[ImageRole, Entry]:
    """Return the images of these roles. Raises UsageError that names every role without one."""
    known = load()
    if missing := sorted(roles - known.keys()):
        raise UsageError(
            f"no registry is known to have the images {', '.join(missing)}: push them to a registry that the nodes can "
            f"pull from, and set {VARIABLE} to a file with a table for each "
            f"([{missing[0]}], with reference and origin; docs/how-to/eks.md says how)"
        )
    return {role: known[role] for role in sorted(roles)}


def resolve(entries: Mapping[ImageRole, Entry], progress: Progress) -> Mapping[ImageRole, Image]:
    """Ask the registries which manifest each reference means now, so that all pods of a run get the same.

    What cannot be asked keeps its tag and has no digest; that is told to `progress`.
    """
    return {role: _resolve(role, entry, progress) for role, entry in entries.items()}


def _resolve(role: ImageRole, entry: Entry, progress: Progress) -> Image:
    reference = entry.reference
    _, _, digest = reference.partition("@")
    if not digest:
        try:
            digest = registry.digest_of(reference)
        except registry.RegistryError as error:
            progress(f"image {role}: {reference} keeps its tag: {error}")
        else:
            reference = f"{reference}@{digest}"
    return Image(role=role, reference=reference, digest=digest, origin=entry.origin)


def _read(file: Path) -> Mapping[ImageRole, Entry]:
    try:
        return _FILE.validate_python(tomllib.loads(file.read_text()))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise UsageError(f"{file} does not hold images: {error}") from error
