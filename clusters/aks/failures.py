"""What Azure's refusals mean and what to do next: errors of the SDK become errors of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ServiceRequestError

from clusters.aks import settings
from clusters.errors import ClustersError

_QUOTA: Final = (
    "The subscription may not have that many cores there: that is about the subscription, not about what is tested. "
    f"Ask for quota (portal: Quotas), or set {settings.REGION} or {settings.MACHINE} to where `az vm list-usage` "
    "shows room; a forgotten cluster also takes room: `python -m clusters janitor` looks."
)
_CAPACITY: Final = (
    "Azure has no such machine free or to offer there: that is about the region, not about what is tested. "
    f"Try later, or set {settings.MACHINE} or {settings.REGION} to another (`az vm list-skus --location REGION`)."
)
_RIGHTS: Final = (
    "Who is signed in may not do that: give it the role Contributor on the subscription (`az role assignment create`); "
    "a new role takes minutes to work."
)
_BUSY: Final = "Something else is at work on it: wait a few minutes, then run this again."
_LOCKED: Final = "A lock keeps it from being deleted: `az lock list --resource-group GROUP`, remove it, run this again."
_POLICY: Final = (
    "A policy of the subscription forbids it (one against local accounts or missing tags is common): "
    "use a subscription without that policy, or have an exemption made."
)
_REGISTRATION: Final = (
    "Run `az provider register --namespace Microsoft.ContainerService --wait` once in that subscription (also "
    "Microsoft.Compute, Microsoft.Network and Microsoft.ManagedIdentity), or have somebody with the right do it."
)
_VERSION: Final = "`az aks get-versions --location REGION` lists what Azure offers there: ask for one of them."
_FEDERATION: Final = (
    "The identity does not trust this token: issuer, subject and audience of its federated credential must be exactly "
    "those of the token (for GitHub repo:ORGANISATION/REPOSITORY:environment:NAME)."
)
_STALE: Final = "The token was too old: it must be issued anew for each sign-in; begin the job again."

#: What a code of Azure's usually means and the next step. What is not listed is told as Azure says it.
HINTS: Final[Mapping[str, str]] = {
    "ErrCode_InsufficientVCPUQuota": _QUOTA,
    "InsufficientVCPUQuota": _QUOTA,
    "QuotaExceeded": _QUOTA,
    "AKSCapacityError": _CAPACITY,
    "AksCapacityHeavyUsage": _CAPACITY,
    "AllocationFailed": _CAPACITY,
    "ZonalAllocationFailed": _CAPACITY,
    "OverconstrainedAllocationRequest": _CAPACITY,
    "SkuNotAvailable": _CAPACITY,
    "VMSizeNotSupported": _CAPACITY,
    "LocationNotAvailableForResourceType": _CAPACITY,
    "PublicIPCountLimitReached": _QUOTA,
    "AuthorizationFailed": _RIGHTS,
    "LinkedAuthorizationFailed": _RIGHTS,
    "InvalidAuthenticationTokenTenant": "The subscription belongs to another tenant: sign in to that one.",
    "SubscriptionNotFound": f"Is {settings.SUBSCRIPTION} right, and visible to who is signed in? `az account list`.",
    "ReadOnlyDisabledSubscription": "The subscription is disabled (unpaid, or a spending limit): have it enabled.",
    "ScopeLocked": _LOCKED,
    "RequestDisallowedByPolicy": _POLICY,
    "MissingSubscriptionRegistration": _REGISTRATION,
    "K8sVersionNotSupported": _VERSION,
    "AgentPoolK8sVersionNotSupported": _VERSION,
    "ResourceGroupBeingDeleted": _BUSY,
    "OperationNotAllowed": _BUSY,
    "Conflict": _BUSY,
    "TooManyRequests": "Too much is asked of the subscription at once: wait a few minutes, then run this again.",
    "AADSTS700024": _STALE,
    "AADSTS70021": _FEDERATION,
    "AADSTS700211": _FEDERATION,
    "AADSTS700212": _FEDERATION,
    "AADSTS700213": _FEDERATION,
    "AADSTS700016": "There is no such application in that tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID.",
    "AADSTS7000215": "The secret is wrong or was replaced: set AZURE_CLIENT_SECRET to a valid one.",
    "AADSTS7000222": "The secret has expired: make a new one and set AZURE_CLIENT_SECRET.",
    "AADSTS90002": "There is no such tenant: check AZURE_TENANT_ID.",
}

#: Told when the code says nothing we know.
UNKNOWN: Final = "Look the code up in Azure's documentation, then run this again."
NO_CODE: Final = "Azure gave no code: a proxy on the way may have answered, or Azure has trouble (status.azure.com)."

#: An answer may be pages long; its beginning says what is wrong.
_LONGEST: Final = 600


class AzureRefusedError(ClustersError):
    """Azure did not do what it was asked, or could not be asked; `code` is its own, empty where it gave none."""

    def __init__(self, message: str, code: str = "") -> None:
        """Keep the whole sentence and Azure's code."""
        self.code = code
        super().__init__(message)


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn the SDK's errors in the block into AzureRefusedError; `doing` follows "Azure refused to"."""
    try:
        yield
    except AzureError as error:
        raise explain(error, doing) from error


def explain(error: AzureError, doing: str) -> AzureRefusedError:
    """Return what went wrong, the usual cause and the next step."""
    match error:
        case ClientAuthenticationError():
            return _told(f"Azure did not accept the sign-in, needed to {doing}", _code(error), error.message)
        case HttpResponseError():
            return _told(f"Azure refused to {doing}", _code(error), _text(error))
        case ServiceRequestError():
            next_step = "Is there a way out to it (HTTPS_PROXY, REQUESTS_CA_BUNDLE)? Then run this again."
            return AzureRefusedError(f"Azure could not be reached to {doing}: {_short(str(error))}. {next_step}")
        case _:
            return AzureRefusedError(
                f"Azure did not answer when asked to {doing}: {_short(str(error))}. Run this again; what was begun is "
                "found by its name."
            )


def failed(doing: str, code: str, text: str) -> AzureRefusedError:
    """Return the error of an operation that Azure accepted and that then failed."""
    return _told(f"Azure failed to {doing}", code, text)


def _told(what: str, code: str, text: str) -> AzureRefusedError:
    known = code if code in HINTS else next((key for key in sorted(HINTS, key=len, reverse=True) if key in text), "")
    named = f" ({code})" if code and code not in text else ""
    return AzureRefusedError(
        f"{what}: {_short(text)}{named} {HINTS.get(known, UNKNOWN if code else NO_CODE)}", known or code
    )


def _code(error: HttpResponseError) -> str:
    """Return the code that says most: an outer one may only say that something inside failed."""
    if error.error is None:
        return ""
    codes = [str(each.code) for each in (error.error, *(error.error.details or ())) if each.code]
    return next((code for code in codes if code in HINTS), codes[0] if codes else "")


def _text(error: HttpResponseError) -> str:
    return str(error.error.message) if error.error is not None and error.error.message else error.message


def _short(text: str) -> str:
    """Return the beginning of what was said, in one line that ends with a full stop."""
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST else line[:_LONGEST].rstrip() + " ..."
    return line if line.endswith((".", "!", "?")) else f"{line}."
