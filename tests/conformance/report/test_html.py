from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import synthetic
from clusters.provider import ImageRole, Provenance
from conformance.artifacts import RunFolder
from conformance.model import (
    ClusterRecord,
    Evidence,
    ImageRecord,
    Node,
    NodeFacts,
    Observation,
    Outcome,
    ProbeResult,
    Result,
    Run,
    Source,
    SourceKind,
)
from conformance.report import html, write_reports
from conformance.report.html.inert import digest
from tests.conformance.records import cell, control, failure, result
from tests.conformance.report.page import Page

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>&lt;b&gt; <!-- \x1b[31m \u2028 \u202e {{ 7*7 }}"
)
STARTED = "2026-11-21T04:12:00Z"


def make(base: Path, *results: Result, run: Run | None = None) -> RunFolder:
    folder = RunFolder.create(base)
    folder.write_plan([control(), cell(), cell(level="restricted"), cell("b"), cell(kubernetes="1.36")])
    folder.write_run(run or Run(run_id=folder.run_id, started=STARTED))
    for line in results:
        folder.append_result(line)
    return folder


def render(folder: RunFolder) -> str:
    return html.render(folder, folder.complete_results(), folder.read_run())


def read(folder: RunFolder) -> Page:
    return Page(render(folder))


def test_a_run_is_written_as_one_page_that_never_changes(tmp_path: Path) -> None:
    folder = make(tmp_path, result(control()), result())
    paths = [path for path in write_reports(folder) if path.name == "report.html"]
    first = paths[0].read_bytes()
    write_reports(RunFolder.open(folder.path))
    assert paths[0].read_bytes() == first


def test_the_page_loads_nothing_and_allows_nothing_but_its_own_script_and_style(tmp_path: Path) -> None:
    page = read(make(tmp_path, result(control()), result()))
    loading = [
        attributes for _, attributes in page.tags if {"src", "srcset", "data", "action", "style"} & set(attributes)
    ]
    assert not loading
    assert not [tag for tag, _ in page.tags if tag in {"link", "img", "iframe", "object", "embed", "base"}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    links = [attributes["href"] or "" for tag, attributes in page.tags if tag == "a"]
    assert links
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"url\(|@import", page.styles[0])
    policy = next(attributes["content"] or "" for _, attributes in page.tags if "http-equiv" in attributes)
    code = next(text for attributes, text in page.scripts if "type" not in attributes)
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src '{digest(code)}';" in policy
    assert f"style-src '{digest(page.styles[0])}';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", html._SCRIPTS)
def test_the_script_never_makes_markup_of_text(name: str) -> None:
    script = html._asset(name)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)
    assert "</" not in script


