"""BuildKit, driven as Radius' recipe for container images drives it.

The command line is that of the Terraform recipe `Compute/containerImages` of radius-project/resource-types-contrib:
no metadata file, no `--no-cache`, buildctl's own choice of progress; it always pushes. The recipe has no build without
a push, so builds that keep nothing leave its `--output` out; local contexts are the plain client's.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

from conformance.tools.buildctl import Buildctl
from conformance.tools.driver import DIGEST_MARK, Build

_LOG: Final = "/tmp/conformance-recipe"  # noqa: S108 - inside the client's container
#: The recipe names platforms; a builder's own needs no emulator.
_PLATFORM: Final = 'platform="linux/$(uname -m | sed "s/^x86_64$/amd64/; s/^aarch64$/arm64/")"'
#: Plain progress ends a push with `pushing manifest for NAME@sha256:...`.
_DIGEST: Final = r"s/^.*pushing manifest for [^ ]*@\(sha256:[0-9a-f]*\).*$/\1/p"


@dataclass(frozen=True, kw_only=True, slots=True)
class RadiusRecipe(Buildctl):
    """`buildctl` with the recipe's words; BUILDKIT_HOST says where the daemon is, as in Radius' pod."""

    def script(self, build: Build) -> str:
        """Return the recipe's command for a git context."""
        if not build.git:
            return Buildctl.script(self, build)
        words = ["buildctl", *self.connection, "build", "--frontend", "dockerfile.v0"]
        words += ["--opt", f"context={build.git}", "--opt", "filename=Dockerfile"]
        command = f'{shlex.join(words)} --opt platform="$platform"'
        if not build.push:
            return f"{_PLATFORM}\n{command}"
        output = shlex.quote(f"type=image,name={build.push},push=true")
        return "\n".join(
            (
                _PLATFORM,
                # What the command says is shown as it comes and read afterwards; a pipe hides how its first part ended.
                f"rm -f {_LOG}.ended-well",
                f"{{ {command} --output {output} 2>&1 && : > {_LOG}.ended-well; }} | tee {_LOG}",
                f"[ -e {_LOG}.ended-well ]",
                f"printf '\\n{DIGEST_MARK}%s\\n' \"$(sed -n {shlex.quote(_DIGEST)} {_LOG} | tail -n 1)\"",
            )
        )
