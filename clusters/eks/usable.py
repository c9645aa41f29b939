"""Whether the cluster can be used: ACTIVE says little. Its API answers us, its nodes are Ready, its DNS runs."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from clusters.eks import waiters
from clusters.eks.aws import Answer
from clusters.eks.pace import Pace
from clusters.errors import ClustersError

#: An API server behind a name that has just been made answers, and then does not, for a minute or two.
IN_A_ROW: Final = 3

_DNS: Final = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"


class ApiRefusedError(ClustersError):
    """The cluster's API server does not know us."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """How to reach the cluster's API server: `token` gives one that is not old, `request` is in seconds."""

    endpoint: str
    authority: str
    token: Callable[[], str]
    request: float

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of an answer. Raises OSError, ValueError when there is none."""
        tls = ssl.create_default_context(cadata=self.authority)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls))
        asked = urllib.request.Request(  # noqa: S310 - AWS gives https alone
            self.endpoint + path, headers={"Authorization": f"Bearer {self.token()}", "Accept": "application/json, */*"}
        )
        try:
            with opener.open(asked, timeout=self.request) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def read(self, path: str) -> Mapping[str, Any]:
        """Return an object of the API, empty when there is none (yet) or nobody answers."""
        try:
            status, body = self.get(path)
            found = json.loads(body) if status == HTTPStatus.OK else {}
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def server_of(cluster: Answer, token: Callable[[], str], pace: Pace) -> Server:
    """Return how to reach the API server of a cluster as AWS describes it."""
    authority = b64decode(cluster["certificateAuthority"]["data"]).decode()
    return Server(endpoint=cluster["endpoint"], authority=authority, token=token, request=pace.request)


def wait(server: Server, *, nodes: int, pace: Pace) -> Mapping[str, str]:
    """Wait until the cluster can be used, and return its versions. Raises ClustersError that says what is missing."""
    seen = {"what": "nothing was asked yet"}
    row = iter(range(IN_A_ROW - 1))

    def answers() -> bool:
        seen["what"] = _unready(server)
        return not seen["what"] and next(row, None) is None

    def runs() -> Mapping[str, str] | None:
        seen["what"] = _missing(server, nodes)
        return None if seen["what"] else _facts(server)

    for look, what in ((answers, "the API server answers"), (runs, "nodes and DNS of the cluster are ready")):
        waiters.until(look, limit=pace.usable, interval=pace.interval, what=what, why=lambda: seen["what"])
    return _facts(server)


def _unready(server: Server) -> str:
    """Return why the API server cannot be used now, empty when it can. Raises ApiRefusedError when it never will."""
    try:
        status, body = server.get("/readyz")
    except (OSError, ValueError) as error:
        return str(error)
    if status == HTTPStatus.UNAUTHORIZED:
        raise ApiRefusedError(
            "the cluster's API server does not accept our token (401): the credentials of now are another principal's "
            "than those that made the cluster, or this machine's clock is wrong"
        )
    return "" if status == HTTPStatus.OK else f"/readyz answers {status}: {body[:200].decode(errors='replace')}"


def _missing(server: Server, nodes: int) -> str:
    found = server.read("/api/v1/nodes").get("items") or []
    ready = [node for node in found if _condition(node, "Ready") == "True"]
    if len(ready) < nodes:
        return f"{len(ready)} of {nodes} nodes are Ready"
    if not server.read(_DNS).get("status", {}).get("availableReplicas"):
        return "CoreDNS has no replica that works"
    return ""


def _condition(thing: Mapping[str, Any], name: str) -> str:
    conditions = thing.get("status", {}).get("conditions") or []
    return next((str(each.get("status")) for each in conditions if each.get("type") == name), "")


def _facts(server: Server) -> Mapping[str, str]:
    version = server.read("/version")
    nodes = server.read("/api/v1/nodes").get("items") or [{}]
    info = nodes[0].get("status", {}).get("nodeInfo", {})
    return {
        "kube-apiserver": str(version.get("gitVersion", "")),
        "node": str(nodes[0].get("metadata", {}).get("name", "")),
        "kernel": str(info.get("kernelVersion", "")),
        "os": str(info.get("osImage", "")),
        "architecture": str(info.get("architecture", "")),
        "container_runtime": str(info.get("containerRuntimeVersion", "")),
        "kubelet": str(info.get("kubeletVersion", "")),
    }
