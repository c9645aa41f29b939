"""`conformance classify`, `explain` and `classes`, as a person types them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance import cli
from conformance.classify import CLASSES
from conformance.classify.page import markdown
from conformance.commands.classes import classes_command
from conformance.commands.classify import classify_command
from conformance.commands.explain import explain_command
from conformance.errors import UsageError
from conformance.model import Layer, VerdictKind

ROOT = Path(__file__).parents[3]
CLONE = "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted"


def classify(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(classify_command, list(arguments), input=stdin)


def classes(*arguments: str) -> Result:
    return CliRunner().invoke(classes_command, list(arguments), catch_exceptions=False)


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def answers(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_file_is_named_and_explained(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text(f"quiet\n{CLONE}\n")
    result = classify(str(log))
    assert result.exit_code == 0
    class_ = CLASSES["rootlesskit-clone-eperm"]
    assert result.stdout.splitlines() == [
        f"{log}: rootlesskit-clone-eperm",
        "  layer      rootlesskit",
        "  kind       U, unsupported: policy or kernel says no",
        f"  evidence   {log}:2: {CLONE}",
        f"  meaning    {class_.meaning}",
        f"  remedy     {class_.remedy}",
        f"  reference  {class_.reference}",
        "  candidates rootlesskit-unprivileged-clone-disabled",
        "  decisive   no: this text alone does not settle it",
    ]


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_standard_input_is_read(arguments: tuple[str, ...]) -> None:
    result = classify(*arguments, stdin=CLONE)
    assert result.exit_code == 0
    assert result.stdout.startswith("-: rootlesskit-clone-eperm\n")


def test_input_of_any_bytes_is_read() -> None:
    assert classify(stdin=b"\xff\x00\x1b[\n" + CLONE.encode()).exit_code == 0


def test_the_kind_of_source_narrows_the_rules() -> None:
    assert classify("--kind", "daemon", stdin="timed out waiting for the condition").exit_code == 1
    assert classify("--kind", "helm", stdin="timed out waiting for the condition").exit_code == 0


def test_the_detail_is_shown_where_the_evidence_does_not_say_it() -> None:
    refusal = 'violates PodSecurity "baseline:latest": hostPath volumes (volume "a"), privileged (container "c")'
    assert 'detail     hostPath volumes (volume "a"); privileged (container "c")' in classify(stdin=refusal).stdout


def test_nothing_that_a_rule_knows_is_exit_code_1() -> None:
    result = classify(stdin="all is well\n")
    assert result.exit_code == 1
    assert "unclassified" in result.stdout


def test_a_file_that_cannot_be_read_is_exit_code_3_and_the_others_are_read(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(CLONE)
    result = classify(str(tmp_path / "absent"), str(log), str(tmp_path))
    assert result.exit_code == 3
    assert "rootlesskit-clone-eperm" in result.stdout
    assert result.stderr.splitlines() == [
        f"error: cannot read {tmp_path / 'absent'}: No such file or directory: check the path",
        f"error: cannot read {tmp_path}: Is a directory: check the path",
    ]


def test_jsonl_in_and_out() -> None:
    result = classify("--jsonl", stdin=lines({"id": "a", "text": f"x\n{CLONE}"}, {"id": 2, "text": "nothing"}))
    assert result.exit_code == 0
    assert answers(result) == [
        {
            "id": "a",
            "class": "rootlesskit-clone-eperm",
            "layer": "rootlesskit",
            "kind": "U",
            "evidence": [{"file": "-", "line": 2, "text": CLONE}],
            "candidates": ["rootlesskit-unprivileged-clone-disabled"],
            "decisive": False,
        },
        {"id": 2, "class": None, "layer": None, "kind": None, "evidence": [], "candidates": [], "decisive": False},
    ]


@pytest.mark.parametrize(
    "bad", ["{", "[]", '"x"', '{"id": 1}', '{"id": 1, "text": 5}', "[" * 100_000, "\udcff\udcfe"], ids=range(7)
)
def test_a_bad_line_is_named_and_the_rest_is_read(bad: str) -> None:
    good = lines({"id": 1, "text": CLONE})
    stdin = (good + "\n" + bad + "\n" + good).encode("utf-8", "surrogateescape")
    result = classify("--jsonl", stdin=stdin)
    assert result.exit_code == 3
    assert [answer["class"] for answer in answers(result)] == ["rootlesskit-clone-eperm"] * 2
    assert result.stderr.startswith("error: -:3: ")
    assert result.stderr.count("\n") == 1


def test_jsonl_is_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    answered: list[int] = []

    class OneByOne(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 — a writable buffer
            answered.append(out.getvalue().count("\n"))
            data = lines({"id": 1, "text": CLONE}).encode() if len(answered) <= 3 else b""
            buffer[: len(data)] = data
            return len(data)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(OneByOne())))
    monkeypatch.setattr(sys, "stdout", out)
    with pytest.raises(SystemExit) as end:
        classify_command.main(["--jsonl"], standalone_mode=False)
    assert end.value.code == 0
    assert answered[:4] == [0, 1, 2, 3]


def test_explain() -> None:
    result = CliRunner().invoke(explain_command, ["rootlesskit-newuidmap-eperm"], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.startswith("rootlesskit-newuidmap-eperm\n  layer      rootlesskit: ")
    assert "allows   rootlesskit-newuidmap-no-file-caps as well: facts decide" in result.stdout


@pytest.mark.parametrize("name", [*CLASSES, "unclassified"])
def test_every_class_can_be_explained(name: str) -> None:
    result = CliRunner().invoke(explain_command, [name], catch_exceptions=False)
    assert result.exit_code == 0
    assert "remedy" in result.stdout


def test_explaining_what_does_not_exist_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["conformance", "explain", "oomkilled"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 3
    said = capsys.readouterr().err
    assert "there is no class 'oomkilled'" in said
    assert "oom-killed" in said


def test_classes_lists_all_of_them() -> None:
    listed = classes().stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(CLASSES)


@pytest.mark.parametrize("layer", list(Layer))
def test_classes_of_a_layer(layer: Layer) -> None:
    found = json.loads(classes("--layer", layer.value, "--json").stdout)
    assert found
    assert {each["layer"] for each in found} == {layer.value}
    assert f"## {layer.value}" in classes("--layer", layer.value, "--markdown").stdout


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_classes_of_a_kind(kind: VerdictKind) -> None:
    found = json.loads(classes("--kind", kind.value, "--json").stdout)
    assert {each["kind"] for each in found} == {kind.value}
    assert {each["class"] for each in found} == {c.name for c in CLASSES.values() if c.kind is kind}


def test_score(tmp_path: Path) -> None:
    file = tmp_path / "labelled.jsonl"
    file.write_text(
        lines(
            {"id": "a", "label": "rootlesskit-clone-eperm", "text": CLONE, "source": "one"},
            {"id": "b", "label": "disk-full", "text": "no space left on device", "source": "one"},
            {"id": "c", "label": "git-benign-probe", "text": CLONE, "source": "two"},
            {"id": "d", "label": "disk-full", "text": "nothing\nat all", "source": "two"},
        )
    )
    said = classes("--score", str(file)).stdout
    assert said.startswith(
        "2 of 4 (50.0 %) right\n"
        "split by source: 2 of 2 (100.0 %) of one half, 0 of 2 (0.0 %) of the other\n"
        "noise taken for U or N: 1\n"
    )
    assert "c: git-benign-probe taken for rootlesskit-clone-eperm [two]" in said
    assert "d: disk-full taken for - [two]\n    nothing\n    at all" in said


def test_score_names_every_line_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "labelled.jsonl"
    file.write_text('{"label": "disk-full"}\n\nnothing\n')
    with pytest.raises(UsageError) as error:
        classes("--score", str(file))
    assert [fault[:7] for fault in error.value.faults] == ["line 1:", "line 3:"]
    with pytest.raises(UsageError, match="cannot read"):
        classes("--score", str(tmp_path / "absent"))


@pytest.mark.parametrize("command", [classify_command, explain_command, classes_command])
def test_help_has_examples(command: Any) -> None:  # noqa: ANN401 — any click command
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output


def test_the_reference_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "reference" / "classes.md").read_text(encoding="utf-8")
    assert page == markdown(), "run `conformance classes --markdown > docs/reference/classes.md`"
