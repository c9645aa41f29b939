from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance import namespace
from conformance.errors import ApiError
from conformance.kube import Answer, Kube
from conformance.model import Level


@given(st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=120))
def test_a_name_is_a_valid_dns_label(run_id: str, cell_id: str) -> None:
    name = namespace.name_for(run_id, cell_id)
    assert 0 < len(name) <= 63
    assert all(character.isascii() and (character.isalnum() or character == "-") for character in name)
    assert name == name.lower()
    assert not name.endswith("-")


def test_names_differ_between_runs_and_between_long_cells() -> None:
    cell = "embedded-1.35-baseline-v1.34-rootless-" + "x" * 40
    names = {namespace.name_for(run, f"{cell}-{number}") for run in ("a", "b") for number in (1, 2)}
    assert len(names) == 4


def test_all_three_modes_are_labelled_at_the_same_level_and_version() -> None:
    body = namespace.manifest("n", level=Level.parse("baseline@v1.34"), run_id="r", cell_id="c")
    labels = body["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "baseline"
        assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.34"
    assert labels[namespace.RUN_LABEL] == "r"


class Server:
    def __init__(self, outcome: Answer | ApiError) -> None:
        self.outcome = outcome

    def create_pod(self, _namespace: str, _pod: dict[str, Any], *, dry_run: bool) -> Answer:
        assert dry_run
        if isinstance(self.outcome, ApiError):
            raise self.outcome
        return self.outcome


def test_a_refused_dry_run_predicts_refusal_in_the_servers_words() -> None:
    refusal = ApiError('violates PodSecurity "baseline:latest"', status=403, reason="Forbidden")
    prediction, admitted = namespace.predict(cast("Kube", Server(refusal)), "ns", {})
    assert not prediction.admitted
    assert "violates PodSecurity" in prediction.message
    assert admitted == {}


def test_an_accepted_dry_run_keeps_the_admitted_pod_and_warnings() -> None:
    answer = Answer(body={"spec": {}}, warnings=("would violate",))
    prediction, admitted = namespace.predict(cast("Kube", Server(answer)), "ns", {})
    assert prediction.admitted
    assert prediction.warnings == ("would violate",)
    assert admitted == {"spec": {}}


@pytest.mark.parametrize("status", [None, 500, 503])
def test_an_ill_server_predicts_nothing(status: int | None) -> None:
    with pytest.raises(ApiError):
        namespace.predict(cast("Kube", Server(ApiError("ill", status=status))), "ns", {})
