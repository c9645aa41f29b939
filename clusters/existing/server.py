"""The API server of a cluster that stands already, as raw JSON, with whatever way to sign in its kubeconfig names."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import load_kube_config

from clusters.errors import ClustersError, UnavailableError
from clusters.existing.kubeconfigs import Place
from clusters.existing.limits import LIMITS

Json = dict[str, Any]

#: A connection that was kept open may have been closed meanwhile.
_RETRIES: Final = 1


class ServerError(ClustersError):
    """The API server refused: `status` is HTTP's."""

    def __init__(self, message: str, *, status: int) -> None:
        """Keep what it said."""
        self.status = status
        super().__init__(message)


class Server:
    """One cluster's API. Not for sharing between threads."""

    def __init__(self, place: Place) -> None:
        """Read the kubeconfig. Raises UnavailableError when it cannot be used."""
        self._place = place
        options = Configuration()
        options.retries = urllib3.Retry(_RETRIES)
        load: Any = load_kube_config
        try:
            load(config_file=str(place.kubeconfig), context=place.context, client_configuration=options)
        except (ConfigException, OSError, yaml.YAMLError) as error:
            raise UnavailableError(f"the kubeconfig {place.kubeconfig} cannot be used: {error}") from error
        client: Any = ApiClient(options)
        self._api = client
        self._api.user_agent = "build-conformance existing"

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes every connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._api.rest_client.pool_manager.clear()
        self._api.close()

    def get(self, path: str, **query: str) -> Json:
        """Return what lies at a path. Raises ServerError, UnavailableError."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def items(self, path: str, **query: str) -> list[Json]:
        """Return the items of a list. Raises ServerError, UnavailableError."""
        found: list[Json] = self.get(path, **query).get("items") or []
        return found

    def post(self, path: str, body: Json) -> Json:
        """Create an object and return it as it was made. Raises ServerError, UnavailableError."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> None:
        """Delete an object without waiting; one that is gone is no error. Raises ServerError, UnavailableError."""
        try:
            self._ask("DELETE", path)
        except ServerError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        headers = {"Accept": "application/json, */*", "Content-Type": "application/json"}
        prepared = self._api.param_serialize(method, path, header_params=headers, auth_settings=["BearerToken"])
        try:
            answer = self._api.call_api(
                prepared[0], prepared[1], prepared[2], body, _request_timeout=(LIMITS.connect, LIMITS.request)
            )
            data = bytes(answer.read())
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UnavailableError(
                f"the API server of context {self._place.context!r} ({self._place.kubeconfig}) does not answer: "
                f"{' '.join(str(error).split())}. Is the cluster up, and can this machine reach it (kubectl version)?"
            ) from error
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise self._refused(method, path, int(answer.status), data)
        found = json.loads(data or b"{}")
        return found if isinstance(found, dict) else {}

    def _refused(self, method: str, path: str, status: int, data: bytes) -> ClustersError:
        try:
            said = str(json.loads(data).get("message") or "")
        except (ValueError, AttributeError):
            said = data[:500].decode(errors="replace")
        if status == HTTPStatus.UNAUTHORIZED:
            return UnavailableError(
                f"the API server of context {self._place.context!r} does not accept the credentials of "
                f"{self._place.kubeconfig} (401): sign in again (kubectl auth whoami)"
            )
        return ServerError(f"{method} {path} ended with {status}: {said}", status=status)
