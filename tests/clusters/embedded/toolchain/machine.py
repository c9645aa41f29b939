"""A machine for the toolchain to work on: a cache of its own and stand-ins for the programs it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Does what `go` does as far as anyone can see from outside, quickly; told by files beside it how to fail.
FAKE_GO = r"""#!/bin/sh
here=$(dirname "$0")
last=$(for word in "$@"; do :; done; echo "$word")
case "$1" in
env) cat "$here/go-facts.json" ;;
list)
  echo "list $last" >>"$here/go.log"
  [ -f "$here/go-offline" ] && { cat "$here/go-offline"; exit 1; }
  echo "go: downloading example.com/x v1.0.0"
  echo fmt fmt /usr/lib/go/src/fmt
  for word in "$@"; do case "$word" in */*|.) echo "$word main $PWD/$word" ;; esac; done ;;
build)
  out=""; previous=""; packages=""
  for word in "$@"; do
    [ "$previous" = -o ] && out=$word
    case "$word" in -*|"$out") ;; */*|.) packages="$packages $word" ;; esac
    previous=$word
  done
  mkdir -p "$GOCACHE"
  for package in $packages; do
    name=$(basename "$package"); [ "$package" = . ] && name=$(basename "$PWD")
    echo "build $name" >>"$here/go.log"
    echo "$package"
    if [ -f "$here/go-fails-at-$name" ]; then cat "$here/go-fails-at-$name"; exit 1; fi
    echo "$name built" >"$out$name"; chmod 755 "$out$name"
  done ;;
esac
"""

FACTS = (
    '{"GOVERSION": "go1.99.1", "GOOS": "linux", "GOARCH": "amd64", "GOAMD64": "v1", "GOARM64": "", "GOEXPERIMENT": ""}'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Where the stand-ins and the cache are, and what was said to the user."""

    bin: Path
    cache: Path
    said: list[str] = field(default_factory=list)

    def script(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        path = self.bin / name
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def tell_go(self, name: str, text: str = "") -> None:
        """Leave a file that changes what the stand-in for `go` does."""
        (self.bin / name).write_text(text, encoding="utf-8")

    def go_did(self) -> list[str]:
        """Return what `go` was asked to list and which programs it was asked to build, and forget it."""
        log = self.bin / "go.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def built(self) -> list[str]:
        """Return the programs that `go` was asked to build since it was last looked."""
        return [line.removeprefix("build ") for line in self.go_did() if line.startswith("build ")]

    def published(self) -> Mapping[str, Path]:
        """Return the folders of finished programs by the program's name."""
        return {path.parent.name.rsplit("-v", 1)[0]: path.parent for path in self.cache.glob("*/made.json")}
