"""A RUN step's container cannot be started by BuildKit's executor (runc, crun)."""

from __future__ import annotations

from typing import Final

from conformance.classify.records import FailureClass, Rule, Tier
from conformance.model import Layer, SourceKind, VerdictKind

_EXECUTOR: Final = Layer.EXECUTOR
_ROOTLESS: Final = "https://github.com/moby/buildkit/blob/master/docs/rootless.md"
_PLATFORMS: Final = "https://docs.docker.com/build/building/multi-platform/"
_EPERM: Final = "operation not permitted"
_CLUSTER_MAKERS: Final = r"\bkind\b|\bk3d\b|kubelet|ContainerManager|k3s|kubeadm|minikube"
#: A cgroup file or folder is touched.
_CGROUP: Final = r"(?:/sys/fs/cgroup|cgroup)\S*"

CLASSES: Final = (
    FailureClass(
        name="executor-proc-mount-eperm",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="A RUN step cannot mount its own /proc: the container's procfs is masked.",
        remedy="--oci-worker-no-process-sandbox, or procMount Unmasked together with hostUsers false.",
        reference=_ROOTLESS,
        explains=("build-step-failed",),
        rules=(
            Rule(
                pattern=r"(?:\bmount\w*\W{1,3}(?:-t )?proc\b|to rootfs at \W{0,2}/proc\b).*"
                r"(?:operation not permitted|permission denied)"
            ),
        ),
    ),
    FailureClass(
        name="executor-proc-mount-enoent",
        layer=_EXECUTOR,
        kind=VerdictKind.DEFECT,
        meaning="runc cannot mount /proc because of a regression of its own (BuildKit 0.18's time).",
        remedy="Another BuildKit version.",
        reference="https://github.com/opencontainers/runc/issues/4518",
        rules=(
            Rule(
                pattern=r"\bmount\w*\W{1,3}proc\b.*no such file or directory|to rootfs at \W{0,2}/proc\b.*no such file"
            ),
        ),
    ),
    FailureClass(
        name="executor-no-process-sandbox-gate",
        layer=_EXECUTOR,
        kind=VerdictKind.DEFECT,
        meaning="--oci-worker-no-process-sandbox is given and the daemon is in no user namespace: hostUsers false is "
        "not in force.",
        remedy="Look at /proc/self/uid_map in the daemon's container; drop the flag or get the user namespace.",
        reference="https://github.com/moby/buildkit/blob/master/cmd/buildkitd/main_oci_worker.go",
        rules=(Rule(pattern=r"can't enable NoProcessSandbox without Rootless"),),
    ),
    FailureClass(
        name="executor-no-process-sandbox-warning",
        layer=_EXECUTOR,
        kind=VerdictKind.NOISE,
        meaning="The daemon says that its steps share its process namespace, as the flag asks.",
        remedy="Nothing to do for the build; see the isolation probe for what it means.",
        reference=_ROOTLESS,
        rules=(Rule(pattern=r"NoProcessSandbox is enabled|NoProcessSandbox allows build containers"),),
    ),
    FailureClass(
        name="executor-keyring-quota",
        layer=_EXECUTOR,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The kernel's quota of keys is used up (`disk quota exceeded` speaks of keyrings, not of a disk).",
        remedy="Raise kernel.keys.maxkeys on the node, or take a fresh node.",
        reference="https://github.com/moby/buildkit/issues/6247",
        explains=("disk-full", "build-step-failed"),
        rules=(Rule(pattern=r"(?:keyring|session key|keyctl)\b.*quota exceeded"),),
    ),
    FailureClass(
        name="executor-keyring-eperm",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="A RUN step cannot join a session keyring: the seccomp profile forbids keyctl.",
        remedy="A seccomp profile that allows keyctl, add_key and request_key.",
        reference="https://docs.docker.com/engine/security/seccomp/",
        explains=("build-step-failed",),
        rules=(
            Rule(
                pattern=r"(?:keyring|session key|keyctl)\b.*(?:operation not permitted|permission denied"
                r"|not implemented)"
            ),
        ),
    ),
    FailureClass(
        name="executor-devpts-gid-unmapped",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="devpts cannot be mounted: its group (gid 5) is not mapped in a user namespace of one id.",
        remedy="A mapped range of ids (newuidmap), not a single id.",
        reference="https://man7.org/linux/man-pages/man7/user_namespaces.7.html",
        explains=("build-step-failed",),
        rules=(
            Rule(
                pattern=r"\bmount\w*\W{1,3}devpts\b.*invalid argument|to rootfs at \W{0,2}/dev/pts\b.*invalid argument"
            ),
        ),
    ),
    FailureClass(
        name="executor-cgroup-readonly",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The cgroup file system is mounted read-only in the container, and a step wants a cgroup of its own.",
        remedy="The rootless way without cgroups; other ways need a privileged container.",
        reference="https://github.com/containers/buildah/issues/1481",
        explains=("build-step-failed", "rootlesskit-child-failed"),
        rules=(Rule(pattern=_CGROUP + r".*read-only file system", unless=_CLUSTER_MAKERS),),
    ),
    FailureClass(
        name="executor-cgroup-denied",
        layer=_EXECUTOR,
        kind=VerdictKind.DEFECT,
        meaning="BuildKit or runc touches a cgroup file that it may not touch (the entrypoint of 2026 remounts "
        "cgroups).",
        remedy="Pin the BuildKit version; the cell records it.",
        reference="https://github.com/bottlerocket-os/bottlerocket/issues/4815",
        explains=("build-step-failed", "rootlesskit-child-failed"),
        rules=(
            Rule(
                pattern=_CGROUP + r".*(?:permission denied|operation not permitted)",
                unless=_CLUSTER_MAKERS + r"|apparmor=",
            ),
        ),
    ),
    FailureClass(
        name="executor-cgroup-missing",
        layer=_EXECUTOR,
        kind=VerdictKind.DEFECT,
        meaning="runc finds no cgroup: a version's bug, or nothing is mounted.",
        remedy="Another BuildKit version (not 0.17.1), or mount cgroups.",
        reference="https://github.com/moby/buildkit/issues/5491",
        explains=("build-step-failed",),
        rules=(
            Rule(
                pattern=r"no cgroup mount found|mountpoint for cgroup not found"
                r"|/sys/fs/cgroup\S*.*no such file or directory|cgroup mountpoint does not exist"
                r"|cgroups?: (?:cgroup )?\S* ?(?:does not exist|not found|deleted|no such file)"
                r"|cgroup \S+ (?:does not exist|not mounted)",
                unless=_CLUSTER_MAKERS + r"|Error response from daemon: cgroups",
            ),
        ),
    ),
    FailureClass(
        name="executor-apparmor-unsupported",
        layer=_EXECUTOR,
        kind=VerdictKind.DEFECT,
        meaning="--oci-worker-apparmor-profile is given and the host has no AppArmor.",
        remedy="Drop the flag.",
        reference="https://github.com/moby/buildkit/blob/master/cmd/buildkitd/main_oci_worker.go",
        rules=(
            Rule(
                pattern=r"apparmor\b.*(?:not supported|unsupported|not (?:enabled|available))",
                near=r"buildkitd|oci-worker|worker|specified|profile|(?m:^\W{0,4}#\d+ )|runc run failed",
                unless=r"Cannot enforce AppArmor|containerd container|sandbox|kubelet|apparmor is not supported$"
                r"|spec opts",
            ),
            Rule(
                pattern=r"apply apparmor profile|failed to apply profile: write .*/attr/\S*exec",
                near=r"(?m)^#\d+ |runc run|buildkit",
            ),
        ),
    ),
    FailureClass(
        name="platform-exec-format-error",
        layer=_EXECUTOR,
        kind=VerdictKind.BAD_INPUT,
        meaning="A RUN step is for another architecture and nothing emulates it.",
        remedy="Cross-compile with --platform=$BUILDPLATFORM, request one platform, or install emulators.",
        reference=_PLATFORMS,
        explains=("build-step-failed", "container-arch-mismatch"),
        rules=(
            Rule(
                pattern=r"exec format error",
                kinds=frozenset({SourceKind.BUILD, SourceKind.DAEMON, SourceKind.UNKNOWN}),
                near=r"(?m)^\W{0,4}#\d+ |executor failed running|did not complete successfully|failed to solve"
                r"|STEP \d+[/:]|build",
            ),
            Rule(
                pattern=r"exec format error",
                kinds=frozenset({SourceKind.UNKNOWN}),
                unless_near=r"kubectl logs|CrashLoopBackOff|Back-off restarting|docker run|podman run|kubelet"
                r"|containerd task|shim task",
                also=("container-arch-mismatch",),
            ),
        ),
    ),
    FailureClass(
        name="platform-qemu-failed",
        layer=_EXECUTOR,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The emulator (BuildKit's own qemu, or the node's) failed on a foreign program.",
        remedy="Install binfmt handlers on the node, or a newer qemu.",
        reference=_PLATFORMS,
        explains=("build-step-failed",),
        rules=(
            Rule(
                pattern=r"buildkit[-_]qemu[-_]\S*.*(?:exit code|exit status|not found|no such|failed|error)"
                r"|qemu: uncaught target signal"
                r"|qemu-\w+(?:-static)?: (?:could not open|unable|error|fatal)|Unsupported syscall: \d+"
                r"|Invalid ELF image for this architecture",
            ),
        ),
    ),
    FailureClass(
        name="platform-binfmt-register-failed",
        layer=_EXECUTOR,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="An emulator cannot be registered with the kernel's binfmt_misc.",
        remedy="A privileged DaemonSet that registers it, or a newer kernel.",
        reference="https://github.com/tonistiigi/binfmt",
        rules=(
            Rule(
                pattern=r"binfmt_misc\S*.*(?:invalid argument|permission denied|not permitted|read-only|no such"
                r"|not mounted|cannot)"
                r"|(?:cannot|failed|unable|can't)\b.*binfmt_misc",
            ),
        ),
    ),
    FailureClass(
        name="buildkitd-killed-by-step",
        layer=_EXECUTOR,
        kind=VerdictKind.UNSUPPORTED,
        meaning="A RUN step killed the daemon, whose processes it sees for lack of a process sandbox.",
        remedy="A process sandbox: hostUsers false with procMount Unmasked, and no --oci-worker-no-process-sandbox.",
        reference=_ROOTLESS,
        explains=("buildkitd-unavailable", "rootlesskit-child-failed", "build-step-failed"),
        rules=(
            Rule(
                pattern=r"command \[buildkitd\b[^\n]*no-process-sandbox[^\n]*\] exited: signal: killed",
                also=("oom-killed",),
                tier=Tier.CAUSE,
            ),
        ),
    ),
)
