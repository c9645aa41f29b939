"""An AWS account in this process: moto behind a proxy that can break calls, and an API server that takes our tokens."""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clusters.eks import aws as amazon
from clusters.eks import kubeconfig, network, removal, token
from clusters.eks.names import Names
from clusters.eks.pace import Pace
from clusters.eks.provider import EksProvider
from clusters.provider import Cluster, ClusterSpec, ImageRole, NodeConditions
from tests.clusters.eks import apiserver
from tests.clusters.eks.account import KEY, REGION, SECRET, Account, start_moto
from tests.clusters.eks.apiserver import ApiServer
from tests.clusters.eks.wire import Wire

QUICK = Pace(
    interval=0.01,
    cluster=60,
    node_group=60,
    role=60,
    deletion=60,
    release=60,
    removal=60,
    usable=60,
    settle=0.01,
    token=60,
    request=10,
)

_NUMBERS = itertools.count(1)


@dataclass
class Cloud:
    """The account, the proxy before it, the cluster's API server, and the provider that knows none of this."""

    account: Account
    wire: Wire
    api: ApiServer
    provider: EksProvider
    before: frozenset[str]
    name: str
    progress: list[str]
    #: Where processes that are started may write.
    log: Path

    def create(self, conditions: NodeConditions | None = None) -> Cluster:
        return self.provider.create(self.spec(conditions), self.progress.append)

    def spec(self, conditions: NodeConditions | None = None) -> ClusterSpec:
        return ClusterSpec(
            name=self.name,
            run_id="run-1",
            kubernetes="1.34",
            conditions=conditions or NodeConditions(),
            images=frozenset({ImageRole.BUILDKIT_ROOTLESS, ImageRole.BUILDKIT_ROOTFUL}),
        )

    def left(self) -> frozenset[str]:
        """Return what is in the account that was not there before."""
        return self.account.everything() - self.before


@pytest.fixture(scope="session")
def moto_port() -> Iterator[int]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server, port = start_moto()
    first = Account(port)
    # moto imports each service when it is asked for the first time, which takes seconds.
    for ask in (first.sts.get_caller_identity, first.ec2.describe_vpcs, first.iam.list_roles, first.eks.list_clusters):
        ask()
    yield port
    server.stop()


@pytest.fixture(scope="session")
def account(moto_port: int) -> Account:
    return Account(moto_port)


@pytest.fixture(scope="session")
def wire(moto_port: int) -> Iterator[Wire]:
    with Wire(upstream=moto_port) as made:
        yield made


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with ApiServer(folder=tmp_path_factory.mktemp("api")) as made:
        yield made


@pytest.fixture
def no_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away whatever AWS configuration this machine has."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def cloud(
    account: Account,
    wire: Wire,
    api: ApiServer,
    state_dir: Path,
    no_aws: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Cloud]:
    """Give an account to try things in, and see that nothing is left in it."""
    del state_dir, no_aws
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{wire.port}",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    monkeypatch.setattr("clusters.registry.digest_of", lambda _: "sha256:" + "a" * 64)
    name = f"t{next(_NUMBERS)}"
    apiserver.CLUSTERS.add(f"bc-{name}")
    wire.rewrites.append(api.describe)
    made = Cloud(
        account=account,
        wire=wire,
        api=api,
        provider=EksProvider(pace=QUICK),
        before=account.everything(),
        name=name,
        progress=[],
        log=tmp_path / "log",
    )
    yield made
    wire.reset()
    wire.instead.clear()
    wire.rewrites.clear()
    wire.on_change.clear()
    api.refusals.clear()
    api.asked.clear()
    made.provider.delete(name)
    left = made.left()
    assert not left, f"{name} left {sorted(left)}"


@pytest.fixture
def one_connection(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Spare tests that create often what is slow: making boto's clients, the plugin's process, moto's list of zones."""
    shared = _connection(cloud.wire.port)
    monkeypatch.setattr(amazon, "connect", lambda _=None: shared)
    monkeypatch.setattr(network, "zones", lambda *_: (f"{REGION}a", f"{REGION}b"))
    monkeypatch.setattr(removal, "QUIET_LOOKS", 1)

    def in_process(names: Names, *, region: str, profile: str | None, pace: Pace) -> str:
        del profile, pace
        return token.token(names.cluster, region, token.keys(), now=dt.datetime.now(dt.UTC))

    monkeypatch.setattr(kubeconfig, "token", in_process)
    return cloud


_CONNECTIONS: dict[int, amazon.Aws] = {}


def _connection(port: int) -> amazon.Aws:
    if port not in _CONNECTIONS:
        _CONNECTIONS[port] = amazon.connect()
    return _CONNECTIONS[port]
