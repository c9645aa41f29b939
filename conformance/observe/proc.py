"""Read what a process runs under from /proc: the script that prints it, and how its output is read."""

from __future__ import annotations

import re

from conformance.model import BuilderFacts, FactsOrigin

_HEAD = "==conformance== "

#: Shell line that ends what is printed.
END = f"echo '{_HEAD}end'"

#: The files of proc(5) that say what a process may do.
_FILES = ("status", "uid_map", "gid_map", "attr/current")


def script(pid: str) -> str:
    """Return shell lines that print the facts of a process (`1` or `self`); they need nothing but `cat`."""
    lines = []
    for name in _FILES:
        lines += [f"echo '{_HEAD}{name}'", f"cat /proc/{pid}/{name} 2>/dev/null || true", "echo"]
    return "\n".join(lines)


def is_complete(output: str) -> bool:
    """Say whether output has come to the end that END printed."""
    return output.rstrip().endswith(f"{_HEAD}end")


def sections(output: str) -> dict[str, str]:
    """Split the script's output into one text a file, stripped; a file that could not be read is missing."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in output.splitlines():
        if line.startswith(_HEAD):
            current = found.setdefault(line.removeprefix(_HEAD).strip(), [])
        else:
            current.append(line)
    texts = {name: "\n".join(lines).strip().strip("\0") for name, lines in found.items()}
    return {name: text for name, text in texts.items() if text}


def facts(output: str, origin: FactsOrigin) -> BuilderFacts:
    """Return the facts that the script printed; what it could not read stays None."""
    read = sections(output)
    status = read.get("status", "")
    if not status:
        return BuilderFacts()
    no_new_privs = _field(status, "NoNewPrivs")
    seccomp = _field(status, "Seccomp")
    return BuilderFacts(
        origin=origin,
        uid_map=_map(read.get("uid_map")),
        gid_map=_map(read.get("gid_map")),
        seccomp=int(seccomp) if seccomp is not None else None,
        no_new_privs=no_new_privs == "1" if no_new_privs is not None else None,
        cap_bnd=_mask(_field(status, "CapBnd")),
        cap_eff=_mask(_field(status, "CapEff")),
        lsm_label=read.get("attr/current"),
    )


def _field(status: str, name: str) -> str | None:
    found = re.search(rf"^{name}:\s*(\S+)", status, re.MULTILINE)
    return found.group(1) if found else None


def _mask(text: str | None) -> int | None:
    return int(text, 16) if text is not None else None


def _map(text: str | None) -> str | None:
    """Return an id map with single blanks: `inside outside length`, one range a line."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines()) if text is not None else None
