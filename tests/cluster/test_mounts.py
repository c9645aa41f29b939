"""Private views of folders, in a mount namespace of the test's own: root is needed, a cluster is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clusters import paths, process

pytestmark = pytest.mark.cluster

SCRIPT = """
import sys
from pathlib import Path
from clusters.embedded import mounts
from clusters.embedded.orders import Mount

root = Path(sys.argv[1])
covered, bound, private = root / "covered", root / "bound", root / "covered" / "state" / "private"
mounts.arrange([Mount(target=covered), Mount(target=bound, source=private)], [covered / "state"])
print(sorted(path.name for path in covered.iterdir()))
print((covered / "state" / "kept").read_text())
print(sorted(path.name for path in bound.iterdir()))
(covered / "new").touch()
(bound / "written").touch()
"""


def test_covered_folders_are_private_and_what_must_stay_visible_does(tmp_path: Path) -> None:
    private = tmp_path / "covered" / "state" / "private"
    private.mkdir(parents=True)
    (tmp_path / "covered" / "hidden").touch()
    (tmp_path / "covered" / "state" / "kept").write_text("here")
    (tmp_path / "bound").mkdir()
    (tmp_path / "bound" / "hidden").touch()
    done = process.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", SCRIPT, tmp_path],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(paths.CHECKOUT)},
    )
    assert done.stdout.splitlines() == ["['state']", "here", "[]"]
    # Outside nothing was mounted, and what was written went to the source or is gone.
    assert [path.name for path in (tmp_path / "bound").iterdir()] == ["hidden"]
    assert sorted(path.name for path in (tmp_path / "covered").iterdir()) == ["hidden", "state"]
    assert [path.name for path in private.iterdir()] == ["written"]
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
