"""The client does not reach the daemon, or loses it."""

from __future__ import annotations

from typing import Final

from conformance.classify.records import FailureClass, Rule, Tier
from conformance.classify.wording import DIALLING, NO_SUCH_HOST, PULL, REGISTRY_REQUEST
from conformance.model import Layer, VerdictKind

_NETWORK: Final = Layer.NETWORK
_TCP: Final = "https://github.com/moby/buildkit#expose-buildkit-as-a-tcp-service"
#: Other programs that dial, too.
_OTHERS: Final = REGISTRY_REQUEST + r"|:6443|/api/v1|unable to access|git (?:error|stderr)|etcd|helm"
#: What can kill a daemon under a client.
_DEATHS: Final = ("oom-killed", "buildkitd-killed-by-step", "pod-evicted")

CLASSES: Final = (
    FailureClass(
        name="buildkitd-socket-missing",
        layer=_NETWORK,
        kind=VerdictKind.SYMPTOM,
        meaning="The client finds no socket: the daemon has not started, or never will.",
        remedy="Read the daemon's log.",
        reference=_TCP,
        rules=(
            Rule(
                pattern=r"dial unix \S+: connect: no such file|could not connect to unix://"
                r"|Cannot connect to the Docker daemon at unix://"
                r"|buildkitd\.sock\S*:? .*(?:no such file|not found|does not exist)",
                unless=r"skipping containerd worker",
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="buildkitd-socket-denied",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The client may not open the daemon's socket: another uid, and no common group.",
        remedy="A pod-level fsGroup, or `--group` for a daemon that runs as root.",
        reference=_TCP,
        rules=(Rule(pattern=r"dial unix \S+\.sock: connect: permission denied", unless=r"/proc/\d+/root"),),
    ),
    FailureClass(
        name="buildkitd-conn-refused",
        layer=_NETWORK,
        kind=VerdictKind.SYMPTOM,
        meaning="Nothing listens at the daemon's address.",
        remedy="Endpoints, probes, and whether the daemon is in a crash loop.",
        reference=_TCP,
        rules=(
            Rule(
                pattern=rf"(?:{DIALLING}|createTransport|dial unix|buildctl|:1234\b).*(?:connection refused"
                rf"|actively refused)",
                unless=r":6443|/v2/|unable to access",
                tier=Tier.CONSEQUENCE,
            ),
            Rule(
                pattern=r"dial (?:tcp|unix) \S+ (?:connect: )?connection refused",
                unless=_OTHERS,
                also=("registry-conn-refused", "api-server-unreachable"),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="buildkitd-conn-timeout",
        layer=_NETWORK,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="No answer from the daemon's address: no route, a network policy, or a slow start.",
        remedy="Check policies, the service's endpoints and DNS.",
        reference=_TCP,
        rules=(
            Rule(
                pattern=rf"(?:{DIALLING}|:1234\b).*(?:i/o timeout|connection timed out|no route to host"
                rf"|network is unreachable)",
                unless=r"lookup \S+|/v2/|:6443",
            ),
            Rule(
                pattern=r"(?:list(?:ing)? workers|connect to (?:buildkit|builder|tcp://)|waiting for connection"
                r"|dial gRPC)\b.*"
                r"(?:deadline exceeded|timed? ?out)",
                unless=r"/v2/",
            ),
            Rule(
                pattern=r"dial tcp \S+ (?:i/o timeout|connect: (?:connection timed out|no route to host"
                r"|network is unreachable))",
                unless=_OTHERS + r"|lookup \S+",
                also=("registry-conn-refused",),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    # What a policy's refusal looks like depends on the network: only facts can tell it from a dead daemon.
    FailureClass(
        name="buildkitd-policy-denied",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="An enforced NetworkPolicy keeps the client's namespace from a daemon that is ready.",
        remedy="The client's namespace in the policy's ingress, or builds from one that it names.",
        reference="https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    ),
    FailureClass(
        name="buildkitd-dns-timeout",
        layer=_NETWORK,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The daemon's name does not resolve.",
        remedy="Cluster DNS, and the service's name.",
        reference="https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/",
        explains=("buildkitd-conn-timeout", "buildkitd-conn-refused"),
        rules=(
            Rule(pattern=rf"{DIALLING}.*{NO_SUCH_HOST}", unless=REGISTRY_REQUEST + "|" + PULL),
            Rule(pattern=r"name resolver error|produced zero addresses"),
        ),
    ),
    FailureClass(
        name="buildkitd-unavailable",
        layer=_NETWORK,
        kind=VerdictKind.SYMPTOM,
        meaning="The connection to the daemon broke in the middle of a call.",
        remedy="Look for OOMKilled or a restart of the daemon first; then for a proxy's idle limit.",
        reference=_TCP,
        rules=(
            Rule(
                pattern=r"error reading from server|transport is closing|closing transport due to"
                r"|client connection is (?:being closed|closing)"
                r"|code = Unavailable desc = (?:unexpected )?EOF|Unavailable: (?:unexpected )?EOF"
                r"|keepalive ping failed|received prior goaway"
                r"|waiting for server handshake|no active session for|websocket: close|file already closed"
                r"|rpc error: .*(?:connection reset by peer|use of closed network)"
                r"|error while dialing: use of closed|server has closed the stream|client transport was broken"
                r"|code = Unavailable desc = (?:transport|the connection)",
                also=_DEATHS,
                tier=Tier.CONSEQUENCE,
            ),
            Rule(
                pattern=r"code = Unavailable|\bUnavailable: ",
                unless=r"dialing|server preface|connection refused|Service Unavailable|503"
                r"|connection closed|broken pipe|lookup ",
                also=_DEATHS,
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="buildkitd-connection-closed",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The peer closes the connection at once: TLS spoken to a plain port or the other way round.",
        remedy="The same TLS settings on both sides.",
        reference="https://github.com/moby/buildkit/issues/2546",
        rules=(
            Rule(
                pattern=r"(?:Unavailable(?: desc = |: )|desc = \"?(?:transport: )?)connection closed\b"
                r"|closed before server preface|authentication handshake failed: (?:EOF|read tcp .*connection reset)"
            ),
        ),
    ),
    FailureClass(
        name="buildkitd-bad-address",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="The daemon's address has a scheme that the client does not know.",
        remedy="tcp://host:port or unix:///path.",
        reference=_TCP,
        rules=(
            Rule(
                pattern=r"dial \w+: unknown network|unknown network \w+|(?:unknown|unsupported|invalid|bad) (?:scheme"
                r"|proto(?:col)?|addr(?:ess)?)\b"
                r".*(?:buildkit|://|tcp|unix)|(?:missing port in|too many colons in|invalid) address",
                unless=REGISTRY_REQUEST + r"|git",
            ),
        ),
    ),
    FailureClass(
        name="buildkitd-bad-protocol",
        layer=_NETWORK,
        kind=VerdictKind.DEFECT,
        meaning="What answers is no gRPC server over HTTP/2: a proxy, an ingress or something else.",
        remedy="Check the port, and proxies in between.",
        reference=_TCP,
        rules=(
            Rule(
                pattern=r"frame too large|server preface: (?:http2|malformed|unexpected)"
                r"|unexpected HTTP status code received|malformed HTTP response"
                r"|unexpected content-type|malformed header: missing HTTP content-type|PROTOCOL_ERROR"
                r"|does not support HTTP/2|upgrade to h2c"
                r"|looked like an HTTP/1\.1 header",
                unless=r"/v2/|unable to access|/api/v1",
            ),
        ),
    ),
    FailureClass(
        name="buildkit-frontend-closed",
        layer=_NETWORK,
        kind=VerdictKind.SYMPTOM,
        meaning="The frontend's container died (often for lack of memory), or the image is no frontend.",
        remedy="Memory, and runc's messages in the daemon's log.",
        reference="https://github.com/moby/buildkit/issues/991",
        rules=(
            Rule(
                pattern=r"frontend grpc server closed|failed to solve(?: with frontend \S+)?: exit code: \d+",
                also=_DEATHS,
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="build-deadline-exceeded",
        layer=_NETWORK,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="A deadline of the client or the frontend passed.",
        remedy="A longer limit; look at the load.",
        reference="https://github.com/moby/buildkit/issues/4327",
        rules=(
            Rule(
                pattern=r"DeadlineExceeded|context deadline exceeded",
                unless=PULL + r"|INSTALLATION FAILED|UPGRADE FAILED|rate limiter|helm|lookup \S+|ProgressDeadline"
                r"|Failed to create pod sandbox|failed calling webhook",
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="egress-tls-timeout",
        layer=_NETWORK,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="A host outside does not answer in time.",
        remedy="Try again; a cache or a mirror; an MTU that fits.",
        reference="https://github.com/moby/buildkit/issues/848",
        explains=("build-deadline-exceeded",),
        rules=(
            Rule(
                pattern=r"TLS handshake timeout|Client\.Timeout (?:or context cancellation )?exceeded while"
                r"|request canceled while waiting for connection"
                r"|handshake .*(?:timed out|i/o timeout)",
                unless=r":6443|/api/v1|Unable to connect to the server",
            ),
        ),
    ),
)
