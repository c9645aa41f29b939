"""An imitation of Azure: sign-in, resource groups and managed clusters of one subscription, all in memory.

What it says where is as far as its REST reference tells; real texts and times differ.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.clusters.aks.servers import Answer, Request

SUBSCRIPTION = "00000000-0000-0000-0000-000000000042"
TENANT = "00000000-0000-0000-0000-0000000000aa"
CLIENT = "00000000-0000-0000-0000-0000000000bb"

_GROUP = re.compile(r"/subscriptions/[^/]+/resource[gG]roups/([^/]+)")
_CLUSTER = re.compile(_GROUP.pattern + r"/providers/Microsoft\.ContainerService/managedClusters/([^/]+)")

#: How often work is looked at before it is done.
LOOKS = 2


@dataclass(kw_only=True, slots=True)
class Fault:
    """What goes wrong with a call: `times` of the calls whose title matches."""

    title: str
    times: int = 1
    #: Answered instead of doing it.
    answer: Answer | None = None
    #: Done, and nobody hears of it.
    is_lost: bool = False


@dataclass(kw_only=True, slots=True)
class Work:
    """Something that takes a while: `finish` is called with how it ended."""

    finish: Callable[[str], None]
    is_async: bool
    left: int = LOOKS
    state: str = "InProgress"


@dataclass(kw_only=True)
class Hold:
    """Stops a call on its way: `reached` tells that it came, and it goes on when `released` is set."""

    title: str
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    #: It has been done, though nobody may have waited for it.
    done: threading.Event = field(default_factory=threading.Event)


class Azure:
    """The state, what was asked, and what is to go wrong."""

    def __init__(self, kubeconfig: bytes) -> None:
        self.kubeconfig = kubeconfig
        self.url = ""
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        self.groups: dict[str, dict[str, Any]] = {}
        self.clusters: dict[str, dict[str, Any]] = {}
        self.work: dict[str, Work] = {}
        self.faults: list[Fault] = []
        self.hold: Hold | None = None
        #: Told of each call before it is done.
        self.on_call: Callable[[str], object] = lambda title: None  # noqa: ARG005
        #: Titles of all calls, in order.
        self.calls: list[str] = []
        self.has_refused = False
        #: How the next cluster ends: a state, and code and text where it fails.
        self.ends_as = ("Succeeded", "", "")
        self.assertions: list[str] = []
        self.tokens: list[str] = []
        #: Until when the subscription knows a new resource group nowhere else.
        self.unknown_to_clusters = 0
        self._numbers = itertools.count(1)

    @property
    def is_empty(self) -> bool:
        return not self.groups and not self.clusters

    @property
    def changes(self) -> list[str]:
        return [title for title in self.calls if title.startswith(("PUT", "DELETE"))]

    def respond(self, request: Request) -> Answer:
        title = title_of(request)
        hold = self.hold
        if hold is None or hold.title != title:
            return self._respond(title, request)
        self.hold = None
        hold.reached.set()
        hold.released.wait(30)
        answer = self._respond(title, request)
        hold.done.set()
        return answer

    def _respond(self, title: str, request: Request) -> Answer:
        with self._lock:
            self.calls.append(title)
            self.on_call(title)
            fault = next((each for each in self.faults if each.times and re.fullmatch(each.title, title)), None)
            if fault is not None:
                fault.times -= 1
                self.has_refused = True
            if fault is not None and fault.answer is not None:
                return fault.answer
            answer = self._answer(request)
            return Answer(is_lost=True) if fault is not None and fault.is_lost else answer

    def _answer(self, request: Request) -> Answer:  # noqa: PLR0911 - one for each kind of address
        path = urlsplit(request.path).path
        if path == f"/{TENANT}/oauth2/v2.0/token":
            return self._sign_in(request)
        if path == "/github":
            return self._github(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return error(401, "InvalidAuthenticationToken", "The access token is invalid.")
        if "api-version=" not in request.path:
            return error(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        if path.startswith("/operations/"):
            return self._progress(path.rsplit("/", 1)[1])
        if not path.startswith(f"/subscriptions/{SUBSCRIPTION}/"):
            return error(404, "SubscriptionNotFound", "The subscription could not be found.")
        if re.fullmatch(r"/subscriptions/[^/]+/resourcegroups", path):
            return Answer(body={"value": list(self.groups.values())})
        cluster = _CLUSTER.match(path)
        if cluster is not None:
            return self._cluster(request, cluster[1], cluster[2])
        found = _GROUP.fullmatch(path)
        if found is not None:
            return self._group(request, found[1])
        return error(404, "InvalidResourceType", f"There is nothing at {path}.")

    def _sign_in(self, request: Request) -> Answer:
        said = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        if said.get("client_id") != CLIENT or "client_assertion" not in said:
            return Answer(status=400, body={"error": "invalid_client", "error_description": "AADSTS700016: who is it?"})
        self.assertions.append(said["client_assertion"])
        token = f"token-{next(self._numbers)}"
        self.tokens.append(token)
        return Answer(body={"token_type": "Bearer", "expires_in": 3600, "access_token": token})

    def _github(self, request: Request) -> Answer:
        asked = parse_qs(urlsplit(request.path).query)
        if request.headers.get("Authorization") != "bearer runner" or asked.get("audience") != [
            "api://AzureADTokenExchange"
        ]:
            return Answer(status=403, body={})
        return Answer(body={"value": f"assertion-{next(self._numbers)}"})

    def _group(self, request: Request, name: str) -> Answer:
        if request.method == "PUT":
            known = self.groups.get(name)
            if known is not None and known["properties"]["provisioningState"] == "Deleting":
                return error(
                    409, "ResourceGroupBeingDeleted", f"The resource group '{name}' is in deprovisioning state."
                )
            self.groups[name] = group(name, **json.loads(request.body))
            return Answer(status=201 if known is None else 200, body=self.groups[name])
        self._look_on()
        if name not in self.groups:
            return error(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
        if request.method == "GET":
            return Answer(body=self.groups[name])
        self.groups[name]["properties"]["provisioningState"] = "Deleting"
        url = self._begin(Work(finish=lambda _: self._drop(name), is_async=False))
        return Answer(status=202, headers={"Location": url})

    def _cluster(self, request: Request, group_name: str, name: str) -> Answer:
        if request.method == "PUT" and self.unknown_to_clusters:
            self.unknown_to_clusters -= 1
            return error(404, "ResourceGroupNotFound", f"Resource group '{group_name}' could not be found.")
        if group_name not in self.groups:
            return error(404, "ResourceGroupNotFound", f"Resource group '{group_name}' could not be found.")
        if request.method == "PUT":
            return self._make(json.loads(request.body), group_name, name)
        if name not in self.clusters:
            return error(404, "ResourceNotFound", f"The Resource 'managedClusters/{name}' was not found.")
        if request.method == "POST":
            value = base64.b64encode(self.kubeconfig).decode()
            return Answer(body={"kubeconfigs": [{"name": "clusterUser", "value": value}]})
        self._look_on()
        return Answer(body=self.clusters[name])

    def _make(self, body: dict[str, Any], group_name: str, name: str) -> Answer:
        if name in self.clusters:
            return error(409, "OperationNotAllowed", "Another operation (Creating) is in progress.")
        if self.groups[group_name]["properties"]["provisioningState"] == "Deleting":
            return error(409, "ResourceGroupBeingDeleted", "The resource group is in deprovisioning state.")
        made = {"name": name, "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group_name}/x/{name}", **body}
        made["properties"] |= {"provisioningState": "Creating", "currentKubernetesVersion": "1.35.9"}
        self.clusters[name] = made
        nodes = body["properties"]["nodeResourceGroup"]
        self.groups[nodes] = group(nodes, location=body["location"], tags={}, managed_by=made["id"])
        url = self._begin(Work(finish=lambda state: self._made(name, state), is_async=True))
        return Answer(status=201, body=made, headers={"Azure-AsyncOperation": url})

    def _made(self, name: str, state: str) -> None:
        if name not in self.clusters:
            return
        properties = self.clusters[name]["properties"]
        properties["provisioningState"] = state
        if self.ends_as[1]:
            properties["status"] = {"provisioningError": {"code": self.ends_as[1], "message": self.ends_as[2]}}

    def _drop(self, name: str) -> None:
        self.groups.pop(name, None)
        for cluster, body in list(self.clusters.items()):
            if f"/resourceGroups/{name}/" in body["id"]:
                del self.clusters[cluster]
                self.groups.pop(body["properties"]["nodeResourceGroup"], None)

    def _begin(self, work: Work) -> str:
        number = str(next(self._numbers))
        self.work[number] = work
        return f"{self.url}/operations/{number}?api-version=2026-01-01"

    def _look_on(self) -> None:
        """Let all work go on: also somebody who never asks after an operation sees its end."""
        for work in self.work.values():
            self._go_on(work)

    def _go_on(self, work: Work) -> None:
        work.left -= 1
        if work.left <= 0 and work.state == "InProgress":
            work.state = self.ends_as[0] if work.is_async else "Succeeded"
            work.finish(work.state)

    def _progress(self, number: str) -> Answer:
        work = self.work[number]
        self._go_on(work)
        if not work.is_async:
            status, headers = (202, {"Location": f"{self.url}/operations/{number}?api-version=1"})
            return Answer(status=status, headers=headers) if work.state == "InProgress" else Answer()
        body: dict[str, Any] = {"status": work.state}
        if work.state not in {"InProgress", "Succeeded"}:
            body["error"] = {"code": self.ends_as[1], "message": self.ends_as[2]}
        return Answer(body=body)


def title_of(request: Request) -> str:
    """Return what a call is, without the names in it: `PUT cluster`, `GET nodes group`."""
    path = urlsplit(request.path).path
    if path.endswith("/token"):
        return "sign in"
    if path.startswith("/operations/"):
        return f"{request.method} operation"
    if path.endswith("/listClusterUserCredential"):
        return "POST credentials"
    if _CLUSTER.match(path):
        return f"{request.method} cluster"
    found = _GROUP.fullmatch(path)
    if found is not None:
        return f"{request.method} {'nodes group' if found[1].endswith('-nodes') else 'group'}"
    return f"{request.method} {path.rsplit('/', 1)[1]}"


def group(
    name: str, *, location: str = "westeurope", tags: dict[str, str] | None = None, managed_by: str | None = None
) -> dict[str, Any]:
    """Return a resource group as Azure shows it."""
    found: dict[str, Any] = {
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}",
        "name": name,
        "location": location,
        "tags": tags or {},
        "properties": {"provisioningState": "Succeeded"},
    }
    return found if managed_by is None else {**found, "managedBy": managed_by}


def error(status: int, code: str, message: str, **headers: str) -> Answer:
    """Return a refusal in Azure's form; in names of `headers`, `_` stands for `-`."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Answer(status=status, body={"error": {"code": code, "message": message}}, headers=named)
