"""Secrets planted in every kind of artefact are gone; what only looks like one is still there."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conformance import redact
from conformance.redact import MARK
from conformance.redact.rules import RULES

HEX40 = "0123456789abcdef" * 2 + "01234567"
BODY = "MIIEpAIBAAKCAQEA1c7xJ0p1m8bq\nq0Jb+/Zl9w8sD1rTgk2oGm5YhQ=="
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----\n"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLWJ5dGVz"
GITHUB = "ghp_" + "a1B2" * 9


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


#: What stands around a secret in some artefact. `S` is the secret.
PLACES = {
    "environment": "export DB_PASSWORD=S\n",
    "environment, quoted": 'GIT_AUTH_TOKEN="S"\n',
    "environment, lower case": "aws_secret_access_key = S\n",
    "docker run": "docker run -e MYSQL_ROOT_PASSWORD=S image\n",
    "helm": "helm install x --set auth.password=S\n",
    "flag": "buildkitd --password S --addr unix:///x\n",
    "flag with equals": "tool --auth-token=S --verbose\n",
    "argv as JSON": '["tool", "--password", "S", "--verbose"]\n',
    "build argument": "#5 [2/3] --build-arg API_KEY=S\n",
    "curl": "curl -sS -u admin:S https://host/x\n",
    "docker login": "docker login registry.example -u ci -p S\n",
    "netrc": "machine host login ci password S\n",
    "git url": "fatal: unable to access 'https://ci:S@git.example/r.git/': denied\n",
    "git url, token alone": "git clone https://S@git.example/r.git\n",
    "ssh url": "ssh://ci:S@host/repo\n",
    "database url": "postgresql://app:S@db:5432/app\n",
    "basic header": "> Authorization: Basic S\n",
    "bearer header": "authorization: Bearer S\n",
    "header in a Go map": "map[Authorization:[Bearer S] Accept:[*/*]]\n",
    "header as JSON": '{"Authorization":["Bearer S"]}\n',
    "bare header": "Authorization: S\n",
    "proxy header": "Proxy-Authorization: Basic S\n",
    "registry header": "X-Registry-Auth: S\n",
    "gitlab header": "PRIVATE-TOKEN: S\n",
    "cookie": "Set-Cookie: session=S; Path=/\n",
    "query": "GET /v2/token?service=r&access_token=S&scope=x\n",
    "signed url": "https://acct.blob.example/c?sv=2024&sig=S&se=x\n",
    "yaml": "registry:\n  password: S\n",
    "yaml, quoted": 'clientSecret: "S"\n',
    "yaml in a build": "#7 0.123 api_key: S\n",
    "json": '{"username": "ci", "password": "S", "n": 1}\n',
    "json in json": r'msg="{\"user\":\"ci\",\"token\":\"S\"}"' + "\n",
    "python": "{'username': 'ci', 'password': 'S'}\n",
    "go struct": "{Username:ci Password:S ServerAddress:r}\n",
    "logfmt": 'level=info msg="login" user=ci password=S\n',
    "pod, yaml": "env:\n- name: GIT_TOKEN\n  value: S\n",
    "pod, json": '{"name":"GIT_TOKEN","value":"S"}\n',
    "pod, json in an annotation": r'{"last-applied":"{\"name\":\"GIT_TOKEN\",\"value\":\"S\"}"}' + "\n",
    "kubectl describe": "    Environment:\n      DB_PASSWORD:  S\n",
    "secret, yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  config: S\n",
    "secret, data first": "apiVersion: v1\ndata:\n  config: S\nkind: Secret\nmetadata:\n  name: x\n",
    "secret, block": "kind: Secret\nstringData:\n  config: |\n    user = ci\n    S\n  other: x\n",
    "secret, in a list": "kind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  data:\n    a: S\n- kind: Pod\n",
    "secret, json": '{"kind":"Secret","data":{"config":"S"}}\n',
    "secret, json in an annotation": r'{"a":"{\"kind\":\"Secret\",\"data\":{\"config\":\"S\"}}"}' + "\n",
    "kubeconfig": "users:\n- name: admin\n  user:\n    token: S\n",
    "azure": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=S\n",
}
#: Secrets whose form tells what they are, wherever they stand.
FORMS = {
    "github": GITHUB,
    "github, fine grained": "github_pat_" + "A1b2C3" * 6,
    "gitlab": "glpat-" + "Ab1_" * 5,
    "aws key id": "AKIA" + "ABCDEFGH23456789"[:16],
    "aws temporary key id": "ASIA" + "ABCDEFGH23456789"[:16],
    "google api key": "AIza" + "aB3-_" * 7,
    "google access token": "ya29." + "aB3-_" * 7,
    "azure client secret": "abc8Q~" + "aB3-_" * 7,
    "slack": "xoxb-1234567890-abcdef",
    "npm": "npm_" + "aB3" * 12,
    "pypi": "pypi-" + "aB3-_" * 12,
    "docker hub": "dckr_pat_" + "aB3-_" * 5,
    "k3s": "K10" + "0a1b2c3d4e" * 6 + "::server:secret",
    "service account": JWT,
    "private key in kubeconfig": b64(KEY),
}
HARMLESS = """\
sha256:00d765d9c1d15c41aacd2fa957b856e28a54704d11b745bb1b056e6ae639353a
         0     100000      65536
