"""Node images assembled on this machine, for where no registry can be reached: stand-ins for kind's and k3d's own."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock

from clusters import process
from clusters.docker import archive
from clusters.docker.preload import Preload
from clusters.docker.timeouts import TIMEOUTS
from clusters.embedded import toolchain
from clusters.embedded.images.assemble import Kitchen, assemble
from clusters.embedded.images.layer import Blob, Entry, Kind, write_layer
from clusters.embedded.images.oci import MadeImage, NamedLayer, make_image
from clusters.embedded.images.plan import ImagePlan, Planner, key_of_set
from clusters.embedded.images.recipe import Cookbook, load_cookbook
from clusters.embedded.images.shelf import Shelf
from clusters.errors import ClustersError, UnavailableError
from clusters.paths import CHECKOUT, cache_dir
from clusters.provider import Progress

RECIPES: Final = CHECKOUT / "nodes"

#: Images that run on a node before anything can be loaded onto it; the first group is kubeadm's to name.
SYSTEM: Final = (
    "coredns",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "pause",
)
BUSYBOX: Final = "busybox"
#: What is named in nodes/node/cni.yaml and nodes/node/containerd.toml.
FIXED: Final = {BUSYBOX: "localhost/conformance-node/busybox:1", "pause": "registry.k8s.io/pause:node"}

#: Images of nodes, and of what k3d starts beside them.
NODES: Final = ("k3d", "k3d-proxy", "k3d-tools", "kind")
PRELOADED: Final = frozenset({"k3d", "kind"})

#: Bytes that assembling needs for a while.
_NEEDED: Final = 4_000_000_000

#: Raised whenever the code here makes other bytes of the same recipes.
_FORMAT: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeImages:
    """An archive that an engine loads, and the references of what is in it by recipe."""

    archive: Path
    references: Mapping[str, str]


def programs(kubernetes: str) -> tuple[toolchain.Program, ...]:
    """Return the toolchain's programs that the node images of a Kubernetes line hold."""
    cookbook = load_cookbook(RECIPES)
    names = {name for recipe in cookbook.recipes.values() for layer in recipe.layers for name in layer.programs}
    return toolchain.pick(sorted(names), kubernetes=kubernetes)


def ensure(kubernetes: str, progress: Progress) -> NodeImages:
    """Return the node images of a Kubernetes line, assembled when something about them has changed.

    Raises UsageError for a line that is not pinned, UnavailableError without root or room, ClustersError.
    """
    binaries = toolchain.ensure(programs(kubernetes), progress=progress)
    planner = Planner(cookbook := load_cookbook(RECIPES), binaries)
    plans = {name: planner.image(name) for name in (*SYSTEM, BUSYBOX, *NODES)}
    key = hashlib.sha256(f"{_FORMAT} {kubernetes} {key_of_set(list(plans.values()))}".encode()).hexdigest()[:32]
    folder = _folder() / f"{kubernetes}-{key}"
    version = toolchain.version_of("kubeadm", kubernetes)
    references = {name: f"localhost/conformance-node/{name}:{version}-{key[:8]}" for name in NODES}
    found = NodeImages(archive=folder / "nodes.tar", references=references)
    if not found.archive.is_file():
        with _locked(progress):
            if not found.archive.is_file():
                _make(cookbook, binaries, plans, found, kubernetes, progress)
    return found


def _make(
    cookbook: Cookbook,
    binaries: Mapping[str, Path],
    plans: Mapping[str, ImagePlan],
    wanted: NodeImages,
    kubernetes: str,
    progress: Progress,
) -> None:
    if os.geteuid() != 0:
        raise UnavailableError("node images are assembled with a containerd of their own, which needs root (sudo)")
    with _working_folder() as work:
        kitchens = [_kitchen(cookbook, binaries, work / name, progress) for name in ("system", "node")]
        assemble(kitchens[0], [plans[name] for name in (*SYSTEM, BUSYBOX)])
        progress("node images: unpacking what runs on every node")
        (work / "preload").mkdir()
        preload = Preload(binaries, work / "preload")
        names = _names(_references(kitchens[0], plans), binaries["kubeadm"], kubernetes)
        blob = preload.layer(work / "system" / "images.tar", names, kitchens[0].blobs)
        assemble(kitchens[1], [plans[name] for name in NODES])
        (work / "node" / "images.tar").unlink()
        version = _version_layer(toolchain.version_of("kubeadm", kubernetes), kitchens[1].blobs)
        extra = [
            NamedLayer(summary="Kubernetes' version", blob=version),
            NamedLayer(summary="images of every node, unpacked", blob=blob),
        ]
        made = [_node(kitchens[1], plans[name], extra if name in PRELOADED else [], wanted) for name in NODES]
        progress("node images: writing the archive")
        whole = work / "whole"
        whole.mkdir()
        archive.write(made, whole / "nodes.tar")
        target = wanted.archive.parent
        if target.exists():
            shutil.rmtree(target)
        whole.rename(target)


