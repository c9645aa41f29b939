from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest
from pydantic import Field

from conformance import datafile
from conformance.errors import UsageError
from conformance.model import Builder, Record


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Leaf(Record):
    colour: Colour
    size: int = 0


class Tree(Record):
    name: str
    leaves: tuple[Leaf, ...] = ()
    flags: dict[str, bool] = Field(default_factory=dict)


GOOD = """\
name = "oak"

[[leaves]]
colour = "red"

[[leaves]]
colour = "green"
size = 3
"""


def faults(path: Path, text: str) -> tuple[str, ...]:
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        datafile.read(path, Tree)
    return caught.value.faults


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tree.toml"


def test_a_good_file_becomes_its_record(path: Path) -> None:
    path.write_text(GOOD)
    tree = datafile.read(path, Tree)
    assert tree == Tree(name="oak", leaves=(Leaf(colour=Colour.RED), Leaf(colour=Colour.GREEN, size=3)))


def test_a_name_comes_from_outside_the_file(path: Path) -> None:
    path.write_text("")
    assert datafile.read(path, Tree, also={"name": "elm"}).name == "elm"


def test_a_file_must_not_say_what_its_name_says(path: Path) -> None:
    path.write_text(GOOD)
    with pytest.raises(UsageError, match="remove the key 'name'"):
        datafile.read(path, Tree, also={"name": "elm"})


def test_an_unknown_key_is_named_with_its_line_and_the_key_that_was_meant(path: Path) -> None:
    (fault,) = faults(path, GOOD.replace("size", "sise"))
    assert fault == f"{path}:8: unknown key 'leaves[2].sise': did you mean 'size'? Known keys: colour, size"


def test_every_fault_of_a_file_is_told_at_once(path: Path) -> None:
    told = faults(path, GOOD.replace('"oak"', "3").replace('"red"', '"rad"').replace("size = 3", 'size = "big"'))
    assert told == (
        f"{path}:1: 'name' must be a text, not 3",
        f"{path}:4: 'leaves[1].colour' is 'rad', which is not one of 'red' or 'green'; did you mean 'red'?",
        f"{path}:8: 'leaves[2].size' must be a whole number, not 'big'",
    )


def test_a_missing_key_is_named_at_the_table_that_lacks_it(path: Path) -> None:
    (fault,) = faults(path, GOOD.replace('colour = "green"\n', ""))
    assert fault == f"{path}:6: the key 'leaves[2].colour' is missing: add it"


def test_a_table_where_a_list_belongs_is_named(path: Path) -> None:
    (fault,) = faults(path, 'name = "oak"\nleaves = "none"\n')
    assert fault == f"{path}:2: 'leaves' must be a list, not 'none'"


def test_text_that_is_no_toml_is_named_with_its_line(path: Path) -> None:
    (fault,) = faults(path, 'name = "oak"\nleaves = [\n')
    assert "this is no TOML" in fault
    assert "line" in fault


def test_a_file_that_is_not_there_is_told_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "default.toml").write_text("")
    with pytest.raises(UsageError, match=r"there is no such file; did you mean default\.toml\?"):
        datafile.read(tmp_path / "defualt.toml", Tree)


def test_bytes_that_are_no_text_are_told(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        datafile.read(path, Tree)


def test_dotted_and_quoted_keys_have_lines() -> None:
    lines = datafile.line_numbers('[a."b.c"]\nd = 1\ne.f = 2\n')
    assert lines["a", "b.c", "d"] == 2
    assert lines["a", "b.c", "e", "f"] == 3


def test_a_value_inside_an_inline_table_has_the_line_of_its_key() -> None:
    lines = datafile.line_numbers("x = 1\nflags = { a = true }\n")
    assert datafile.line_of(lines, ("flags", "a")) == 2


def test_a_builders_file_with_a_typo_in_a_field_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    path.write_text('summary = "s"\norigin = "o"\nimage = "buildkit-rootles"\nhost_user = false\n')
    with pytest.raises(UsageError) as caught:
        datafile.read(path, Builder, also={"name": "b"})
    assert len(caught.value.faults) == 2
    assert "did you mean 'buildkit-rootless'?" in str(caught.value)
    assert f"{path}:4: unknown key 'host_user': did you mean 'host_users'?" in str(caught.value)
    assert " name," not in str(caught.value)
