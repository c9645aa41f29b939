"""What things are called in Radius' chart (templates/dynamic-rp/deployment.yaml, since v0.59.0)."""

from __future__ import annotations

from typing import Final

CLIENT: Final = "dynamic-rp"
DAEMON: Final = "buildkitd"
#: The init container that prepares the volumes, as root, and the one that hands `buildctl` over.
VOLUMES_INIT: Final = "buildkit-volumes-init"
BUILDCTL_INIT: Final = "buildctl-init"
#: The volume of the daemon's state.
STATE: Final = "buildkit-state"
#: Set below Kubernetes 1.30 in place of the field; it would stand beside what a builder says.
APPARMOR_ANNOTATION: Final = f"container.apparmor.security.beta.kubernetes.io/{DAEMON}"
