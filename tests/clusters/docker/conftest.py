"""A container engine that is not there: it remembers what it was told and answers as Docker does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from clusters import process
from clusters.errors import CommandError
from clusters.process import Completed


@dataclass
class FakeEngine:
    """Containers, networks, volumes and images by name, the first three with their labels."""

    containers: dict[str, dict[str, str]] = field(default_factory=dict)
    networks: dict[str, dict[str, str]] = field(default_factory=dict)
    volumes: dict[str, dict[str, str]] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    pullable: set[str] = field(default_factory=set)
    #: Every command line, in order.
    ran: list[tuple[str, ...]] = field(default_factory=list)
    environments: list[Mapping[str, str]] = field(default_factory=list)
    #: Looked at before each command: raises to make it fail.
    on_run: Callable[[tuple[str, ...]], None] | None = None
    #: What is said to a command that begins so, the program left out.
    answers: dict[tuple[str, ...], str] = field(default_factory=dict)
    answering: bool = True

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout: float | None = None,
        check: bool = True,
        hint: str = "",
    ) -> Completed:
        """Do what `clusters.process.run` does, as far as an engine's clients see."""
        del cwd, stdin, timeout
        words = tuple(str(word) for word in argv)
        self.ran.append(words)
        self.environments.append(dict(env or {}))
        if self.on_run is not None:
            self.on_run(words)
        code, said = self._answer(words[1:]) if self.answering else (1, "Cannot connect to the Docker daemon")
        if check and code != 0:
            raise CommandError(words, code, said, hint)
        return Completed(
            argv=words, returncode=code, stdout=said if code == 0 else "", stderr="" if code == 0 else said
        )

    def stream(self, argv: Sequence[str | Path], *, on_line: Callable[[str], None], **rest: object) -> None:
        """Do what `clusters.process.stream` does."""
        del on_line
        environment = rest.get("env")
        self.run(argv, env=environment if isinstance(environment, dict) else None)

    def _answer(self, words: tuple[str, ...]) -> tuple[int, str]:  # noqa: C901, PLR0911, PLR0912 - a table of commands
        for beginning, said in self.answers.items():
            if words[: len(beginning)] == beginning:
                return 0, said
        match words:
            case ("ps", *rest):
                return 0, "\n".join(self._labelled(self.containers, rest))
            case ("network", "ls", *rest):
                return 0, "\n".join(self._labelled(self.networks, rest))
            case ("volume", "ls", *rest):
                return 0, "\n".join(self._labelled(self.volumes, rest))
            case ("rm", "--force", "--volumes", *names):
                return self._forget(self.containers, names)
            case ("network", "rm", *names):
                return self._forget(self.networks, names)
            case ("volume", "rm", "--force", *names):
                return self._forget(self.volumes, names)
            case ("image", "inspect", name):
                return (0, "[]") if name in self.images else (1, "No such image")
            case ("image", "rm", name):
                self.images.discard(name)
                return 0, ""
            case ("pull", "--quiet", name):
                if name not in self.pullable:
                    return 1, "dial tcp: lookup registry-1.docker.io: no such host"
                self.images.add(name)
                return 0, name
            case _:
                return 0, ""

    @staticmethod
    def _labelled(things: Mapping[str, Mapping[str, str]], words: Sequence[str]) -> list[str]:
        filters = [word.removeprefix("label=") for word in words if word.startswith("label=")]

        def has(labels: Mapping[str, str], wanted: str) -> bool:
            key, equals, value = wanted.partition("=")
            return key in labels and (not equals or labels[key] == value)

        return [name for name, labels in things.items() if all(has(labels, wanted) for wanted in filters)]

    @staticmethod
    def _forget(things: dict[str, dict[str, str]], names: Sequence[str]) -> tuple[int, str]:
        for name in names:
            things.pop(name, None)
        return 0, ""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, state_dir: Path, tmp_path: Path) -> FakeEngine:
    """An engine that answers to `docker`, on a machine that has nothing else."""
    del state_dir
    fake = FakeEngine()
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("docker", "podman", "nerdctl", "kind", "k3d"):
        (programs / name).write_text("")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(process, "run", fake.run)
    monkeypatch.setattr(process, "stream", fake.stream)
    return fake
