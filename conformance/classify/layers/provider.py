"""The cluster itself cannot be made or reached."""

from __future__ import annotations

from typing import Final

from conformance.classify.details import message
from conformance.classify.records import ANY, CLUSTER, FailureClass, Rule, Tier
from conformance.model import Layer, VerdictKind

_PROVIDER: Final = Layer.PROVIDER
_KIND: Final = "https://kind.sigs.k8s.io/docs/user/known-issues/"
_K3D: Final = "https://k3d.io/stable/faq/faq/"

CLASSES: Final = (
    FailureClass(
        name="api-server-unreachable",
        layer=_PROVIDER,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The Kubernetes API server does not answer.",
        remedy="Look at the control plane's logs; run the cell again.",
        reference="https://kubernetes.io/docs/tasks/debug/debug-cluster/",
        kinds=ANY,
        rules=(
            Rule(pattern=r"^the cluster broke while the cell ran: (?:kube-apiserver|etcd)\b", tier=Tier.STATE),
            Rule(
                pattern=r"the API server did not answer|Max retries exceeded with url: /(?:api|version)",
                tier=Tier.STATE,
            ),
            Rule(
                pattern=r"The connection to the server \S+ was refused|Unable to connect to the server"
                r"|Kubernetes cluster unreachable"
                r"|(?::6443\b|/api/v1|/apis/).*(?:connection refused|EOF|i/o timeout|connection reset"
                r"|no route to host|TLS handshake timeout)"
                r"|etcdserver: leader changed|http2: client connection lost",
            ),
        ),
    ),
    FailureClass(
        name="cluster-component-died",
        layer=_PROVIDER,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="A component of the cluster died while a cell ran on it.",
        remedy="Read that component's log in the run's folder; run the cell again.",
        reference="https://kubernetes.io/docs/tasks/debug/debug-cluster/",
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"^the cluster broke while the cell ran: ",
                unless=r"ran: (?:(?:kube-apiserver|etcd)\b|the disk is full: )",
                tier=Tier.STATE,
            ),
        ),
    ),
    FailureClass(
        name="k3d-node-restart-loop",
        layer=_PROVIDER,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="A k3d node's container does not stay up.",
        remedy="Read the node container's log (docker logs).",
        reference=_K3D,
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"Failed to start node \W?k3d-|Node k3d-\S+ .*(?:restarting|failed to start|not running)"
                r"|k3d-\S+.*stopped returning log lines|Failed waiting for log message .* from node"
                r"|node .* in restart loop|Failed Cluster Start: .*server",
                unless=r"port is already allocated|address already in use",
            ),
        ),
    ),
    FailureClass(
        name="k3d-cluster-missing",
        layer=_PROVIDER,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="k3d finds no server node of that cluster.",
        remedy="Create the cluster again.",
        reference=_K3D,
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"no (?:server )?nodes? found for (?:given|specified) cluster"
                r"|No nodes found for given cluster|failed to (?:find|get) .*(?:k3d|server) "
                r"(?:cluster|container)|cluster \S+ (?:not found|does not exist)|no server (?:nodes?"
                r"|containers?) found|No server container for cluster",
                near=r"k3d|cluster",
            ),
        ),
    ),
    FailureClass(
        name="k3d-conntrack-denied",
        layer=_PROVIDER,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="An old k3s may not write nf_conntrack_max on kernels since 5.12.",
        remedy="A newer k3s image.",
        reference=_K3D,
        kinds=CLUSTER,
        rules=(Rule(pattern=r"nf_conntrack_max.*(?:permission denied|operation not permitted|read-only)"),),
    ),
    FailureClass(
        name="k3d-storage-unsupported",
        layer=_PROVIDER,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The host's file system (ZFS) does not do what k3s' storage needs.",
        remedy="Another storage for Docker.",
        reference=_K3D,
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"raft_(?:init|start)\(\).*io:|posix_allocate: operation not supported"
                r"|overlayfs.*not supported.*zfs"
            ),
        ),
    ),
    FailureClass(
        name="kind-rootfs-info-failed",
        layer=_PROVIDER,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The kubelet in a kind node cannot see the device of its own root file system (btrfs, LUKS).",
        remedy="extraMounts of /dev/mapper or the device.",
        reference=_KIND,
        kinds=CLUSTER,
        rules=(
            Rule(pattern=r"failed to get rootfs info|could not find device with major|failed to get device for dir"),
        ),
    ),
    FailureClass(
        name="kind-cgroup-unsupported",
        layer=_PROVIDER,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The host's cgroups are not what kind's nodes need (no cgroup namespaces, WSL 2, cgroup v1).",
        remedy="A newer host, or cgroup v2 with delegation.",
        reference=_KIND,
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"adding pid \d+ to cgroups|could not find a log line that matches .*Multi-User System"
                r"|cgroup namespaces? .*(?:n't|not|un)|cannot find cgroup mount destination"
                r"|Error response from daemon: cgroups?: "
                r"|failed to initialize top level QOS containers|failed to (?:get the kubelet's cgroup"
                r"|run Kubelet): mountpoint for"
                r"|configured to not run on a host using cgroup v1|running kind with rootless provider requires"
                r"|Failed to (?:create|allocate|attach|mount|mkdir)\b.*cgroup"
                r"|requires? (?:setting )?systemd property \W?Delegate",
            ),
            Rule(
                pattern=r"cgroup\w*\b.*(?:not supported|no such file|permission denied|read-only)",
                near=r"\bkind\b|kubelet|kubeadm|systemd",
            ),
        ),
    ),
    FailureClass(
        name="kind-selinux-denied",
        layer=_PROVIDER,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The host's SELinux policy refuses what a node's container needs.",
        remedy="Update the host's SELinux policy.",
        reference=_KIND,
        kinds=CLUSTER,
        rules=(Rule(pattern=r"/dev/dma_heap: permission denied|avc: +denied"),),
    ),
    FailureClass(
        name="docker-config-permission",
        layer=_PROVIDER,
        kind=VerdictKind.DEFECT,
        meaning="~/.docker belongs to another user (a docker command ran under sudo).",
        remedy="Give it back: chown -R $USER ~/.docker.",
        reference=_KIND + "#docker-permission-denied",
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"loading config file: \S*config\.json|\.docker/(?:config\.json|buildx\S*"
                r"|contexts\S*): permission denied",
                near=r"permission denied",
                unless_near=r"#\d+ (?:\[|DONE)",
            ),
        ),
    ),
    FailureClass(
        name="docker-userns-privileged-incompatible",
        layer=_PROVIDER,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The Docker daemon remaps users, which privileged containers do not allow.",
        remedy="--userns=host, or a daemon without userns-remap.",
        reference="https://docs.docker.com/engine/security/userns-remap/",
        kinds=CLUSTER,
        rules=(
            Rule(pattern=r"privileged mode is incompatible with user namespaces|incompatible with user ?namespaces"),
        ),
    ),
    FailureClass(
        name="port-already-allocated",
        layer=_PROVIDER,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="A port of the host is in use.",
        remedy="Another (or a random) port; remove what is left of earlier clusters.",
        reference=_K3D,
        kinds=CLUSTER,
        explains=("k3d-node-restart-loop",),
        rules=(
            Rule(
                pattern=r"port is already allocated|bind\w*\b.*address already in use|Ports are not available",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="aks-quota-exceeded",
        layer=_PROVIDER,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The Azure subscription's quota of cores is used up, or the size is not to be had there.",
        remedy="More quota, another region or another size.",
        reference="https://learn.microsoft.com/azure/quotas/",
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"exceeding (?:approved .*)?quota|approved (?:Total Regional )?\w* ?Cores quota"
                r"|(?:Insufficient\w*|Exceed\w*)\w*Quota|QuotaExceeded"
                r"|ErrCode_Insufficient\w+|SkuNotAvailable|AllocationFailed|regional (?:vcpu|cores) quota",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="aks-auth-failed",
        layer=_PROVIDER,
        kind=VerdictKind.BAD_INPUT,
        meaning="Entra ID refuses the login: the federated credential does not fit the token.",
        remedy="Subject, issuer and audience of the federated credential.",
        reference="https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"AADSTS\d+|federated identity (?:record|credential)|AuthorizationFailed"
                r"|does not have authorization to perform action"
                r"|No subscriptions found for|SubscriptionNotFound|az login failed|Login failed with Error: .*(?:az"
                r"|azure|OIDC|client)",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="eks-az-unsupported",
        layer=_PROVIDER,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The availability zone has no room for an EKS control plane.",
        remedy="Other zones (eksctl: --zones).",
        reference="https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html",
        kinds=CLUSTER,
        explains=("eks-stack-rollback",),
        rules=(
            Rule(
                pattern=r"UnsupportedAvailabilityZone|availability zone, does not currently have sufficient capacity"
                r"|does not support creating control plane instances",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="eks-auth-failed",
        layer=_PROVIDER,
        kind=VerdictKind.BAD_INPUT,
        meaning="AWS refuses the login or the action.",
        remedy="The role's policy and its trust policy.",
        reference="https://docs.aws.amazon.com/eks/latest/userguide/security-iam.html",
        kinds=CLUSTER,
        explains=("eks-stack-rollback",),
        rules=(
            Rule(
                pattern=r"UnauthorizedOperation|You are not authorized to perform|AccessDenied(?:Exception)?\b"
                r"|is not authorized to perform: |AuthFailure|UnrecognizedClientException"
                r"|InvalidClientTokenId|ExpiredToken|Not authorized to perform sts:|Unable to locate credentials"
                r"|NoCredentialProviders"
                r"|SignatureDoesNotMatch|security token included in the request",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="eks-stack-rollback",
        layer=_PROVIDER,
        kind=VerdictKind.SYMPTOM,
        meaning="CloudFormation takes the cluster's stack back; the reason stands in its events.",
        remedy="Read the stack's events from the first CREATE_FAILED on.",
        reference="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html",
        kinds=CLUSTER,
        rules=(
            Rule(
                pattern=r"ROLLBACK_(?:IN_PROGRESS|COMPLETE|FAILED)|stack .*roll(?:ed|ing)? ?back", tier=Tier.CONSEQUENCE
            ),
        ),
    ),
)
