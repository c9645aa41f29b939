"""Write go.mod and go.sum of a tool anew, after its version in `programs.toml` was changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from clusters import process
from clusters.embedded.toolchain import cache
from clusters.embedded.toolchain.catalog import MODULES, ToolRecord
from clusters.embedded.toolchain.failures import explain
from clusters.embedded.toolchain.go import Go, obtain
from clusters.embedded.toolchain.limits import LIMITS
from clusters.embedded.toolchain.progress import Show
from clusters.errors import CommandError
from clusters.provider import Progress

#: Never resolved: these modules are built where they are.
_OWN: Final = "build-conformance.invalid/toolchain"


def update(tools: Iterable[ToolRecord], *, progress: Progress) -> None:
    """Resolve each tool at its version and write its go.mod and go.sum, which are to be committed.

    Raises ClustersError when a module cannot be fetched.
    """
    show = Show(progress)
    with cache.locked(show):
        using = obtain(progress)
        for tool in tools:
            with show.step(f"{tool.name} {tool.version}", "resolving", "resolved"):
                _resolve(tool, using, MODULES / tool.name)
        cache.clear_work()


def _resolve(tool: ToolRecord, using: Go, folder: Path) -> None:
    def ask(*argv: str, cwd: Path) -> Any:  # noqa: ANN401 - JSON
        environment = {**using.environment(cache.work(), cgo=False), "GOFLAGS": "-modcacherw -mod=mod"}
        try:
            said = process.run((using.binary, *argv), cwd=cwd, env=environment, timeout=LIMITS.fetch).stdout
        except CommandError as error:
            raise explain(error, tool.name) from error
        return json.loads(said) if said else None

    work = cache.fresh_folder("update")
    fetched = ask("mod", "download", "-json", f"{tool.module}@{tool.version}", cwd=work)
    # Docker's client has its requirements there, lest a go.mod bind its version numbers to rules.
    vendored = Path(fetched["Dir"]) / "vendor.mod"
    upstream = ask("mod", "edit", "-json", str(vendored) if vendored.is_file() else fetched["GoMod"], cwd=work)
    (work / "go.mod").write_text("\n".join(_go_mod(tool, upstream)) + "\n", encoding="utf-8")
    for source in folder.glob("*.go"):
        (work / source.name).write_bytes(source.read_bytes())
    ask("mod", "tidy", cwd=work)
    folder.mkdir(exist_ok=True)
    for name in ("go.mod", "go.sum"):
        (folder / name).write_bytes((work / name).read_bytes())


def _go_mod(tool: ToolRecord, upstream: Mapping[str, Any]) -> Iterator[str]:
    """Say what the tool's own go.mod says, as its main module would: only a main module's rules are obeyed by `go`.

    So the language version and its defaults are the tool's, its replacements and exclusions hold, and every
    dependency has the version that the tool was released with.
    """
    yield f"module {_OWN}/{tool.name}"
    yield f"go {upstream['Go']}"
    yield from (f"godebug {setting['Key']}={setting['Value']}" for setting in upstream.get("GoDebug") or ())
    yield f"require {tool.named or tool.module} {tool.version}"
    if tool.named:
        yield f"replace {tool.named} => {tool.module} {tool.version}"
    yield from _block("require", (f"{_at(module)} // indirect" for module in upstream.get("Require") or ()))
    yield from _block("exclude", (_at(module) for module in upstream.get("Exclude") or ()))
    yield from _block("replace", _replacements(tool, upstream))
    packages = (package for build in tool.build for package in build.programs.values())
    yield from _block("tool", (package for package in packages if package != "."))


def _replacements(tool: ToolRecord, upstream: Mapping[str, Any]) -> Iterator[str]:
    for rule in upstream.get("Replace") or ():
        # A folder of the tool's own repository, Kubernetes' aside, is published at the version that it is required at.
        path = rule["New"]["Path"]
        if path.startswith("./staging/") or not path.startswith("."):
            yield _replacement(tool, rule)


def _replacement(tool: ToolRecord, rule: Mapping[str, Any]) -> str:
    old, new = rule["Old"], rule["New"]
    if new["Path"].startswith("./staging/"):
        # Kubernetes keeps these modules in its own tree and publishes each release of them as v0.x.y.
        new = {"Path": old["Path"], "Version": f"v0{tool.version.removeprefix('v1')}"}
    return f"{_at(old)} => {_at(new)}"


def _at(module: Mapping[str, str]) -> str:
    return f"{module['Path']} {module.get('Version', '')}".rstrip()


def _block(word: str, lines: Iterable[str]) -> Sequence[str]:
    inside = tuple(lines)
    return (f"{word} (", *inside, ")") if inside else ()
