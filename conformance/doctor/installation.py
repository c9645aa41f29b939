"""The installation that is looked at: what lies behind the Service, and where its clients are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from conformance.doctor.client import Client, Door
from conformance.doctor.reader import Reader
from conformance.kube import Json

#: What owns pods that stay, as the API's paths name it.
_KINDS: Final = (("Deployment", "deployments"), ("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """The nodes that builders belong on: those with this label."""

    label: str
    value: str

    def __str__(self) -> str:
        """Return it as a label selector."""
        return f"{self.label}={self.value}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """A controller whose pods the Service selects."""

    kind: str
    body: Json

    @property
    def title(self) -> str:
        """Return `Kind/name`."""
        return f"{self.kind}/{self.body['metadata']['name']}"

    @property
    def pod_spec(self) -> Json:
        """Return the spec of the pods it makes."""
        spec: Json = self.body["spec"]["template"]["spec"]
        return spec

    @property
    def wanted(self) -> int:
        """Return how many pods it wants."""
        if self.kind == "DaemonSet":
            return int(self.status.get("desiredNumberScheduled", 0))
        return int(self.body["spec"].get("replicas", 1))

    @property
    def existing(self) -> int:
        """Return how many pods it has."""
        count = "currentNumberScheduled" if self.kind == "DaemonSet" else "replicas"
        return int(self.status.get(count, 0))

    @property
    def status(self) -> Json:
        """Return its status."""
        status: Json = self.body.get("status") or {}
        return status


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """A Service, the daemon behind it, and what is asked of both."""

    reader: Reader
    namespace: str
    name: str
    port: int
    #: `tcp://host:port`, as clients dial it.
    address: str
    #: None: nobody to ask from.
    client: Client | None = None
    #: Platforms that builds need, normalised.
    platforms: tuple[str, ...] = ()
    pool: Pool | None = None

    @property
    def title(self) -> str:
        """Return the Service as messages name it."""
        return f"Service {self.namespace}/{self.name}"

    def service(self) -> Json | None:
        """Return the Service, None where there is none. Raises ForbiddenError, ApiError."""
        return self.reader.one(f"/api/v1/namespaces/{self.namespace}/services/{self.name}")

    def selector(self) -> dict[str, str]:
        """Return the labels by which the Service selects pods, empty where it does not. Raises ForbiddenError."""
        return dict(((self.service() or {}).get("spec") or {}).get("selector") or {})

    def workloads(self, selector: dict[str, str]) -> list[Workload]:
        """Return the controllers whose pods bear the labels of a selector. Raises ApiError."""
        base = f"/apis/apps/v1/namespaces/{self.namespace}"
        return [
            Workload(kind=kind, body=body)
            for kind, plural in _KINDS
            for body in self.reader.listed_if_allowed(f"{base}/{plural}")
            if _bears(body["spec"]["template"].get("metadata") or {}, selector)
        ]

    def pods(self, selector: dict[str, str]) -> list[Json]:
        """Return the pods that a selector selects, except those being deleted. Raises ForbiddenError, ApiError."""
        labels = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
        found = self.reader.listed(f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=labels)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def slices(self) -> list[Json]:
        """Return the Service's EndpointSlices. Raises ForbiddenError, ApiError."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices"
        return self.reader.listed(path, labelSelector=f"kubernetes.io/service-name={self.name}")

    def doors(self) -> list[Door]:
        """Return the Service's address and that of each ready daemon behind it, where those may be listed."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices"
        labels = f"kubernetes.io/service-name={self.name}"
        slices = self.reader.listed_if_allowed(path, vital=False, labelSelector=labels)
        return [self.front(), *(self._door(*each) for each in self.endpoints(slices))]

    def front(self) -> Door:
        """Return the Service's own address."""
        return Door(address=self.address, host=self._host, title=f"Service/{self.name}")

    def endpoints(self, slices: list[Json]) -> list[tuple[str, int, str]]:
        """Return IP address, port and pod of each endpoint that is ready."""
        wanted = self._port_name()
        return sorted({each for body in slices for each in _ready(body, wanted)})

    def _port_name(self) -> str | None:
        """Return what the Service calls the port, None where that is not known."""
        service = self.reader.one_if_allowed(f"/api/v1/namespaces/{self.namespace}/services/{self.name}") or {}
        ports: list[Json] = (service.get("spec") or {}).get("ports") or []
        return next((port.get("name", "") for port in ports if port["port"] == self.port), None)

    def _door(self, address: str, port: int, pod: str) -> Door:
        host = f"[{address}]" if ":" in address else address
        return Door(address=f"tcp://{host}:{port}", host=self._host, title=pod)

    @property
    def _host(self) -> str:
        return self.address.removeprefix("tcp://").rpartition(":")[0].strip("[]")


def _bears(metadata: Json, selector: dict[str, str]) -> bool:
    labels: dict[str, Any] = metadata.get("labels") or {}
    return selector.items() <= labels.items()


def _ready(body: Json, port_name: str | None) -> Iterator[tuple[str, int, str]]:
    ports = [port for port in body.get("ports") or [] if port_name is None or (port.get("name") or "") == port_name]
    for endpoint in body.get("endpoints") or []:
        # Absent means ready (EndpointConditions in the API reference).
        if (endpoint.get("conditions") or {}).get("ready", True) is False:
            continue
        pod = (endpoint.get("targetRef") or {}).get("name", "")
        for port in ports:
            for address in endpoint.get("addresses") or []:
                yield address, int(port["port"]), f"Pod/{pod}" if pod else address
