"""What charts/build-standalone is told of a builder, and how its client finds the daemon."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from clusters.paths import CHECKOUT
from clusters.provider import Image, ImageRole
from conformance.chart import ADAPTERS
from conformance.matrix import load
from conformance.model import Builder, Tls, Topology

IMAGES = {role: Image(role=role, reference=f"localhost/{role}:1", digest="", origin="") for role in ImageRole}
SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "charts" / "build-standalone" / "values.schema.json").read_text())
ADAPTER = ADAPTERS["build-standalone"]
BUILDERS = [each for each in load().builders.values() if each.topology is Topology.STANDALONE]


def builder(**standalone: object) -> Builder:
    return Builder.model_validate(
        {
            "name": "b",
            "summary": "s",
            "origin": "o",
            "image": ImageRole.BUILDKIT_ROOTLESS,
            "topology": "standalone",
            "needs": ("volumes", "network-policy"),
            "standalone": standalone,
        }
    )


def values(**standalone: object) -> dict[str, Any]:
    return ADAPTER.values(builder(**standalone), IMAGES, "r:5000")


@pytest.mark.parametrize("each", BUILDERS, ids=lambda each: each.name)
def test_values_of_every_standalone_builder_satisfy_the_charts_schema(each: Builder) -> None:
    told = ADAPTER.values(each, IMAGES, "10.0.0.9:5000")
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(told)] == []
    assert told["builder"]["securityContext"] == each.security_context
    assert told["config"]["registries"] == {"10.0.0.9:5000": {"http": True}}


def test_everything_that_is_said_reaches_the_chart() -> None:
    told = values(replicas=3, storage="2Gi", pod_disruption_budget=True, network_policy=True)
    assert (told["kind"], told["replicas"]) == ("StatefulSet", 3)
    assert told["storage"] == {"enabled": True, "size": "2Gi"}
    assert told["podDisruptionBudget"] == {"enabled": True}
    assert told["networkPolicy"]["enabled"]


def test_what_is_not_said_is_switched_off() -> None:
    told = values(kind="Deployment")
    assert told["kind"] == "Deployment"
    assert not any(told[key]["enabled"] for key in ("storage", "podDisruptionBudget", "networkPolicy"))


@pytest.mark.parametrize("tls", Tls)
def test_a_daemon_gets_its_certificates_unless_it_is_to_speak_plaintext(tls: Tls) -> None:
    plain = tls in {Tls.SERVER_PLAINTEXT, Tls.BOTH_PLAINTEXT}
    expected = (
        {"enabled": False, "secretName": ""} if plain else {"enabled": True, "secretName": "buildkitd-server-tls"}
    )
    assert values(tls=tls)["tls"] == expected


NAME = "buildkitd.ns.svc.cluster.local"
ADDRESS = f"--addr=tcp://{NAME}:1234"
TRUST = (f"--tlsservername={NAME}", "--tlscacert=/certs/ca.crt")
OWN = ("--tlscert=/certs/tls.crt", "--tlskey=/certs/tls.key")


@pytest.mark.parametrize(
    ("tls", "flags"),
    [
        (Tls.VALID, (*TRUST, *OWN)),
        (Tls.NO_CLIENT_CERTIFICATE, TRUST),
        (Tls.CLIENT_PLAINTEXT, ()),
        (Tls.BOTH_PLAINTEXT, ()),
        (Tls.SERVER_PLAINTEXT, (*TRUST, *OWN)),
        (Tls.CLIENT_FILE_MISSING, (*TRUST, *OWN)),
    ],
)
def test_the_client_dials_the_service_with_what_it_was_given(tls: Tls, flags: tuple[str, ...]) -> None:
    assert ADAPTER.connection(builder(tls=tls), "ns") == (ADDRESS, *flags)
