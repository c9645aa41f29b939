"""The kubelet or the container runtime cannot make or start a container."""

from __future__ import annotations

from typing import Final

from conformance.classify.details import message
from conformance.classify.records import FailureClass, Rule, Tier
from conformance.model import Layer, SourceKind, VerdictKind

_RUNTIME: Final = Layer.RUNTIME
_USERNS: Final = "https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/"
#: A line of a build's progress, where the text around it is a build step's.
_BUILD_STEP: Final = (
    r"(?m)^\W{0,4}#\d+ |executor failed running|process .* did not complete successfully|failed to solve|STEP \d+[/:]"
)
_STARTED: Final = frozenset(SourceKind) - {SourceKind.BUILD}

CLASSES: Final = (
    FailureClass(
        name="apparmor-not-enabled",
        layer=_RUNTIME,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The pod asks for an AppArmor profile and the kubelet finds no AppArmor on the node.",
        remedy="Leave appArmorProfile unset (or Unconfined) on that provider.",
        reference="https://kubernetes.io/docs/tutorials/security/apparmor/",
        explains=("runtime-apparmor-unsupported",),
        rules=(
            Rule(
                pattern=r"Cannot enforce AppArmor|AppArmor (?:is )?not enabled on the host|AppArmor disabled by feature"
            ),
        ),
    ),
    FailureClass(
        name="runtime-apparmor-unsupported",
        layer=_RUNTIME,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The pod asks for an AppArmor profile and the container runtime has no AppArmor.",
        remedy="Leave appArmorProfile unset (or Unconfined) on that provider.",
        reference="https://github.com/containerd/containerd/blob/main/internal/cri/sputil/apparmor_linux.go",
        rules=(
            Rule(
                pattern=r"apparmor is not supported|apparmor not supported|cannot load AppArmor profile .*(?:not"
                r"|un)support",
                unless=r"buildkitd|oci-worker-apparmor|worker",
                unless_near=_BUILD_STEP,
            ),
        ),
    ),
    FailureClass(
        name="apparmor-denied",
        layer=_RUNTIME,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The kernel's audit log says that AppArmor refused a mount, a capability or a user namespace.",
        remedy="AppArmor Unconfined, or a Localhost profile that permits what the line names.",
        reference="https://kubernetes.io/docs/tutorials/security/apparmor/",
        rules=(Rule(pattern=r"apparmor\W{1,4}DENIED", detail=message),),
    ),
    FailureClass(
        name="seccomp-profile-missing",
        layer=_RUNTIME,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The Localhost seccomp profile that the pod names is not on the node.",
        remedy="Put the profile on every node (DaemonSet, security-profiles-operator) before the pod starts.",
        reference="https://kubernetes.io/docs/tutorials/security/seccomp/",
        rules=(
            Rule(
                pattern=r"seccomp.*(?:no such file|does not exist|not found)"
                r"|(?:load|open|read|generate|generating|set ?up)\w* .*seccomp .*(?:profile|spec|option).*:",
                near=r"no such file|does not exist|not found|cannot find",
                unless=r"libseccomp|seccomp is not|seccomp not (?:supported|enabled)",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="userns-unsupported-runtime",
        layer=_RUNTIME,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The pod has `hostUsers: false` and the container runtime knows no user namespaces.",
        remedy="containerd 2.0 with runc 1.2 or newer, or CRI-O 1.25 with crun 1.9 or newer.",
        reference=_USERNS,
        rules=(
            Rule(
                pattern=r"(?:runtime|handler)\W.*do(?:es)? ?n[o']t support user ?namespaces"
                r"|user namespaces? .*not (?:yet )?supported"
                r" by the (?:runtime|cri)|the handler \S* is not known"
                r"|support for user namespaces is not yet implemented"
                r"|can't set \W?spec\.hostUsers: false",
                unless=r"UserNamespacesSupport",
            ),
        ),
    ),
    FailureClass(
        name="userns-feature-gate-disabled",
        layer=_RUNTIME,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The kubelet's feature gate UserNamespacesSupport is off.",
        remedy="Kubernetes 1.33 or newer, or switch the gate on at the API server and at the kubelet.",
        reference=_USERNS,
        rules=(
            Rule(
                pattern=r"feature gate \W{0,2}UserNamespaces\w*\W{1,3}is (?:disabled|not enabled|off)"
                r"|can't set spec\.HostUsers"
            ),
        ),
    ),
    FailureClass(
        name="userns-max-zero-sandbox",
        layer=_RUNTIME,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The runtime cannot make the pod's user namespace: the node's user.max_user_namespaces is 0 (no disk "
        "is full).",
        remedy="Raise the sysctl user.max_user_namespaces on the node.",
        reference="https://github.com/bottlerocket-os/bottlerocket/issues/3328",
        explains=("disk-full", "rootlesskit-max-user-namespaces"),
        rules=(
            Rule(
                pattern=r"(?:noop process for unshare|pin(?:ns)?\W.*(?:user ?ns|namespaces?)|user namespace|unshare"
                r"|clone).*"
                r"no space left on device",
                near=r"sandbox|CreatePodSandbox|RunPodSandbox|pinns|noop process|shim task|network namespace",
                unless=r"rootlesskit|buildah|podman run|Error during unshare",
            ),
        ),
    ),
    FailureClass(
        name="userns-idmap-unsupported",
        layer=_RUNTIME,
        kind=VerdictKind.UNSUPPORTED,
        meaning="The kernel or a volume's file system cannot do idmapped mounts, which `hostUsers: false` needs.",
        remedy="Kernel 6.3 or newer (tmpfs), and volumes on file systems that support idmapped mounts.",
        reference=_USERNS,
        rules=(
            Rule(
                pattern=r"MOUNT_ATTR_IDMAP|mapped mount (?:for|on) |idmap(?:ped)?[ -]mount.*(?:fail|not support"
                r"|doesn't support|unsupported"
                r"|unable|invalid)|(?:fail|not support|doesn't support|unsupported|unable"
                r"|cannot)\w*.*(?:idmap(?:ped)?|ID-?map(?:ped)?)[ -]mount"
                r"|mount_setattr\W.*(?:invalid argument|not implemented|not supported|not permitted)",
            ),
        ),
    ),
    FailureClass(
        name="userns-allocation-exhausted",
        layer=_RUNTIME,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The kubelet has no range of user ids left for another pod with `hostUsers: false`.",
        remedy="Fewer such pods on the node, or a wider subuid range for the kubelet.",
        reference="https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces",
        rules=(
            Rule(
                pattern=r"not enough unused IDs in user ?namespace|empty slot to allocate a user ?namespace"
                r"|can't allocate user ?namespace"
            ),
        ),
    ),
    FailureClass(
        name="kubelet-ids-per-pod-invalid",
        layer=_RUNTIME,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The kubelet does not start: userNamespaces.idsPerPod does not divide its range of ids.",
        remedy="A power of two multiple of 65536, such as 262144.",
        reference=_USERNS,
        rules=(
            Rule(pattern=r"assigned IDs length \d+ is not a multiple of|(?:idsPerPod|userns length)\W.*multiple of"),
        ),
    ),
    FailureClass(
        name="run-as-nonroot-conflict",
        layer=_RUNTIME,
        kind=VerdictKind.DEFECT,
        meaning="The pod wants runAsNonRoot and the image's user is root or a name.",
        remedy="A numeric runAsUser.",
        reference="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
        rules=(
            Rule(
                pattern=r"runAsNonRoot and (?:image|runAsUser)|image has non-numeric user"
                r"|cannot verify user is non-root"
                r"|runAsUser breaks non-?root policy",
            ),
        ),
    ),
    FailureClass(
        name="init-container-chmod-eperm",
        layer=_RUNTIME,
        kind=VerdictKind.DEFECT,
        meaning="An init container gave a folder away before it changed its mode, with no CAP_FOWNER left to do so.",
        remedy="chmod before chown, or add the capability FOWNER.",
        reference="https://man7.org/linux/man-pages/man7/capabilities.7.html",
        kinds=frozenset({SourceKind.INIT, SourceKind.STATUS, SourceKind.UNKNOWN, SourceKind.CONTAINER}),
        rules=(
            Rule(pattern=r"\bchmod: .*operation not permitted", unless_near=rf"{_BUILD_STEP}|error building image"),
        ),
    ),
    FailureClass(
        name="container-arch-mismatch",
        layer=_RUNTIME,
        kind=VerdictKind.DEFECT,
        meaning="The program of a running container is built for another architecture.",
        remedy="Build and push the image for the node's platform.",
        reference="https://docs.docker.com/build/building/multi-platform/",
        rules=(
            Rule(pattern=r"exec format error", kinds=_STARTED - {SourceKind.UNKNOWN}, unless_near=_BUILD_STEP),
            Rule(
                pattern=r"exec format error",
                kinds=frozenset({SourceKind.UNKNOWN}),
                near=r"kubectl logs|CrashLoopBackOff|Back-off restarting|docker run|podman run|kubelet"
                r"|containerd task|shim task",
                unless_near=_BUILD_STEP,
            ),
        ),
    ),
    FailureClass(
        name="container-exit-137",
        layer=_RUNTIME,
        kind=VerdictKind.SYMPTOM,
        meaning="A container was killed (SIGKILL) and nothing says that memory was the reason.",
        remedy="Look at events and the last state (probes, eviction, the runtime) before calling it out of memory.",
        reference="https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/",
        rules=(
            Rule(
                pattern=r"exit(?:ed)?[ _-]?(?:code|status|with)?(?: code| status)?\W{1,6}137\b",
                also=("oom-killed", "pod-evicted"),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="container-exec-setns-failed",
        layer=_RUNTIME,
        kind=VerdictKind.SYMPTOM,
        meaning="Something was executed in a container that was just dying.",
        remedy="Look for the container's own failure.",
        reference="https://github.com/kubernetes/kubernetes/issues/122256",
        rules=(
            Rule(
                pattern=r"error executing setns process|OCI runtime exec failed.*(?:setns|procReady"
                r"|container .*(?:stopped|not running))"
                r"|cannot exec in a (?:stopped|deleted) (?:container|state)",
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
)
