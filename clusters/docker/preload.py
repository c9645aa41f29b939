"""Images put into a containerd before its node exists: what it would otherwise import while kind waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from clusters import process, waiting
from clusters.docker.timeouts import TIMEOUTS
from clusters.embedded.images.layer import Blob, name_by_digest
from clusters.errors import ClustersError

#: Where containerd keeps what is preloaded, below its root.
KEPT = ("io.containerd.content.v1.content", "io.containerd.metadata.v1.bolt", "io.containerd.snapshotter.v1.overlayfs")

_CONFIG = """\
version = 3
root = "{root}"
state = "{state}"
disabled_plugins = [
  "io.containerd.cri.v1.images",
  "io.containerd.cri.v1.runtime",
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{socket}"
"""


class Preload:
    """A containerd with folders of its own below `folder`, and what it is filled with."""

    def __init__(self, programs: Mapping[str, Path], folder: Path) -> None:
        """Start nothing yet; `programs` holds `containerd` and `ctr`."""
        self._programs = programs
        self._folder = folder
        self._socket = folder / "s"

    def layer(self, archive: Path, names: Mapping[str, tuple[str, ...]], blobs: Path) -> Blob:
        """Return a layer with the images of an archive; `names` says what each reference of it is to be called.

        Raises ClustersError.
        """
        with self._running():
            # The layers' blobs are not needed once they are unpacked.
            self._ctr("images", "import", "--local", "--snapshotter", "overlayfs", "--discard-unpacked-layers", archive)
            for reference, wanted in names.items():
                for name in wanted:
                    self._ctr("images", "tag", reference, name)
                    self._ctr("images", "label", name, "io.cri-containerd.image=managed")
            # With --sync the collector has run when this returns.
            self._ctr("images", "rm", "--sync", *names)
        unfinished = blobs / "preload.tmp"
        process.run(
            [
                *("tar", "--create", "--file", unfinished, "--directory", self._folder / "root"),
                *("--xattrs", "--xattrs-include=*", "--numeric-owner", "--sort=name"),
                *("--transform", "flags=r;s,^,var/lib/containerd/,", *KEPT),
            ],
            timeout=TIMEOUTS.image,
        )
        return name_by_digest(unfinished)

    @contextmanager
    def _running(self) -> Iterator[None]:
        config = self._folder / "config.toml"
        values = {"root": self._folder / "root", "state": self._folder / "state", "socket": self._socket}
        config.write_text(_CONFIG.format(**values))
        log = self._folder / "containerd.log"
        child = process.spawn([self._programs["containerd"], "--config", config], log=log)

        def answers() -> bool:
            if child.poll() is not None:
                raise ClustersError(f"containerd ended with {child.returncode}: {log.read_text()[-2000:]}")
            return self._ctr("version", check=False).returncode == 0

        try:
            waiting.until(answers, limit=TIMEOUTS.engine, what="containerd to answer")
            yield
        finally:
            child.terminate()
            child.wait(TIMEOUTS.command)

    def _ctr(self, *words: str | Path, check: bool = True) -> process.Completed:
        argv = [self._programs["ctr"], "--address", self._socket, "--namespace", "k8s.io", *words]
        return process.run(argv, check=check, timeout=TIMEOUTS.image)
