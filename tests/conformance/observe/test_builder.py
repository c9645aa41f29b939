from __future__ import annotations

from conformance.observe import proc
from conformance.observe.builder import _worker, twin

ADMITTED = {
    "spec": {
        "hostUsers": False,
        "securityContext": {"fsGroup": 1000},
        "serviceAccountName": "default",
        "volumes": [{"name": "data"}],
        "containers": [
            {"name": "app", "image": "a"},
            {
                "name": "buildkitd",
                "image": "b",
                "args": ["--addr"],
                "livenessProbe": {"exec": {}},
                "securityContext": {"runAsUser": 1000, "someFutureField": 1},
                "volumeMounts": [{"name": "data", "mountPath": "/x"}],
            },
        ],
    }
}


def test_a_twin_has_the_builders_security_settings_and_nothing_else_of_it() -> None:
    spec = twin(ADMITTED, "buildkitd")["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"] == {"runAsUser": 1000, "someFutureField": 1}
    assert container["image"] == "b"
    assert spec["hostUsers"] is False
    assert spec["securityContext"] == {"fsGroup": 1000}
    assert "args" not in container
    assert container["command"][-1].endswith(proc.END)
    assert "livenessProbe" not in container
    assert "volumes" not in spec
    assert spec["restartPolicy"] == "Never"


def test_worker_labels_and_platforms_are_read_from_the_clients_list() -> None:
    output = (
        "ID:\t\tabc\nPlatforms:\tlinux/amd64,linux/amd64/v2\nLabels:\n"
        "\torg.mobyproject.buildkit.worker.executor:\toci\n"
        "\torg.mobyproject.buildkit.worker.snapshotter:\toverlayfs\nGC Policy rule#0:\n\tAll:\ttrue\n"
    )
    labels, platforms = _worker(output)
    assert labels["org.mobyproject.buildkit.worker.snapshotter"] == "overlayfs"
    assert platforms == ("linux/amd64", "linux/amd64/v2")
