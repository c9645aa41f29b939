from __future__ import annotations

from clusters.provider import ImageRole, Provenance
from conformance.model import ClusterRecord, Evidence, ImageRecord, NodeFacts, Outcome, ProbeResult, Run
from conformance.report.markdown import render
from tests.conformance.records import cell, control, failure, result

RUN = Run(run_id="20261121-0412-ab3f", started="2026-11-21T04:12:00Z")
BROKEN = result(
    outcome=Outcome.UNEXPECTED_FAILURE,
    class_="rootlesskit-clone-eperm",
    layer="rootlesskit",
    stage="start",
    claim_source="seen by hand",
    evidence=failure().evidence,
)


def test_the_matrix_is_a_table_of_builders_and_levels() -> None:
    refused = result(cell(level="restricted"), class_="psa-restricted-violation")
    text = render([result(control()), result(), refused], RUN)
    assert "| builder | baseline@latest | restricted@latest |\n|---|---|---|\n" in text
    assert "| rootless-unset | ✅ builds | ❌ psa-restricted-violation |" in text
    assert f"Control (not counted): `{control().id}`: ✅ builds" in text
    assert "2 cells: 2 as-claimed." in text
    assert "Broken claims" not in text


def test_a_broken_claim_says_what_was_claimed_what_was_seen_and_what_proves_it() -> None:
    text = render([BROKEN], RUN)
    assert "❌ rootlesskit-clone-eperm (**unexpected-failure**)" in text
    assert "### embedded-1.35-baseline-rootless-unset: unexpected-failure" in text
    assert "- claimed: `supported` (seen by hand)" in text
    assert "- seen: `rootlesskit-clone-eperm` at stage `start`, layer `rootlesskit`" in text
    place = "cells/embedded-1.35-baseline-rootless-unset/logs/buildkitd.log:3"
    assert f"- evidence: `{place}: fork/exec: operation not permitted`" in text


def test_unexpected_support_is_a_headline_above_the_matrix() -> None:
    text = render([result(outcome=Outcome.UNEXPECTED_SUPPORT, claim="psa-baseline-violation")], RUN)
    assert "> **Unexpected support:** `embedded-1.35-baseline-rootless-unset` builds" in text
    assert text.index("Unexpected support") < text.index("| builder |")


def test_doubts_say_why() -> None:
    text = render(
        [
            result(outcome=Outcome.INCONCLUSIVE, class_="disk-full", reason="it is infrastructure"),
            result(cell("b"), outcome=Outcome.NOT_RUN, reason="interrupted"),
            result(cell("c"), outcome=Outcome.UNCLAIMED, reason="apparmor is not known"),
        ],
        RUN,
    )
    assert "❔ disk-full (inconclusive)" in text
    assert "⚪ not run" in text
    assert "## Inconclusive\n\n- `embedded-1.35-baseline-rootless-unset`: it is infrastructure" in text
    assert "## Not run\n\n- `embedded-1.35-baseline-b`: interrupted" in text
    assert "## Unclaimed\n\n- `embedded-1.35-baseline-c`: apparmor is not known" in text


def test_flakes_are_shown() -> None:
    assert "earlier tries ended in `disk-full`" in render([result(tries=("disk-full",))], RUN)


def test_a_cluster_that_never_came_up_says_why() -> None:
    failed = ClusterRecord(cluster="embedded-1.35", provider="embedded", kubernetes="1.35", failure="no space")
    text = render([result(outcome=Outcome.NOT_RUN)], RUN.model_copy(update={"clusters": (failed,)}))
    assert "The cluster never came up: no space" in text


def test_what_is_not_genuine_says_what_it_is() -> None:
    assert "## embedded-1.35 (stand-in)" in render([result(provenance=Provenance.STAND_IN)], RUN)


def test_provenance_is_a_table_of_what_is_known() -> None:
    cluster = ClusterRecord(
        cluster="embedded-1.35",
        provider="embedded",
        kubernetes="1.35",
        version="v1.35.4",
        node=NodeFacts(kernel="6.18.0"),
        images=(ImageRecord(role=ImageRole.APP, reference="app:1", digest="sha256:ab", origin="assembled"),),
    )
    run = RUN.model_copy(update={"clusters": (cluster,), "git_commit": "abc", "git_dirty": True, "interrupted": True})
    text = render([result()], run)
    assert "| started | 2026-11-21T04:12:00Z |" in text
    assert "| git commit | abc with local changes |" in text
    assert "v1.35.4, genuine, 6.18.0" in text
    assert "app:1 sha256:ab (assembled)" in text
    assert "| ended |" not in text
    assert "The run was interrupted" in text


def test_no_text_can_break_out_of_its_place() -> None:
    hostile = "a | b\n# c <script>`x` [l](http://h)"
    text = render(
        [
            result(
                outcome=Outcome.WRONG_CLASS,
                class_="x|y",
                claim_source=hostile,
                evidence=(Evidence(file="f", line=1, text=hostile),),
            ),
            result(cell("b"), outcome=Outcome.INCONCLUSIVE, class_="z", reason=hostile),
        ],
        RUN,
    )
    assert "<script>" not in text.replace("``", "`").split("evidence")[0]
    assert "\n# c" not in text
    assert "[l](http" not in text.split("evidence")[0]
    assert "x\\|y (**wrong-class**)" in text
    assert "`` cells/" not in text
    assert (
        "- evidence: ``cells/embedded-1.35-baseline-rootless-unset/f:1: a | b # c <script>`x` [l](http://h)``" in text
    )


def test_the_same_run_gives_the_same_bytes() -> None:
    results = [result(control()), BROKEN, result(cell("b"))]
    assert render(results, RUN) == render(list(results), RUN.model_copy())


KILLED = ProbeResult(
    probe="kill",
    outcome=Outcome.UNEXPECTED_FAILURE,
    found="step-can-kill-daemon",
    claim="holds",
    claim_source="seen by hand",
    detail="the daemon was started anew",
    reason="it is claimed to hold, but step-can-kill-daemon was found",
    evidence=(Evidence(file="observation.json", line=0, text="daemon_restarted = True"),),
)


def test_probes_are_a_table_and_a_broken_one_says_what_proves_it() -> None:
    text = render([result().model_copy(update={"probes": (KILLED,)})], RUN)
    row = f"| {cell().id} | kill | step-can-kill-daemon | unexpected-failure | the daemon was started anew |"
    assert f"## Probes\n\n| cell | probe | found | outcome | detail |\n|---|---|---|---|---|\n{row}" in text
    assert f"### {cell().id}, probe kill: unexpected-failure" in text
    assert "- claimed: `holds` (seen by hand)" in text
    assert f"- evidence: `cells/{cell().id}/observation.json: daemon_restarted = True`" in text
    assert "## Probes" not in render([result()], RUN)
