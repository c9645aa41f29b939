from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conformance.capping import cap, cap_texts

LINES = "".join(f"line {number}\n" for number in range(1000))


def test_a_short_text_stays_as_it_is() -> None:
    assert cap(LINES, len(LINES)) == LINES


def test_head_and_tail_stay_and_the_cut_says_what_is_missing() -> None:
    kept = cap(LINES, 1000).split("\n")
    assert kept[0] == "line 0"
    assert kept[-2] == "line 999"
    (mark,) = [line for line in kept if line.startswith("[cut: ")]
    missing = 1000 - (len(kept) - 2)
    assert mark.endswith(f" {missing} lines]")


def test_the_end_gets_more_room_than_the_beginning() -> None:
    before, after = cap(LINES, 1000).split("[cut: ")
    assert len(after) > 2 * len(before)


def test_a_single_huge_line_is_cut_inside() -> None:
    kept = cap("x" * 5000, 100)
    assert "[cut: 4900 characters, 0 lines]" in kept
    assert len(kept) < 200


@given(st.text(alphabet="a\n", max_size=300), st.integers(1, 100))
def test_what_is_kept_is_whole_lines_of_the_text(text: str, limit: int) -> None:
    kept = cap(text, limit)
    assert len(kept) <= max(len(text), limit + 80)
    if kept != text:
        head, _, tail = kept.partition("[cut: ")
        assert text.startswith(head.rstrip("\n"))
        assert text.endswith(tail.partition("]\n")[2])


def test_every_text_of_a_record_is_capped() -> None:
    capped = cap_texts({"a": ["x" * 500, 3], "b": {"c": "y" * 500}, "d": None}, 100)
    assert capped["a"][1] == 3
    assert "[cut: 400" in capped["a"][0]
    assert "[cut: 400" in capped["b"]["c"]
    assert capped["d"] is None
