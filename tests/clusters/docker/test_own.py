"""The engine of our own: who uses it, when it goes, and what it cannot do without."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from clusters.docker import daemon, own, own_layout
from clusters.docker.cli import engine_group
from clusters.docker.engines import Engine
from clusters.docker.own_layout import Own
from clusters.embedded import host, requirements
from clusters.errors import UnavailableError


@pytest.fixture
def ran(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been done to the engine's processes; a started one answers."""
    del state_dir
    done: list[str] = []

    def start(mine: Own) -> None:
        done.append("start")
        mine.address.write_text("10.0.0.2")

    monkeypatch.setattr(daemon, "start", start)
    monkeypatch.setattr(daemon, "end", lambda _: done.append("end"))
    monkeypatch.setattr(daemon, "wait", lambda mine: daemon.engine_of(mine, mine.address.read_text()))
    monkeypatch.setattr(
        daemon, "running", lambda mine: daemon.engine_of(mine, "10.0.0.2") if mine.address.is_file() else None
    )
    return done


def test_the_engine_is_started_once_and_goes_with_its_last_user(ran: list[str]) -> None:
    first = own.acquire("kind/a/1", print)
    second = own.acquire("k3d/b/2", print)
    assert first == second == Engine(program=first.program, environment=first.environment, address="10.0.0.2")
    assert ran == ["end", "start"], "what an engine that died left goes before the start"
    own.release("kind/a/1")
    assert ran == ["end", "start"]
    own.release("k3d/b/2")
    assert ran == ["end", "start", "end"]
    assert own.users() == ()
    assert not own_layout.own().root.exists()


def test_a_user_is_written_down_before_the_engine_starts(ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(mine: Own) -> None:
        assert [path.name for path in mine.users.iterdir()] == ["kind.a.1"]
        raise UnavailableError("no room")

    monkeypatch.setattr(daemon, "start", fail)
    with pytest.raises(UnavailableError):
        own.acquire("kind/a/1", print)
    own.release("kind/a/1")
    assert not own_layout.own().root.exists()
    assert ran == ["end", "end"]


def test_releasing_what_was_never_acquired_is_no_error(ran: list[str]) -> None:
    own.release("kind/a/1")
    assert ran == []


def test_an_engine_that_was_started_by_hand_stays_until_it_is_stopped(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "prepare", lambda _: None)
    runner = CliRunner()
    assert "export DOCKER_HOST=unix://" in runner.invoke(engine_group, ["start"]).output
    own.acquire("kind/a/1", print)
    own.release("kind/a/1")
    assert ran[-1] == "start"
    own.acquire("kind/a/1", print)
    assert "still used by kind.a.1" in runner.invoke(engine_group, ["stop"]).output
    assert "used by kind.a.1" in runner.invoke(engine_group, ["status"]).output
    own.release("kind/a/1")
    assert ran[-1] == "end"
    assert "no engine" in runner.invoke(engine_group, ["status"]).output


@pytest.mark.usefixtures("state_dir")
def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert own.why_impossible() == "an engine of our own needs Linux and root"
    with pytest.raises(UnavailableError, match="root"):
        own.prepare(print)


def test_a_socket_with_too_long_a_path_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path / ("x" * 100)))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(host, "MACHINE_CHECKS", ())
    monkeypatch.setattr(requirements, "missing", lambda _: ())
    assert "BUILD_CONFORMANCE_STATE_DIR to a shorter path" in (own.why_impossible() or "")


def test_clients_of_our_engine_speak_to_it_alone(ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://somewhere")
    engine = own.acquire("kind/a/1", print)
    assert ran
    assert engine.environment_for(None)["DOCKER_HOST"] == f"unix://{own_layout.own().socket}"
    assert engine.is_ours
    assert not Engine().is_ours
