"""Which file and which context of it are meant: what was asked for, or what `kubectl` would use now."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from clusters.errors import UnavailableError, UsageError

VARIABLE: Final = "KUBECONFIG"
DEFAULT: Final = "~/.kube/config"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A cluster, as a kubeconfig names it; both are said wherever it is used, so that later changes mean no other."""

    kubeconfig: Path
    context: str


def resolve(kubeconfig: Path | None, context: str) -> Place:
    """Return the file that has the context, and the context's name; nobody is asked over the network.

    Of several files (`$KUBECONFIG`) the first that says a thing counts, as for `kubectl`. Raises UnavailableError when
    there is no kubeconfig, UsageError when it has no such context or cannot be read.
    """
    files = {path: _read(path) for path in _files(kubeconfig)}
    chosen = context or next((name for each in files.values() if (name := str(each.get("current-context") or ""))), "")
    known = sorted({name for each in files.values() for name in _names(each, "contexts")})
    where = ", ".join(map(str, files))
    if not chosen:
        raise UsageError(f"{where} has no current context: name one by --context. There are: {', '.join(known)}")
    file = next((path for path, each in files.items() if chosen in _names(each, "contexts")), None)
    if file is None:
        raise UsageError(f"{where} has no context {chosen!r}. There are: {', '.join(known) or 'none'}")
    _require_whole(file, files[file], chosen)
    return Place(kubeconfig=file.absolute(), context=chosen)


def _files(kubeconfig: Path | None) -> list[Path]:
    if kubeconfig is not None:
        path = kubeconfig.expanduser()
        if not path.is_file():
            raise UsageError(f"--kubeconfig {kubeconfig}: there is no such file")
        return [path]
    named = os.environ.get(VARIABLE) or DEFAULT
    found = [path for each in named.split(os.pathsep) if each and (path := Path(each).expanduser()).is_file()]
    if not found:
        raise UnavailableError(
            f"there is no kubeconfig at {named}: the provider 'existing' uses a cluster you have. Name its kubeconfig "
            f"by --kubeconfig (or {VARIABLE}) and, where it has several clusters, the context by --context"
        )
    return found


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"the kubeconfig {path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"the kubeconfig {path} is none: `kubectl config view` shows what yours should be like")
    return found


def _names(config: Mapping[str, Any], what: str) -> Iterable[str]:
    return [str(each.get("name")) for each in config.get(what) or [] if isinstance(each, dict)]


def _require_whole(path: Path, config: Mapping[str, Any], context: str) -> None:
    """Raise UsageError when the context's cluster or user is in another file: helm reads one file alone."""
    entry = next(each for each in config["contexts"] if each.get("name") == context)
    said = entry.get("context") or {}
    for what in ("cluster", "user"):
        if str(said.get(what)) not in _names(config, f"{what}s"):
            raise UsageError(
                f"{path}: the context {context!r} names the {what} {said.get(what)!r}, which that file does not have: "
                f"write it whole (kubectl config view --context {context} --minify --flatten --raw > FILE, mode 0600) "
                "and name it by --kubeconfig"
            )
