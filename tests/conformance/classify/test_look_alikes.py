"""Texts that look like one class and are another."""

from __future__ import annotations

import pytest

from conformance.classify import classify_text
from conformance.model import SourceKind

UNKNOWN_CA = "x509: certificate signed by unknown authority"
SCOPE = (
    "repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
)
NOOP = 'failed to create network namespace for sandbox "4f": failed to start noop process for unshare'
CLONE = "failed to start the child: fork/exec /proc/self/exe: "

ROWS = [
    # ENOSPC of clone(2) is no full disk.
    (f"[rootlesskit:parent] error: {CLONE}no space left on device", "rootlesskit-max-user-namespaces"),
    (
        f"Failed to create pod sandbox: rpc error: {NOOP}: fork/exec /proc/self/exe: no space left on device",
        "userns-max-zero-sandbox",
    ),
    ("#5 0.128 dd: error writing '/big': No space left on device", "disk-full"),
    # EDQUOT of keyctl(2) is neither a disk nor a ResourceQuota.
    ("runc run failed: unable to join session keyring: disk quota exceeded", "executor-keyring-quota"),
    (
        'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5',
        "resource-quota-exceeded",
    ),
    ("write /home/user/.local/share/buildkit/x: disk quota exceeded", "disk-full"),
    # seccomp refuses to start git; nobody refused a login.
    ("#1 ERROR: failed to load cache key: git error: operation not permitted", "git-unshare-eperm"),
    ("#1 0.5 fatal: Authentication failed for 'https://example.org/r.git/'", "git-auth-failed"),
    # BuildKit asks its cache first.
    ("fatal: Not a valid object name 055fe3f3847650f253d9e47fe1145307197d3771^{commit}", "git-benign-probe"),
    ("fatal: couldn't find remote ref nope", "git-ref-not-found"),
    # The same answer of a registry to a kubelet's pull and to a builder's push.
    (
        f'Failed to pull image "r/x:1": failed to resolve reference "r/x:1": pull access denied, {SCOPE}',
        "image-pull-denied",
    ),
    (
        f"error: failed to solve: failed to push r/x:1: push access denied, {SCOPE}",
        "registry-push-denied",
    ),
    # A program of another architecture: in a step, or in the pod.
    ("#7 0.229 exec /bin/sh: exec format error\nerror: failed to solve: exit code: 255", "platform-exec-format-error"),
    # One certificate, four who do not trust it.
    (
        f'Unavailable: connection error: desc = "transport: authentication handshake failed: {UNKNOWN_CA}"',
        "mtls-untrusted-ca",
    ),
    (
        f'failed to do request: Head "https://r/v2/x/manifests/1": tls: failed to verify certificate: {UNKNOWN_CA}',
        "registry-x509",
    ),
    (
        f'Failed to pull image "r/x:1": failed to do request: Head "https://r/v2/x/manifests/1": {UNKNOWN_CA}',
        "image-pull-x509",
    ),
    (f'Failed to create pod sandbox: failed to get sandbox image "pause": {UNKNOWN_CA}', "image-pull-x509"),
    ("fatal: unable to access 'https://g/r.git/': SSL certificate problem: self-signed certificate", "git-tls-failed"),
    # One word between a warning and a refusal.
    (
        'Warning: would violate PodSecurity "baseline:latest": privileged (container "c" must not set x=true)',
        "psa-warning",
    ),
    (
        'pods "b" is forbidden: violates PodSecurity "baseline:latest": privileged (container "c" must not)',
        "psa-baseline-violation",
    ),
    # SIGKILL is not always for memory.
    ("Last State: Terminated\n  Reason: Error\n  Exit Code: 137", "container-exit-137"),
    ("Last State: Terminated\n  Reason: OOMKilled\n  Exit Code: 137", "oom-killed"),
    ('"OOMKilled": false,\n"ExitCode": 137', "container-exit-137"),
    # EPERM: who was refused says what it is.
    (f"[rootlesskit:parent] error: {CLONE}operation not permitted", "rootlesskit-clone-eperm"),
    (
        "newuidmap 11 [0 1000 1] failed: newuidmap: write to uid_map failed: Operation not permitted",
        "rootlesskit-newuidmap-eperm",
    ),
    (
        "failed to mount /tmp/m: [{Type:bind Source:/x Target: Options:[rbind ro]}]: operation not permitted",
        "snapshotter-bind-eperm",
    ),
    (
        'error mounting "proc" to rootfs at "/proc": mount proc:/proc, flags: 0xe: operation not permitted',
        "executor-proc-mount-eperm",
    ),
    ("chmod: /shared: Operation not permitted", "init-container-chmod-eperm"),
    ("operation not permitted", None),
    # helm only waited.
    ("Error: INSTALLATION FAILED: context deadline exceeded", "helm-timeout"),
    ("error: failed to solve: DeadlineExceeded: context deadline exceeded", "build-deadline-exceeded"),
]


@pytest.mark.parametrize(("text", "class_"), ROWS)
def test_look_alikes(text: str, class_: str | None) -> None:
    assert classify_text(text).class_ == class_


@pytest.mark.parametrize(
    ("kind", "class_"),
    [
        (SourceKind.CONTAINER, "container-arch-mismatch"),
        (SourceKind.DAEMON, "container-arch-mismatch"),
        (SourceKind.BUILD, "platform-exec-format-error"),
    ],
)
def test_where_a_foreign_program_ran_depends_on_where_the_text_stands(kind: SourceKind, class_: str) -> None:
    text = "#7 0.2 exec /bin/sh: exec format error" if kind is SourceKind.BUILD else "exec /bin/sh: exec format error"
    assert classify_text(text, kind).class_ == class_


@pytest.mark.parametrize(
    ("text", "first", "others"),
    [
        (
            "newuidmap: write to uid_map failed: Operation not permitted",
            "rootlesskit-newuidmap-eperm",
            {"rootlesskit-newuidmap-no-file-caps"},
        ),
        (
            "error: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
            "buildkitd-unavailable",
            {"oom-killed", "buildkitd-killed-by-step", "pod-evicted"},
        ),
        (
            "error: failed to list workers: Unavailable: write tcp 10.0.0.1:5->10.0.0.2:1234: write: broken pipe",
            "mtls-bad-certificate",
            {"mtls-client-cert-expired", "buildkitd-unavailable"},
        ),
    ],
)
def test_texts_that_lie_never_decide_alone(text: str, first: str, others: set[str]) -> None:
    finding = classify_text(text)
    assert finding.class_ == first
    assert others <= set(finding.candidates)
    assert not finding.decisive
