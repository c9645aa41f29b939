from __future__ import annotations

import json

from conformance.model import Outcome, Run
from conformance.report.json import render
from tests.conformance.records import cell, control, result

RUN = Run(run_id="20261121-0412-ab3f", started="2026-11-21T04:12:00Z")


def test_the_report_has_run_totals_results_and_controls_apart() -> None:
    results = [result(control()), result(cell(level="restricted"), outcome=Outcome.WRONG_CLASS, class_="x"), result()]
    content = json.loads(render(results, RUN))
    assert content["schema_version"] == 1
    assert content["run"]["run_id"] == "20261121-0412-ab3f"
    assert content["totals"] == {"as-claimed": 1, "wrong-class": 1}
    assert [line["cell"] for line in content["controls"]] == [control().id]
    assert [line["cell"] for line in content["results"]] == [cell(level="restricted").id, cell().id]
    assert content["results"][0]["class"] == "x"


def test_the_same_run_gives_the_same_bytes() -> None:
    results = [result(control()), result()]
    assert render(results, RUN) == render(list(results), RUN.model_copy())
    assert render(results, RUN).endswith("}\n")


def test_half_a_surrogate_pair_is_written_as_json_escapes_it() -> None:
    text = render([result(reason="said \udc80 and ✔")], RUN)
    assert "✔" in text
    assert json.loads(text.encode("utf-8"))["results"][0]["reason"] == "said \udc80 and ✔"
