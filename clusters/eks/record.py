"""Where a cluster was made: without it, a deletion with another region set would find nothing and call that done."""

from __future__ import annotations

import os

from pydantic import BaseModel, ConfigDict, ValidationError

from clusters.eks.aws import Aws, Place
from clusters.eks.names import Names
from clusters.errors import UsageError


class Record(BaseModel):
    """A cluster as it was asked for, and the account and region that it was asked for in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    run_id: str
    kubernetes: str
    account: str
    region: str
    #: The value of AWS_PROFILE then, if there was one.
    profile: str | None = None


def claim(names: Names, record: Record) -> None:
    """Write the record into a folder that must not exist yet. Raises UsageError when it does."""
    try:
        names.folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise UsageError(
            f"there is an EKS cluster named {names.name!r} already, or what is left of one: use another name, "
            f"or remove it: python -m clusters delete --provider eks {names.name}"
        ) from error
    names.record.write_text(record.model_dump_json(indent=1))


def read(names: Names) -> Record | None:
    """Return the record of a cluster, None when there is none that can be read."""
    try:
        return Record.model_validate_json(names.record.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def place(record: Record | None) -> Place:
    """Return where to look for a cluster: where it was made, or else where the configuration says.

    A profile that is set now goes before the one of then: credentials may have been renewed under another name.
    """
    if record is None:
        return Place()
    known_keys = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_ACCESS_KEY_ID")
    return Place(region=record.region, profile=None if known_keys else record.profile)


def check_account(record: Record | None, aws: Aws) -> None:
    """Raise UsageError when the credentials are of another account than the one the cluster was made in."""
    if record is None:
        return
    account = aws.account()
    if account != record.account:
        raise UsageError(
            f"cluster {record.name!r} is in the AWS account {record.account}, and the credentials are of {account}: "
            "set AWS_PROFILE to one of that account. Nothing was changed"
        )
