from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from clusters.embedded.toolchain.catalog import FOLDER, load

_DATA = FOLDER / "programs.toml"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('tags = ["grpcnotrace"]', 'tagz = ["grpcnotrace"]'),
        ('version = "v1.5.2"', 'version = "1.5.2"'),
        ("cgo = true", 'cgo = "yes"'),
        ("schema = 1", "schema = 2"),
    ],
)
def test_maintainer_with_a_mistake_in_the_data_is_told(tmp_path: Path, right: str, wrong: str) -> None:
    text = _DATA.read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "programs.toml"
    broken.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ValidationError):
        load(broken)
