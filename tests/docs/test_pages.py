from __future__ import annotations

import re
import subprocess  # noqa: TID251 - the page is asked for as people ask for it
import sys
from pathlib import Path

import pytest
import yaml

from clusters.paths import CHECKOUT
from conformance import claims
from tests.docs.blocks import pages

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    found: set[str] = set()
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        found.add(slug)
    return found


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_page_of_the_command_lines_is_what_the_commands_say() -> None:
    # In a process of its own: click keeps the help option of a command as whoever asked first wanted it.
    argv = (sys.executable, "-m", "conformance.commands.page")
    said = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    page = (CHECKOUT / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert page == said, "run `uv run python -m conformance.commands.page > docs/reference/cli.md`"


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_the_page_on_the_matrix_lists_what_is_claimed_to_build(level: str) -> None:
    page = (CHECKOUT / "docs/explanation/what-the-matrix-shows.md").read_text(encoding="utf-8")
    section = page.partition(f"## What builds at {level}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    claimed = {
        claim.builder
        for claim in claims.load(CHECKOUT / "matrices")
        if claim.expect == "supported"
        and not claim.probe
        and claim.provider in {"*", "embedded"}
        and any(str(each).partition("@")[0] == level for each in claim.levels)
    }
    assert listed == claimed


def test_every_page_is_in_the_sites_navigation_and_none_is_missing() -> None:
    def files(entry: object) -> list[str]:
        match entry:
            case str():
                return [entry]
            case list():
                return [file for each in entry for file in files(each)]
            case dict():
                return [file for each in entry.values() for file in files(each)]
            case _:
                raise AssertionError(entry)

    site = yaml.safe_load((CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8"))
    there = {str(path.relative_to(CHECKOUT / "docs")) for path in (CHECKOUT / "docs").rglob("*.md")}
    assert set(files(site["nav"])) == there, "name every page in mkdocs.yml"
