"""The adapter of our own chart, charts/build-one-shot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clusters.provider import Image, ImageRole
from conformance.chart.images import reference
from conformance.model import Builder, Tool, Topology

_BUILDKIT_CONFIG: Final = "/etc/buildkit/buildkitd.toml"
_SUBORDINATE_IDS: Final = ("/etc/subuid", "/etc/subgid")
#: kaniko's image has no other program at a place that its builds leave alone.
_WAIT: Final = {Tool.KANIKO: ["/busybox/sleep", "1000000"]}


class BuildOneShot:
    """Says a builder in the values of charts/build-one-shot."""

    topology = Topology.ONE_SHOT
    builder_container = "builder"
    #: Builds are run in the builder's own container.
    client_container = "builder"

    def values(self, builder: Builder, images: Mapping[ImageRole, Image], registry: str) -> dict[str, Any]:
        """Return the values; all that a builder says is set, so that the chart's defaults change no verdict."""
        pod: dict[str, Any] = {"securityContext": builder.pod_security_context}
        if builder.host_users is not None:
            pod["hostUsers"] = builder.host_users
        return {
            "builder": {
                "image": reference(images, builder.image),
                "command": _WAIT.get(builder.tool, ["sleep", "infinity"]),
                "env": [{"name": name, "value": value} for name, value in _environment(builder).items()],
                "stateDirectory": builder.state_directory,
                "securityContext": builder.security_context,
            },
            "files": _files(builder, registry),
            "state": {"sizeLimit": builder.state_limit} if builder.state_limit else {},
            "pod": {"spec": pod},
        }

    def connection(self, builder: Builder, namespace: str) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's
        """Return nothing: there is no daemon to find."""
        return ()

    def post_renderer(self, builder: Builder, *, registry: str, release: str) -> Sequence[str]:  # noqa: ARG002 - protocol
        """Return nothing: the chart has a value for everything."""
        return ()


def _environment(builder: Builder) -> Mapping[str, str]:
    if builder.tool is not Tool.BUILDKIT:
        return builder.environment
    # The daemon that lives as long as a build is told by a variable, as upstream's script has it.
    flags = " ".join((f"--config={_BUILDKIT_CONFIG}", f"--root={builder.state_directory}", *builder.args))
    return {"BUILDKITD_FLAGS": flags, **builder.environment}


def _files(builder: Builder, registry: str) -> Mapping[str, str]:
    files = dict(builder.files)
    if builder.tool is Tool.BUILDKIT:
        files[_BUILDKIT_CONFIG] = f'[registry."{registry}"]\nhttp = true\n'
    if builder.subordinate_ids:
        files |= dict.fromkeys(_SUBORDINATE_IDS, f"{builder.subordinate_ids}\n")
    return files
