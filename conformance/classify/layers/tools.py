"""The executor layer of builders beside BuildKit: buildah, podman, kaniko, osbuild."""

from __future__ import annotations

from typing import Final

from conformance.classify.records import FailureClass, Rule, Tier
from conformance.model import Layer, VerdictKind

_EXECUTOR: Final = Layer.EXECUTOR
_BUILDAH: Final = "https://github.com/containers/buildah/blob/main/troubleshooting.md"
_KANIKO: Final = "https://github.com/chainguard-dev/kaniko"
_EPERM: Final = "operation not permitted"
#: kaniko's own words around an error; its steps run in its own container.
_IN_KANIKO: Final = (
    r"(?:error (?:building|resolving|removing|unpacking|pushing)|failed to (?:execute command|get filesystem"
    r"|take snapshot|write)"
    r"|unpacking rootfs|copying (?:file|dir|symlink)|kaniko|extracting fs from image)"
)
_NOT_KANIKO: Final = r"(?m)^\W{0,4}#\d+ |STEP \d+[/:]|failed to solve|buildah|podman"
_BY_OTHERS: Final = r"#\d+ |at STEP|buildah|podman|failed to solve|rootlesskit|runc run"

CLASSES: Final = (
    FailureClass(
        name="buildah-userns-eperm",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="buildah may not make its user namespace (EPERM): seccomp, or dropped capabilities.",
        remedy="seccomp unset or Unconfined, or hostUsers false.",
        reference=_BUILDAH,
        explains=("buildah-exec-failed",),
        rules=(
            Rule(
                pattern=r"unshare\([^)\n]*\): "
                + _EPERM
                + r"|during unshare\b.*"
                + _EPERM
                + r"|creating new mount namespace for .*: operation\b"
            ),
            Rule(pattern=r"writ\w+ .*/proc/\S+/[ug]id_map: .*" + _EPERM, unless=r"rootlesskit|newuidmap"),
            Rule(
                pattern=r"unshare(?: failed)?: " + _EPERM,
                also=("rootlesskit-clone-eperm",),
            ),
        ),
    ),
    FailureClass(
        name="buildah-userns-disabled",
        layer=_EXECUTOR,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The node's sysctls allow no user namespaces (EINVAL, ENOSPC).",
        remedy="Raise user.max_user_namespaces on the node.",
        reference=_BUILDAH,
        explains=("disk-full",),
        rules=(
            Rule(
                pattern=r"unshare\([^)\n]*\): (?:invalid argument|no space left on device)"
                r"|during unshare\b.*(?:invalid arg|no space left)"
            ),
            Rule(pattern=r"User namespaces are not enabled|cannot clone: (?:invalid argument|no space left on device)"),
        ),
    ),
    FailureClass(
        name="podman-userns-eacces",
        layer=_EXECUTOR,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="podman may not make its user namespace: AppArmor's restriction (EACCES) or seccomp (EPERM).",
        remedy="The sysctl kernel.apparmor_restrict_unprivileged_userns, a profile for podman; seccomp unset.",
        reference="https://github.com/containers/podman/issues/24642",
        rules=(
            Rule(pattern=r"cannot clone: permission denied|unshare\([^)\n]*\): permission denied"),
            Rule(pattern=r"cannot clone: " + _EPERM, also=("buildah-userns-eperm",)),
        ),
    ),
    FailureClass(
        name="buildah-exec-failed",
        layer=_EXECUTOR,
        kind=VerdictKind.SYMPTOM,
        meaning="buildah's inner process could not start the step's program.",
        remedy="Read the lines before; --isolation=chroot has conditions of its own.",
        reference=_BUILDAH,
        rules=(
            Rule(
                pattern=r"process exited with error: fork/exec|subprocess exited with status|container (?:create"
                r"|start) message from subprocess",
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="buildah-setgroups-eperm",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="A step cannot set its supplementary groups: only one id is mapped.",
        remedy="A subuid range and newuidmap.",
        reference=_BUILDAH,
        explains=("buildah-exec-failed", "build-step-failed"),
        rules=(Rule(pattern=r"setting supplemental groups|\bsetgroups\b.*(?:not permitted|invalid argument)"),),
    ),
    FailureClass(
        name="buildah-sysctl-readonly",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="crun cannot write a sysctl (ping_group_range) because /proc/sys is read-only in the container.",
        remedy="--isolation=chroot.",
        reference=_BUILDAH,
        explains=("buildah-exec-failed", "build-step-failed"),
        rules=(Rule(pattern=r"/proc/sys/\S+: read-only file system", unless=r"binfmt_misc"),),
    ),
    FailureClass(
        name="buildah-slirp-failed",
        layer=_EXECUTOR,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="slirp4netns does not start for the step's network.",
        remedy="--isolation=chroot, or the host's network.",
        reference=_BUILDAH,
        explains=("buildah-exec-failed", "build-step-failed"),
        rules=(
            Rule(
                pattern=r"slirp4netns\b.*(?:fail|EOF|error|not found|denied|not permitted)|(?:fail|error"
                r"|could not)\w*\b.*slirp4netns"
            ),
        ),
    ),
    FailureClass(
        name="kaniko-chown-eperm",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="kaniko cannot give files to their owners: CAP_CHOWN is missing.",
        remedy="Add the capability CHOWN (baseline allows it).",
        reference=_KANIKO,
        rules=(
            Rule(pattern=_IN_KANIKO + r".*\bl?chown \S+: " + _EPERM, unless=_BY_OTHERS),
            Rule(pattern=r"\bl?chown /\S*: " + _EPERM, near=_IN_KANIKO, unless_near=_NOT_KANIKO),
        ),
    ),
    FailureClass(
        name="kaniko-chmod-eperm",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="kaniko cannot set modes of files: CAP_FOWNER is missing, or it does not run as root.",
        remedy="Add the capability FOWNER and run as root.",
        reference=_KANIKO,
        rules=(
            Rule(pattern=_IN_KANIKO + r".*\bchmod \S+: " + _EPERM, unless=_BY_OTHERS),
            Rule(pattern=r"\bchmod /\S*: " + _EPERM, near=_IN_KANIKO, unless_near=_NOT_KANIKO),
        ),
    ),
    FailureClass(
        name="kaniko-permission-denied",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="kaniko may not write where it must: CAP_DAC_OVERRIDE is missing, or it does not run as root.",
        remedy="Run as root with the capability DAC_OVERRIDE.",
        reference=_KANIKO,
        rules=(
            Rule(
                pattern=_IN_KANIKO + r".*(?:mkdir|open|unlinkat|remove|rename|symlink|link|lstat|create|opendir"
                r"|chdir) \S+: permission denied",
                unless=_BY_OTHERS,
            ),
            Rule(pattern=r"(?:mkdir|open|unlinkat) /kaniko/\S*: permission denied"),
            # It makes a file's folders first and passes over that it may not: the file's own folder is then missing.
            Rule(pattern=r"copying file: creating file: open /\S+: no such file or directory", unless=_BY_OTHERS),
        ),
    ),
    FailureClass(
        name="kaniko-xattr-eperm",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="kaniko cannot set file capabilities: CAP_SETFCAP is missing.",
        remedy="Add the capability SETFCAP (baseline allows it).",
        reference=_KANIKO,
        rules=(
            Rule(
                pattern=r"(?:xattr|security\.capability)\b.*" + _EPERM + r"|set ?cap\w*\b.*xattr.*" + _EPERM,
                unless=_BY_OTHERS,
            ),
        ),
    ),
    FailureClass(
        name="kaniko-readonly-mount",
        layer=_EXECUTOR,
        kind=VerdictKind.BAD_INPUT,
        meaning="A step of the Dockerfile touches what is mounted into kaniko's pod.",
        remedy="--ignore-path, or change the Dockerfile.",
        reference=_KANIKO,
        rules=(
            Rule(
                pattern=_IN_KANIKO + r".*(?:read-only file system|device or resource busy)",
                unless=_BY_OTHERS,
            ),
            Rule(
                pattern=r"(?:unlinkat|remove|chmod|chown|mkdir|rename) /\S*: (?:device or resource busy"
                r"|read-only file system)",
                near=_IN_KANIKO,
            ),
        ),
    ),
    FailureClass(
        name="kaniko-user-eperm",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="kaniko cannot run a step as another user (USER): SETUID and SETGID are missing.",
        remedy="Add the capabilities SETUID and SETGID (baseline allows them).",
        reference=_KANIKO,
        rules=(
            Rule(
                pattern=r"(?:starting command|" + _IN_KANIKO + r".*): fork/exec \S+: " + _EPERM, unless=r"rootlesskit"
            ),
        ),
    ),
    FailureClass(
        name="osbuild-needs-privileged",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The tool insists on a privileged container.",
        remedy="A privileged runner.",
        reference="https://github.com/osbuild/bootc-image-builder",
        rules=(
            Rule(
                pattern=r"(?:requires?|needs?|must (?:be )?run\w*)\b.* privileged (?:container|mode)"
                r"|requires a privileged",
                unless=r"incompatible",
            ),
        ),
    ),
)
