"""The credential objects of the SDK, one for each way to sign in."""

from __future__ import annotations

import os
from typing import Any, assert_never
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import HTTPPolicy, RetryPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import (
    AzureAuthorityHosts,
    AzureCliCredential,
    ClientAssertionCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from clusters.aks import signin
from clusters.aks.limits import Limits
from clusters.aks.signin import SignIn
from clusters.errors import ClustersError, UsageError

#: What an assertion must be for when it is exchanged for a token of Azure's.
#: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
AUDIENCE = "api://AzureADTokenExchange"

Policy = HTTPPolicy[HttpRequest, HttpResponse] | SansIOHTTPPolicy[HttpRequest, HttpResponse]

_AUTHORITIES = {
    AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
    AzureAuthorityHosts.AZURE_GOVERNMENT,
    AzureAuthorityHosts.AZURE_CHINA,
}


def credential(way: SignIn, limits: Limits) -> TokenCredential:
    """Return the SDK's credential; no token is asked for yet. Raises UsageError for values the SDK refuses."""
    try:
        return _credential(way, limits)
    except ValueError as error:
        raise UsageError(f"{way} cannot be used to sign in to Azure: {error}") from error


def _credential(way: SignIn, limits: Limits) -> TokenCredential:
    match way:
        case SignIn.MANAGED_IDENTITY:
            return ManagedIdentityCredential(client_id=os.environ.get(signin.CLIENT) or None)
        case SignIn.TOKEN_FILE:
            return WorkloadIdentityCredential(**_options(limits))
        case SignIn.SERVICE_PRINCIPAL:
            return EnvironmentCredential(**_options(limits))
        case SignIn.GITHUB:
            tenant, client = os.environ[signin.TENANT], os.environ[signin.CLIENT]
            return ClientAssertionCredential(tenant, client, lambda: _github_assertion(limits), **_options(limits))
        case SignIn.COMMAND_LINE:
            return AzureCliCredential(process_timeout=limits.command_line)
        case _:
            assert_never(way)


def _options(limits: Limits) -> dict[str, Any]:
    """Return what all have in common; an authority that only its owner knows cannot be looked up at Microsoft's."""
    host = os.environ.get(signin.AUTHORITY)
    own = bool(host) and urlsplit(host if "://" in str(host) else f"https://{host}").hostname not in _AUTHORITIES
    return {
        "disable_instance_discovery": own,
        "retry_backoff_factor": limits.backoff,
        "connection_timeout": limits.connect,
        "read_timeout": limits.answer,
    }


def _github_assertion(limits: Limits) -> str:
    """Return a new identity token of this workflow: GitHub's live minutes, a run may take hours.

    Raises AzureError when GitHub cannot be reached, ClustersError when it refuses.
    """
    url = f"{os.environ[signin.GITHUB_URL]}&audience={AUDIENCE}"
    headers = {"Authorization": f"bearer {os.environ[signin.GITHUB_TOKEN]}", "Accept": "application/json"}
    transport = RequestsTransport(connection_timeout=limits.connect, read_timeout=limits.answer)
    policies: list[Policy] = [RetryPolicy(retry_backoff_factor=limits.backoff)]
    with Pipeline[HttpRequest, HttpResponse](transport, policies=policies) as pipeline:
        answer = pipeline.run(HttpRequest("GET", url, headers=headers)).http_response
        answer.read()
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own number
            raise ClustersError(
                f"GitHub gave no identity token ({answer.status_code} {answer.reason}): "
                "does the job have `permissions: id-token: write`?"
            )
        return str(answer.json()["value"])
