"""Which credentials are used: one way, chosen by what is configured. Nothing is tried out, so nothing has to time out.

The SDK's own chain asks address 169.254.169.254 and starts command lines before it gives up, which takes long and says
little. Here the first way that is configured is the one, and its error is what is told.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

TENANT: Final = "AZURE_TENANT_ID"
CLIENT: Final = "AZURE_CLIENT_ID"
TOKEN_FILE: Final = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105 - the name of a variable
SECRET: Final = "AZURE_CLIENT_SECRET"  # noqa: S105 - the name of a variable
CERTIFICATE: Final = "AZURE_CLIENT_CERTIFICATE_PATH"
AUTHORITY: Final = "AZURE_AUTHORITY_HOST"
#: The SDK's own variable that names one credential; here it is how a machine's managed identity is asked for.
NAMED: Final = "AZURE_TOKEN_CREDENTIALS"
MANAGED: Final = "ManagedIdentityCredential"
#: Set by GitHub in jobs with `permissions: id-token: write`.
#: https://docs.github.com/actions/reference/security/oidc
GITHUB_URL: Final = "ACTIONS_ID_TOKEN_REQUEST_URL"
GITHUB_TOKEN: Final = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of a variable

NONE_FOUND: Final = (
    f"no Azure credentials were found: sign in with `az login`, or set {TENANT} and {CLIENT} and one of {TOKEN_FILE} "
    f"(workload identity), {CERTIFICATE} or {SECRET} (in GitHub's workflows `permissions: id-token: write` is enough), "
    f"or {NAMED}={MANAGED} on a machine that has one"
)


class SignIn(StrEnum):
    """A way to be somebody in Azure."""

    MANAGED_IDENTITY = "the managed identity of this machine"
    TOKEN_FILE = "a federated token file"  # noqa: S105 - words
    SERVICE_PRINCIPAL = "a service principal's secret or certificate"
    GITHUB = "GitHub's identity of this workflow"
    COMMAND_LINE = "az login"


def chosen(environ: Mapping[str, str]) -> SignIn | None:
    """Return the first way that is configured, None when none is. Starts nothing and asks nobody."""
    if environ.get(NAMED) == MANAGED:
        return SignIn.MANAGED_IDENTITY
    if environ.get(TENANT) and environ.get(CLIENT):
        if environ.get(TOKEN_FILE):
            return SignIn.TOKEN_FILE
        if environ.get(CERTIFICATE) or environ.get(SECRET):
            return SignIn.SERVICE_PRINCIPAL
        if environ.get(GITHUB_URL) and environ.get(GITHUB_TOKEN):
            return SignIn.GITHUB
    return SignIn.COMMAND_LINE if _is_logged_in(environ) else None


def why_unusable(way: SignIn, environ: Mapping[str, str]) -> str | None:
    """Say what of a way that is configured is missing on this machine, None when nothing is known to be."""
    if way is SignIn.TOKEN_FILE and not os.access(environ[TOKEN_FILE], os.R_OK):
        return (
            f"{TOKEN_FILE} names {environ[TOKEN_FILE]}, which cannot be read: whoever issues the token writes it there"
        )
    return None


def _is_logged_in(environ: Mapping[str, str]) -> bool:
    """Say whether `az` is there and knows a subscription; `az account show` would take a second to say the same."""
    if shutil.which("az", path=environ.get("PATH")) is None:
        return False
    home = environ.get("AZURE_CONFIG_DIR")
    profile = (Path(home) if home else Path.home() / ".azure") / "azureProfile.json"
    try:
        # az writes a byte order mark.
        known = json.loads(profile.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    return isinstance(known, dict) and bool(known.get("subscriptions"))
