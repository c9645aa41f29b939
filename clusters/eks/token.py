"""The kubeconfig's exec plugin: `python -m clusters.eks.token CLUSTER REGION` prints a token, without AWS' own tools.

A token is a question to STS (GetCallerIdentity) that is signed and not sent: EKS sends it and learns who asks. The
format is aws-iam-authenticator's (its README, "API Authorization from Outside a Cluster"). helm and kubectl run this
for every command, so what costs much to import is imported only where it is needed.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

#: Seconds within which EKS must have asked; STS allows 15 minutes from the signing, and EKS looks at that too.
PRESIGNED_SECONDS: Final = 60
#: Seconds after which the token is not used any more; EKS takes it for 15 minutes.
VALID_SECONDS: Final = 14 * 60

_API: Final = "client.authentication.k8s.io/v1"
_CLUSTER_HEADER: Final = "x-k8s-aws-id"


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """Credentials: the session's token is empty for those that last."""

    access: str
    secret: str
    session: str = ""


class NoKeysError(Exception):
    """There are no credentials, or they cannot be read."""


def keys() -> Keys:
    """Return the credentials that AWS' own tools would use. Raises NoKeysError."""
    access, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if access and secret:
        # They go before everything else, and need nothing of boto.
        return Keys(access=access, secret=secret, session=os.environ.get("AWS_SESSION_TOKEN", ""))
    import botocore.session  # noqa: PLC0415 - half a second, needed for profiles and roles alone
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        found = botocore.session.Session().get_credentials()
        frozen = found.get_frozen_credentials() if found is not None else None
    except BotoCoreError as error:
        raise NoKeysError(str(error)) from error
    if frozen is None:
        raise NoKeysError("no AWS credentials were found: set AWS_PROFILE, or log in")
    return Keys(access=frozen.access_key, secret=frozen.secret_key, session=frozen.token or "")


def token(cluster: str, region: str, own: Keys, *, now: dt.datetime) -> str:
    """Return the token for a cluster; `now` is in UTC."""
    return "k8s-aws-v1." + base64.urlsafe_b64encode(presign(cluster, region, own, now=now).encode()).decode().rstrip(
        "="
    )


def presign(cluster: str, region: str, own: Keys, *, now: dt.datetime) -> str:
    """Return the signed question as a URL (AWS Signature Version 4, query parameters)."""
    host = f"sts.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/{region}/sts/aws4_request"
    parameters = {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{own.access}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(PRESIGNED_SECONDS),
        "X-Amz-SignedHeaders": f"host;{_CLUSTER_HEADER}",
        **({"X-Amz-Security-Token": own.session} if own.session else {}),
    }
    query = urlencode(sorted(parameters.items()), quote_via=quote, safe="-_.~")
    request = "\n".join(
        ["GET", "/", query, f"host:{host}", f"{_CLUSTER_HEADER}:{cluster}", "", f"host;{_CLUSTER_HEADER}", _sha256("")]
    )
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, _sha256(request)])
    key = f"AWS4{own.secret}".encode()
    for part in (day, region, "sts", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"https://{host}/?{query}&X-Amz-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"


def credential(cluster: str, region: str, own: Keys, *, now: dt.datetime) -> dict[str, object]:
    """Return what an exec plugin prints (Kubernetes, ExecCredential)."""
    expires = now + dt.timedelta(seconds=VALID_SECONDS)
    status = {
        "token": token(cluster, region, own, now=now),
        "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {"apiVersion": _API, "kind": "ExecCredential", "status": status}


def main(arguments: Sequence[str]) -> int:
    """Print the credential and return 0, or say what is missing and return 2."""
    try:
        cluster, region = arguments
    except ValueError:
        sys.stderr.write("usage: python -m clusters.eks.token CLUSTER REGION\n")
        return 3
    try:
        own = keys()
    except NoKeysError as error:
        sys.stderr.write(f"no token for the EKS cluster {cluster}: {error}\n")
        return 2
    except ImportError:
        sys.stderr.write(
            f"no token for the EKS cluster {cluster}: {sys.executable} has no botocore, which reads AWS profiles "
            "(install the extra `eks`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)\n"
        )
        return 2
    json.dump(credential(cluster, region, own, now=dt.datetime.now(dt.UTC)), sys.stdout)
    return 0


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
