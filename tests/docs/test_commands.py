from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from clusters.cli import clusters
from clusters.paths import CHECKOUT
from conformance.cli import group
from conformance.commands.run import run_command
from tests.docs.blocks import Command, commands, pages

COMMANDS = [command for page in pages() for command in commands(page)]

#: They ask no cluster and change nothing.
SAFE = {"plan", "classes", "explain", "classify"}

#: A command in running text or in a table: enough of it is checked to find an option or a name that is gone.
_INLINE = re.compile(r"`((?:uv run )?(?:conformance|python -m clusters|nox) [^`]+)`")


def sessions() -> set[str]:
    tree = ast.parse((CHECKOUT / "noxfile.py").read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(each).startswith("nox.session") for each in node.decorator_list)
    }


def parse(words: Sequence[str]) -> str | None:
    """Parse a command line of ours by its own parser, without doing anything; None: it is somebody else's."""
    match list(words):
        case ["conformance", *arguments]:
            return _parse(group, "conformance", arguments)
        case ["python", "-m", "clusters", *arguments]:
            return _parse(clusters, "clusters", arguments)
        case ["nox", *arguments]:
            return _parse_nox(arguments)
        case _:
            return None


def _parse(command: click.Command, name: str, arguments: list[str]) -> str:
    try:
        context: click.Context | None = None
        while isinstance(command, click.Group):
            if not arguments or arguments[0] in {"-h", "--help", "--version"}:
                return ""
            context = click.Context(command, info_name=name, parent=context, **command.context_settings)
            found = command.get_command(context, arguments[0])
            if found is None:
                return f"there is no command {arguments[0]}"
            name, command, arguments = arguments[0], found, arguments[1:]
        command.make_context(name, arguments, parent=context, **command.context_settings)
    except click.exceptions.Exit:
        return ""
    except click.ClickException as error:
        return error.format_message()
    return ""


def _parse_nox(arguments: list[str]) -> str:
    before, _, after = (" ".join(arguments)).partition(" -- ")
    named = [word for word in before.split() if not word.startswith("-")]
    if unknown := set(named) - sessions():
        return f"noxfile.py has no session {', '.join(sorted(unknown))}"
    if named == ["conformance"] and after:
        return _parse(run_command, "run", arguments[arguments.index("--") + 1 :])
    return ""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.where)
def test_a_command_of_ours_is_understood_by_its_own_parser(command: Command) -> None:
    assert not (parse(command.words)), f"{command.where}: {' '.join(command.words)}"


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if not each.reason], ids=lambda command: f"{command.where}"
)
def test_a_command_works_or_its_block_says_why_it_is_not_run(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs a cluster goes as far as it goes without one: `run` is asked for its plan."""
    monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path))
    match command.words:
        case ("nox", "-s", "conformance", *more):
            words = ["run", *(word for word in more if word != "--"), "--plan"]
        case ("conformance", "run", *more):
            words = ["run", *more, *(() if "--plan" in more else ("--plan",))]
        case ("conformance", name, *more) if name in SAFE:
            words = [name, *more]
        case ("conformance" | "python", *more) if more[-1] == "--help":
            return  # parsing it is all there is
        case _:
            pytest.fail(
                f"{command.where}: nothing here runs `{' '.join(command.words)}`:"
                " put `<!-- not run: why -->` on the line before its block"
            )
    ended = CliRunner().invoke(group, words)
    assert ended.exit_code == 0, f"{command.where}: {ended.output}{ended.exception or ''}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_a_command_in_a_sentence_has_the_options_it_names(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    faults = []
    for line in _INLINE.findall(text):
        words = line.removeprefix("uv run ").split()
        root, rest = (clusters, words[3:]) if words[0] == "python" else (group, words[1:])
        if words[0] == "nox":
            rest = ["run", *rest[rest.index("--") + 1 :]] if rest[:3] == ["-s", "conformance", "--"] else []
        faults += [f"{line}: {fault}" for fault in _unknown(root, rest)]
    assert faults == []


def _unknown(command: click.Command, words: list[str]) -> list[str]:
    while isinstance(command, click.Group) and words and not words[0].startswith("-") and words[0] != "...":
        if words[0] not in command.commands:
            return [f"no command {words[0]}"]
        command, words = command.commands[words[0]], words[1:]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h", "--version", "--"}
    before = words[: words.index("--")] if "--" in words else words
    return [f"no option {word}" for word in before if word.startswith("--") and word.partition("=")[0] not in known]


def test_a_wrong_option_is_found() -> None:
    assert "--basline" in str(parse(("conformance", "run", "--basline")))
    assert "nosuch" in str(parse(("nox", "-s", "nosuch")))
    assert parse(("python", "-m", "clusters", "frob")) == "there is no command frob"
    assert _unknown(group, ["run", "--defualt"]) == ["no option --defualt"]


def test_commands_are_read_from_a_block_as_a_shell_reads_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ A=b uv run --no-sync conformance plan \\\n    --shards 3 > plan.json  # a comment\nits output\n"
        "# sudo nox -s lint && python -m conformance classes | cat\n```\n"
        "<!-- not run: it costs money -->\n```sh\naws sso login\n```\n```sh\nlater\n```\n"
    )
    assert [(command.words, command.reason) for command in commands(page)] == [
        (("conformance", "plan", "--shards", "3"), ""),
        (("nox", "-s", "lint"), ""),
        (("conformance", "classes"), ""),
        (("cat",), ""),
        (("aws", "sso", "login"), "it costs money"),
        (("later",), ""),
    ]
