"""What a run does only with its users' consent on clusters that are other people's."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from clusters import providers
from clusters.provider import Borrows, Capability
from conformance.kube import Json
from conformance.model import Cell, PsaLevel
from conformance.options import Request
from conformance.plan import Plan
from conformance.probes import PROBES

PRIVILEGED = "--allow-privileged"
DISRUPTIVE = "--allow-disruptive"


def why_not(cell: Cell, capabilities: Collection[Capability], *, allowed: bool) -> str | None:
    """Say why a cell may not run on a cluster, or None. Below the level privileged, Pod Security refuses its pod."""
    if allowed or Capability.OURS in capabilities or not _is_privileged(cell):
        return None
    return f"privileged pods run on a cluster that is not ours only with {PRIVILEGED}"


def why_not_pod(pod: Json, *, unenforced: str) -> str | None:
    """Say why a pod must not be created though its cell may run, or None: nothing here would refuse it."""
    spec = pod.get("spec") or {}
    every = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    named = [str(each["name"]) for each in every if (each.get("securityContext") or {}).get("privileged")]
    if not named or not unenforced:
        return None
    return f"container {', '.join(named)} is privileged, Pod Security is not in force and {PRIVILEGED} was not given"


def notes(plan: Plan, request: Request) -> Iterator[str]:
    """Yield what a plan leaves out for want of consent, a sentence a cluster and reason."""
    for key in plan.clusters:
        if not isinstance(providers.PROVIDERS.get(key.provider), Borrows):
            continue
        on = plan.on(key)
        if not request.allow_privileged and (names := [cell.id for cell in on if _is_privileged(cell)]):
            yield (
                f"{key.name}: without {PRIVILEGED} no privileged pod is created, so these do not run: "
                f"{', '.join(names)}; without its control cell, failures on this cluster stay inconclusive"
            )
        wanted = {name for cell in on for name in cell.probes if PROBES[name].disruptive}
        if not request.allow_disruptive and wanted:
            yield f"{key.name}: without {DISRUPTIVE} these probes do not look: {', '.join(sorted(wanted))}"


def _is_privileged(cell: Cell) -> bool:
    return cell.level.psa is PsaLevel.PRIVILEGED and cell.builder.security_context.get("privileged") is True
