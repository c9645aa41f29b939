"""A fake API server that labels namespaces and refuses privileged pods, at the seam that is `Kube`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from conformance.errors import ApiError
from conformance.kube import Answer as Reply
from conformance.kube import Json

Policy = Callable[[Json, str], str | None]


def refusal(level: str, detail: str) -> str:
    return f'pods "p" is forbidden: violates PodSecurity "{level}:latest": {detail}'


def pod_security(pod: Json, level: str) -> str | None:
    """Refuse what is privileged, as the real one words it."""
    bad = [each["name"] for each in pod["spec"]["containers"] if each.get("securityContext", {}).get("privileged")]
    if level == "privileged" or not bad:
        return None
    quoted = ", ".join(f'"{name}"' for name in bad)
    noun = "containers" if len(bad) > 1 else "container"
    return refusal(level, f"privileged ({noun} {quoted} must not set securityContext.privileged=true)")


class Server:
    """An API server that knows namespaces and answers dry runs by a policy; `errors` come instead, by pod name."""

    def __init__(self, policy: Policy = pod_security) -> None:
        self.policy = policy
        self.namespaces: dict[str, Json] = {}
        self.ever: list[Json] = []
        self.asked: list[tuple[str, str]] = []
        self.errors: dict[str, BaseException] = {}
        self.replies: dict[str, Reply] = {}
        self.cannot_delete = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def version(self) -> str:
        return "v1.35.4"

    def create_namespace(self, body: Json) -> Reply:
        if error := self.errors.get("namespace"):
            raise error
        self.namespaces[body["metadata"]["name"]] = body
        self.ever.append(body)
        return Reply(body=body)

    def service_account(self, namespace: str) -> Json:
        assert namespace in self.namespaces
        return {}

    def delete_namespace(self, name: str) -> None:
        if self.cannot_delete:
            raise ApiError("etcd is gone", status=500)
        self.namespaces.pop(name, None)

    def create_pod(self, namespace: str, pod: Json, *, dry_run: bool) -> Reply:
        assert dry_run
        labels = self.namespaces[namespace]["metadata"]["labels"]
        level = labels["pod-security.kubernetes.io/enforce"]
        name = pod["metadata"]["name"]
        self.asked.append((level, name))
        if error := self.errors.get(name):
            raise error
        if (said := self.policy(pod, level)) is not None:
            raise ApiError(said, status=403, reason="Forbidden")
        return self.replies.get(name, Reply(body=pod))
