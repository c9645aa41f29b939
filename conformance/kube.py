"""The Kubernetes API, as raw JSON.

The only place that imports the `kubernetes` package. Of that it takes kubeconfigs, credentials and connections, not the
generated calls: their models drop or refuse fields they do not know, and take a second to import.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import urllib3
import websocket
import yaml
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import load_kube_config
from kubernetes.stream import ws_client

from conformance.errors import ApiError
from conformance.session import Ran, follow
from conformance.waiting import Timeouts

__all__ = ["Answer", "Json", "Kube", "Ran"]

Json = dict[str, Any]

#: One: a connection that was kept open may have been closed meanwhile. More would only draw out the end of a cluster.
_RETRIES: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the API server answered: the object and its `Warning:` headers."""

    body: Json
    warnings: tuple[str, ...] = ()


class Kube:
    """One cluster's API. Not for sharing between threads."""

    def __init__(self, kubeconfig: Path, *, user_agent: str, context: str | None = None) -> None:
        """Connect with a kubeconfig; `user_agent` says who asks. Raises ApiError when it cannot be read."""
        self._timeout = (Timeouts().connect, Timeouts().request)
        try:
            self._api = _connect(kubeconfig, context)
        except (ConfigException, OSError, yaml.YAMLError) as error:
            raise ApiError(f"the kubeconfig {kubeconfig} cannot be used: {error}") from error
        self._api.user_agent = f"build-conformance {user_agent}"

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes every connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._api.rest_client.pool_manager.clear()
        self._api.close()

    def version(self) -> str:
        """Return the server's version, e.g. `v1.35.4`."""
        return str(self._call("GET", "/version").body["gitVersion"])

    def fetch(self, path: str, **query: str) -> Json | None:
        """Return what lies at a path of the API, e.g. `/apis/apps/v1/namespaces/a/deployments`; None: nothing does."""
        answer = self._call_if_there("GET", path, **query)
        return answer.body if answer is not None else None

    def create_namespace(self, body: Json) -> Answer:
        """Create a namespace."""
        return self._call("POST", "/api/v1/namespaces", body)

    def namespaces(self, *, labels: str) -> list[Json]:
        """List namespaces by label selector."""
        return _items(self._call("GET", "/api/v1/namespaces", labelSelector=labels))

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace without waiting for it; one that is gone is no error."""
        self._call_if_there("DELETE", f"/api/v1/namespaces/{name}", propagationPolicy="Background")

    def service_account(self, namespace: str, name: str = "default") -> Json | None:
        """Return a ServiceAccount, or None while it does not exist."""
        answer = self._call_if_there("GET", f"{_core(namespace)}/serviceaccounts/{name}")
        return answer.body if answer is not None else None

    def create_pod(self, namespace: str, body: Json, *, dry_run: bool = False) -> Answer:
        """Create a pod, or ask what creating it would give."""
        options = {"dryRun": "All"} if dry_run else {}
        return self._call("POST", f"{_core(namespace)}/pods", body, **options)

    def pod(self, namespace: str, name: str) -> Json | None:
        """Return a pod, or None when there is none."""
        answer = self._call_if_there("GET", f"{_core(namespace)}/pods/{name}")
        return answer.body if answer is not None else None

    def pods(self, namespace: str, *, labels: str = "") -> list[Json]:
        """List the pods of a namespace."""
        return _items(self._call("GET", f"{_core(namespace)}/pods", labelSelector=labels))

    def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a pod at once; one that is gone is no error."""
        self._call_if_there("DELETE", f"{_core(namespace)}/pods/{name}", gracePeriodSeconds="0")

    def create_secret(self, namespace: str, body: Json) -> Answer:
        """Create a Secret."""
        return self._call("POST", f"{_core(namespace)}/secrets", body)

    def create_resource_quota(self, namespace: str, body: Json) -> Answer:
        """Create a ResourceQuota."""
        return self._call("POST", f"{_core(namespace)}/resourcequotas", body)

    def resource_quota(self, namespace: str, name: str) -> Json | None:
        """Return a ResourceQuota, or None when there is none."""
        answer = self._call_if_there("GET", f"{_core(namespace)}/resourcequotas/{name}")
        return answer.body if answer is not None else None

    def create_limit_range(self, namespace: str, body: Json) -> Answer:
        """Create a LimitRange."""
        return self._call("POST", f"{_core(namespace)}/limitranges", body)

    def create_service(self, namespace: str, body: Json) -> Answer:
        """Create a Service."""
        return self._call("POST", f"{_core(namespace)}/services", body)

    def create_deployment(self, namespace: str, body: Json) -> Answer:
        """Create a Deployment."""
        return self._call("POST", f"{_apps(namespace)}/deployments", body)

    def deployments(self, namespace: str) -> list[Json]:
        """List the Deployments of a namespace."""
        return _items(self._call("GET", f"{_apps(namespace)}/deployments"))

    def replica_sets(self, namespace: str) -> list[Json]:
        """List the ReplicaSets of a namespace."""
        return _items(self._call("GET", f"{_apps(namespace)}/replicasets"))

    def events(self, namespace: str) -> list[Json]:
        """List the events of a namespace."""
        return _items(self._call("GET", f"{_core(namespace)}/events"))

    def nodes(self) -> list[Json]:
        """List the nodes."""
        return _items(self._call("GET", "/api/v1/nodes"))

    def configz(self, node: str) -> Json:
        """Return a kubelet's configuration as it runs. Raises ApiError where that is not granted."""
        return self._call("GET", f"/api/v1/nodes/{node}/proxy/configz").body

    def logs(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str | None:
        """Return a container's log, or None when there is none (just after a crash either life may be missing)."""
        options = {"container": container, **({"previous": "true"} if previous else {})}
        try:
            data, _ = self._ask("GET", f"{_core(namespace)}/pods/{pod}/log", options)
        except ApiError as error:
            if error.status is None:
                raise
            return None
        text = data.decode(errors="replace")
        return None if text.startswith("unable to retrieve container logs for") else text

    def execute(
        self,
        namespace: str,
        pod: str,
        container: str,
        argv: list[str],
        *,
        within: float,
        give_up: Callable[[], bool] = lambda: False,
    ) -> Ran:
        """Run a command in a container; output and errors come together, as a terminal shows them.

        Cut off after `within` seconds or as soon as `give_up` says so: then `code` is None, as when the connection
        breaks. Raises ApiError when the command could not be started.
        """
        options = [("container", container), ("stdout", "true"), ("stderr", "true")]
        method, url, headers = self._prepare(
            "GET", f"{_core(namespace)}/pods/{pod}/exec", [*options, *(("command", word) for word in argv)]
        )
        connect: Any = ws_client.websocket_call
        try:
            session = connect(self._api.configuration, method, url, headers=headers, _preload_content=False)
        except ApiException as error:
            raise _not_started(error) from error
        return follow(session, within=within, give_up=give_up)

    def _call(self, method: str, path: str, body: Json | None = None, /, **query: str) -> Answer:
        data, headers = self._ask(method, path, query, body)
        return Answer(body=json.loads(data), warnings=_warnings(headers))

    def _call_if_there(self, method: str, path: str, **query: str) -> Answer | None:
        try:
            return self._call(method, path, None, **query)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: Json | None = None
    ) -> tuple[bytes, urllib3.HTTPHeaderDict]:
        """Return the answer's body and headers. Raises ApiError when it is none or an error."""
        method, url, headers = self._prepare(method, path, [(key, value) for key, value in query.items() if value])
        try:
            response = self._api.call_api(method, url, headers, body, _request_timeout=self._timeout)
            data = bytes(response.read())
        except (ApiException, urllib3.exceptions.HTTPError) as error:
            raise _unreachable(error) from error
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise _refused(response.status, response.reason or "", data)
        return data, response.headers

    def _prepare(self, method: str, path: str, query: list[tuple[str, str]]) -> tuple[str, str, dict[str, str]]:
        """Return method, URL and headers of a request, with whatever shows who we are."""
        headers = {"Accept": "application/json, */*", "Content-Type": "application/json"}
        prepared = self._api.param_serialize(
            method, path, query_params=query, header_params=headers, auth_settings=["BearerToken"]
        )
        return prepared[0], prepared[1], prepared[2]


