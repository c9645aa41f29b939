"""What the account has of ours in a region that no lease explains."""

from __future__ import annotations

from collections.abc import Collection

from clusters import tags
from clusters.eks import kinds, roles
from clusters.eks.aws import Aws
from clusters.eks.faults import AwsError
from clusters.eks.names import PREFIX, PROVIDER
from clusters.provider import Leftover


def find(aws: Aws, leased: Collection[str], *, now: float) -> tuple[Leftover, ...]:
    """Return what carries our tag and belongs to none of the leased clusters, one for each cluster it is of.

    Another machine's clusters are listed too. Those whose time is not over have no name here, so that nobody removes
    them by mistake (`delete` by name still does). `now` is in seconds since the epoch.
    """
    try:
        found = _by_cluster(aws)
    except AwsError as error:
        return (Leftover(provider=PROVIDER, what=f"whatever is in {aws.region}: {error}"),)
    return tuple(_leftover(aws, name, traces, now=now) for name, traces in sorted(found.items()) if name not in leased)


def _leftover(aws: Aws, name: str, traces: dict[str, dict[str, str]], *, now: float) -> Leftover:
    marks = next(iter(traces.values()))
    is_over = tags.is_expired(marks, now=now)
    until = f"{'expired at' if is_over else 'may live until'} {marks.get(tags.EXPIRES, 'no known time')}"
    what = f"EKS cluster {name} in {aws.region}, {until}, of {marks.get(tags.OWNER, 'nobody known')}"
    return Leftover(provider=PROVIDER, what=f"{what}: {', '.join(sorted(traces))}", name=name if is_over else None)


def _by_cluster(aws: Aws) -> dict[str, dict[str, dict[str, str]]]:
    """Return by cluster what there is of it, and its tags."""
    found: dict[str, dict[str, dict[str, str]]] = {}

    def note(what: str, marks: dict[str, str]) -> None:
        if tags.CLUSTER in marks:
            found.setdefault(marks[tags.CLUSTER], {})[what] = marks

    for name in aws.eks.pages("list_clusters", "clusters"):
        if name.startswith(PREFIX):
            note(f"cluster {name}", _cluster_tags(aws, name))
    for kind in kinds.TAGGED:
        for item in kinds.of_all(aws, kind):
            note(f"{kind.word} {item[kind.id]}", kinds.words(item.get("Tags") or item.get("TagSet") or ()))
    for role, marks in roles.owners(aws).items():
        note(f"role {role}", marks)
    return found


def _cluster_tags(aws: Aws, name: str) -> dict[str, str]:
    try:
        return dict(aws.eks("describe_cluster", name=name)["cluster"].get("tags", {}))
    except AwsError as error:
        if error.is_gone:
            return {}
        raise
