"""The kubeconfig: no token in it but the command that makes one, so that a long run never meets an old one."""

from __future__ import annotations

import json
import os
import sys
import time
from functools import partial
from typing import Final

import yaml

from clusters import process
from clusters.eks.aws import Answer
from clusters.eks.names import Names
from clusters.eks.pace import Pace
from clusters.errors import ClustersError, CommandError
from clusters.paths import CHECKOUT

#: Seconds for which a token is used again; it is good for 14 minutes.
FRESH_SECONDS: Final = 600


def plugin(names: Names, region: str) -> tuple[str, ...]:
    """Return the command that prints a token: this Python, wherever it is called from."""
    return (sys.executable, "-m", "clusters.eks.token", names.cluster, region)


def render(names: Names, cluster: Answer, *, region: str, profile: str | None) -> str:
    """Return the kubeconfig of a cluster as AWS describes it."""
    command, *arguments = plugin(names, region)
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "command": command,
            "args": arguments,
            "env": [{"name": name, "value": value} for name, value in _environment(profile).items()],
        }
    }
    server = {"server": cluster["endpoint"], "certificate-authority-data": cluster["certificateAuthority"]["data"]}
    name = names.cluster
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return yaml.safe_dump(content, sort_keys=False)


def write(text: str, names: Names) -> None:
    """Write the kubeconfig so that only its owner can read it, whatever the umask."""
    descriptor = os.open(names.kubeconfig, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as sink:
        sink.write(text)


def token(names: Names, *, region: str, profile: str | None, pace: Pace) -> str:
    """Run the plugin as clients will, and return the token. Raises ClustersError with what it said.

    Clients only log a plugin that fails and then ask without any identity: a bare 401 is all that would be seen.
    """
    environment = {**os.environ, **_environment(profile)}
    try:
        said = process.run(plugin(names, region), env=environment, timeout=pace.token).stdout
        return str(json.loads(said)["status"]["token"])
    except CommandError as error:
        raise ClustersError(f"the kubeconfig's token plugin fails: {error}") from error
    except (ValueError, KeyError) as error:
        raise ClustersError(f"the kubeconfig's token plugin printed no token: {error!r}") from error


class Tokens:
    """Tokens of one cluster as the kubeconfig's plugin makes them, each used for a while."""

    def __init__(self, names: Names, *, region: str, profile: str | None, pace: Pace) -> None:
        """Make none yet."""
        self._make = partial(token, names, region=region, profile=profile, pace=pace)
        self._token = ""
        self._made = 0.0

    def __call__(self) -> str:
        """Return a token that is not old. Raises ClustersError."""
        if not self._token or time.monotonic() - self._made > FRESH_SECONDS:
            self._token, self._made = self._make(), time.monotonic()
        return self._token


def _environment(profile: str | None) -> dict[str, str]:
    """Return what the plugin needs to find this package and the credentials that made the cluster."""
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, **({"AWS_PROFILE": profile} if profile else {})}
