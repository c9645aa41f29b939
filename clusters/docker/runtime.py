"""An OCI runtime that asks for no more than this machine's root has, then becomes the real one.

Docker gives containers that are privileged every capability it knows, and a kernel refuses what root itself lacks.
Only the standard library is used, and none of this project: it runs once for each container and each `exec`.

Its first argument is the real runtime, the second a comma-separated list of capabilities to leave out; the rest is
what Docker says (runc-create(8), runc-exec(8)).
"""

from __future__ import annotations

import json
import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any


def trim(spec: dict[str, Any], missing: frozenset[str]) -> None:
    """Take out of a process what needs those capabilities (config.md of the OCI runtime-spec, `process`)."""
    capabilities = spec.get("capabilities") or {}
    for kind, names in capabilities.items():
        capabilities[kind] = [name for name in names or () if name not in missing]
    if "CAP_SYS_RESOURCE" in missing:
        # Raising limits and lowering the score take that capability.
        spec.pop("rlimits", None)
        if spec.get("oomScoreAdj", 0) < 0:
            spec["oomScoreAdj"] = 0


def rewrite(file: Path, missing: frozenset[str]) -> None:
    """Trim a container's config.json, or the process that `exec` is given."""
    content = json.loads(file.read_text())
    trim(content.get("process", content), missing)
    file.write_text(json.dumps(content))


def documents(words: list[str]) -> list[Path]:
    """Return the files that a command line of the runtime names."""
    options = dict(pairwise(words))
    bundle = options.get("--bundle") or options.get("-b") or "."
    named = options.get("--process") or options.get("-p")
    files = [Path(bundle, "config.json"), *([Path(named)] if named else [])]
    return [file for file in files if file.is_file()]


def main() -> None:
    """Rewrite what is to be started and become the real runtime."""
    real, names, *words = sys.argv[1:]
    for file in documents(words):
        rewrite(file, frozenset(filter(None, names.split(","))))
    os.execv(real, [real, *words])  # noqa: S606 - argv is a list and never reaches a shell


if __name__ == "__main__":
    main()
