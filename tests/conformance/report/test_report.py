from __future__ import annotations

from pathlib import Path

from conformance.artifacts import RunFolder
from conformance.report import write_reports
from tests.conformance.records import cell, control, result


def test_every_format_is_written_and_written_alike_again(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path)
    folder.write_plan([control(), cell()])
    folder.append_result(result())
    paths = write_reports(folder)
    assert {"matrix.md", "report.json"} <= {path.name for path in paths}
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_reports(folder)] == first
    assert b"not run" in first[0]
