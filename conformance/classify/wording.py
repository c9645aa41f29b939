"""Fragments of patterns that several layers share."""

from __future__ import annotations

from typing import Final

#: The kubelet or its runtime pulls an image (not BuildKit, not a push).
PULL: Final = (
    r"(?:failed to pull(?: and unpack)? image|ErrImagePull|ImagePullBackOff|Back-off pulling image|PullImage\b"
    r"|(?:error|failed) pulling image|failed to get sandbox image|failed to \W?StartContainer\W.*pull)"
)
#: A registry's API is asked.
REGISTRY_REQUEST: Final = (
    r"(?:failed to do request|/v2/|failed to (?:push|fetch|resolve|authorize|copy|configure registry)"
    r"|pinging container registry"
    r"|oauth token|registry|manifests/|blobs/|initializing source|error getting manifest|reading manifest)"
)
#: gRPC to the builder daemon.
DIALLING: Final = r"(?:error while dialing|connection error: desc|list workers|code = Unavailable|Unavailable:)"
#: A host name does not resolve.
NO_SUCH_HOST: Final = (
    r"(?:lookup \S+.*(?:no such host|i/o timeout|server misbehaving|try again|connection refused|deadline exceeded"
    r"|cannot"
    r"|Temporary failure)|no such host|Temporary failure in name resolution|Name or service not known"
    r"|could ?n.t resolve host"
    r"|could not resolve host)"
)
