"""The node's facts: what the API says, what canary pods see, and what their behaviour shows."""

from __future__ import annotations

from pathlib import PurePosixPath

from clusters.provider import SECCOMP_PROFILES
from conformance import namespace
from conformance.errors import ApiError, WaitError
from conformance.kube import Json, Kube
from conformance.model import FactsOrigin, Level, NodeFacts, PsaLevel
from conformance.observe import foreign, objects, proc, reader
from conformance.waiting import Timeouts, poll

#: Sysctls and module parameters that decide whether an unprivileged process may make a user namespace.
_SYSCTLS = (
    "kernel.apparmor_restrict_unprivileged_userns",
    "kernel.unprivileged_userns_clone",
    "user.max_user_namespaces",
    "kernel.keys.maxkeys",
)
#: The field `Seccomp` of proc(5)'s status.
_FILTERED = 2
_APPARMOR = "/sys/module/apparmor/parameters/enabled"
_PLAIN = "node-facts"
_USERNS = "node-facts-userns"
_PROFILES = "node-facts-profiles"
_CONTAINER = "canary"
_EMULATORS = "emulators"


def start(kube: Kube, *, image: str, run_id: str, bounded: bool = False) -> str:
    """Create the canary pods without waiting; return their namespace, with a quota if `bounded`.

    Raises ApiError, WaitError.
    """
    name = namespace.name_for(run_id, "node-facts")
    # Baseline, because a canary has to leave its seccomp profile unset: what it then runs under is the answer.
    level = Level(psa=PsaLevel.BASELINE)
    body = namespace.manifest(name, level=level, run_id=run_id, cell_id="node-facts")
    namespace.create(kube, body, bounded=bounded)
    kube.create_pod(name, _canary(_PLAIN, image, host_users=None))
    kube.create_pod(name, _canary(_USERNS, image, host_users=False))
    kube.create_pod(name, _profile_canary(image))
    return name


def read(kube: Kube, name: str, *, configz: bool = True) -> NodeFacts:
    """Wait for the canaries, read them and the API; what cannot be read stays None. Removes the namespace.

    Without `configz` the kubelet's configuration is not asked for. Of several nodes the canaries' own is described.
    """
    plain, userns = _log(kube, name, _PLAIN), _log(kube, name, _USERNS)
    profiles = _profiles(kube, name)
    where = ((kube.pod(name, _PLAIN) or {}).get("spec") or {}).get("nodeName")
    kube.delete_namespace(name)
    nodes = sorted(kube.nodes(), key=lambda node: bool(node["metadata"]["name"] != where))
    info = nodes[0]["status"]["nodeInfo"] if nodes else {}
    node_name = str(nodes[0]["metadata"]["name"]) if nodes else ""
    seen = proc.sections(plain)
    seccomp = proc.facts(plain, FactsOrigin.TWIN).seccomp
    apparmor = seen.get(_APPARMOR)
    return NodeFacts(
        name=node_name,
        kernel=info.get("kernelVersion"),
        os=info.get("osImage"),
        architecture=info.get("architecture"),
        container_runtime=info.get("containerRuntimeVersion"),
        kubelet=info.get("kubeletVersion"),
        cgroup_version={"yes": 2, "no": 1}.get(seen.get("cgroup2", "")),
        apparmor=apparmor == "Y" if plain else None,
        seccomp_default=seccomp != 0 if seccomp is not None else None,
        ids_per_pod=_userns_size(proc.sections(userns).get("uid_map", "")),
        seccomp_profiles=profiles,
        emulators=foreign.emulated(seen.get(_EMULATORS, ""), info.get("architecture", "")),
        sysctls={key: seen[key] for key in _SYSCTLS if key in seen},
        configz=_configz(kube, node_name) if configz else {},
    )


def _canary(name: str, image: str, *, host_users: bool | None) -> Json:
    lines = [proc.script("self")]
    for key in _SYSCTLS:
        lines += [f"echo '==conformance== {key}'", f"cat /proc/sys/{key.replace('.', '/')} 2>/dev/null || true"]
    lines += [f"echo '==conformance== {_APPARMOR}'", f"cat {_APPARMOR} 2>/dev/null || echo N"]
    lines += [
        "echo '==conformance== cgroup2'",
        "if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo yes; else echo no; fi",
        f"echo '==conformance== {_EMULATORS}'",
        foreign.script(),
        proc.END,
    ]
    pod = _pod(name, [{"name": _CONTAINER, "image": image, "command": ["sh", "-c", "\n".join(lines)]}])
    if host_users is not None:
        pod["spec"]["hostUsers"] = host_users
    return pod


def _profile_canary(image: str) -> Json:
    """Return a pod with a container for each Localhost seccomp profile of ours: none starts without its profile."""
    command = ["sh", "-c", f"{proc.script('self')}\n{proc.END}"]
    return _pod(
        _PROFILES,
        [
            {
                "name": _container_of(profile),
                "image": image,
                "command": command,
                "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": profile}},
            }
            for profile in SECCOMP_PROFILES
        ],
    )


def _container_of(profile: str) -> str:
    return PurePosixPath(profile).stem


def _pod(name: str, containers: list[Json]) -> Json:
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "containers": containers,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _profiles(kube: Kube, name: str) -> tuple[str, ...] | None:
    """Return the seccomp profiles that containers ran under; None when that could not be seen of each."""
    started = {profile: _runs_filtered(kube, name, _container_of(profile)) for profile in SECCOMP_PROFILES}
    if None in started.values():
        return None
    return tuple(profile for profile, ran in started.items() if ran)


def _runs_filtered(kube: Kube, name: str, container: str) -> bool | None:
    """Say whether a container came to run under a filter, or was refused because of it; None when neither is seen."""

    def look() -> bool | None:
        log = kube.logs(name, _PROFILES, container) or ""
        if proc.is_complete(log):
            return proc.facts(log, FactsOrigin.TWIN).seccomp == _FILTERED
        found = kube.pod(name, _PROFILES)
        statuses = objects.pod_status(found).containers if found is not None else ()
        waits = next((status.waiting_message for status in statuses if status.name == container), "")
        return False if "seccomp" in waits else None

    try:
        return poll(look, within=Timeouts().facts, what=f"canary {container}", every=0.1)
    except WaitError:
        return None


def _log(kube: Kube, name: str, pod: str) -> str:
    """Return a canary's output, or nothing when it did not end well (a node without user namespaces refuses one)."""
    try:
        return reader.output(kube, name, pod, _CONTAINER, within=Timeouts().facts)
    except WaitError:
        return ""


def _userns_size(uid_map: str) -> int | None:
    """Return how many ids a pod's user namespace has; None when there was none (the full range is no namespace)."""
    ranges = [line.split() for line in uid_map.splitlines()]
    size = sum(int(each[2]) for each in ranges if len(each) == 3)  # noqa: PLR2004 - proc(5): three columns
    return size if 0 < size < 2**32 - 1 else None


def _configz(kube: Kube, node: str) -> Json:
    try:
        config = kube.configz(node)["kubeletconfig"]
    except (ApiError, KeyError):
        return {}
    return {key: config[key] for key in ("seccompDefault", "userNamespaces", "featureGates") if key in config}
