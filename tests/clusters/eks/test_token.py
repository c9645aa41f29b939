from __future__ import annotations

import base64
import datetime as dt
import json
import sys
import urllib.parse
from pathlib import Path

import pytest

from clusters import process
from clusters.eks import token
from clusters.eks.token import Keys
from clusters.paths import CHECKOUT
from tests.clusters.eks.account import KEY, SECRET
from tests.clusters.eks.apiserver import is_signed

LASTING = Keys(access=KEY, secret=SECRET)
PASSING = Keys(access=KEY, secret=SECRET, session="FwoG/Zx+/==&x")


def question(cluster: str, region: str, own: Keys) -> urllib.parse.SplitResult:
    made = token.token(cluster, region, own, now=dt.datetime.now(dt.UTC))
    prefix, coded = made.split(".", 1)
    assert prefix == "k8s-aws-v1"
    assert "=" not in coded
    return urllib.parse.urlsplit(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode())


@pytest.mark.parametrize("own", [LASTING, PASSING])
def test_a_token_is_a_signed_question_for_one_cluster(own: Keys) -> None:
    url = question("bc-a", "us-east-2", own)
    assert url.netloc == "sts.us-east-2.amazonaws.com"
    asked = urllib.parse.parse_qs(url.query)
    assert asked["Action"] == ["GetCallerIdentity"]
    assert asked["X-Amz-Expires"] == ["60"]
    assert asked.get("X-Amz-Security-Token", [""]) == [own.session]
    assert is_signed(url, "bc-a", SECRET)
    assert not is_signed(url, "bc-b", SECRET)
    assert not is_signed(url, "bc-a", SECRET + "x")


def test_a_token_is_what_botos_own_signer_makes() -> None:
    """Compare with the library that AWS' own tools use, at one moment."""
    import botocore.auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    own = botocore.auth.SigV4QueryAuth(Credentials(KEY, SECRET, PASSING.session), "sts", "eu-west-1", expires=60)
    request = AWSRequest(
        method="GET",
        url="https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
        headers={"x-k8s-aws-id": "bc-a"},
    )
    own.add_auth(request)
    theirs = urllib.parse.parse_qs(urllib.parse.urlsplit(request.url).query)
    now = dt.datetime.strptime(theirs["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    ours = urllib.parse.parse_qs(urllib.parse.urlsplit(token.presign("bc-a", "eu-west-1", PASSING, now=now)).query)
    assert ours == theirs


def test_regions_in_china_have_a_host_of_their_own() -> None:
    assert question("bc-a", "cn-north-1", LASTING).netloc == "sts.cn-north-1.amazonaws.com.cn"


def test_the_credential_ends_before_eks_stops_taking_it() -> None:
    now = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
    made = token.credential("bc-a", "us-east-2", LASTING, now=now)
    assert made["kind"] == "ExecCredential"
    status = made["status"]
    assert isinstance(status, dict)
    assert status["expirationTimestamp"] == "2026-05-01T12:14:00Z"


@pytest.mark.usefixtures("no_aws")
def test_keys_in_the_environment_need_nothing_of_boto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    script = (
        "import sys; from clusters.eks import token; code = token.main(['bc-a', 'us-east-2']); "
        "sys.exit(code or any(name.startswith('boto') for name in sys.modules))"
    )
    said = process.run([sys.executable, "-c", script], cwd=CHECKOUT).stdout
    assert json.loads(said)["status"]["token"].startswith("k8s-aws-v1.")


@pytest.mark.usefixtures("no_aws")
def test_a_profile_is_used_as_awss_own_tools_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["[default]", "aws_access_key_id=AKIAOTHER", "aws_secret_access_key=x", "[mine]"]
    lines += [f"aws_access_key_id={KEY}", f"aws_secret_access_key={SECRET}"]
    (tmp_path / "aws-credentials").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert token.main(["bc-a", "us-east-2"]) == 0
    coded = json.loads(capsys.readouterr().out)["status"]["token"].split(".", 1)[1]
    assert KEY.encode() in base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))


@pytest.mark.usefixtures("no_aws")
def test_without_credentials_the_plugin_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert token.main(["bc-a", "us-east-2"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "no token for the EKS cluster bc-a: no AWS credentials were found: set AWS_PROFILE, or log in\n"


def test_wrong_arguments_are_met_with_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert token.main(["bc-a"]) == 3
    assert "usage: python -m clusters.eks.token CLUSTER REGION" in capsys.readouterr().err
