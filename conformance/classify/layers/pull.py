"""The runtime layer's other half: an image cannot be pulled to the node."""

from __future__ import annotations

from typing import Final

from conformance.classify.details import message
from conformance.classify.records import FailureClass, Rule, Tier
from conformance.classify.wording import NO_SUCH_HOST, PULL
from conformance.model import Layer, VerdictKind

_RUNTIME: Final = Layer.RUNTIME
_IMAGES: Final = "https://kubernetes.io/docs/concepts/containers/images/"
_DENIED: Final = (
    r"(?:unauthorized|authentication required|denied|no basic auth credentials|insufficient_scope|403 Forbidden"
    r"|401 Unauthorized"
    r"|: not found|not found:|code = NotFound|does not exist|manifest unknown|manifest for .* not found|name unknown"
    r"|authorization failed|failed to fetch (?:anonymous|oauth) token)"
)
_OTHER_PLATFORM: Final = (
    r"no match for platform in|no matching manifest for|no image found in (?:manifest|image) (?:list"
    r"|index) for architecture"
    r"|does not match the specified platform|no child with platform"
    r"|image operating system .* cannot be used"
)

CLASSES: Final = (
    FailureClass(
        name="image-pull-denied",
        layer=_RUNTIME,
        kind=VerdictKind.BAD_INPUT,
        meaning="The node may not pull the image, or the image does not exist (registries do not tell the two apart).",
        remedy="imagePullSecrets, the right name, or load the image into the kind or k3d cluster.",
        reference=_IMAGES + "#imagepullbackoff",
        explains=("image-pull-failed", "registry-unauthorized", "registry-push-denied", "registry-manifest-unknown"),
        rules=(
            Rule(pattern=rf"{PULL}.*{_DENIED}", unless=rf"{_OTHER_PLATFORM}|toomanyrequests", detail=message),
            Rule(
                pattern=r"unauthorized: |manifest unknown|requested access to the resource is denied"
                r"|authentication required",
                near=PULL,
                unless=rf"{_OTHER_PLATFORM}|toomanyrequests",
                detail=message,
                tier=Tier.CONSEQUENCE,
            ),
            Rule(
                pattern=r"pull access denied for|Status 40[13] trying to pull repository"
                r"|repository does not exist or may require .*docker login",
                unless=rf"{_OTHER_PLATFORM}|toomanyrequests|failed to solve|#\d+ ",
                detail=message,
            ),
        ),
    ),
    FailureClass(
        name="image-pull-platform-missing",
        layer=_RUNTIME,
        kind=VerdictKind.DEFECT,
        meaning="The image has no variant for the node's architecture.",
        remedy="A multi-platform image.",
        reference="https://docs.docker.com/build/building/multi-platform/",
        explains=("image-pull-denied", "image-pull-failed", "registry-image-not-found", "registry-manifest-unknown"),
        rules=(Rule(pattern=_OTHER_PLATFORM, detail=message),),
    ),
    FailureClass(
        name="image-pull-x509",
        layer=_RUNTIME,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="The node's container runtime does not trust the registry's certificate.",
        remedy="Add the CA to the node.",
        reference="https://github.com/containerd/containerd/blob/main/docs/hosts.md",
        explains=("image-pull-failed", "registry-x509"),
        rules=(
            Rule(
                pattern=rf"(?:{PULL}|sandbox image).*(?:x509:|certificate signed by unknown|certificate verify failed)"
            ),
        ),
    ),
    FailureClass(
        name="image-pull-dns",
        layer=_RUNTIME,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The node cannot resolve the registry's name; until the kubelet gives up it shows nothing but "
        "`Pulling`.",
        remedy="DNS and egress of the nodes, or load the image beforehand.",
        reference="https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/",
        explains=("image-pull-failed", "registry-dns-failed"),
        rules=(
            Rule(pattern=rf"(?:{PULL}|sandbox image).*{NO_SUCH_HOST}"),
            Rule(
                pattern=r"\bPulling\s+.*Pulling image",
                near=r"waiting to start: ContainerCreating|waiting\W.*ContainerCreating",
                unless_near=rf"Successfully pulled|{PULL}",
                also=("image-pull-failed",),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="image-name-invalid",
        layer=_RUNTIME,
        kind=VerdictKind.BAD_INPUT,
        meaning="The image's name is no reference that a registry could be asked for.",
        remedy="Fix the reference: lower case, one tag, a digest of the right length.",
        reference=_IMAGES + "#image-names",
        rules=(
            Rule(
                pattern=r"InvalidImageName|couldn't parse image (?:name|reference)|Failed to apply default image tag"
                r"|InspectFailed.*invalid reference",
                detail=message,
                tier=Tier.STATE,
            ),
        ),
    ),
    FailureClass(
        name="image-never-present",
        layer=_RUNTIME,
        kind=VerdictKind.DEFECT,
        meaning="imagePullPolicy is Never and the node does not have the image.",
        remedy="Load the image into the node, or allow pulling.",
        reference=_IMAGES + "#image-pull-policy",
        rules=(Rule(pattern=r"ErrImageNeverPull|not present with pull policy of Never", tier=Tier.STATE),),
    ),
    FailureClass(
        name="image-pull-failed",
        layer=_RUNTIME,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The node cannot pull an image, for a reason that is none of the pull classes; the message has it.",
        remedy="Read the registry's answer in the message; try again when it was the network.",
        reference=_IMAGES,
        explains=("registry-http-vs-https", "registry-conn-refused", "egress-tls-timeout"),
        rules=(Rule(pattern=PULL, tier=Tier.CONSEQUENCE, detail=message),),
    ),
)