uid_map 0 0 4294967295 Seccomp: 2 NoNewPrivs: 1 CapBnd: 00000000a80425fb
#3 [1/3] FROM docker.io/library/alpine:3.20@sha256:00d765d9c1d15c41aacd2fa957b856e28a54704d11b745bb1b056e6ae639353a
docker-image://alpine:3.20@sha256:00d765d9c1d15c41aacd2fa957b856e28a54704d11b745bb1b056e6ae639353a
git@github.com:org/repo.git ssh://git@github.com/org/repo.git git://10.96.0.51/hello.git#main:app
https://host:8443/path?service=registry.example&scope=repository:a:pull
https://registry.npmjs.org/@scope/package tcp://127.0.0.1:1234 unix:///run/buildkit/buildkitd.sock
Www-Authenticate: Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a:pull"
failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://a/token: 401
fatal: could not read Username for 'https://host': terminal prompts disabled
fatal: could not read Password for 'https://host': terminal prompts disabled
error: failed to solve: secret tok: not found
buildctl build --secret id=tok,src=/tmp/tok --secret=id=key,env=KEY
RUN --mount=type=secret,id=tok,env=TOK cat /run/secrets/tok
serviceAccountToken: {path: token, expirationSeconds: 3607}
automountServiceAccountToken: false
secretName: registry-login
imagePullSecrets:
existingSecret: registry-login
AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks.amazonaws.com/serviceaccount/token
TOKEN_URL=https://auth.example/token SECRET_NAME=x PASSWORD_FILE=/run/secrets/p
DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false
password: ${DB_PASSWORD}
token: $(cat /run/token)
--set auth.password=$PASSWORD
MountVolume.SetUp failed for volume "tls": secret "build-tls" not found
Error: secret "registry-login" not found
WARNING! Using --password via the CLI is insecure. Use --password-stdin.
Basic authentication is required; use a bearer of good news
subject=CN = kube-apiserver issuer=CN = kubernetes O = system:masters
-----BEGIN CERTIFICATE-----
MIIDBTCCAe2gAwIBAgIIU8Yx1b0G0Q4wDQYJKoZIhvcNAQELBQAwFTETMBEGA1UE
-----END CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA
-----END PUBLIC KEY-----
certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURCVENDCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K
cache key: layer:00d765d9 cache-from type=registry,ref=10.96.0.50:5000/cache
unable to join session keyring: disk quota exceeded
kind: ConfigMap
data:
  buildkitd.toml: "debug = true"
