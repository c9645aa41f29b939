"""Whatever tells why a cluster in containers is as it is: what the engine knows of its containers, and their logs."""

from __future__ import annotations

import shutil
from pathlib import Path

from clusters.docker.engines import Engine
from clusters.docker.places import Place
from clusters.docker.timeouts import TIMEOUTS
from clusters.errors import ClustersError

#: Asked of every container, as files to write: none of it has to work.
_ASKED = {"inspect.json": ("inspect",), "log.txt": ("logs", "--timestamps", "--tail", "2000")}

#: Asked inside every container, for nodes that came far enough to say something.
_INSIDE = {
    "processes.txt": "ps -ef || ps",
    "node-logs.txt": "tail -n 500 /var/log/node/*.log /var/log/kubeadm*.log 2>/dev/null; "
    "journalctl --no-pager --lines=2000 2>/dev/null; true",
}


def collect(place: Place, into: Path, engine: Engine | None, containers: tuple[str, ...], engine_log: Path) -> None:
    """Write what there is into a folder; what cannot be had is named there, and never raised."""
    into.mkdir(parents=True, exist_ok=True)
    for file in (place.record, place.config, place.log):
        if file.is_file():
            shutil.copy2(file, into / file.name)
    if engine_log.is_file():
        shutil.copy2(engine_log, into / "engine.log")
    if engine is None:
        (into / "state.txt").write_text("no engine answers\n")
        return
    _write(into / "containers.txt", engine, "ps", "--all", "--no-trunc")
    (into / "state.txt").write_text("\n".join(containers or ["there are no containers of this cluster"]) + "\n")
    for name in containers:
        folder = into / name
        folder.mkdir(exist_ok=True)
        for asked, words in _ASKED.items():
            _write(folder / asked, engine, *words, name)
        for asked, script in _INSIDE.items():
            _write(folder / asked, engine, "exec", name, "sh", "-c", script)


def _write(file: Path, engine: Engine, *words: str) -> None:
    try:
        said = engine.run(*words, check=False, timeout=TIMEOUTS.ask)
    except ClustersError as error:
        file.write_text(f"{error}\n")
    else:
        file.write_text(said.stdout + said.stderr)
