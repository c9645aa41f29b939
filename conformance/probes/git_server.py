"""A git server of the probe's own: repositories that ask for a password, and one with a submodule."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from clusters.provider import ImageRole
from conformance.kube import Json
from conformance.probes.context import ProbeRun
from conformance.waiting import poll

_POD: Final = "probe-git-forms"
_PORT: Final = 8080
#: The user that BuildKit names with a GIT_AUTH_TOKEN (https://docs.docker.com/build/building/secrets/).
_USER: Final = "x-access-token"
#: Makes `super.git`, whose folder `inner` is the submodule hello.git, then serves everything.
_SCRIPT: Final = """\
set -eu
export GIT_ROOT=/srv/git HOME=/tmp GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=fixtures GIT_AUTHOR_EMAIL=fixtures@localhost
export GIT_COMMITTER_NAME=fixtures GIT_COMMITTER_EMAIL=fixtures@localhost
make-repositories /usr/share/fixtures/seed "$GIT_ROOT"
inner=$(git -C "$GIT_ROOT/hello.git" rev-parse main)
work=$(mktemp -d)
git init -q -b main "$work"
cd "$work"
printf 'FROM scratch\\nCOPY inner/hello.txt /hello.txt\\n' > Dockerfile
git config -f .gitmodules submodule.inner.path inner
git config -f .gitmodules submodule.inner.url "http://$POD_IP:8080/hello.git"
git add .
git update-index --add --cacheinfo "160000,$inner,inner"
git commit -q -m super
git clone -q --bare "$work" "$GIT_ROOT/super.git"
git -C "$GIT_ROOT/super.git" config uploadpack.allowAnySHA1InWant true
exec serve-git
"""


@contextmanager
def serving(run: ProbeRun, token: str) -> Iterator[str]:
    """Let such a server run while the block runs; yield its address, `http://host:port`. `/private/` asks for a token.

    Raises WaitError.
    """
    cell_run = run.cell_run
    image = cell_run.cluster.images[ImageRole.FIXTURES].reference
    cell_run.kube.create_pod(cell_run.namespace, _manifest(image, token))
    try:
        address = poll(lambda: _address(run), within=run.deadline.remaining, what="the probe's git server being Ready")
        yield f"http://{address}:{_PORT}"
    finally:
        cell_run.kube.delete_pod(cell_run.namespace, _POD)


def _address(run: ProbeRun) -> str | None:
    status = (run.cell_run.kube.pod(run.cell_run.namespace, _POD) or {}).get("status", {})
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", []))
    return str(status["podIP"]) if ready and status.get("podIP") else None


def _manifest(image: str, token: str) -> Json:
    digest = base64.b64encode(hashlib.sha1(token.encode(), usedforsecurity=False).digest()).decode()
    mounts = {"data": "/srv/git", "tmp": "/tmp", "auth": "/etc/fixtures/auth"}  # noqa: S108 - in the pod
    container = {
        "name": _POD,
        "image": image,
        "command": ["sh", "-c", _SCRIPT],
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "readinessProbe": {"httpGet": {"path": "/super.git/HEAD", "port": _PORT}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
    }
    htpasswd = {"path": "htpasswd", "fieldRef": {"fieldPath": "metadata.annotations['htpasswd']"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": _POD,
            "labels": {"app.kubernetes.io/name": _POD},
            # The password's digest: of a throwaway token, in a throwaway namespace.
            "annotations": {"htpasswd": f"{_USER}:{{SHA}}{digest}"},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "runAsGroup": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {"name": "data", "emptyDir": {}},
                {"name": "tmp", "emptyDir": {}},
                {"name": "auth", "downwardAPI": {"items": [htpasswd]}},
            ],
        },
    }


def hello(run: ProbeRun, pod: str, namespace: str, *arguments: str) -> str:
    """Return what git says of hello.git on the fixtures' server."""
    command = shlex.join(["git", "--git-dir=/srv/git/hello.git", *arguments])
    ran = run.cell_run.kube.execute(namespace, pod, pod, ["sh", "-c", command], within=run.cell_run.timeouts.command)
    return ran.output.strip() if ran.ok else ""
