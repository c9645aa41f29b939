"""The seam to AWS: the usual configuration, the clients, and one kind of error for whatever a call comes to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clusters.eks import metadata
from clusters.eks.faults import AwsError
from clusters.errors import UnavailableError

#: What a call answers: JSON objects of AWS, read where they are used.
Answer = Mapping[str, Any]

#: botocore's name of the one that asks the metadata service.
_METADATA_PROVIDER: Final = "iam-role"

_CONFIG: Final = Config(
    # Beyond the first try. A repeated call may meet its own first try: whoever makes something knows these answers.
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="build-conformance",
)

#: The same for the question whether AWS can be used at all: nobody waits for that.
_CONFIG_BRIEF: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1.5, read_timeout=5
)


class Service:
    """One service of AWS: called with the name of an operation, as boto3 has it, and its arguments."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - boto3 has no types
        """Wrap a boto3 client."""
        self._client = client

    def __call__(self, operation: str, **arguments: object) -> Answer:
        """Call an operation. Raises AwsError."""
        answer: Answer = _translated(operation, lambda: getattr(self._client, operation)(**arguments))
        return answer

    def pages(self, operation: str, key: str, **arguments: object) -> list[Any]:
        """Return what all pages of a listing have under a key. Raises AwsError."""

        def collect() -> list[Any]:
            pages = self._client.get_paginator(operation).paginate(**arguments)
            return [item for page in pages for item in page[key]]

        found: list[Any] = _translated(operation, collect)
        return found


class Aws:
    """AWS in one region, with one set of credentials."""

    def __init__(self, session: Any, region: str) -> None:  # noqa: ANN401 - boto3 has no types
        """Use a boto3 session that has credentials."""
        self._session = session
        self.region = region

    @cached_property
    def ec2(self) -> Service:
        """Return EC2: networks, launch templates, machines."""
        return self._service("ec2")

    @cached_property
    def iam(self) -> Service:
        """Return IAM: roles."""
        return self._service("iam")

    @cached_property
    def eks(self) -> Service:
        """Return EKS: clusters and node groups."""
        return self._service("eks")

    def account(self, *, briefly: bool = False) -> str:
        """Return the account of these credentials; `briefly`: without waiting long for the answer. Raises AwsError."""
        sts = self._service("sts", _CONFIG_BRIEF) if briefly else self._sts
        return str(sts("get_caller_identity")["Account"])

    @cached_property
    def _sts(self) -> Service:
        return self._service("sts")

    def _service(self, name: str, config: Any = _CONFIG) -> Service:  # noqa: ANN401 - botocore has no types
        return Service(self._session.client(name, config=config, region_name=self.region))


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where in AWS: None means what the usual configuration says."""

    region: str | None = None
    profile: str | None = None


def connect(place: Place | None = None) -> Aws:
    """Find region and credentials where AWS' own tools look for them; asks nothing. Raises UnavailableError."""
    place = place or Place()
    try:
        core = _session_with_credentials(place)
        session = boto3.Session(botocore_session=core, region_name=place.region)
        # boto3 alone of AWS' tools does not read AWS_REGION.
        region, credentials = session.region_name or os.environ.get("AWS_REGION"), session.get_credentials()
    except BotoCoreError as error:
        raise UnavailableError(
            f"the AWS configuration cannot be used: {error} Correct ~/.aws/config, or choose another with AWS_PROFILE."
        ) from error
    if credentials is None:
        raise UnavailableError(
            "eks needs an AWS account, and no credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or log in (`aws sso login`). Read docs/how-to/eks.md first: this costs money."
        )
    if region is None:
        raise UnavailableError(
            "eks needs to know in which AWS region to work: set AWS_DEFAULT_REGION (e.g. us-east-2), "
            "or `region` in ~/.aws/config."
        )
    return Aws(session, region)


def _session_with_credentials(place: Place) -> Any:  # noqa: ANN401 - botocore has no types
    """Return a session of botocore that asks the metadata service of EC2 only where there is one."""
    core = botocore.session.Session(profile=place.profile)
    core.get_component("credential_provider").remove(_METADATA_PROVIDER)
    if core.get_credentials() is None and metadata.answers(core.get_config_variable("ec2_metadata_service_endpoint")):
        return botocore.session.Session(profile=place.profile)
    return core


def _translated(operation: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - boto3 has no types
    try:
        return call()
    except ClientError as error:
        answer = error.response.get("Error", {})
        raise AwsError(operation, str(answer.get("Code", "")), str(answer.get("Message", ""))) from error
    except BotoCoreError as error:
        raise AwsError(operation, type(error).__name__, str(error)) from error