def test_every_planned_cell_has_a_place_and_details(tmp_path: Path) -> None:
    folder = make(tmp_path, result(control()), result())
    page = read(folder)
    planned = [each.id for each in folder.read_plan()]
    assert [record["cell"] for record in page.details()] == planned
    numbers = sorted(
        int(attributes["data-n"] or -1) for tag, attributes in page.tags if tag == "td" and "data-n" in attributes
    )
    assert numbers == list(range(1, len(planned)))
    assert {f"#cell={name}" for name in planned} <= {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert "- not run" in page.text


def test_a_cell_says_in_words_what_was_seen_and_what_is_claimed(tmp_path: Path) -> None:
    wrong = result(outcome=Outcome.WRONG_CLASS, class_="x-refused", claim="y-refused")
    page = read(make(tmp_path, wrong, result(cell("b"), outcome=Outcome.UNEXPECTED_SUPPORT, claim="z-refused")))
    assert "✘ x-refused ≠ claimed: y-refused" in page.text
    assert "✔ builds ≠ claimed: z-refused" in page.text
    assert "1 wrong-class" in page.text.partition("Which builders work where")[0]


def test_hostile_text_stays_text_in_tables_and_in_data(tmp_path: Path) -> None:
    bad = result(
        outcome=Outcome.INCONCLUSIVE,
        class_=HOSTILE,
        reason=HOSTILE,
        claim=HOSTILE,
        remarks=(HOSTILE,),
        evidence=(Evidence(file="logs/x.log", line=2, text=HOSTILE),),
    )
    broken = ClusterRecord(cluster="embedded-1.35", provider="embedded", kubernetes="1.35", failure=HOSTILE)
    run = Run(run_id="r", started=HOSTILE, argv=("conformance", HOSTILE), matrix=HOSTILE, clusters=(broken,))
    folder = make(tmp_path, bad, run=run)
    log = f"before\n{HOSTILE}\nhalf: \ud800\n"
    source = Source(file="logs/x.log", kind=SourceKind.DAEMON, text=log)
    folder.write_observation(bad.cell, Observation(cell=bad.cell, stages=(), sources=(source,)))
    plain = read(
        make(
            tmp_path,
            result(outcome=Outcome.INCONCLUSIVE, class_="c", reason="r"),
            run=run.model_copy(update={"matrix": "m"}),
        )
    )
    page = read(folder)
    counted = [[tag for tag, _ in each.tags].count("script") for each in (page, plain)]
    assert counted[0] == counted[1]
    assert not {"img", "b-hostile"} & {tag for tag, _ in page.tags}
    # Visible, not gone: terminal escapes, direction marks and halves of characters are named.
    shown = HOSTILE.replace("\x1b", "\u241b").replace("\u2028", "[U+2028]").replace("\u202e", "[U+202E]")
    assert shown in page.text
    record = next(each for each in page.details() if each["cell"] == bad.cell)
    assert record["reason"] == shown
    assert record["evidence"][0]["around"] == [[1, "before"], [2, shown], [3, "half: [U+D800]"]]
    text = render(folder)
    assert "\u2028" not in text
    assert text.encode()


def test_evidence_comes_with_the_lines_around_it_numbered_as_in_the_file(tmp_path: Path) -> None:
    refused = result(class_="c", evidence=(Evidence(file="logs/b.log", line=9, text="line 9"),))
    folder = make(tmp_path, refused)
    log = "".join(f"line {number}\r more\n" for number in range(1, 21))
    source = Source(file="logs/b.log", kind=SourceKind.DAEMON, text=log)
    folder.write_observation(refused.cell, Observation(cell=refused.cell, stages=(), sources=(source,)))
    record = read(folder).details()[1]
    assert [number for number, _ in record["evidence"][0]["around"]] == [6, 7, 8, 9, 10, 11, 12]
    assert record["evidence"][0]["around"][3][1].startswith("line 9")
    assert record["files"] == ["logs/b.log", "observation.json"]


def test_evidence_whose_file_is_gone_is_still_cited(tmp_path: Path) -> None:
    page = read(make(tmp_path, result(class_="rootlesskit-clone-eperm", evidence=failure().evidence)))
    assert page.details()[1]["evidence"][0]["around"] == []
    assert page.details()[1]["evidence"][0]["text"] == "fork/exec: operation not permitted"
    assert page.kept()[1]["rootlesskit-clone-eperm"]["remedy"]


def test_the_pod_difference_names_what_the_server_dropped(tmp_path: Path) -> None:
    folder = make(tmp_path, result())
    asked = {
        "hostUsers": False,
        "containers": [{"name": "app"}, {"name": "b", "env": [], "securityContext": {"runAsUser": 1}}],
    }
    got = {
        "containers": [{"name": "b", "securityContext": {"runAsUser": 2}}, {"name": "app", "tty": True}],
        "nodeName": "n",
    }
    seen = Observation(cell=cell().id, stages=(), rendered_pod={"spec": asked}, admitted_pod={"spec": got})
    folder.write_observation(cell().id, seen)
    page = read(folder)
    assert page.kept()[0][page.details()[1]["pod"]] == {
        "changed": [
            ["spec.hostUsers", "asked for false, admitted nothing"],
            ["spec.containers.[b].securityContext.runAsUser", "asked for 1, admitted 2"],
        ],
        "added": [["spec.containers.[app].tty", "true"]],
    }


def test_a_cell_and_the_run_come_with_the_commands_that_repeat_them(tmp_path: Path) -> None:
    argv = ("/somewhere/bin/conformance", "run", "-n", "2", "--psa=baseline", "--chart", "my chart", "--matrix=small")
    page = read(make(tmp_path, result(), run=Run(run_id="r", started=STARTED, argv=argv, git_commit="abc")))
    assert "git checkout abc uv run conformance run -n 2 --psa=baseline --chart 'my chart' --matrix=small" in page.text
    assert page.details()[1]["command"] == (
        "uv run conformance run --cluster=embedded --kubernetes=1.35 --psa=baseline --builder=rootless-unset"
        " --matrix=small '--chart=my chart'"
    )


@pytest.mark.parametrize(
    ("finding", "says"),
    [
        (result(control()), "the cluster can build, so a refusal is the builder's"),
        (
            result(control(), class_="x", outcome=Outcome.UNEXPECTED_FAILURE),
            "every other failure there is inconclusive",
        ),
    ],
)
def test_the_control_says_whether_failures_count(tmp_path: Path, finding: Result, says: str) -> None:
    assert says in read(make(tmp_path, finding)).text


def test_what_weakens_a_run_is_said(tmp_path: Path) -> None:
    weak = Run(run_id="r", started=STARTED, interrupted=True, git_dirty=True, resumed=("then",), parts=("one", "two"))
    page = read(make(tmp_path, result(tries=("disk-full",)), run=weak))
    for says in (
        "was interrupted",
        "had local changes",
        "taken up again once, last at then",
        "joined from 2 runs: one, two",
        "3 of 4 planned cells did not run",
        "1 cell took more than one",
    ):
        assert says in page.text
    sound = Run(run_id="r", started=STARTED, ended=STARTED)
    assert "⚠" not in read(make(tmp_path, *[result(each) for each in make(tmp_path).read_plan()], run=sound)).text


def _node(**changes: object) -> Run:
    values = {"kernel": "6.1", "cgroup_version": 2, "apparmor": True, "lsms": ("apparmor",), "seccomp_default": True}
    image = ImageRecord(
        role=ImageRole.BUILDKIT_ROOTLESS, reference="i", digest="d", origin=str(changes.pop("origin", "hub"))
    )
    provenance = Provenance(str(changes.pop("provenance", "genuine")))
    kind = Node.model_validate(changes.pop("kind_of_node", Node()))
    record = ClusterRecord(
        cluster="embedded-1.35",
        provider="embedded",
        kubernetes="1.35",
        kind_of_node=kind,
        provenance=provenance,
        images=(image,),
        node=NodeFacts.model_validate(values | changes),
    )
    return Run(run_id="r", started=STARTED, ended=STARTED, clusters=(record,))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cgroup_version": 1}, "cgroup v1"),
        ({"apparmor": False, "lsms": ("lockdown",)}, "no AppArmor or SELinux"),
        ({"apparmor": False, "lsms": None}, "no AppArmor, and no SELinux was seen"),
        ({"origin": "assembled from packages"}, "builder images assembled for the run"),
        ({"provenance": "stand-in"}, "the cluster is stand-in, not genuine"),
        ({"seccomp_default": None}, "not known: kubelet seccompDefault"),
        ({"seccomp_profiles": ("a.json",)}, "seccomp profiles of its own a.json"),
        ({"emulators": ("arm64",)}, "emulates arm64"),
        ({"kind_of_node": Node(name="special", summary="as none other")}, "asked for special: as none other"),
    ],
)
def test_the_node_is_described_by_what_was_recorded(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    assert says in read(make(tmp_path, result(), run=_node(**changes))).text
    assert says not in read(make(tmp_path, result(), run=_node())).text


def test_an_ordinary_node_is_not_called_unlike_others(tmp_path: Path) -> None:
    page = read(make(tmp_path, result(), run=_node()))
    assert "Unlike most production nodes" not in page.text
    assert "Nothing recorded sets it apart" in page.text


def test_what_is_not_genuine_is_said_before_anything_else(tmp_path: Path) -> None:
    odd = result(provenance=Provenance.STAND_IN)
    text = read(make(tmp_path, odd, result(cell("b")))).text
    assert "Not genuine: 1 of 4 cells are stand-in results (embedded-1.35)" in text.partition("What changed")[0]
    assert "Not genuine" not in read(make(tmp_path, result())).text


def test_several_clusters_are_seen_together(tmp_path: Path) -> None:
    folder = make(tmp_path, result(), result(cell(kubernetes="1.36"), class_="c"))
    assert "builds on 1 of 2 embedded-1.36: c" in read(folder).text


def test_a_killed_run_without_anything_is_still_a_page(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path)
    folder.write_plan([cell()])
    assert "1 not-run" in read(folder).text


def test_ten_thousand_cells_are_one_page(tmp_path: Path) -> None:
    text = render(synthetic.write(tmp_path, 10_000, observed_every=500))
    assert len(set(re.findall(r'<td data-n="(\d+)"', text))) == 10_000
    blocks = re.findall(r'class="block"[^>]*>(.*?)</script>', text)
    assert sum(len(json.loads(block)) for block in blocks) == 10_004


def test_a_cell_s_probes_are_among_its_details_with_what_is_behind_them(tmp_path: Path) -> None:
    probe = ProbeResult(
        probe="kill",
        outcome=Outcome.UNEXPECTED_FAILURE,
        found="step-can-kill-daemon",
        claim="holds",
        detail="started anew",
        evidence=(Evidence(file="observation.json", line=0, text="daemon_restarted = True"),),
    )
    looked = result().model_copy(update={"probes": (probe,)})
    record = read(make(tmp_path, looked)).details()[1]
    (row,) = record["probes"]
    assert row[:4] == ["kill", "unexpected-failure", "step-can-kill-daemon", "holds"]
    assert row[4] == "started anew; daemon_restarted = True"
