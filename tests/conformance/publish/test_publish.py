"""What of runs is published, that doing it again changes nothing, and what the pages say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from itertools import permutations
from pathlib import Path

import jsonschema
import pytest

from clusters.paths import CHECKOUT
from clusters.provider import Provenance
from conformance import schema
from conformance.artifacts import RunFolder
from conformance.errors import UsageError
from conformance.model import ChartRecord, Outcome, ProbeResult
from conformance.publish import STALE_DAYS, differences, gather, join, publish, read_all
from tests.conformance.publish.published import CHART, STRICT, UNSET, ran, refused
from tests.conformance.records import cell, control, result

PROFILE = "build-sidecar-0.1.0/embedded-1.35"


def content(root: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def put(root: Path, *folders: RunFolder, as_of: date | None = None) -> Mapping[str, bytes]:
    for folder in folders:
        publish(root, gather(folder).shelves, as_of=as_of)
    return content(root)


def overview(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def test_a_run_is_published_with_its_table_its_data_and_its_evidence(runs: Path, root: Path) -> None:
    folder = ran(runs, "2026-11-21", (UNSET, result(UNSET)), (STRICT, refused(STRICT)))
    files = put(root, folder)
    assert set(files) == {
        "README.md",
        f"{PROFILE}/README.md",
        f"{PROFILE}/report.json",
        f"{PROFILE}/evidence/{UNSET.id}.txt",
        f"{PROFILE}/evidence/{STRICT.id}.txt",
    }
    page = files[f"{PROFILE}/README.md"].decode()
    assert f"| rootless-unset | [✅ builds](evidence/{UNSET.id}.txt) |" in page
    assert f"| rootless-restricted | [❌ rootlesskit-clone-eperm](evidence/{STRICT.id}.txt) |" in page
    assert "```console\ngit checkout abc123\nuv run conformance run --psa=baseline\n```" in page
    assert "| kernel | 6.18 |" in page
    evidence = files[f"{PROFILE}/evidence/{STRICT.id}.txt"].decode()
    assert ">      3  fork/exec: operation not permitted\n       4  four\n" in evidence
    assert "seven" not in evidence


def test_publishing_twice_changes_nothing(runs: Path, root: Path) -> None:
    folder = ran(runs, "2026-11-21", (UNSET, result(UNSET)), (STRICT, refused(STRICT)))
    before = put(root, folder)
    assert publish(root, gather(folder).shelves) == ()
    assert content(root) == before


def test_the_order_of_runs_does_not_matter(runs: Path, tmp_path: Path) -> None:
    folders = [
        ran(runs, "2026-10-01", (UNSET, result(UNSET)), (STRICT, refused(STRICT))),
        ran(runs, "2026-11-01", (UNSET, refused(UNSET))),
        ran(runs, "2026-12-01", (UNSET, result(UNSET)), (cell(kubernetes="1.34"), result(cell(kubernetes="1.34")))),
    ]
    made = [put(tmp_path / f"r{number}", *order) for number, order in enumerate(permutations(folders))]
    assert all(each == made[0] for each in made)


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.NOT_RUN])
def test_what_is_not_conclusive_is_left_out_and_does_not_hide_what_was(
    runs: Path, root: Path, outcome: Outcome
) -> None:
    put(root, ran(runs, "2026-11-20", (UNSET, result(UNSET))))
    partial = ran(runs, "2026-11-21", (UNSET, refused(UNSET, outcome=outcome)), (STRICT, refused(STRICT)))
    assert gather(partial).left_out == {str(outcome): 1}
    put(root, partial)
    (published,) = read_all(root)
    assert {each.cell.id: each.result.class_ for each in published.cells} == {
        UNSET.id: None,
        STRICT.id: "rootlesskit-clone-eperm",
    }


@pytest.mark.parametrize("provenance", [Provenance.STAND_IN, Provenance.SIMULATED])
def test_only_genuine_results_are_published(runs: Path, provenance: Provenance) -> None:
    folder = ran(runs, "2026-11-21", (UNSET, result(UNSET, provenance=provenance)))
    assert gather(folder).shelves == ()
    assert gather(folder).left_out == {str(provenance): 1}


def test_cells_without_a_result_in_a_killed_run_are_left_out(runs: Path) -> None:
    folder = ran(runs, "2026-11-21", (UNSET, result(UNSET)))
    folder.write_plan([control(), UNSET, STRICT])
    gathered = gather(folder)
    assert gathered.left_out == {"not-run": 1}
    assert [each.cell.id for shelf in gathered.shelves for each in shelf] == [UNSET.id]


def test_a_run_that_does_not_say_what_it_tested_is_refused(runs: Path) -> None:
    with pytest.raises(UsageError, match="does not say which chart it tested"):
        gather(ran(runs, "2026-11-21", (UNSET, result(UNSET)), chart=ChartRecord()))
    with pytest.raises(UsageError, match="cannot name a folder"):
        gather(ran(runs, "2026-11-21", (UNSET, result(UNSET)), chart=ChartRecord(name="../x", version="1")))


def test_what_regressed_is_shown_with_when_it_last_built(runs: Path, root: Path) -> None:
    put(
        root,
        ran(runs, "2026-10-01", (UNSET, result(UNSET))),
        ran(runs, "2026-10-15", (UNSET, result(UNSET))),
        ran(runs, "2026-11-01", (UNSET, refused(UNSET, outcome=Outcome.UNEXPECTED_FAILURE))),
        ran(runs, "2026-11-15", (UNSET, refused(UNSET, outcome=Outcome.UNEXPECTED_FAILURE))),
    )
    page = (root / PROFILE / "README.md").read_text()
    assert "| 4 | 2026-10-01 to 2026-10-15 | **since 2026-11-01** |" in page
    assert "❌ rootlesskit-clone-eperm (**unexpected-failure**)" in page
    row = next(line for line in overview(root).splitlines() if line.startswith("| embedded | baseline"))
    assert row.startswith("| embedded | baseline | rootless-unset | nothing | 2026-10-01 on 1.35 |")
    assert row.endswith("| 2026-10-15 on 1.35 | **1.35 since 2026-11-01**: `rootlesskit-clone-eperm` |")


def test_what_builds_again_has_not_regressed(runs: Path, root: Path) -> None:
    for day, line in (("2026-10-01", result(UNSET)), ("2026-11-01", refused(UNSET)), ("2026-12-01", result(UNSET))):
        put(root, ran(runs, day, (UNSET, line)))
    assert "since 2026" not in overview(root) + (root / PROFILE / "README.md").read_text()


def test_history_goes_over_kubernetes_lines_and_chart_versions(runs: Path, root: Path) -> None:
    older = cell(kubernetes="1.34")
    put(
        root,
        ran(runs, "2026-10-01", (older, result(older)), (UNSET, result(UNSET))),
        ran(runs, "2026-11-01", (UNSET, refused(UNSET)), chart=CHART.model_copy(update={"version": "0.2.0"})),
    )
    text = overview(root)
    assert text.index("## build-sidecar 0.2.0") < text.index("## build-sidecar 0.1.0")
    assert (
        "| embedded | baseline | rootless-unset | 1.34 | 2026-10-01 on 1.34 | 2026-10-01 on 1.35 |"
        " **1.35 since 2026-11-01**: `rootlesskit-clone-eperm` |" in text
    )


def test_age_is_counted_to_a_named_day_and_stale_is_visible(runs: Path, root: Path) -> None:
    put(root, ran(runs, "2026-11-01", (UNSET, result(UNSET))), as_of=date(2026, 12, 1))
    assert "Ages are counted to 2026-12-01; what is older than 30 days is stale." in overview(root)
    assert re.search(r"\| 1 \| 2026-11-01 \| 30 days \|", overview(root))
    assert STALE_DAYS == 30
    put(
        root,
        ran(runs, "2026-11-02", (cell(kubernetes="1.34"), result(cell(kubernetes="1.34")))),
        as_of=date(2026, 12, 2),
    )
    assert re.search(r"embedded-1.35\].*\| 2026-11-01 \| \*\*stale\*\*, 31 days \|", overview(root))
    assert re.search(r"embedded-1.34\].*\| 2026-11-02 \| 30 days \|", overview(root))


def test_without_a_day_ages_are_counted_to_the_newest_run(runs: Path, root: Path) -> None:
    put(root, ran(runs, "2026-11-21", (UNSET, result(UNSET))), ran(runs, "2026-11-11", (UNSET, result(UNSET))))
    assert "Ages are counted to 2026-11-21;" in overview(root)


def test_the_matrix_over_everything_has_a_table_a_level_and_links_to_the_evidence(runs: Path, root: Path) -> None:
    older, privileged = cell(kubernetes="1.34"), cell(level="privileged")
    put(
        root, ran(runs, "2026-11-21", (UNSET, refused(UNSET)), (older, result(older)), (privileged, result(privileged)))
    )
    text = overview(root)
    assert text.index("### privileged\n") < text.index("### baseline\n")
    assert "| builder | embedded-1.34 | embedded-1.35 |" in text
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (root / target).is_file(), target


def test_a_hostile_log_stays_text(runs: Path, root: Path) -> None:
    hostile = "<script>x</script> | \x1b[31m \u202e `code` [a](b)"
    folder = ran(runs, "2026-11-21", (UNSET, refused(UNSET, class_=hostile, outcome=Outcome.WRONG_CLASS)))
    folder.cell(UNSET.id).joinpath("logs", "buildkitd.log").write_text(f"a\nb\n{hostile}\n", encoding="utf-8")
    files = put(root, folder)
    for name in ("README.md", f"{PROFILE}/README.md"):
        assert b"<script>" not in files[name]
        assert b"[a](b)" not in files[name]
    evidence = files[f"{PROFILE}/evidence/{UNSET.id}.txt"].decode()
    assert "\x1b" not in evidence
    assert "[U+202E]" in evidence


def test_the_data_are_as_their_schema_says(runs: Path, root: Path) -> None:
    put(root, ran(runs, "2026-11-21", (UNSET, result(UNSET)), (STRICT, refused(STRICT))))
    text = (root / PROFILE / "report.json").read_text()
    jsonschema.validate(json.loads(text), json.loads(schema.generate()["published.schema.json"]))


def test_what_is_published_is_exactly_what_is_generated(runs: Path, root: Path) -> None:
    put(root, ran(runs, "2026-11-21", (UNSET, result(UNSET)), (STRICT, refused(STRICT))))
    assert differences(root) == ()


@pytest.mark.parametrize(
    "name", ["README.md", f"{PROFILE}/README.md", f"{PROFILE}/report.json", f"{PROFILE}/evidence/{STRICT.id}.txt"]
)
def test_an_edited_file_is_found(runs: Path, root: Path, name: str) -> None:
    put(root, ran(runs, "2026-11-21", (UNSET, result(UNSET)), (STRICT, refused(STRICT))))
    path = root / name
    path.write_text(path.read_text().replace("rootlesskit-clone-eperm", "oom-killed") + " ")
    assert any(str(path) in fault for fault in differences(root))


def test_a_missing_and_a_superfluous_file_are_found(runs: Path, root: Path) -> None:
    put(root, ran(runs, "2026-11-21", (UNSET, result(UNSET))))
    (root / PROFILE / "evidence" / f"{UNSET.id}.txt").unlink()
    (root / PROFILE / "evidence" / "other.txt").write_text("x")
    found = "\n".join(differences(root))
    assert f"{UNSET.id}.txt: is not the evidence that was published" in found
    assert "other.txt: belongs to nothing that is published" in found


def test_a_damaged_record_is_told(runs: Path, root: Path) -> None:
    folder = ran(runs, "2026-11-21", (UNSET, result(UNSET)))
    put(root, folder)
    (root / PROFILE / "report.json").write_text("{}")
    with pytest.raises(UsageError, match=r"report\.json: cannot be read as what `conformance publish` writes"):
        publish(root, gather(folder).shelves)


def test_a_verdict_changed_by_rejudging_replaces_the_runs_former_one(runs: Path) -> None:
    folder = ran(runs, "2026-11-21", (UNSET, refused(UNSET)))
    (first,) = gather(folder).shelves
    folder.append_result(refused(UNSET, class_="oom-killed"))
    (second,) = gather(folder).shelves
    (joined,) = join(first, second).published.cells
    assert [verdict.class_ for verdict in joined.verdicts] == ["oom-killed"]
    assert joined.result.class_ == "oom-killed"


def test_half_a_surrogate_pair_in_a_reason_can_be_published_again(runs: Path, root: Path) -> None:
    folder = ran(runs, "2026-11-21", (UNSET, result(UNSET, reason="said \udc80")))
    before = put(root, folder)
    assert put(root, folder) == before
    assert differences(root) == ()


def test_where_the_checkout_was_is_not_published(runs: Path, root: Path) -> None:
    argv = (f"{CHECKOUT}/conformance/__main__.py", "run", f"--chart={CHECKOUT}/charts/x")
    chart = CHART.model_copy(update={"origin": f"{CHECKOUT}/charts/x"})
    files = put(root, ran(runs, "2026-11-21", (UNSET, result(UNSET)), argv=argv, chart=chart))
    assert not [name for name, data in files.items() if str(CHECKOUT).encode() in data]
    assert b"uv run conformance run --chart=charts/x" in files[f"{PROFILE}/README.md"]


def test_a_probe_that_breaks_its_claim_is_shown(runs: Path, root: Path) -> None:
    probe = ProbeResult(probe="gc", outcome=Outcome.WRONG_CLASS, found="keeps-all", claim="holds", detail="12 layers")
    files = put(root, ran(runs, "2026-11-21", (UNSET, result(UNSET, probes=(probe,)))))
    assert "✅ builds (**not as claimed: gc**)" in files[f"{PROFILE}/README.md"].decode()
    assert "  - probe gc: `keeps-all`; claimed: `holds`" in files[f"{PROFILE}/README.md"].decode()
    excerpt = files[f"{PROFILE}/evidence/{UNSET.id}.txt"].decode()
    assert "probe gc: keeps-all, wrong-class: 12 layers\n" in excerpt
