"""The Kubernetes API, as raw JSON: typed models drop fields they do not know.

The only place that imports the `kubernetes` package.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import urllib3
import websocket
import yaml
from kubernetes import client, config, stream
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from conformance.errors import ApiError
from conformance.session import Ran, follow
from conformance.waiting import Timeouts

__all__ = ["Answer", "Json", "Kube", "Ran"]

Json = dict[str, Any]

_NOT_FOUND: Final = 404
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
            # `stream` swaps the client's call function while it connects, so it gets a client of its own.
            self._exec_api = _connect(kubeconfig, context)
        except (ConfigException, OSError, yaml.YAMLError) as error:
            raise ApiError(f"the kubeconfig {kubeconfig} cannot be used: {error}") from error
        for api in (self._api, self._exec_api):
            api.user_agent = f"build-conformance {user_agent}"
        self._core = client.CoreV1Api(self._api)
        self._apps = client.AppsV1Api(self._api)
        self._exec_core = client.CoreV1Api(self._exec_api)

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes every connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        for api in (self._api, self._exec_api):
            api.rest_client.pool_manager.clear()
            api.close()  # type: ignore[no-untyped-call] # ships no types

    def version(self) -> str:
        """Return the server's version, e.g. `v1.35.4`."""
        return str(self._call(client.VersionApi(self._api).get_code).body["gitVersion"])

    def create_namespace(self, body: Json) -> Answer:
        """Create a namespace."""
        return self._call(self._core.create_namespace, body=body)

    def namespaces(self, *, labels: str) -> list[Json]:
        """List namespaces by label selector."""
        return _items(self._call(self._core.list_namespace, label_selector=labels))

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace without waiting for it; one that is gone is no error."""
        self._call_if_there(self._core.delete_namespace, name, propagation_policy="Background")

    def service_account(self, namespace: str, name: str = "default") -> Json | None:
        """Return a ServiceAccount, or None while it does not exist."""
        answer = self._call_if_there(self._core.read_namespaced_service_account, name, namespace)
        return answer.body if answer is not None else None

    def create_pod(self, namespace: str, body: Json, *, dry_run: bool = False) -> Answer:
        """Create a pod, or ask what creating it would give."""
        options = {"dry_run": "All"} if dry_run else {}
        return self._call(self._core.create_namespaced_pod, namespace, body=body, **options)

    def pod(self, namespace: str, name: str) -> Json | None:
        """Return a pod, or None when there is none."""
        answer = self._call_if_there(self._core.read_namespaced_pod, name, namespace)
        return answer.body if answer is not None else None

    def pods(self, namespace: str, *, labels: str = "") -> list[Json]:
        """List the pods of a namespace."""
        return _items(self._call(self._core.list_namespaced_pod, namespace, label_selector=labels))

    def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a pod at once; one that is gone is no error."""
        self._call_if_there(self._core.delete_namespaced_pod, name, namespace, grace_period_seconds=0)

    def create_service(self, namespace: str, body: Json) -> Answer:
        """Create a Service."""
        return self._call(self._core.create_namespaced_service, namespace, body=body)

    def create_deployment(self, namespace: str, body: Json) -> Answer:
        """Create a Deployment."""
        return self._call(self._apps.create_namespaced_deployment, namespace, body=body)

    def deployments(self, namespace: str) -> list[Json]:
        """List the Deployments of a namespace."""
        return _items(self._call(self._apps.list_namespaced_deployment, namespace))

    def replica_sets(self, namespace: str) -> list[Json]:
        """List the ReplicaSets of a namespace."""
        return _items(self._call(self._apps.list_namespaced_replica_set, namespace))

    def events(self, namespace: str) -> list[Json]:
        """List the events of a namespace."""
        return _items(self._call(self._core.list_namespaced_event, namespace))

    def nodes(self) -> list[Json]:
        """List the nodes."""
        return _items(self._call(self._core.list_node))

    def configz(self, node: str) -> Json:
        """Return a kubelet's configuration as it runs. Raises ApiError where that is not granted."""
        return self._call(self._core.connect_get_node_proxy_with_path, node, "configz").body

    def logs(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str | None:
        """Return a container's log, or None when there is none (just after a crash either life may be missing)."""
        try:
            response: Any = self._core.read_namespaced_pod_log(
                pod,
                namespace,
                container=container,
                previous=previous,
                _preload_content=False,
                _request_timeout=self._timeout,
            )
        except ApiException:
            return None
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(error) from error
        text = bytes(response.data).decode(errors="replace")
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
        try:
            session = stream.stream(
                self._exec_core.connect_get_namespaced_pod_exec,
                pod,
                namespace,
                container=container,
                command=argv,
                stdout=True,
                stderr=True,
                stdin=False,
                tty=False,
                _preload_content=False,
            )
        except ApiException as error:
            raise _not_started(error) from error
        return follow(session, within=within, give_up=give_up)

    def _call(self, method: Callable[..., Any], *args: object, **options: object) -> Answer:
        try:
            response = _unchecked(method)(*args, _preload_content=False, _request_timeout=self._timeout, **options)
        except ApiException as error:
            raise _refused(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(error) from error
        return Answer(body=json.loads(response.data), warnings=_warnings(response.headers))

    def _call_if_there(self, method: Callable[..., Any], *args: object, **options: object) -> Answer | None:
        try:
            return self._call(method, *args, **options)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise


def _unchecked(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a client's method without its check of what it is given: it refuses fields of objects it does not know.

    From version 37 on the client has such a check (https://docs.pydantic.dev/latest/concepts/validation_decorator/).
    """
    raw = getattr(method, "raw_function", None)
    return method if raw is None else partial(raw, getattr(method, "__self__", None))


def _connect(kubeconfig: Path, context: str | None) -> client.ApiClient:
    options = client.Configuration()
    options.retries = urllib3.Retry(_RETRIES)
    api: client.ApiClient = config.new_client_from_config(  # type: ignore[no-untyped-call] # ships no types
        config_file=str(kubeconfig), context=context, client_configuration=options
    )
    return api


def _items(answer: Answer) -> list[Json]:
    items: list[Json] = answer.body.get("items") or []
    return items


def _warnings(headers: urllib3.HTTPHeaderDict) -> tuple[str, ...]:
    """Return the texts of `Warning: 299 - "text"` headers (RFC 7234, section 5.5)."""
    raw = headers.getlist("Warning")
    return tuple(value.split('"', 1)[1].rsplit('"', 1)[0].replace('\\"', '"') for value in raw if '"' in value)


def _refused(error: ApiException) -> ApiError:
    body = str(error.body or "")
    try:
        status = json.loads(body)
        message, reason = str(status.get("message") or body), str(status.get("reason") or "")
    except (ValueError, AttributeError):
        message, reason = body or str(error.reason), str(error.reason or "")
    return ApiError(message, status=error.status or None, reason=reason, body=body)


def _not_started(error: ApiException) -> BaseException:
    """Return why a command was not started: the client hides it behind status 0, even somebody's Ctrl-C."""
    cause = error.__context__
    match cause:
        case KeyboardInterrupt() | SystemExit():
            return cause
        case websocket.WebSocketBadStatusException():
            answer = ApiException(status=cause.status_code, reason=str(cause))
            answer.body = (cause.resp_body or b"").decode(errors="replace")
            return _refused(answer)
        case _:
            return _unreachable(cause or error)


def _unreachable(error: BaseException) -> ApiError:
    return ApiError(f"the API server did not answer: {error}. Is the cluster still up?")
