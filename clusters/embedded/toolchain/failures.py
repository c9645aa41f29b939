"""Turn what `go` said when it failed into an error that says what to do."""

from __future__ import annotations

import re
from typing import Final

from clusters.embedded.toolchain import cache, disk
from clusters.errors import ClustersError, CommandError, UnavailableError

#: `module@version: Get "https://...": dial tcp: ...`, with or without a position in a file before it.
_NOT_FETCHED: Final = re.compile(
    r"(?P<module>[\w.~/-]+@v[\w.+-]+): "
    r"(?P<why>(?:Get|Head|read|reading|unexpected status|unrecognized import path)\b.*)"
)
_LOOKUP_DISABLED: Final = re.compile(r"(?P<why>module lookup disabled by GOPROXY=\S+)")
_DOWNLOADING: Final = re.compile(r"go: downloading (?P<module>\S+) (?P<version>v\S+)")
_CHECKSUM: Final = re.compile(r"verifying (?P<module>\S+?@v[\w.+-]+)(?:/go\.mod)?: checksum mismatch")
_NOT_PINNED: Final = re.compile(r"missing go\.sum entry|updates to go\.mod needed|updates to go\.sum needed")


def explain(error: CommandError, tool: str) -> ClustersError:
    """Return the error to raise in place of what `go` said when it built `tool` (or fetched what it is built from)."""
    said = error.output
    if disk.is_full(said):
        return UnavailableError(
            f"the disk of {cache.root()} became full while {tool} was built: make room, or set "
            "BUILD_CONFORMANCE_CACHE_DIR to a folder on a larger disk, then run this again: it goes on from here"
        )
    if (mismatch := _CHECKSUM.search(said)) is not None:
        return UnavailableError(
            f"{mismatch['module']}, which {tool} needs, is not what its go.sum says: what was fetched was "
            "changed on the way or in the proxy. Nothing of it was run. Check GOPROXY: what it gave cannot be trusted"
        )
    if (unreachable := _unreachable(said)) is not None:
        module, why = unreachable
        return UnavailableError(
            f"the module {module}, which {tool} is built from, could not be fetched: {why}\n"
            "Usual cause: no network, or a proxy between here and the module proxy. Check the network, set HTTPS_PROXY "
            "or GOPROXY (a module proxy that this machine can reach), then run this again: "
            "it goes on from what was built"
        )
    if _NOT_PINNED.search(said) is not None:
        return UnavailableError(
            f"go.mod and go.sum of {tool} do not fit its version in programs.toml: "
            f"run `python -m clusters toolchain update {tool}`\n{_tail(said)}"
        )
    return CommandError(error.argv, error.returncode, _tail(said), f"{tool} could not be built")


def _unreachable(said: str) -> tuple[str, str] | None:
    if (found := _NOT_FETCHED.search(said)) is not None:
        return found["module"], found["why"]
    if (disabled := _LOOKUP_DISABLED.search(said)) is not None:
        asked = _DOWNLOADING.findall(said)
        module = "@".join(asked[-1]) if asked else "(not named)"
        return module, disabled["why"]
    return None


def _tail(said: str) -> str:
    """Leave out the names of packages that `go build -v` prints and of modules that were fetched without trouble."""
    kept = [line for line in said.splitlines() if not re.fullmatch(r"[\w.~/-]+|go: downloading .*", line)]
    return "\n".join(kept[-20:])
