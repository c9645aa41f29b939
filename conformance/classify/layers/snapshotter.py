"""The daemon cannot mount or unpack what a build step stands on."""

from __future__ import annotations

from typing import Final

from conformance.classify.records import FailureClass, Rule, Tier
from conformance.model import Layer, VerdictKind

_SNAPSHOTTER: Final = Layer.SNAPSHOTTER
_ROOTLESS: Final = "https://github.com/moby/buildkit/blob/master/docs/rootless.md"
_BUILDAH: Final = "https://github.com/containers/buildah/blob/main/troubleshooting.md"
_EPERM: Final = "operation not permitted"
_CONTAINERS_STORAGE: Final = (
    r"using mount program|containers/storage|buildah|podman|mounting new container|build container"
)
_FUSE_ABSENT: Final = (
    r"fuse: device not found|modprobe fuse|/dev/fuse\W.*(?:no such (?:file|device)|not found|does not exist"
    r"|permission denied|operation not permitted)"
)

CLASSES: Final = (
    FailureClass(
        name="snapshotter-bind-eperm",
        layer=_SNAPSHOTTER,
        kind=VerdictKind.UNSUPPORTED,
        meaning="A read-only bind mount is refused: no CAP_SYS_ADMIN in the daemon's user namespace, or locked mount "
        "flags.",
        remedy="The rootless daemon in a user namespace; an emptyDir at its state directory.",
        reference=_ROOTLESS,
        rules=(
            Rule(pattern=r"Options:\[(?:[^\]]* )?r?bind\b[^\]]*\]\}?\]?.*" + _EPERM),
            Rule(pattern=r"fstype: bind, flags: .*" + _EPERM),
            Rule(
                pattern=r"failed to mount \S*(?:buildkit|containerd)-mount.*" + _EPERM,
                unless=r"fstype: overlay|overlay",
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="snapshotter-overlay-unsupported",
        layer=_SNAPSHOTTER,
        kind=VerdictKind.NOISE,
        meaning="The daemon found no overlay file system and takes another snapshotter.",
        remedy="Record the worker's snapshotter label; builds are slower and larger.",
        reference=_ROOTLESS,
        rules=(
            Rule(
                pattern=r"auto snapshotter: \S+ is not available|overlayfs is not (?:available|supported).*(?:trying"
                r"|fall)"
                r"|falling back to native|overlay(?:fs)? (?:snapshotter )?(?:is )?not (?:supported"
                r"|functional).*(?:fall|native|using)",
            ),
        ),
    ),
    FailureClass(
        name="snapshotter-fuse-device-missing",
        layer=_SNAPSHOTTER,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The fuse-overlayfs snapshotter has no /dev/fuse (or the node no fuse module).",
        remedy="A device plugin for /dev/fuse, or the native snapshotter.",
        reference="https://github.com/containerd/fuse-overlayfs-snapshotter",
        rules=(
            Rule(pattern=r"fuse-overlayfs (?:is )?not (?:functional|supported)", unless=r"auto snapshotter"),
            Rule(
                pattern=_FUSE_ABSENT,
                unless=r"auto snapshotter",
                near=r"fuse3\.fuse-overlayfs|mount\.fuse3|snapshotter|buildkit",
            ),
            Rule(
                pattern=_FUSE_ABSENT,
                unless_near=_CONTAINERS_STORAGE,
                also=("buildah-fuse-device-missing",),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="buildah-fuse-device-missing",
        layer=_SNAPSHOTTER,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="buildah or podman is told to mount with fuse-overlayfs and there is no /dev/fuse.",
        remedy="A device plugin for /dev/fuse, native overlay (kernel 5.13), or the vfs driver.",
        reference=_BUILDAH,
        rules=(
            Rule(
                pattern=_FUSE_ABSENT + r"|fuse-overlayfs: cannot mount",
                near=_CONTAINERS_STORAGE,
                unless_near=r"fuse3\.fuse-overlayfs|mount\.fuse3",
            ),
        ),
    ),
    FailureClass(
        name="buildah-overlay-eperm",
        layer=_SNAPSHOTTER,
        kind=VerdictKind.UNSUPPORTED,
        meaning="buildah or podman cannot use overlay: whiteouts need mknod, or the mount is refused.",
        remedy="fuse-overlayfs, the vfs driver, or a newer kernel (5.13).",
        reference=_BUILDAH,
        rules=(
            Rule(
                pattern=r"(?:whiteout|mknod)\b.*"
                + _EPERM
                + r"|(?:mount\w* overlay|overlay mount|(?:creating|create) overlay)\b.*: "
                + _EPERM
                + r"|overlay\W{1,3}is not supported over|kernel does not support overlay"
                r"|(?:mounting an overlay over|overlay scaffolding)\b.*(?:invalid argument|not permitted)"
                r"|'overlay' .*(?:not supported|mount_program is required)|processing tar file\(.*\): " + _EPERM,
                unless=r"auto snapshotter",
                unless_near=r"(?m)^\W{0,4}#\d+ |failed to solve|kaniko|error building (?:image|stage)",
            ),
        ),
    ),
    FailureClass(
        name="buildah-mount-eacces",
        layer=_SNAPSHOTTER,
        kind=VerdictKind.UNSUPPORTED,
        meaning="AppArmor (or SELinux) refuses buildah's or podman's mount.",
        remedy="A profile that permits mount, or Unconfined.",
        reference=_BUILDAH,
        rules=(
            Rule(
                pattern=r"mount \S+:\S+(?: \(via [^)]*\))?, flags: \S+ permission denied"
                r"|(?:overlay mount|mount(?:ing)? \S*containers/storage)\b.*: permission denied"
                r"|remount(?:ing)?\b.* permission denied",
                unless=r"auto snapshotter|\bproc:|buildkit-mount|kaniko|runc run failed",
            ),
        ),
    ),
    FailureClass(
        name="buildah-lchown-einval",
        layer=_SNAPSHOTTER,
        kind=VerdictKind.UNSUPPORTED,
        meaning="A file of the image belongs to an id that the user namespace does not map.",
        remedy="More subordinate ids (or idsPerPod), or an image with small ids.",
        reference=_BUILDAH,
        rules=(
            Rule(
                pattern=r"\bl?chown\b.*: invalid argument|insufficient UIDs or GIDs available"
                r"|there might not be enough IDs available in the namespace|increasing the number of subordinate IDs",
            ),
        ),
    ),
    FailureClass(
        name="buildah-subid-missing",
        layer=_SNAPSHOTTER,
        kind=VerdictKind.NOISE,
        meaning="buildah or podman has no subordinate ids and goes on with a single mapped id.",
        remedy="Lines in /etc/subuid and /etc/subgid; images with more than one owner fail without.",
        reference=_BUILDAH,
        rules=(
            Rule(
                pattern=r"single mapping into the namespace|cannot find UID/GID for user"
                r"|check rootless mode in man pages"
                r"|falling back to single mapping",
            ),
        ),
    ),
)
