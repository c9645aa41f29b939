"""The network layer's other half: TLS between client and daemon."""

from __future__ import annotations

from typing import Final

from conformance.classify.records import FailureClass, Rule, Tier
from conformance.classify.wording import DIALLING, PULL, REGISTRY_REQUEST
from conformance.model import Layer, VerdictKind

_NETWORK: Final = Layer.NETWORK
_TLS: Final = "https://github.com/moby/buildkit#load-balancing"
_HANDSHAKE: Final = r"(?:handshake failed|handshake error|" + DIALLING + r"|server preface)"
_OTHERS: Final = PULL + r"|unable to access|sandbox image|" + REGISTRY_REQUEST
_NAMES: Final = (
    r"x509: (?:certificate is (?:valid for|not valid for any)|cannot validate certificate for"
    r"|certificate relies on legacy Common Name)"
)
_EXPIRED: Final = r"certificate (?:has expired|is not yet valid)|expired or is not yet valid"

CLASSES: Final = (
    FailureClass(
        name="mtls-untrusted-ca",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The client does not trust the CA of the daemon's certificate.",
        remedy="The right --tlscacert; no TLS-terminating ingress in between.",
        reference=_TLS,
        rules=(
            Rule(
                pattern=_HANDSHAKE
                + r".*(?:certificate signed by unknown authority|certificate is not trusted|self[- ]signed certificate"
                r"|unable to get (?:local )?issuer)",
                unless=r"failed to do request|/v2/",
            ),
        ),
    ),
    FailureClass(
        name="mtls-server-name-mismatch",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The daemon's certificate is not for the name or address that the client dialled.",
        remedy="That name in the certificate's SAN, or --tlsservername.",
        reference=_TLS,
        rules=(
            Rule(pattern=_HANDSHAKE + r".*" + _NAMES, unless=r"failed to do request|/v2/"),
            Rule(pattern=_NAMES, unless=_OTHERS + r"|kube|/api/", also=("registry-x509",)),
        ),
    ),
    FailureClass(
        name="mtls-server-cert-expired",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The daemon's certificate has expired, or its time has not come.",
        remedy="Renew it; check the clocks.",
        reference=_TLS,
        rules=(
            Rule(pattern=_HANDSHAKE + r".*(?:" + _EXPIRED + r")", unless=r"failed to do request|/v2/|remote error"),
        ),
    ),
    FailureClass(
        name="mtls-client-cert-expired",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The daemon refuses the client's certificate because it has expired.",
        remedy="Renew it; check the clocks.",
        reference=_TLS,
        explains=("mtls-bad-certificate",),
        rules=(
            Rule(pattern=r"tls: expired certificate|alert certificate expired", unless=r"failed to do request|/v2/"),
        ),
    ),
    FailureClass(
        name="mtls-bad-certificate",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="One side refuses the other's certificate: none given, or one of another CA.",
        remedy="A client certificate of the CA that the daemon was given.",
        reference=_TLS,
        rules=(
            Rule(
                pattern=r"tls: (?:bad certificate|unknown certificate|unsupported certificate"
                r"|client didn't provide a certificate"
                r"|failed to verify client|certificate unknown)|alert bad certificate",
                unless=r"failed to do request|/v2/",
            ),
            Rule(pattern=_HANDSHAKE + r".*tls: certificate required", unless=r"failed to do request|/v2/"),
            Rule(
                pattern=r"(?:list workers|Unavailable).*write tcp \S+: write: (?:broken pipe|connection reset)",
                also=("mtls-client-cert-expired", "buildkitd-unavailable"),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="mtls-plaintext-server",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The client speaks TLS and the daemon does not.",
        remedy="Drop the client's TLS flags, or give the daemon certificates.",
        reference=_TLS,
        rules=(
            Rule(
                pattern=r"first record does not look like a TLS handshake|tls: .*not a TLS|oversized record received",
                unless=r"failed to do request|/v2/|unable to access",
            ),
        ),
    ),
    FailureClass(
        name="mtls-client-plaintext",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The client speaks no TLS and the daemon does: it hangs up before the first frame.",
        remedy="Give the client its certificates.",
        reference=_TLS,
        rules=(Rule(pattern=r"error reading server preface: (?:unexpected )?EOF", also=("buildkitd-unavailable",)),),
    ),
    FailureClass(
        name="mtls-alpn-mismatch",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="One side does not negotiate HTTP/2 by ALPN.",
        remedy="A newer BuildKit; a proxy that passes ALPN on.",
        reference="https://github.com/moby/buildkit/issues/2587",
        rules=(Rule(pattern=r"no application protocol|missing selected ALPN|ALPN (?:property|negotiat)"),),
    ),
    FailureClass(
        name="mtls-file-missing",
        layer=_NETWORK,
        kind=VerdictKind.BAD_INPUT,
        meaning="A certificate or key file is not there.",
        remedy="Mount the secret, and check the paths.",
        reference=_TLS,
        rules=(
            Rule(
                pattern=r"could not (?:read|load) (?:ca |client |server )?(?:certificate|cert|key)"
                r"|(?:open|read|stat) \S+\.(?:pem|crt|key|cert|cer): no such file",
                unless=r"apiserver|kubeconfig|etcd",
            ),
        ),
    ),
    FailureClass(
        name="buildkitd-no-authentication",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The daemon answers anyone who reaches its TCP port: a finding although the build works.",
        remedy="Mutual TLS, or a unix socket.",
        reference=_TLS,
        rules=(
            Rule(
                pattern=r"TLS is (?:not enabled|disabled) for .*tcp://",
                unless=r"tcp://(?:127\.|localhost|\[::1\])",
                tier=Tier.BACKGROUND,
            ),
        ),
    ),
)
