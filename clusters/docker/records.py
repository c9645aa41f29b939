"""What is on disk about a cluster in containers: what was asked for and which engine has it."""

from __future__ import annotations

import time

from pydantic import BaseModel, ConfigDict, ValidationError

from clusters.docker.places import Place
from clusters.provider import ClusterSpec, NodeConditions


class Record(BaseModel):
    """A cluster as it was asked for. Written before anything is made."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    run_id: str
    kubernetes: str
    conditions: NodeConditions = NodeConditions()
    #: Since the epoch.
    created: float
    #: The engine's program, e.g. `docker`; of an engine of our own it is not used.
    program: str
    uses_own_engine: bool
    #: An image that was assembled and that the engine got for this cluster.
    loaded: tuple[str, ...] = ()
    #: Empty until it is up.
    facts: dict[str, str] = {}


def claim(place: Place, spec: ClusterSpec, *, program: str, uses_own_engine: bool) -> None:
    """Write what is going to be made."""
    place.root.mkdir(mode=0o700, parents=True)
    write(
        place,
        Record(
            name=spec.name,
            run_id=spec.run_id,
            kubernetes=spec.kubernetes,
            conditions=spec.conditions,
            created=time.time(),
            program=program,
            uses_own_engine=uses_own_engine,
        ),
    )


def write(place: Place, record: Record) -> None:
    """Write a cluster's record, whole or not at all."""
    unfinished = place.record.with_suffix(".tmp")
    unfinished.write_text(record.model_dump_json(indent=1))
    unfinished.rename(place.record)


def read(place: Place) -> Record | None:
    """Return a cluster's record, None when it has none that can be read."""
    try:
        return Record.model_validate_json(place.record.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def uses_own_engine(place: Place) -> bool:
    """Say whether a cluster is on the engine of our own, as far as its record tells."""
    record = read(place)
    return record is not None and record.uses_own_engine
