"""pyhelm3's command class, run by our own process seam, with a configuration of its own."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pyhelm3 import Command

from clusters import paths, process
from clusters.errors import CommandError
from conformance.errors import HelmError

_T = TypeVar("_T")


class HelmCommand(Command):  # type: ignore[misc]  # pyhelm3 ships no types
    """One call of helm. Raises HelmError with everything that helm said; never touches the user's helm.

    `limit` is in seconds; `flags` are what pyhelm3 has no words for, such as `--post-renderer`.
    After the call, `said` is helm's standard error: the API server's warnings and helm's own.
    """

    def __init__(
        self,
        helm: Path,
        *,
        limit: float,
        flags: Sequence[str | Path] = (),
        kubeconfig: Path | None = None,
        context: str = "",
    ) -> None:
        """Make it ready to run `helm` once; no `context` is the kubeconfig's current one."""
        super().__init__(executable=str(helm), default_timeout=f"{limit:.0f}s", kubeconfig=kubeconfig)
        self._helm = helm
        self._limit = limit
        self._flags = tuple(flags)
        self._kubeconfig = kubeconfig
        self._context = ("--kube-context", context) if context else ()
        self.said = ""

    async def run(self, command: list[Any], input: bytes | None = None) -> bytes:  # noqa: A002 - pyhelm3's name
        """Run helm to its end and return what it wrote. It does not yield to an event loop: see `finish`."""
        words = [str(word) for word in command]
        config = ("--kubeconfig", self._kubeconfig) if self._kubeconfig else ()
        argv: list[str | Path] = [self._helm, *words, *self._flags, *config, *self._context]
        try:
            done = process.run(argv, env=environment(), stdin=input, timeout=self._limit, check=False)
        except CommandError as error:
            raise HelmError(
                f"helm {words[0]} did not end within {self._limit:.0f} s: the API server or a registry does not "
                f"answer, or a hook of the chart hangs",
                output=error.output,
            ) from error
        self.said = done.stderr
        if done.returncode != 0:
            raise HelmError(
                f"helm {words[0]} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}",
                output=done.stdout + done.stderr,
                returncode=done.returncode,
            )
        return done.stdout.encode()


def finish(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Return what a coroutine of HelmCommand returns.

    No event loop: it has nothing to wait for, and asyncio would hold back Ctrl-C until helm has ended.
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    coroutine.close()
    raise RuntimeError("pyhelm3 waited for something else than helm: its Command has changed")


def environment() -> Mapping[str, str]:
    """Return the environment helm gets: ours, but for whatever would make it read or change the user's helm."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELM_") and name != "KUBECONFIG"}
    home = paths.cache_dir() / "helm"
    return {
        **kept,
        "HELM_CACHE_HOME": str(home / "cache"),
        "HELM_CONFIG_HOME": str(home / "config"),
        "HELM_DATA_HOME": str(home / "data"),
        # Releases are kept in ConfigMaps: so nobody needs the right to read Secrets to install a chart.
        "HELM_DRIVER": "configmap",
        # Discovery is kept on disk by the server's address for hours; another cluster may have that address now.
        "KUBECACHEDIR": os.devnull,
    }
