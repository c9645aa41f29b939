"""Azure and a cluster's API server, both imitated, over TLS; signed in to by workload identity."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from clusters.aks.limits import Limits
from clusters.aks.provider import AksProvider
from clusters.provider import ClusterSpec, ImageRole
from tests.clusters.aks import certificates, kubernetes_api
from tests.clusters.aks.azure import CLIENT, SUBSCRIPTION, TENANT, Azure
from tests.clusters.aks.kubernetes_api import KubernetesApi
from tests.clusters.aks.servers import serving

#: Everything is at once here: what is waited for in vain is not waited for long.
QUICK = Limits(poll=0.01, look=0.01, backoff=0.01, settle=0.05, consistency=2, cluster=20, usable=20, removal=20)

NAME = "r1-1-35"

#: Whatever else decides who is signed in, or how Azure is reached.
_SURROUNDINGS = (
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_TOKEN_CREDENTIALS",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "BUILD_CONFORMANCE_AKS_REGION",
    "BUILD_CONFORMANCE_AKS_MACHINE",
    "BUILD_CONFORMANCE_AKS_OS_SKU",
    "BUILD_CONFORMANCE_LIFETIME_MINUTES",
    "BUILD_CONFORMANCE_OWNER",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
)


#: The SDK leaves the answer to a call that begins an operation unread when it sends the call again.
_UNREAD = pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(_UNREAD)


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """All that is outside."""

    azure: Azure
    kubernetes: KubernetesApi
    authority: Path


@pytest.fixture(scope="session")
def one_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both servers, for all tests of a process."""
    folder = tmp_path_factory.mktemp("aks")
    authority = certificates.authority()
    bundle = folder / "authority.pem"
    bundle.write_bytes(authority.pem)
    pair = authority.issue("server", is_server=True).write(folder / "server.pem")
    kubernetes = KubernetesApi()
    with ExitStack() as stack:
        server = stack.enter_context(serving(kubernetes.respond, pair, clients=bundle))
        azure = Azure(kubernetes_api.kubeconfig(server, authority))
        azure.url = stack.enter_context(serving(azure.respond, pair))
        yield World(azure=azure, kubernetes=kubernetes, authority=bundle)


@pytest.fixture
def no_credentials(state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody ever signed in to Azure."""
    del state_dir
    for variable in (*_SURROUNDINGS, "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST", "BUILD_CONFORMANCE_IMAGES_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure-config"))


@pytest.fixture
def world(one_world: World, no_credentials: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty subscription, and an environment that is signed in to it with a federated token."""
    del no_credentials
    one_world.azure.reset()
    one_world.kubernetes.reset()
    token = tmp_path / "federated-token"
    token.write_text("assertion-of-the-file")
    images = tmp_path / "images.toml"
    images.write_text("".join(_image(role) for role in ImageRole))
    for variable, value in {
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_FEDERATED_TOKEN_FILE": str(token),
        "AZURE_AUTHORITY_HOST": one_world.azure.url,
        "BUILD_CONFORMANCE_AZURE_ENDPOINT": one_world.azure.url,
        "BUILD_CONFORMANCE_IMAGES_FILE": str(images),
        "REQUESTS_CA_BUNDLE": str(one_world.authority),
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(variable, value)
    yield one_world
    if one_world.azure.has_refused:
        # Now, and not in the middle of somebody else's test.
        gc.collect()


@pytest.fixture
def azure(world: World) -> Azure:
    return world.azure


@pytest.fixture
def provider() -> AksProvider:
    return AksProvider(QUICK)


@pytest.fixture
def spec() -> ClusterSpec:
    return ClusterSpec(name=NAME, run_id="r1", kubernetes="1.35")


def _image(role: ImageRole) -> str:
    # With a digest, so that no registry is asked.
    return f'["{role}"]\nreference = "registry.example/{role}:1@sha256:{"0" * 64}"\norigin = "a test"\n'