def _references(kitchen: Kitchen, plans: Mapping[str, ImagePlan]) -> Mapping[str, str]:
    """Return what each system image is called in its archive."""
    return {name: _image(kitchen, plans[name], []).reference for name in (*SYSTEM, BUSYBOX)}


def _names(references: Mapping[str, str], kubeadm: Path, kubernetes: str) -> dict[str, tuple[str, ...]]:
    """Say what kubeadm, the manifests and containerd's configuration call each system image."""
    version = toolchain.version_of("kubeadm", kubernetes)
    said = process.run([kubeadm, "config", "images", "list", "--kubernetes-version", version], timeout=TIMEOUTS.command)
    theirs = {line.rsplit("/", 1)[1].split(":")[0]: line.strip() for line in said.stdout.splitlines() if "/" in line}
    if missing := sorted(set(SYSTEM) - theirs.keys()):
        raise ClustersError(f"kubeadm {version} does not name {', '.join(missing)}: it asks for {sorted(theirs)}")
    return {
        reference: tuple(filter(None, [theirs.get(name), FIXED.get(name)])) for name, reference in references.items()
    }


def _node(kitchen: Kitchen, plan: ImagePlan, extra: list[NamedLayer], wanted: NodeImages) -> MadeImage:
    return dataclasses.replace(_image(kitchen, plan, extra), reference=wanted.references[plan.name])


def _image(kitchen: Kitchen, plan: ImagePlan, extra: list[NamedLayer]) -> MadeImage:
    layers = []
    for layer in plan.layers:
        found = kitchen.shelf.find(layer.key)
        if found is None:
            raise ClustersError(
                f"a layer of {plan.name} vanished while it was made: is something cleaning {_folder()}?"
            )
        layers.append(NamedLayer(summary=layer.summary, blob=found.blob))
    return make_image(plan.name, plan.config, [*layers, *extra], kitchen.origin(plan), kitchen.blobs)


def _version_layer(version: str, blobs: Path) -> Blob:
    """Return a layer with the file from which kind reads which configuration kubeadm understands."""
    return write_layer({"kind/version": Entry(kind=Kind.FILE, mode=0o644, content=f"{version}\n".encode())}, blobs)


def _kitchen(cookbook: Cookbook, binaries: Mapping[str, Path], folder: Path, progress: Progress) -> Kitchen:
    folder.mkdir()
    return Kitchen(
        cookbook=cookbook, programs=binaries, shelf=Shelf(_folder() / "layers"), folder=folder, progress=progress
    )


def _folder() -> Path:
    return cache_dir() / "nodes"


@contextmanager
def _working_folder() -> Iterator[Path]:
    for left in _folder().glob("making-*"):
        shutil.rmtree(left)
    free = shutil.disk_usage(_folder()).free
    if free < _NEEDED:
        raise UnavailableError(
            f"{_folder()} has {free / 1e9:.1f} GB free and assembling node images needs {_NEEDED / 1e9:.1f}: "
            "make room there, or point BUILD_CONFORMANCE_CACHE_DIR elsewhere"
        )
    with tempfile.TemporaryDirectory(prefix="making-", dir=_folder()) as folder:
        yield Path(folder)


@contextmanager
def _locked(progress: Progress) -> Iterator[None]:
    _folder().mkdir(parents=True, exist_ok=True)
    lock = FileLock(_folder() / ".lock", timeout=TIMEOUTS.assembly)
    if lock.lock_file and Path(lock.lock_file).exists():
        progress("node images: another process may be assembling them; waiting for it if so")
    with lock:
        yield
