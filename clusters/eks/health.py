"""What EKS says is wrong with a control plane or a node group: its waiters do not tell, its health issues do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clusters.eks.aws import Answer
from clusters.eks.faults import HINTS, AwsError, Kind, kind_of
from clusters.errors import ClustersError


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """One health issue: its code, EKS' own words, and what it is about."""

    code: str
    message: str
    about: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as one line."""
        about = f" [{', '.join(self.about)}]" if self.about else ""
        return f"{self.code}: {self.message}{about}"


class UnhealthyError(ClustersError):
    """A control plane or a node group ended in a state it will not leave."""

    def __init__(self, what: str, status: str, found: tuple[Issue, ...]) -> None:
        """Name what it is, its status, and the issues that EKS tells of it."""
        self.issues = found
        lines = [f"{what} is {status}", *(str(issue) for issue in found)]
        if not found:
            lines.append("EKS tells no reason: its events in CloudTrail may")
        kinds = dict.fromkeys(kind_of(issue.code) for issue in found)
        lines += [HINTS[kind] for kind in kinds if kind is not Kind.OTHER]
        super().__init__("\n".join(lines))


def issues(found: Answer) -> tuple[Issue, ...]:
    """Return the health issues of a control plane or a node group as AWS describes it."""
    return tuple(
        Issue(
            code=str(issue.get("code", "")),
            message=str(issue.get("message", "")),
            about=tuple(str(each) for each in issue.get("resourceIds") or ()),
        )
        for issue in found.get("health", {}).get("issues") or ()
    )


def ask_for_removal(found: Answer, delete: Callable[[], object], *, asked: bool, what: str) -> bool:
    """Ask EKS to delete something that is there, unless it does so already; say whether it has been asked.

    What is still being created or changed cannot be deleted: it is asked for again. Raises UnhealthyError when the
    deletion that was asked for failed, AwsError.
    """
    status = found["status"]
    if status == "DELETING":
        return True
    if status == "DELETE_FAILED" and asked:
        raise UnhealthyError(what, status, issues(found))
    try:
        delete()
    except AwsError as error:
        if error.is_gone:
            return True
        if not error.is_busy:
            raise
        return False
    return True
