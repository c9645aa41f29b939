from __future__ import annotations

from pathlib import Path

import pytest

from clusters.embedded import layout
from clusters.errors import UsageError


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a/b", "..", "a" * 51, "ä"])
def test_a_name_that_is_no_short_dns_label_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a cluster"):
        layout.layout_of(name)


@pytest.mark.usefixtures("state_dir")
def test_interface_names_fit_the_kernel_and_cgroups_bear_the_name() -> None:
    found = layout.layout_of("a" * 50)
    assert len(found.interface) <= 15
    assert len(found.peer) <= 15
    assert found.name in found.cgroup


def test_clusters_of_the_same_name_in_other_state_folders_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set()
    for folder in ("a", "b"):
        monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path / folder))
        found = layout.layout_of("one")
        names |= {found.interface, found.peer, found.cgroup}
    assert len(names) == 6


def test_only_folders_that_can_be_clusters_count(state_dir: Path) -> None:
    for name in ("one", "two", "Not One"):
        (state_dir / "clusters" / name).mkdir(parents=True)
    assert [found.name for found in layout.existing()] == ["one", "two"]
