"""The rootless daemon's way into its user namespace: clone, newuidmap, mounts, state directory."""

from __future__ import annotations

from typing import Final

from conformance.classify.records import FailureClass, Rule, Tier
from conformance.model import Layer, VerdictKind

_ROOTLESSKIT: Final = Layer.ROOTLESSKIT
_ROOTLESS: Final = "https://github.com/moby/buildkit/blob/master/docs/rootless.md"
_CLONE: Final = r"(?:fork/exec /proc/self/exe|failed to start the child)[^\n]*: "
_NEWIDMAP: Final = r"new[ug]idmap"

CLASSES: Final = (
    FailureClass(
        name="rootlesskit-clone-eperm",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.UNSUPPORTED,
        meaning="clone(CLONE_NEWUSER) is refused with EPERM: the seccomp profile RuntimeDefault, or user namespaces "
        "forbidden.",
        remedy="seccomp unset or Unconfined, or a Localhost profile that allows clone and unshare.",
        reference=_ROOTLESS,
        rules=(
            Rule(
                pattern=_CLONE + "operation not permitted",
                also=("rootlesskit-unprivileged-clone-disabled",),
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-clone-eacces",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="clone(CLONE_NEWUSER) is refused with EACCES: a security module (AppArmor, SELinux) says no.",
        remedy="AppArmor Unconfined, or a profile with the rule `userns,`.",
        reference=_ROOTLESS,
        rules=(
            Rule(
                pattern=_CLONE + "permission denied",
                also=("rootlesskit-apparmor-userns-restricted",),
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-apparmor-userns-restricted",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="Ubuntu's kernel.apparmor_restrict_unprivileged_userns is 1: only programs with a profile get a user "
        "namespace.",
        remedy="Set the sysctl to 0, or give rootlesskit an AppArmor profile with the rule `userns,`.",
        reference="https://rootlesscontaine.rs/getting-started/common/apparmor/",
        explains=("rootlesskit-clone-eacces", "rootlesskit-clone-eperm", "rootlesskit-child-failed"),
        rules=(
            Rule(
                pattern=r"apparmor_restrict_unprivileged_userns (?:is|was) set to 1"
                r"|apparmor_restrict_unprivileged_userns\W{1,3}1\b"
            ),
            Rule(pattern=_CLONE + "permission denied", near=r"apparmor_restrict_unprivileged_userns"),
        ),
    ),
    FailureClass(
        name="rootlesskit-unprivileged-clone-disabled",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="Debian's kernel.unprivileged_userns_clone is 0.",
        remedy="Set the sysctl kernel.unprivileged_userns_clone to 1 on the node.",
        reference=_ROOTLESS,
        explains=("rootlesskit-clone-eperm", "buildah-userns-eperm"),
        rules=(
            Rule(
                pattern=r"unprivileged_userns_clone (?:needs to be set to 1|is (?:set to 0|disabled))"
                r"|unprivileged_userns_clone\W{1,3}0\b",
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-max-user-namespaces",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="user.max_user_namespaces is 0: clone fails with ENOSPC (EINVAL on old kernels); no disk is full.",
        remedy="Raise the sysctl user.max_user_namespaces on the node.",
        reference=_ROOTLESS,
        explains=("disk-full", "rootlesskit-clone-eperm", "rootlesskit-child-failed"),
        rules=(
            Rule(pattern=_CLONE + "no space left on device", unless=r"noop process|sandbox|shim task"),
            Rule(pattern=_CLONE + "invalid argument"),
            Rule(
                pattern=r"max_user_namespaces (?:needs to be set to non-zero|is (?:set to )?0\b)"
                r"|max_user_namespaces'? .*sufficiently large value|needs? 'user\.max_user_namespaces",
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-max-user-namespaces-low",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.NOISE,
        meaning="user.max_user_namespaces is below 1024: enough for one daemon, perhaps not for many.",
        remedy="Raise the sysctl when builds fail with `no space left on device` later.",
        reference=_ROOTLESS,
        rules=(Rule(pattern=r"max_user_namespaces=\d+ may be low"),),
    ),
    FailureClass(
        name="rootlesskit-newuidmap-eperm",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.UNSUPPORTED,
        meaning="newuidmap may not write the map: no_new_privs (allowPrivilegeEscalation false), no file "
        "capabilities, or "
        "subordinate ids outside of the pod's own user namespace.",
        remedy="allowPrivilegeEscalation true; under hostUsers false a subuid range that fits (or idsPerPod 262144).",
        reference="https://github.com/rootless-containers/rootlesskit/issues/551",
        explains=("rootlesskit-child-failed",),
        rules=(
            Rule(
                pattern=_NEWIDMAP + r": write to [ug]id_map failed: operation not permitted",
                also=("rootlesskit-newuidmap-no-file-caps",),
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-newuidmap-no-file-caps",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.DEFECT,
        meaning="newuidmap in the image lost its file capabilities (or is only setuid), so it may not write the map.",
        remedy="An image whose newuidmap and newgidmap have cap_setuid and cap_setgid (`getcap` shows them).",
        reference=_ROOTLESS,
    ),
    FailureClass(
        name="rootlesskit-newuidmap-caps",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.UNSUPPORTED,
        meaning="newuidmap cannot get its capabilities: SETUID and SETGID are dropped, or a security module says no.",
        remedy="Do not drop SETUID and SETGID (baseline allows them); AppArmor Unconfined.",
        reference="https://github.com/moby/buildkit/issues/4022",
        explains=("rootlesskit-child-failed", "rootlesskit-newuidmap-failed"),
        rules=(
            Rule(
                pattern=_NEWIDMAP
                + r": could not set (?:caps|(?:seteuid|setuid) failed)|"
                + _NEWIDMAP
                + r": .*(?:prctl|capset)"
                r"|(?:fork/exec|exec\W) ?\S*" + _NEWIDMAP + r"\W{1,3}(?:fork/exec \S+: )?operation not permitted",
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-newuidmap-einval",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.DEFECT,
        meaning="The subordinate id ranges overlap or stand twice, so the kernel refuses the map as invalid.",
        remedy="One line per user in /etc/subuid and /etc/subgid of the image.",
        reference="https://github.com/shadow-maint/shadow/issues/424",
        explains=("rootlesskit-child-failed",),
        rules=(Rule(pattern=_NEWIDMAP + r": write to [ug]id_map failed: invalid argument"),),
    ),
    FailureClass(
        name="rootlesskit-newuidmap-failed",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.SYMPTOM,
        meaning="newuidmap failed and did not say why.",
        remedy="Look at /etc/subuid and /etc/subgid of the image (symlinks, huge ids) and run newuidmap by hand.",
        reference="https://github.com/rootless-containers/rootlesskit/issues/259",
        rules=(
            Rule(
                pattern=_NEWIDMAP + r" \d+ \[[\d ]*\] failed|cannot set ?up namespace using \S*" + _NEWIDMAP,
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-newuidmap-absent",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.DEFECT,
        meaning="newuidmap is not in the image.",
        remedy="An image with the uidmap tools (shadow-uidmap, uidmap).",
        reference=_ROOTLESS,
        rules=(
            Rule(
                pattern=_NEWIDMAP
                + r"\W{1,3}(?:executable file not found|no such file|(?:command )?not found|is not installed)"
                r"|(?:could ?n[o']t find|cannot find|missing) " + _NEWIDMAP,
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-subid-missing",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.DEFECT,
        meaning="/etc/subuid or /etc/subgid has no (readable) entry for the user that runs the daemon.",
        remedy="Run as the image's user (uid 1000), or add a line for the other user.",
        reference=_ROOTLESS,
        explains=("rootlesskit-newuidmap-failed",),
        rules=(
            Rule(
                pattern=r"no sub[ug]id ranges found for user|Format not correct for /etc/sub[ug]id"
                r"|cannot parse sub[ug]id"
                r"|(?:no|missing|find) \W{0,2}sub[ug]id\W{0,2} entr|compute uid/gid map: .*sub[ug]id"
                r"|[ug]id range \[[^\]\n]*\) -> \[[^\]\n]*\) not allowed"
                r"|(?:no|missing) (?:entry|entries|line) .*/etc/sub[ug]id",
                unless_near=r"single mapping|cannot find UID/GID for user|rootless mode in man pages",
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-user-unknown",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.DEFECT,
        meaning="The running uid has no entry in the image's /etc/passwd.",
        remedy="runAsUser 1000, or an entry for the other uid.",
        reference=_ROOTLESS,
        rules=(
            Rule(pattern=r"compute uid(?:/gid)? map: .*(?:no matching entries|unknown userid|lookup user)"),
            Rule(
                pattern=r"user: unknown userid \d+|no matching entries in passwd", near=r"rootlesskit|newuidmap|subuid"
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-mount-propagation",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The rootless daemon may not change the propagation of its mounts: AppArmor refuses.",
        remedy="AppArmor Unconfined on that container.",
        reference="https://github.com/moby/buildkit/issues/2441",
        explains=("rootlesskit-child-failed", "buildkitd-socket-missing"),
        rules=(
            Rule(
                pattern=r"failed to share mount point: .*(?:permission denied|operation not permitted)"
                r"|make-r?(?:shared|slave|private)\W.*(?:permission denied|operation not permitted)",
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-statedir",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.DEFECT,
        meaning="The rootless daemon's state directory cannot be made: read-only root file system or a foreign uid.",
        remedy="emptyDirs at TMPDIR, XDG_RUNTIME_DIR and /tmp; the image's own uid.",
        reference=_ROOTLESS,
        rules=(
            Rule(
                pattern=r"(?:creating|create|make) a? ?state ?dir(?:ectory)?\W.*(?:read-only file system"
                r"|permission denied|no such file)"
                r"|(?:buildkitd|rootlesskit)\S* .*(?:mkdir|could not (?:create|lock)|open) \S*/(?:\.local|run/user"
                r"|\.config)\S*: "
                r"(?:read-only file system|permission denied)",
            ),
        ),
    ),
    FailureClass(
        name="rootlesskit-child-failed",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.SYMPTOM,
        meaning="The command that rootlesskit runs ended with an error.",
        remedy="Read the line before it.",
        reference=_ROOTLESS,
        rules=(
            Rule(
                pattern=r"\[rootlesskit:child ?\] error: command .* exited|\[rootlesskit:parent\] error: child exited",
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="buildkitd-rootless-not-in-userns",
        layer=_ROOTLESSKIT,
        kind=VerdictKind.DEFECT,
        meaning="buildkitd runs without root and without rootlesskit, or the image is of the wrong flavour.",
        remedy="Check entrypoint and digest of the image; pin a digest of the rootless flavour.",
        reference="https://github.com/moby/buildkit/issues/6457",
        rules=(
            Rule(
                pattern=r"rootless mode requires to be executed as"
                r"|requires to be executed as the (?:mapped )?root (?:user )?in a user namespace"
            ),
        ),
    ),
)
