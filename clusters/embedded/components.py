"""The steps of a cluster: what is started, in what order, and how each is known to be ready."""

from __future__ import annotations

from pathlib import Path

from clusters.embedded import access, dns
from clusters.embedded.addresses import API_PORT, CLUSTER_DNS_IP, SERVICE_CIDR
from clusters.embedded.configs import CONTAINERD_SOCKET, COREDNS_READY
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Kind, Ready, Step
from clusters.embedded.timeouts import TIMEOUTS

ETCD = "http://127.0.0.1:2379"
ISSUER = "https://kubernetes.default.svc.cluster.local"


def steps(layout: Layout, *, node_ip: str, images: Path) -> tuple[Step, ...]:
    """Return all steps. Two things are slow, the API server and the import of images, so they go side by side."""
    node_path = f"/api/v1/nodes/{layout.name}"
    account_path = "/api/v1/namespaces/default/serviceaccounts/default"
    return (
        Step(name="etcd", argv=_etcd(), ready=_http(f"{ETCD}/health", TIMEOUTS.store)),
        Step(
            name="containerd",
            argv=("containerd", "--config", str(layout.config / "containerd.toml")),
            ready=Ready(kind=Kind.SOCKET, target=CONTAINERD_SOCKET, limit=TIMEOUTS.store),
        ),
        Step(
            name="kube-apiserver",
            needs=("etcd",),
            argv=_api_server(layout, node_ip),
            ready=_http(f"https://127.0.0.1:{API_PORT}/readyz", TIMEOUTS.api),
        ),
        Step(
            name="images",
            needs=("containerd",),
            argv=("ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", "images", "import", str(images)),
            ready=Ready(kind=Kind.EXIT, limit=TIMEOUTS.images),
        ),
        Step(
            name="access",
            needs=("kube-apiserver",),
            objects=(*access.rules(), *dns.service(node_ip)),
            ready=Ready(kind=Kind.NOTHING, limit=TIMEOUTS.request),
        ),
        # Kubelets up to 1.33 end when containerd's socket is not there yet.
        Step(
            name="kubelet",
            needs=("containerd", "kube-apiserver"),
            argv=_kubelet(layout, node_ip),
            ready=_http("http://127.0.0.1:10248/healthz", TIMEOUTS.component),
        ),
        Step(
            name="kube-controller-manager",
            needs=("kube-apiserver",),
            argv=_controller_manager(layout),
            ready=_http("https://127.0.0.1:10257/healthz", TIMEOUTS.component),
        ),
        Step(
            name="kube-scheduler",
            needs=("kube-apiserver",),
            argv=_scheduler(layout),
            ready=_http("https://127.0.0.1:10259/healthz", TIMEOUTS.component),
        ),
        Step(
            name="coredns",
            needs=("access",),
            argv=("coredns", "-conf", str(layout.config / "Corefile")),
            ready=_http(f"http://{COREDNS_READY}/ready", TIMEOUTS.component),
        ),
        Step(name="node", needs=("kubelet",), ready=_check(Kind.OBJECT, node_path)),
        # It asks for its Node when it starts, and waits for long when that is not there yet.
        Step(
            name="kube-proxy",
            needs=("node",),
            argv=("kube-proxy", "--config", str(layout.config / "kube-proxy.yaml")),
            ready=_http("http://127.0.0.1:10256/healthz", TIMEOUTS.component),
        ),
        Step(name="node-ready", needs=("node",), ready=_check(Kind.NODE_READY, node_path)),
        Step(name="service-account", needs=("kube-controller-manager",), ready=_check(Kind.OBJECT, account_path)),
        Step(name="cluster-dns", needs=("coredns", "kube-proxy"), ready=_check(Kind.DNS, CLUSTER_DNS_IP)),
    )


def _http(url: str, limit: float) -> Ready:
    return Ready(kind=Kind.HTTP, target=url, limit=limit)


def _check(kind: Kind, target: str) -> Ready:
    return Ready(kind=kind, target=target, limit=TIMEOUTS.component)


def _etcd() -> tuple[str, ...]:
    return (
        "etcd",
        "--data-dir=/var/lib/etcd",
        # The cluster is thrown away as a whole: what a crash would lose is lost anyway.
        "--unsafe-no-fsync",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
    )


def _api_server(layout: Layout, node_ip: str) -> tuple[str, ...]:
    pki = layout.pki
    return (
        "kube-apiserver",
        f"--etcd-servers={ETCD}",
        f"--advertise-address={node_ip}",
        f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        # Otherwise logs and exec would look the node's name up in DNS.
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
        f"--service-account-issuer={ISSUER}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
    )


def _kubelet(layout: Layout, node_ip: str) -> tuple[str, ...]:
    return (
        "kubelet",
        f"--config={layout.config}/kubelet.yaml",
        f"--kubeconfig={layout.kubeconfigs}/kubelet",
        f"--hostname-override={layout.name}",
        f"--node-ip={node_ip}",
    )


def _controller_manager(layout: Layout) -> tuple[str, ...]:
    return (
        "kube-controller-manager",
        f"--kubeconfig={layout.kubeconfigs}/controller-manager",
        f"--service-account-private-key-file={layout.pki}/sa.key",
        f"--root-ca-file={layout.pki}/ca.crt",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        "--profiling=false",
    )


def _scheduler(layout: Layout) -> tuple[str, ...]:
    return (
        "kube-scheduler",
        f"--kubeconfig={layout.kubeconfigs}/scheduler",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    )
