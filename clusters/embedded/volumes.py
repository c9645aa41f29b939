"""Volumes: Rancher's local path provisioner as a component on the node, and the objects that it needs.

It makes and removes a folder for each claim by a short pod on the node, and that folder is the volume.
"""

from __future__ import annotations

import json
from typing import Any, Final

import yaml

from clusters.embedded import access
from clusters.embedded.access import RBAC, Objects
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Kind, Ready, Step
from clusters.embedded.timeouts import TIMEOUTS

#: The toolchain's program, and what its step, its certificate and its kubeconfig are called.
PROGRAM: Final = "local-path-provisioner"
USER: Final = "system:local-path-provisioner"

STORAGE_CLASS: Final = "local-path"
NAMESPACE: Final = "local-path-storage"

#: Where volumes are, as the node sees it: in the cluster's own folder, so that they go with the cluster.
FOLDER: Final = "/var/lib/local-path"

CONFIGURATION: Final = "local-path.json"
HELPER_POD: Final = "local-path-helper.yaml"

#: The provisioner's own name of the ConfigMap (main.go, DefaultConfigMapName).
_SCRIPTS: Final = "local-path-config"

#: Said once it has read claims, volumes and classes (sig-storage-lib-external-provisioner, controller.go, Run).
_STARTED: Final = "Started provisioner controller"


def objects() -> Objects:
    """Return API path and body of what the provisioner needs, in the order of creation."""
    return (
        (
            "/api/v1/namespaces",
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                # Its pods mount the folder of all volumes: whatever the cluster's default level is, they must run.
                "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
            },
        ),
        (
            f"/api/v1/namespaces/{NAMESPACE}/configmaps",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": _SCRIPTS},
                # As its own deployment has them: a pod of any user may write.
                "data": {"setup": 'mkdir -m 0777 -p "$VOL_DIR"\n', "teardown": 'rm -rf "$VOL_DIR"\n'},
            },
        ),
        (
            "/apis/storage.k8s.io/v1/storageclasses",
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {
                    "name": STORAGE_CLASS,
                    "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
                },
                "provisioner": "rancher.io/local-path",
                "volumeBindingMode": "WaitForFirstConsumer",
                "reclaimPolicy": "Delete",
            },
        ),
        access.role(USER, *_everywhere()),
        access.binding(USER, role=USER, user=USER),
        *_for_helper_pods(),
    )


def configuration() -> str:
    """Render the provisioner's configuration: one folder on every node there is."""
    return json.dumps({"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [FOLDER]}]}, indent=1)


def helper_pod(image: str) -> str:
    """Render the pod that makes or removes a folder; the provisioner adds the script, the folder and the node."""
    content = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper"},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "helper",
                    "image": image,
                    # It is on the node, and in no registry.
                    "imagePullPolicy": "Never",
                    # Folders of volumes hold files of all users.
                    "securityContext": {"runAsUser": 0, "runAsGroup": 0},
                }
            ],
        },
    }
    return yaml.safe_dump(content, sort_keys=False)


def step(layout: Layout) -> Step:
    """Return the provisioner's step. It serves nothing that could be asked, so it is its log that tells."""
    return Step(
        name=PROGRAM,
        needs=("features", "node"),
        argv=(
            PROGRAM,
            "start",
            f"--config={layout.config / CONFIGURATION}",
            f"--helper-pod-file={layout.config / HELPER_POD}",
            f"--kubeconfig={layout.kubeconfigs / PROGRAM}",
            f"--namespace={NAMESPACE}",
            f"--configmap-name={_SCRIPTS}",
            "--service-account-name=default",
        ),
        ready=Ready(
            kind=Kind.LOGGED, target=str(layout.logs / f"{PROGRAM}.log"), text=_STARTED, limit=TIMEOUTS.component
        ),
    )


def _everywhere() -> tuple[dict[str, Any], ...]:
    read = ["get", "list", "watch"]
    return (
        {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": read},
        {"apiGroups": [""], "resources": ["nodes", "persistentvolumeclaims"], "verbs": read},
        {
            "apiGroups": [""],
            "resources": ["persistentvolumes"],
            "verbs": [*read, "create", "update", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    )


def _for_helper_pods() -> Objects:
    path = f"/apis/{RBAC}/v1/namespaces/{NAMESPACE}"
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": USER},
        # It would also read their logs, but looks for the API server as only a pod can, and says that it failed.
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "create", "delete"]}],
    }
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": USER},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": USER},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": USER}],
    }
    return ((f"{path}/roles", role), (f"{path}/rolebindings", binding))
