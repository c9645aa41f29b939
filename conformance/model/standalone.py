"""A daemon in pods of its own, as a builder's file describes it: workload, storage, who may reach it, and its TLS."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from conformance.model.record import Record


class WorkloadKind(StrEnum):
    """What keeps the daemon's pods; Kubernetes' own words."""

    STATEFUL_SET = "StatefulSet"
    DEPLOYMENT = "Deployment"


class Tls(StrEnum):
    """How daemon and client are given their certificates: rightly, or with exactly one fault."""

    VALID = "valid"
    #: The client trusts another CA than the one that signed the daemon's certificate.
    WRONG_CA = "wrong-ca"
    #: The daemon's certificate is for another name than the one that is dialled.
    WRONG_NAME = "wrong-name"
    NO_CLIENT_CERTIFICATE = "no-client-certificate"
    CLIENT_OF_ANOTHER_CA = "client-of-another-ca"
    CLIENT_EXPIRED = "client-expired"
    SERVER_EXPIRED = "server-expired"
    #: The daemon speaks TLS and its client does not.
    CLIENT_PLAINTEXT = "client-plaintext"
    #: The client speaks TLS and the daemon does not.
    SERVER_PLAINTEXT = "server-plaintext"
    BOTH_PLAINTEXT = "both-plaintext"
    #: The client is told to use a key that is not mounted.
    CLIENT_FILE_MISSING = "client-file-missing"


class ClientNamespace(StrEnum):
    """Whether the NetworkPolicy names the namespace from which builds come."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"


class Standalone(Record):
    """What is said of a daemon in pods of its own."""

    kind: WorkloadKind = WorkloadKind.STATEFUL_SET
    replicas: int = Field(default=1, ge=1, le=10)
    #: Requested size of each pod's PersistentVolumeClaim, e.g. `1Gi`; empty: an emptyDir.
    storage: str = Field(default="", pattern=r"^(|[1-9]\d*([EPTGMk]|[EPTGMK]i)?)$")
    #: A PodDisruptionBudget with `minAvailable: 1`.
    pod_disruption_budget: bool = False
    #: A NetworkPolicy that lets in the namespaces of clients, and its own.
    network_policy: bool = False
    tls: Tls = Tls.VALID
    client_namespace: ClientNamespace = ClientNamespace.ALLOWED

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.kind is WorkloadKind.DEPLOYMENT and self.storage:
            raise ValueError(
                "kind Deployment has no volumeClaimTemplates: its pods would share one claim, and two daemons must not"
                " share their state. Leave `storage` empty, or say kind = 'StatefulSet'"
            )
        if self.client_namespace is ClientNamespace.FORBIDDEN and not self.network_policy:
            raise ValueError(
                "client_namespace 'forbidden' forbids nothing without a policy: say network_policy = true beside it"
            )
        return self
