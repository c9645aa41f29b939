"""A copy of the builder's pod with limits, so that the limits of the real one need not be touched."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.errors import ApiError
from conformance.kube import Json, Ran
from conformance.model import Topology
from conformance.probes.buildkit import program
from conformance.probes.context import CannotLookError, ProbeRun
from conformance.stages.context import container_status
from conformance.waiting import poll


@dataclass(frozen=True, kw_only=True, slots=True)
class Limited:
    """That pod, while it stands."""

    run: ProbeRun
    name: str

    def state(self) -> Json:
        """Return the pod as it is now; empty when it is gone."""
        return self.run.cell_run.kube.pod(self.run.cell_run.namespace, self.name) or {}

    def builder(self) -> Json:
        """Return the status of its builder's container."""
        return container_status(self.state(), self.run.cell_run.builder_container)

    def script(self, file: str, *lines: str) -> Ran:
        """Run shell lines in its client's container and keep what they said; one that is cut off has no code."""
        cell_run = self.run.cell_run
        ran = cell_run.kube.execute(
            cell_run.namespace,
            self.name,
            cell_run.client_container,
            [*cell_run.driver.shell, "\n".join(lines)],
            within=min(self.run.deadline.remaining, cell_run.timeouts.build),
        )
        self.run.note(file, ran.output)
        return ran

    def in_builder(self, script: str) -> str:
        """Run shell lines in its builder's container and return what they said; nothing when they could not run."""
        cell_run = self.run.cell_run
        argv = ["sh", "-c", script]
        try:
            ran = cell_run.kube.execute(
                cell_run.namespace, self.name, cell_run.builder_container, argv, within=cell_run.timeouts.command
            )
        except ApiError:
            # Its container has ended.
            return ""
        return ran.output

    def usable(self) -> bool:
        """Ask its builder once whether builds can begin."""
        cell_run = self.run.cell_run
        try:
            ran = cell_run.kube.execute(
                cell_run.namespace,
                self.name,
                cell_run.client_container,
                list(cell_run.driver.hello()),
                within=cell_run.timeouts.command,
            )
        except ApiError:
            # Its containers are not started yet, or ended.
            return False
        return ran.ok and cell_run.driver.is_usable(ran.output)


@contextmanager
def standing(run: ProbeRun, name: str, limits: Mapping[str, str], *, state_limit: str = "") -> Iterator[Limited]:
    """Let a copy of the builder's pod stand while the block runs, its builder limited; wait until it can build.

    `state_limit` is the size limit of the volume with the builder's state. Raises CannotLookError where client and
    builder are not in one pod.
    """
    program(run, daemon=True)
    if run.cell_run.cell.builder.topology is not Topology.SIDECAR:
        raise CannotLookError("only a sidecar has its client beside it, so that a copy of its pod is enough")
    cell_run = run.cell_run
    body = limited(run.pod(), name, cell_run.builder_container, limits)
    if state_limit:
        _limit_state(body, cell_run.builder_container, cell_run.cell.builder.state_directory, state_limit)
    cell_run.kube.create_pod(cell_run.namespace, body)
    pod = Limited(run=run, name=name)
    try:
        poll(lambda: pod.usable() or None, within=run.deadline.remaining, what=f"the pod {name} being able to build")
        yield pod
    finally:
        cell_run.kube.delete_pod(cell_run.namespace, name)


def limited(admitted: Json, name: str, container: str, limits: Mapping[str, str]) -> Json:
    """Return a pod like an admitted one, of no controller, with limits on one of its containers."""
    spec = {key: value for key, value in copy.deepcopy(admitted["spec"]).items() if key != "nodeName"}
    for each in spec["containers"]:
        # Probes of the kubelet would restart what is starved on purpose.
        each.pop("livenessProbe", None)
        if each["name"] == container:
            each["resources"] = {"limits": dict(limits), "requests": dict.fromkeys(limits, "0")} if limits else {}
    # A container that ends stays ended where that is what is looked for: its state is the evidence.
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name}},
        "spec": {**spec, "terminationGracePeriodSeconds": 0},
    }


def _limit_state(body: Json, container: str, folder: str, limit: str) -> None:
    spec = body["spec"]
    mounts = next(each for each in spec["containers"] if each["name"] == container)["volumeMounts"]
    volume = next((mount["name"] for mount in mounts if mount["mountPath"] == folder), "")
    for each in spec.get("volumes", []):
        if each["name"] == volume and "emptyDir" in each:
            each["emptyDir"] = {**(each["emptyDir"] or {}), "sizeLimit": limit}
            return
    raise CannotLookError("the builder's state is on no emptyDir, whose size could be limited")