secrets is forbidden: User "x" cannot list resource "secrets" in API group "" at the cluster scope
tokens used 12 monkey=banana keyboard=qwerty author=jane authority: none
curl -sS --user 1000:1000 https://host/x
docker run --user 1000:1000 image
"""

#: Strong enough to be no placeholder, and nothing that would end a token early.
SECRETS = st.text(
    alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.~-", min_size=8, max_size=60
)


@pytest.mark.parametrize("place", PLACES)
@given(SECRETS.filter(lambda secret: secret[0].isalnum() and secret[-1].isalnum()))
@example("hunter2hunter2")
@example("S3cr3t+Value_with.all~kinds-0")
@settings(max_examples=15, deadline=None)
def test_a_secret_is_gone_wherever_it_stands(place: str, secret: str) -> None:
    value = b64(f"ci:{secret}") if "basic" in place else secret
    text = f"before\n{_planted(place, value)}after\n"
    cleaned = redact.text(text)
    assert value not in cleaned
    assert MARK in cleaned
    assert cleaned.startswith("before\n")
    assert cleaned.endswith("after\n")
    assert cleaned.count("\n") == text.count("\n")


def _planted(place: str, secret: str) -> str:
    """Put a secret where a lone S stands; S is also a letter of other words."""
    head, _, tail = _split(PLACES[place])
    return f"{head}{secret}{tail}"


def _split(text: str) -> tuple[str, str, str]:
    for index, character in enumerate(text):
        before, after = text[index - 1 : index], text[index + 1 : index + 2]
        if character == "S" and not before.isalnum() and not after.isalnum() and after not in {"_", "-"}:
            return text[:index], "S", text[index + 1 :]
    raise AssertionError(text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", ["%s", "said %s, then left", 'x: "%s"', "a=%s&b", "[%s]", r"\"%s\"", "#3 0.1 %s\r"])
def test_a_secret_that_tells_itself_is_gone_wherever_it_stands(form: str, around: str) -> None:
    cleaned = redact.text(around.replace("%s", FORMS[form]))
    assert cleaned == around.replace("%s", MARK) or (FORMS[form] not in cleaned and MARK in cleaned)


@pytest.mark.parametrize("line", HARMLESS.splitlines())
def test_what_only_looks_like_a_secret_stays(line: str) -> None:
    assert redact.text(line) == line


def test_harmless_lines_stay_among_each_other() -> None:
    assert redact.text(HARMLESS) == HARMLESS


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        (KEY, 4),
        (KEY.replace("RSA ", ""), 4),
        (KEY.replace("RSA ", "OPENSSH "), 4),
        (KEY.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"), 4),
        (KEY.replace("\n", "\r\n"), 4),
        ("".join(f"    {line}\n" for line in KEY.splitlines()), 4),
        (KEY.partition("-----END")[0], 3),
    ],
)
def test_a_private_keys_lines_are_blanked_one_by_one(form: str, lines: int) -> None:
    cleaned = redact.text(f"before\n{form}after\n")
    for secret in BODY.splitlines():
        assert secret not in cleaned
    assert cleaned.count("\n") == lines + 2
    assert cleaned.count(MARK) == 2
    assert cleaned.endswith("after\n")


def test_a_private_key_with_a_log_before_each_line_is_gone_to_its_last_short_line() -> None:
    lines = ["-----BEGIN PRIVATE KEY-----", *BODY.splitlines(), "Qk0=", "-----END PRIVATE KEY-----", "done"]
    cleaned = redact.text("".join(f"#5 0.123 {line}\n" for line in lines))
    assert "Qk0=" not in cleaned
    assert BODY.splitlines()[0] not in cleaned
    assert cleaned.endswith("#5 0.123 done\n")


def test_two_logins_on_one_line_are_both_gone() -> None:
    cleaned = redact.text("curl -u ci:hunter2hunter2 -u ci:swordfish9 https://host/x")
    assert cleaned == f"curl -u {MARK} -u {MARK} https://host/x"


def test_the_rest_of_a_query_stays() -> None:
    cleaned = redact.text("GET /token?service=r&access_token=hunter2hunter2&scope=x HTTP/1.1")
    assert cleaned == f"GET /token?service=r&access_token={MARK}&scope=x HTTP/1.1"


def test_a_private_key_inside_json_is_gone() -> None:
    text = json.dumps({"type": "service_account", "private_key": KEY, "client_email": "a@b.example"})
    cleaned = redact.text(text)
    assert "MIIE" not in cleaned
    assert json.loads(cleaned)["client_email"] == "a@b.example"


def test_a_docker_configs_logins_are_gone_and_its_hosts_stay() -> None:
    text = json.dumps({"auths": {"registry.example": {"auth": b64("ci:hunter2"), "email": "x"}}}, indent=1)
    cleaned = json.loads(redact.text(text))
    assert cleaned == {"auths": {"registry.example": {"auth": MARK, "email": "x"}}}
    assert redact.data(json.loads(text)) == cleaned


def test_what_auth_means_elsewhere_stays() -> None:
    assert redact.text('{"auth": "none"}') == '{"auth": "none"}'
    assert redact.data({"auth": "oidc"}) == {"auth": "oidc"}


def test_a_secrets_neighbours_stay() -> None:
    text = (
        "kind: ConfigMap\ndata:\n  a: keep-1\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: keep-2\n"
        "data:\n  a: Z29uZQ==\n  b: Z29uZTI=\ntype: Opaque\n---\nkind: ConfigMap\ndata:\n  a: keep-3\n"
    )
    cleaned = redact.text(text)
    assert cleaned == text.replace("Z29uZQ==", MARK).replace("Z29uZTI=", MARK)


def test_a_kubeconfig_loses_its_key_and_keeps_its_certificates() -> None:
    certificate = b64("-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n")
    text = (
        f"users:\n- name: admin\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {b64(KEY)}\n"
    )
    cleaned = redact.text(text)
    assert certificate in cleaned
    assert f"client-key-data: {MARK}\n" in cleaned


def test_data_is_redacted_by_its_keys() -> None:
    value: dict[str, Any] = {
        "password": "hunter2",
        "clientSecret": ["one", "two"],
        "secretName": "keep",
        "token": {"path": "keep"},
        "headers": {"Authorization": "anything", "Accept": "keep"},
        "env": [{"name": "API_KEY", "value": "hunter2"}, {"name": "HOME", "value": "/keep"}],
        "args": ["--password", "hunter2", "--addr", "keep"],
        "n": 3,
        "no": None,
        "yes": True,
    }
    assert redact.data(value) == {
        "password": MARK,
        "clientSecret": [MARK, MARK],
        "secretName": "keep",
        "token": {"path": "keep"},
        "headers": {"Authorization": MARK, "Accept": "keep"},
        "env": [{"name": "API_KEY", "value": MARK}, {"name": "HOME", "value": "/keep"}],
        "args": ["--password", MARK, "--addr", "keep"],
        "n": 3,
        "no": None,
        "yes": True,
    }


@pytest.mark.parametrize(
    "listed",
    [
        {"kind": "Secret", "data": {"a": "eA=="}, "stringData": {"b": "x"}},
        {"kind": "List", "items": [{"kind": "Secret", "data": {"a": "eA=="}, "stringData": {"b": "x"}}]},
        {"kind": "SecretList", "items": [{"data": {"a": "eA=="}, "stringData": {"b": "x"}}]},
    ],
)
def test_secret_objects_lose_their_data(listed: dict[str, Any]) -> None:
    cleaned = redact.data(listed)
    one = cleaned["items"][0] if "items" in cleaned else cleaned
    assert (one["data"], one["stringData"]) == ({"a": MARK}, {"b": MARK})


def test_a_config_map_keeps_its_data() -> None:
    value = {"kind": "ConfigMap", "data": {"buildkitd.toml": "debug = true"}}
    assert redact.data(value) == value


def test_secrets_in_keys_are_gone() -> None:
    assert redact.data({f"https://ci:{GITHUB}@host/": 1}) == {f"https://{MARK}@host/": 1}


def test_lists_and_tuples_stay_what_they_are() -> None:
    assert redact.data(["a", ("b", 1)]) == ["a", ("b", 1)]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(ANYTHING)
@settings(deadline=None)
def test_data_keeps_its_shape(value: Any) -> None:  # noqa: ANN401 - anything JSON can hold
    cleaned = redact.data(value)
    assert type(cleaned) is type(value)
    assert redact.data(cleaned) == cleaned


#: Words out of which secrets are made, so that random texts come near the rules.
PIECES = st.sampled_from(
    [
        *("password", "token", "=", ":", " ", "\n", '"', "'", "\\", "https://", "@", "/", "a", "B3", "kind: Secret"),
        *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "data:", "  ", "- ", "Bearer ", "eyJ", "name: "),
        *(
            ".",
            "--",
            ",",
            "{",
            "}",
            "é",
            "\x00",
            "\r",
            "value: ",
            "auth",
            '"data": {',
            '"kind": "Secret"',
            "[redacted]",
            "curl -u ",
            "login -p ",
            "PRIVATE-TOKEN: ",
        ),
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join)))
@example("Secret:0000")
@settings(deadline=None, max_examples=300)
def test_any_text_keeps_its_lines_and_is_done_at_once(text: str) -> None:
    once = redact.text(text)
    assert once.count("\n") == text.count("\n")
    assert redact.text(once) == once


@given(st.text(alphabet="abcdfgh0123456789 \n:.,()[]#_-/"))
@settings(deadline=None)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert redact.text(text) == text


def test_text_that_is_no_unicode_survives() -> None:
    assert redact.text("a\ud800b password=hunter2 \udfff") == f"a\ud800b password={MARK} \udfff"


def test_every_rule_finds_some_planted_secret() -> None:
    """A rule that finds none is untested, or not needed."""
    texts = [f"before\n{_planted(place, 'hunter2hunter2')}after\n" for place in PLACES]
    texts += [f"said {form}." for form in FORMS.values()]
    texts += [KEY, KEY.partition("-----END")[0], json.dumps({"auth": b64("ci:hunter2")})]
    texts += [json.dumps(json.dumps({"auth": b64("ci:hunter2")})), f"basic {b64('ci:hunter2')}", "bearer " + "a1" * 10]
    texts += ["token: 'a b'", 'password: "a b"', "passphrase: a b c", "X_TOKEN='a b'"]
    for rule in RULES:
        assert rule.pattern.groups == 1
        assert any(rule.pattern.search(text.encode()) for text in texts), rule.pattern.pattern
