"""The runtime that asks for no more than this machine's root has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusters.docker import runtime

PROCESS = {
    "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": None},
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1048576, "soft": 1048576}],
    "oomScoreAdj": -500,
}
MISSING = frozenset({"CAP_SYS_RESOURCE"})


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_a_container_is_started_without_what_root_lacks(tmp_path: Path) -> None:
    file = write(tmp_path / "config.json", {"process": PROCESS, "hostname": "kept"})
    runtime.rewrite(file, MISSING)
    content = json.loads(file.read_text())
    assert content["hostname"] == "kept"
    assert content["process"] == {"capabilities": {"bounding": ["CAP_CHOWN"], "ambient": []}, "oomScoreAdj": 0}


def test_what_is_run_in_a_container_is_trimmed_as_well(tmp_path: Path) -> None:
    file = write(tmp_path / "exec", PROCESS)
    assert runtime.documents(["exec", "--process", str(file), "id"]) == [file]
    runtime.rewrite(file, MISSING)
    assert json.loads(file.read_text())["capabilities"]["bounding"] == ["CAP_CHOWN"]


def test_where_root_lacks_nothing_nothing_is_changed(tmp_path: Path) -> None:
    file = write(tmp_path / "config.json", {"process": PROCESS})
    runtime.rewrite(file, frozenset())
    content = json.loads(file.read_text())["process"]
    assert content["rlimits"] == PROCESS["rlimits"]
    assert content["oomScoreAdj"] == -500
    assert content["capabilities"]["bounding"] == ["CAP_CHOWN", "CAP_SYS_RESOURCE"]


@pytest.mark.parametrize("option", ["--bundle", "-b"])
def test_the_bundle_is_found_where_docker_says_it_is(tmp_path: Path, option: str) -> None:
    file = write(tmp_path / "config.json", {})
    assert runtime.documents(["create", option, str(tmp_path), "name"]) == [file]
