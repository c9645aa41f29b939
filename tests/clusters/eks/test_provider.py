from __future__ import annotations

import importlib.util
import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from clusters import ledger, paths, process
from clusters.eks import aws as amazon
from clusters.eks.node_group import SHAPE
from clusters.eks.provider import EksProvider
from clusters.errors import UnavailableError, UsageError
from clusters.paths import CHECKOUT
from clusters.prices import price_of
from clusters.provider import ClusterSpec
from tests.clusters.eks.account import KEY, REGION, SECRET
from tests.clusters.eks.conftest import Cloud
from tests.clusters.eks.wire import How, query_refusal

SPEC = ClusterSpec(name="x", run_id="r", kubernetes="1.34", images=frozenset())


def test_the_table_of_providers_needs_no_boto() -> None:
    script = (
        "import sys\n"
        "sys.modules['boto3'] = sys.modules['botocore'] = None\n"
        "from clusters import providers\n"
        "print(providers.find('eks').list_leases is not None)"
    )
    assert process.run([sys.executable, "-c", script], cwd=CHECKOUT).stdout.strip() == "True"


@pytest.mark.usefixtures("state_dir", "no_aws")
def test_without_boto_it_says_how_to_get_it_and_nothing_else_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    provider = EksProvider()
    why = provider.why_unavailable()
    assert why is not None
    assert "uv sync --extra eks" in why
    with pytest.raises(UnavailableError, match="boto3, which is not installed"):
        provider.create(SPEC, print)
    assert provider.find_leftovers() == ()
    assert provider.state("x") == "unknown"
    assert not paths.state_dir().exists()


@pytest.mark.usefixtures("state_dir", "no_aws")
def test_without_credentials_it_says_so_at_once_and_creates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata service of a machine that is none of EC2's: something takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        began = time.monotonic()
        why = EksProvider().why_unavailable()
        took = time.monotonic() - began
    assert why is not None
    assert "no credentials were found: set AWS_PROFILE" in why
    assert "\n" not in why
    # Two seconds on a machine at rest; the metadata service alone would take as long with its usual limits.
    assert took < 6
    with pytest.raises(UnavailableError, match="no credentials were found"):
        EksProvider().create(SPEC, print)
    assert not paths.state_dir().exists()


@pytest.mark.usefixtures("no_aws")
def test_on_a_machine_of_ec2_its_role_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), _Metadata) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        try:
            assert amazon.connect().region == REGION
            monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            with pytest.raises(UnavailableError, match="no credentials were found"):
                amazon.connect()
        finally:
            server.shutdown()
            thread.join()


class _Metadata(BaseHTTPRequestHandler):
    """The metadata service of a machine with a role."""

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def do_PUT(self) -> None:
        self._answer("a token")

    def do_GET(self) -> None:
        role = {"Code": "Success", "AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": "t"}
        expires = {"Expiration": "2999-01-01T00:00:00Z", "LastUpdated": "2020-01-01T00:00:00Z"}
        self._answer("a-role" if self.path.endswith("security-credentials/") else json.dumps({**role, **expires}))

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.mark.usefixtures("state_dir", "no_aws")
def test_without_a_region_it_says_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    why = EksProvider().why_unavailable()
    assert why is not None
    assert "set AWS_DEFAULT_REGION (e.g. us-east-2)" in why
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert amazon.connect().region == "eu-west-1"


@pytest.mark.usefixtures("state_dir", "no_aws")
def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "absent")
    why = EksProvider().why_unavailable()
    assert why is not None
    assert "absent" in why
    assert "AWS_PROFILE" in why


@pytest.mark.usefixtures("state_dir", "no_aws")
def test_an_aws_that_cannot_be_reached_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for name, value in {"ACCESS_KEY_ID": KEY, "SECRET_ACCESS_KEY": SECRET, "DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    why = EksProvider().why_unavailable()
    assert why is not None
    assert "(network): EndpointConnectionError" in why


def test_with_an_account_it_is_available_and_with_old_credentials_it_is_not(cloud: Cloud) -> None:
    assert cloud.provider.why_unavailable() is None
    old = query_refusal("ExpiredToken", "The security token included in the request is expired", status=403)
    cloud.wire.instead.append(lambda asked: old if asked == "get_caller_identity" else None)
    cloud.wire.reset()
    why = cloud.provider.why_unavailable()
    assert why is not None
    assert "(credentials): ExpiredToken" in why
    assert "aws sso login" in why
    assert cloud.wire.calls == []


def test_a_cluster_on_no_machine_of_ours_has_no_node_command(cloud: Cloud) -> None:
    with pytest.raises(UsageError, match="kubectl debug"):
        cloud.provider.node_command(cloud.name)
    with pytest.raises(UsageError, match="no kubeconfig"):
        cloud.provider.environment(cloud.name)


def test_logs_of_a_half_made_cluster_tell_how_far_it_came(one_connection: Cloud, tmp_path: Path) -> None:
    cloud = one_connection
    cloud.wire.reset()
    cloud.create()
    last = cloud.wire.calls.index("create_nodegroup")
    cloud.provider.delete(cloud.name)
    cloud.wire.break_(last, How.DENY)
    with pytest.raises(Exception, match="create_nodegroup"):
        cloud.create()
    cloud.wire.reset()
    cloud.provider.collect_logs(cloud.name, tmp_path / "logs")
    assert cloud.wire.calls == []
    assert "control plane: ACTIVE" in (tmp_path / "logs" / "state.txt").read_text()
    assert json.loads((tmp_path / "logs" / "node-groups.json").read_text()) == []
    assert len(json.loads((tmp_path / "logs" / "ec2" / "subnet.json").read_text())) == 2
    assert "Ready" in (tmp_path / "logs" / "api" / "nodes.json").read_text()


def test_logs_of_what_never_was_and_of_what_may_not_be_asked_say_so(one_connection: Cloud, tmp_path: Path) -> None:
    cloud = one_connection
    denied = query_refusal("UnauthorizedOperation", "no", status=403)
    cloud.wire.instead.append(lambda asked: denied if asked == "describe_subnets" else None)
    cloud.provider.collect_logs(cloud.name, tmp_path / "logs")
    assert "there is no cluster" in (tmp_path / "logs" / "state.txt").read_text()
    assert "could not be asked" in (tmp_path / "logs" / "ec2" / "subnet.json").read_text()
    assert json.loads((tmp_path / "logs" / "ec2" / "vpc.json").read_text()) == []


def test_what_breaks_while_it_is_used_is_told_in_eks_words(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()

    def sick(asked: str, content: dict[str, object]) -> None:
        if asked == "describe_nodegroup":
            group = content["nodegroup"]
            assert isinstance(group, dict)
            group["health"] = {
                "issues": [{"code": "NodeTerminationFailure", "message": "gone", "resourceIds": ["i-1"]}]
            }

    cloud.wire.rewrites.append(sick)
    assert cloud.provider.why_broken(cloud.name) == "NodeTerminationFailure: gone [i-1]"


def test_the_price_is_of_the_dearest_machine_that_may_be_taken() -> None:
    price = price_of("eks")
    assert price is not None
    assert price.node == SHAPE.instance_types[0]
    assert ledger.leases("eks") is not None
