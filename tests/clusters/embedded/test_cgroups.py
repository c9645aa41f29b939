from __future__ import annotations

from pathlib import Path

import pytest

from clusters.embedded import cgroups
from clusters.embedded.cgroups import Hierarchy
from clusters.errors import UnavailableError

V1_LINES = """\
24 20 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
25 24 0:22 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
26 24 0:23 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
27 24 0:24 /docker/1 /var/lib/other rw - cgroup cgroup rw,pids
"""


def v1(root: Path, *controllers: str) -> Hierarchy:
    path = root / ",".join(controllers)
    path.mkdir(parents=True)
    if "cpuset" in controllers:
        (path / "cpuset.cpus").write_text("0-1\n")
        (path / "cpuset.mems").write_text("0\n")
    return Hierarchy(path=path, is_v2=False, controllers=frozenset(controllers))


def v2(root: Path, offered: str = "cpu cpuset io memory pids", handed_on: str = "") -> Hierarchy:
    root.mkdir(parents=True, exist_ok=True)
    (root / "cgroup.controllers").write_text(offered)
    (root / "cgroup.subtree_control").write_text(handed_on)
    return Hierarchy(path=root, is_v2=True, controllers=frozenset())


def test_mounted_hierarchies_are_read_and_others_places_are_not_ours(tmp_path: Path) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(V1_LINES)
    found = cgroups.mounted(mountinfo)
    assert [str(hierarchy.path) for hierarchy in found] == ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified"]
    assert {"cpu", "cpuacct"} <= found[0].controllers
    assert [hierarchy.is_v2 for hierarchy in found] == [False, True]


def test_every_v1_hierarchy_gets_a_folder_and_cpusets_are_filled_on_both_levels(tmp_path: Path) -> None:
    hierarchies = (v1(tmp_path, "memory"), v1(tmp_path, "cpuset"))
    joined = cgroups.create("c", hierarchies)
    assert joined == tuple(hierarchy.path / "c" / cgroups.COMPONENTS for hierarchy in hierarchies)
    for folder in (joined[1], joined[1].parent):
        assert (folder / "cpuset.cpus").read_text() == "0-1\n"
        assert (folder / "cpuset.mems").read_text() == "0\n"


def test_a_hybrid_v2_tree_is_joined_but_hands_no_controllers_on(tmp_path: Path) -> None:
    hybrid = Hierarchy(path=tmp_path / "unified", is_v2=True, controllers=frozenset())
    hybrid.path.mkdir()
    cgroups.create("c", (v1(tmp_path, "memory"), hybrid))
    assert not (hybrid.path / "cgroup.subtree_control").exists()
    assert (hybrid.path / "c" / cgroups.COMPONENTS).is_dir()


def test_v2_hands_controllers_on_at_the_top_and_one_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Path] = []
    monkeypatch.setattr(cgroups, "_hand_on_controllers", handed.append)
    root = v2(tmp_path / "root")
    assert cgroups.create("c", (root,)) == (root.path / "c" / cgroups.COMPONENTS,)
    assert handed == [root.path, root.path / "c"]


def test_v2_hands_on_only_what_is_not_yet(tmp_path: Path) -> None:
    root = v2(tmp_path / "root", offered="memory pids", handed_on="memory")
    cgroups._hand_on_controllers(root.path)
    assert (root.path / "cgroup.subtree_control").read_text() == "+pids"


def test_a_v2_root_that_cannot_hand_on_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = v2(tmp_path / "root")

    def busy(self: Path, text: str) -> int:
        raise OSError(16, "Device or resource busy", str(self), None, text)

    monkeypatch.setattr(Path, "write_text", busy)
    with pytest.raises(UnavailableError, match="it holds processes itself"):
        cgroups._hand_on_controllers(root.path)


def test_missing_controllers_are_named(tmp_path: Path) -> None:
    assert "no cgroups are mounted" in (cgroups.why_unusable(()) or "")
    every = v1(tmp_path, *sorted(cgroups.NEEDED_V1))
    assert cgroups.why_unusable((every,)) is None
    assert "devices" in (cgroups.why_unusable((v1(tmp_path, *sorted(cgroups.NEEDED_V1 - {"devices"})),)) or "")
    assert "cpuset" in (cgroups.why_unusable((v2(tmp_path / "v2", offered="cpu memory pids"),)) or "")


def test_folders_go_deepest_first(tmp_path: Path) -> None:
    hierarchy = Hierarchy(path=tmp_path, is_v2=True, controllers=frozenset())
    (tmp_path / "c" / "kubepods" / "pod1" / "x").mkdir(parents=True)
    (tmp_path / "c" / cgroups.COMPONENTS).mkdir()
    (tmp_path / "other").mkdir()
    # One round is enough when children go before their parents.
    assert cgroups._try_to_remove("c", (hierarchy,))
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    cgroups.remove("c", (hierarchy,))


def test_leftovers_are_found_by_prefix_with_their_processes(tmp_path: Path) -> None:
    hierarchy = Hierarchy(path=tmp_path, is_v2=True, controllers=frozenset())
    (tmp_path / "ours-a" / "deep").mkdir(parents=True)
    (tmp_path / "ours-a" / "deep" / "cgroup.procs").write_text("7\n8\n")
    (tmp_path / "theirs").mkdir()
    assert cgroups.leftovers("ours-", (hierarchy,)) == {"ours-a": 2}
