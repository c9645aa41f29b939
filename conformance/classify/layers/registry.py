"""A registry does not take or give what the build wants."""

from __future__ import annotations

from typing import Final

from conformance.classify.records import FailureClass, Rule, Tier
from conformance.classify.wording import DIALLING, NO_SUCH_HOST, PULL, REGISTRY_REQUEST
from conformance.model import Layer, VerdictKind

_REGISTRY: Final = Layer.REGISTRY
_SPEC: Final = "https://github.com/opencontainers/distribution-spec/blob/main/spec.md"
_BUILDKITD: Final = "https://docs.docker.com/build/buildkit/toml-configuration/"
_GIT: Final = r"unable to access|git (?:error|stderr)|fatal:"
_UNREACHABLE: Final = (
    r"(?:connection refused|connection reset by peer|i/o timeout|no route to host|network is unreachable"
    r"|connection timed out)"
)

CLASSES: Final = (
    FailureClass(
        name="registry-unauthorized",
        layer=_REGISTRY,
        kind=VerdictKind.BAD_INPUT,
        meaning="The registry answers 401: no login, a wrong one, or one that has expired.",
        remedy="Credentials in the client's DOCKER_CONFIG for exactly this registry.",
        reference=_SPEC,
        rules=(
            Rule(
                pattern=r"401 Unauthorized|unexpected status(?: code)?\W.*\b401\b"
                r"|unauthorized: (?:authentication required|access|incorrect|invalid"
                r"|The client|unauthenticated|user|failed|you)|no basic auth credentials"
                r"|failed to authorize: .*(?:401|unauthorized)"
                r"|incorrect username or password|authentication required",
                unless=PULL + "|" + _GIT + "|dry run|kubectl",
            ),
        ),
    ),
    FailureClass(
        name="registry-push-denied",
        layer=_REGISTRY,
        kind=VerdictKind.BAD_INPUT,
        meaning="The registry answers 403 or `insufficient_scope`: the login may not do this to that repository.",
        remedy="The repository's name, the token's scope, the package's link to its repository.",
        reference=_SPEC,
        explains=("registry-unauthorized", "registry-image-not-found"),
        rules=(
            Rule(
                pattern=r"insufficient_scope|403 Forbidden|unexpected status(?: code)?\W.*\b403\b"
                r"|denied: (?:requested access|permission|access|not_found|"
                r"unauthenticated|installation|user|project|resource|token|deny)"
                r"|requested access to the resource is denied"
                r"|permission_denied|push access (?:denied|to)|action \"?(?:push|upload)",
                unless=PULL + "|" + _GIT + r"|is forbidden: |PodSecurity",
            ),
        ),
    ),
    FailureClass(
        name="registry-client-cert-required",
        layer=_REGISTRY,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The registry (or its token service) wants a client certificate, and the call has none.",
        remedy="keypair in buildkitd.toml; the token call of older BuildKit does not use it.",
        reference="https://github.com/moby/buildkit/issues/6416",
        rules=(
            Rule(pattern=REGISTRY_REQUEST + r".*tls: certificate required"),
            Rule(
                pattern=r"tls: certificate required",
                unless=r"server preface|handshake|list workers|dialing|Unavailable|:1234|" + REGISTRY_REQUEST,
                also=("mtls-bad-certificate",),
            ),
        ),
    ),
    FailureClass(
        name="registry-x509",
        layer=_REGISTRY,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="BuildKit (or the client that fetches the token) does not trust the registry's certificate.",
        remedy="The CA in buildkitd.toml and in the client's trust store.",
        reference=_BUILDKITD,
        rules=(
            Rule(
                pattern=REGISTRY_REQUEST + r".*(?:x509:|certificate verify failed|self[- ]signed certificate)",
                unless=PULL + "|" + _GIT + r"|handshake failed",
            ),
            Rule(
                pattern=r"x509: (?:certificate signed by unknown authority|certificate has expired|cannot validate)",
                unless=PULL + "|" + _GIT + r"|handshake failed|sandbox image|kube|/api/v1|helm|" + DIALLING,
                also=("mtls-untrusted-ca", "image-pull-x509"),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="registry-http-vs-https",
        layer=_REGISTRY,
        kind=VerdictKind.DEFECT,
        meaning="The registry speaks plain HTTP and BuildKit speaks HTTPS to it.",
        remedy="registry.insecure=true, or `http = true` for that registry in buildkitd.toml (a missing file is no "
        "error).",
        reference=_BUILDKITD,
        rules=(
            Rule(pattern=r"server gave HTTP response to HTTPS client"),
            Rule(
                pattern=REGISTRY_REQUEST
                + r".*(?:first record does not look like a TLS handshake|wrong version number)",
                unless=_GIT + r"|handshake failed",
            ),
        ),
    ),
    FailureClass(
        name="registry-rate-limit",
        layer=_REGISTRY,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The registry's rate limit is used up (429).",
        remedy="Log in, use a mirror, or try again later.",
        reference="https://docs.docker.com/docker-hub/usage/pulls/",
        explains=("image-pull-failed", "image-pull-denied", "registry-unauthorized", "registry-push-denied"),
        rules=(
            Rule(
                pattern=r"429 Too Many Requests|toomanyrequests|pull rate limit|unexpected status(?: code)?\W.*\b429\b"
                r"|rate exceeded|\bquota exceeded for .*registry",
                unless=r"API server|client-side throttling",
            ),
        ),
    ),
    FailureClass(
        name="registry-blob-upload-failed",
        layer=_REGISTRY,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The connection was torn while a blob was sent.",
        remedy="Try again; a proxy's limits on body size or time.",
        reference=_SPEC,
        explains=("buildkitd-unavailable",),
        rules=(
            Rule(
                pattern=r"(?:failed to (?:copy|push)|(?:Put|Patch|Post) \"?https?://\S*/blobs/uploads|writing blob"
                r"|error writing layer)\b.*"
                r"(?:read/write on closed pipe|broken pipe|connection reset|use of closed|unexpected EOF|: EOF"
                r"|http2: |stream error"
                r"|50[0234] |413 )",
            ),
            Rule(pattern=r"blob upload (?:invalid|unknown)|BLOB_UPLOAD_(?:INVALID|UNKNOWN)"),
        ),
    ),
    FailureClass(
        name="registry-blob-unknown",
        layer=_REGISTRY,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The registry lost a blob, or a cross-repository mount raced.",
        remedy="Try again.",
        reference=_SPEC,
        rules=(Rule(pattern=r"blob unknown to registry|BLOB_UNKNOWN|blob .* not found in registry"),),
    ),
    FailureClass(
        name="registry-not-found",
        layer=_REGISTRY,
        kind=VerdictKind.BAD_INPUT,
        meaning="The registry answers 404 to a push: the repository does not exist.",
        remedy="Create the repository, or fix its name.",
        reference=_SPEC,
        rules=(
            Rule(
                pattern=r"(?:unexpected status|failed (?:commit|to (?:push|copy)))\b.*404 Not Found|name unknown"
                r"|NAME_UNKNOWN"
                r"|failed to push \S+: .*repository (?:not found|does not exist)"
                r"|repository with name .* does not exist|RepositoryNotFoundException",
                unless=PULL + "|" + _GIT + "|may require authorization|access denied",
            ),
        ),
    ),
    FailureClass(
        name="registry-manifest-unknown",
        layer=_REGISTRY,
        kind=VerdictKind.DEFECT,
        meaning="The registry has no such manifest, or does not take this kind (attestations).",
        remedy="provenance=false, or the right tag.",
        reference="https://github.com/docker/buildx/issues/1384",
        rules=(
            Rule(
                pattern=r"manifest unknown|MANIFEST_UNKNOWN|MANIFEST_INVALID|manifest invalid"
                r"|unsupported (?:manifest )?media ?type|accept header does not support OCI ind"
                r"|attestations are not supported"
                r"|failed commit on ref \W{0,2}manifest.*400 Bad Request"
                r"|manifest blob unknown|manifest for \S+ not found",
                unless=PULL + r"|blob unknown to registry",
            ),
        ),
    ),
    FailureClass(
        name="registry-image-not-found",
        layer=_REGISTRY,
        kind=VerdictKind.BAD_INPUT,
        meaning="The base image's name leads to no image.",
        remedy="Give the name in full, and a tag that exists.",
        reference="https://docs.docker.com/reference/dockerfile/#from",
        rules=(
            Rule(
                pattern=r"no such image .* in registry|image not known|failed to (?:resolve source metadata|solve"
                r"|resolve reference)\b.*: not found"
                r"|load metadata for .*: not found|(?m:^\W{0,4}#\d+ ERROR: [\w./:@-]+: not found)"
                r"|short-name .* did not resolve"
                r"|pull access denied, repository does not exist",
                unless=PULL + r"|cache importer|secret \S+: not found|no match(?:ing)? (?:for platform|manifest)"
                r"|failed to compute cache key"
                r"|failed to calculate checksum|executable file not found|manifest unknown|command not found"
                r"|invalid subdir",
                also=("registry-push-denied",),
            ),
        ),
    ),
    FailureClass(
        name="registry-dns-failed",
        layer=_REGISTRY,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The registry's name does not resolve.",
        remedy="DNS and egress of the daemon.",
        reference="https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/",
        explains=("build-deadline-exceeded",),
        rules=(
            Rule(
                pattern=REGISTRY_REQUEST + rf".*{NO_SUCH_HOST}",
                unless=PULL + "|" + _GIT + r"|error while dialing|curl:",
            ),
            Rule(
                pattern=r"lookup \S+.*(?:no such host|server misbehaving|i/o timeout)",
                unless=PULL + "|" + _GIT + "|" + DIALLING + "|" + REGISTRY_REQUEST + r"|/api/v1|:6443|sts\.|amazonaws",
                also=("buildkitd-dns-timeout", "git-dns-failed"),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="registry-conn-refused",
        layer=_REGISTRY,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="Nothing listens at the registry's address.",
        remedy="The registry's service and endpoints; network policies.",
        reference=_SPEC,
        rules=(
            Rule(
                pattern=REGISTRY_REQUEST + rf".*{_UNREACHABLE}",
                unless=PULL + "|" + _GIT + r"|error while dialing|lookup \S+|curl:|:6443",
            ),
        ),
    ),
)
