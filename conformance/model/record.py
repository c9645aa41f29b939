"""What every record of this package is, and the names records bear."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

#: A name that may stand in a test id, a label and a file name.
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=60)]
#: Several such names put together: longer than a label may be, short enough for a file name.
LongSlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=120)]


class Record(BaseModel):
    """A frozen record that refuses unknown keys: a typo in a file is an error, never a default."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, json_schema_serialization_defaults_required=True
    )
