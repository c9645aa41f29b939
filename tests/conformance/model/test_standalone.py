"""What a builder's file may say of a daemon in pods of its own, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import datafile
from conformance.errors import UsageError
from conformance.model import Builder

HEAD = 'summary = "s"\norigin = "o"\nimage = "buildkit-rootless"\n'


def read(tmp_path: Path, text: str) -> Builder:
    path = tmp_path / "b.toml"
    path.write_text(HEAD + text)
    return datafile.read(path, Builder, also={"name": "b"})


def test_a_standalone_builder_is_read_in_kubernetes_words(tmp_path: Path) -> None:
    text = 'topology = "standalone"\nneeds = ["volumes"]\n[standalone]\nkind = "StatefulSet"\nstorage = "64Gi"\n'
    assert read(tmp_path, text).standalone.storage == "64Gi"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[standalone]\nreplicas = 2\n", "says nothing of the topology 'sidecar'"),
        ('topology = "standalone"\n[standalone]\nstorage = "1Gi"\n', "add needs = ['volumes']"),
        (
            'topology = "standalone"\nneeds = ["volumes"]\n[standalone]\nkind = "Deployment"\nstorage = "1Gi"\n',
            "'standalone': kind Deployment has no volumeClaimTemplates",
        ),
        (
            'topology = "standalone"\n[standalone]\nclient_namespace = "forbidden"\n',
            "'standalone': client_namespace 'forbidden' forbids nothing without a policy",
        ),
        (
            'topology = "standalone"\n[standalone]\nclient_namespace = "forbidden"\nnetwork_policy = true\n',
            "add needs = ['network-policy']",
        ),
        ('topology = "standalone"\n[standalone]\ntls = "wrong-cA"\n', "did you mean 'wrong-ca'?"),
        ('topology = "standalone"\n[standalone]\nstorage = "much"\n', "'standalone.storage' is 'much'"),
        ('topology = "standalone"\n[standalone]\nreplica = 2\n', "did you mean 'replicas'?"),
    ],
)
def test_what_does_not_hold_together_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(tmp_path, text)
    (fault,) = refused.value.faults
    assert said in fault
    # Not the whole table, which pydantic would repeat.
    assert "{" not in fault
