"""The components' configuration files, as text. Nothing here looks at the machine: `Node` says what was found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clusters.embedded.addresses import (
    CLUSTER_DNS_IP,
    CLUSTER_DOMAIN,
    POD_CIDR,
    REGISTRY_CLUSTER_IP,
    REGISTRY_HOST,
)
from clusters.embedded.conditions import DEFAULTS, MAX_PODS
from clusters.embedded.conditions import kubelet as asked_of_kubelet
from clusters.embedded.layout import Layout
from clusters.provider import NodeConditions

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
#: Health of CoreDNS: answers on the loopback of the node once the API server's objects have been read.
COREDNS_READY = "127.0.0.1:10054"


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """What configuration depends on: the cluster's paths, the node's address and what this machine can do."""

    layout: Layout
    ip: str
    #: The image every pod's sandbox runs.
    pause: str
    #: Folders with programs: ours, by their plain names.
    programs: Path
    has_apparmor: bool
    #: CAP_SYS_RESOURCE: without it no process may lower its oom_score_adj.
    may_lower_oom_score: bool
    #: Packets between pods on the bridge pass the packet filter: net.bridge.bridge-nf-call-iptables exists.
    filters_bridge: bool
    #: What was asked for.
    conditions: NodeConditions = DEFAULTS


def containerd(node: Node) -> str:
    """Render containerd's configuration, version 3 (containerd 2.x, docs/cri/config.md)."""
    config = node.layout.config
    return f"""\
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
# They would make folders outside of what is ours, or look for what no node here has.
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = {_toml(not node.has_apparmor)}
  restrict_oom_score_adj = {_toml(not node.may_lower_oom_score)}

  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{node.programs}"]
    conf_dir = "{config / "cni"}"

  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"

    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "{node.programs / "runc"}"
        SystemdCgroup = false

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{node.pause}"

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = "{config / "certs.d"}"
"""


def registry_hosts() -> str:
    """Render hosts.toml: the fixture registry's name is served by its Service's address, over plain http."""
    return f"""\
server = "http://{REGISTRY_CLUSTER_IP}:5000"

[host."http://{REGISTRY_CLUSTER_IP}:5000"]
  capabilities = ["pull", "resolve"]
"""


def cni() -> str:
    """Render the pod network: a bridge in the node's namespace with addresses for all pods; nothing leaves the node."""
    content = {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                # There is nowhere to go to, so no address has to be disguised.
                "ipMasq": False,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": POD_CIDR}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "backend": "nftables", "capabilities": {"portMappings": True}},
        ],
    }
    return json.dumps(content, indent=1)


def kubelet(node: Node) -> str:
    """Render the kubelet's configuration: defaults where a verdict could depend on them, speed where none can."""
    pki = node.layout.pki
    content: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet-server.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.layout.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [CLUSTER_DNS_IP],
        "clusterDomain": CLUSTER_DOMAIN,
        # Pods know the cluster's names alone: there is no way out to ask for others.
        "resolvConf": "",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "maxPods": MAX_PODS,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "syncFrequency": "5s",
        "nodeStatusUpdateFrequency": "2s",
        # The disk is the machine's, not the cluster's: evict for it only when nearly nothing is left.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
            "imagefs.inodesFree": "1%",
        },
        # Images that are in no registry must never be collected.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        **asked_of_kubelet(node.conditions),
    }
    if not node.may_lower_oom_score:
        content["oomScoreAdj"] = 0
    return yaml.safe_dump(content, sort_keys=False)


def kube_proxy(node: Node) -> str:
    """Render kube-proxy's configuration: nftables, quick to act."""
    content = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(node.layout.kubeconfigs / "kube-proxy")},
        "hostnameOverride": node.layout.name,
        "clusterCIDR": POD_CIDR,
        "mode": "nftables",
        "nftables": {
            "minSyncPeriod": "100ms",
            # Without the bridge filter an answer between two pods would bypass the translation back.
            "masqueradeAll": not node.filters_bridge,
        },
        # Limits of connection tracking are the machine's: leave them.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "nodePortAddresses": ["primary"],
    }
    return yaml.safe_dump(content, sort_keys=False)


def corefile(node: Node) -> str:
    """Render CoreDNS' configuration: the cluster's names from memory, no cache that could hide a new Service."""
    return f"""\
.:53 {{
    errors
    ready {COREDNS_READY}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {node.layout.kubeconfigs / "coredns"}
        pods insecure
        ttl 5
    }}
}}
"""


def write(node: Node) -> None:
    """Write everything below the cluster's folder."""
    config = node.layout.config
    files = {
        "containerd.toml": containerd(node),
        f"certs.d/{REGISTRY_HOST}/hosts.toml": registry_hosts(),
        f"certs.d/{REGISTRY_CLUSTER_IP}:5000/hosts.toml": registry_hosts(),
        "cni/10-pods.conflist": cni(),
        "kubelet.yaml": kubelet(node),
        "kube-proxy.yaml": kube_proxy(node),
        "Corefile": corefile(node),
    }
    for name, text in files.items():
        path = config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _toml(value: bool) -> str:  # noqa: FBT001 - one value in, its spelling out
    return "true" if value else "false"