def _core(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}"


def _apps(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}"


def _connect(kubeconfig: Path, context: str | None) -> Any:  # noqa: ANN401 - half of the client has no types
    options = Configuration()
    options.retries = urllib3.Retry(_RETRIES)
    load: Any = load_kube_config
    load(config_file=str(kubeconfig), context=context, client_configuration=options)
    return ApiClient(options)


def _items(answer: Answer) -> list[Json]:
    items: list[Json] = answer.body.get("items") or []
    return items


def _warnings(headers: urllib3.HTTPHeaderDict) -> tuple[str, ...]:
    """Return the texts of `Warning: 299 - "text"` headers (RFC 7234, section 5.5)."""
    raw = headers.getlist("Warning")
    return tuple(value.split('"', 1)[1].rsplit('"', 1)[0].replace('\\"', '"') for value in raw if '"' in value)


def _refused(status: int, reason: str, data: bytes) -> ApiError:
    body = data.decode(errors="replace")
    try:
        said = json.loads(body)
        message, why = str(said.get("message") or body), str(said.get("reason") or "")
    except (ValueError, AttributeError):
        message, why = body or reason, reason
    return ApiError(message, status=status, reason=why, body=body)


def _not_started(error: ApiException) -> BaseException:
    """Return why a command was not started: the client hides it behind status 0, even somebody's Ctrl-C."""
    cause = error.__context__
    match cause:
        case KeyboardInterrupt() | SystemExit():
            return cause
        case websocket.WebSocketBadStatusException():
            return _refused(cause.status_code, str(cause), cause.resp_body or b"")
        case _:
            return _unreachable(cause or error)


def _unreachable(error: BaseException) -> ApiError:
    return ApiError(f"the API server did not answer: {error}. Is the cluster still up?")
