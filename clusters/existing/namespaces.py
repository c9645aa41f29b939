"""The namespaces of a run: those that carry its label, and no others."""

from __future__ import annotations

from clusters import waiting
from clusters.errors import ClustersError, TooSlowError, UnavailableError
from clusters.existing.limits import LIMITS
from clusters.existing.names import is_system
from clusters.existing.server import Json, Server
from clusters.tags import RUN_LABEL

_PATH = "/api/v1/namespaces"


def of_run(server: Server, run_id: str) -> list[Json]:
    """List the namespaces that carry a run's label, but for those that are nobody's to touch. Raises ClustersError."""
    found = server.items(_PATH, labelSelector=f"{RUN_LABEL}={run_id}")
    return [each for each in found if _is_ours(each, run_id)]


def require_free(server: Server) -> None:
    """Raise UnavailableError when another run's namespaces are there: two runs would use the same fixtures."""
    others = sorted({each["metadata"]["labels"][RUN_LABEL] for each in server.items(_PATH, labelSelector=RUN_LABEL)})
    if others:
        raise UnavailableError(
            f"namespaces of another run are on this cluster ({', '.join(others)}): wait until it has ended. Of one "
            "that was killed here, `uv run conformance janitor` removes them; of one that was kept or ran elsewhere, "
            f"`kubectl delete namespaces -l {RUN_LABEL}={others[0]}`"
        )


def remove(server: Server, run_id: str) -> None:
    """Delete a run's namespaces and wait until they are gone. Raises ClustersError that says what stays and why."""
    asked: set[str] = set()

    def are_gone() -> bool:
        left = of_run(server, run_id)
        for each in left:
            name = each["metadata"]["name"]
            # Once each, and again whoever came after the first look.
            if name not in asked and not each["metadata"].get("deletionTimestamp"):
                server.delete(f"{_PATH}/{name}")
            asked.add(name)
        return not left

    try:
        waiting.until(are_gone, limit=LIMITS.removal, interval=LIMITS.look, what="the run's namespaces to go")
    except TooSlowError as error:
        stuck = "; ".join(_why_it_stays(each) for each in of_run(server, run_id))
        raise ClustersError(f"after {LIMITS.removal:g} s there is still {stuck}") from error


def _is_ours(namespace: Json, run_id: str) -> bool:
    # Asked again here: a server in between that ignores selectors must not make us delete everything.
    labels = namespace["metadata"].get("labels") or {}
    return labels.get(RUN_LABEL) == run_id and not is_system(namespace["metadata"]["name"])


def _why_it_stays(namespace: Json) -> str:
    conditions = namespace.get("status", {}).get("conditions") or []
    why = " ".join(str(each.get("message") or "") for each in conditions if each.get("status") == "True")
    return f"namespace {namespace['metadata']['name']}{f' ({why})' if why else ''}"
