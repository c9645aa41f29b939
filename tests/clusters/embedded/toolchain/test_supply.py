from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from clusters import process
from clusters.embedded import toolchain
from clusters.embedded.toolchain import cache, go, gobuild
from clusters.embedded.toolchain.catalog import MODULES
from clusters.embedded.toolchain.jobs import jobs_for
from clusters.embedded.toolchain.progress import Step
from clusters.errors import ClustersError, CommandError, UnavailableError, UsageError
from tests.clusters.embedded.toolchain.machine import Machine

_NAMES = ("rootlesskit", "buildkitd", "buildctl", "coredns")


def test_user_gets_every_program_that_was_asked_for_and_no_other(machine: Machine) -> None:
    got = toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    assert set(got) == set(_NAMES)
    assert {name: path.read_text(encoding="utf-8") for name, path in got.items()} == {
        name: f"{name} built\n" for name in _NAMES
    }
    assert machine.built() == list(_NAMES)
    assert set(machine.published()) == set(_NAMES)


def test_program_has_the_name_of_the_catalogue_whatever_go_calls_it(machine: Machine) -> None:
    got = toolchain.ensure(toolchain.pick(["buildctl-v0.14", "kaniko", "coredns"]), progress=machine.said.append)
    assert {name: path.read_text(encoding="utf-8") for name, path in got.items()} == {
        "buildctl-v0.14": "buildctl built\n",
        "kaniko": "executor built\n",
        "coredns": "coredns built\n",
    }
    assert all(path.name == name for name, path in got.items())


def test_second_run_builds_nothing(machine: Machine) -> None:
    first = toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    machine.go_did()
    machine.said.clear()
    assert toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append) == first
    assert machine.go_did() == []
    assert machine.said == []


def test_only_what_is_missing_is_built(machine: Machine) -> None:
    toolchain.ensure(toolchain.pick(["buildctl"]), progress=machine.said.append)
    machine.go_did()
    toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    assert machine.built() == ["rootlesskit", "buildkitd", "coredns"]


def test_programs_of_one_module_share_a_build_and_are_told_as_one_step(machine: Machine) -> None:
    toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    asked = [line for line in machine.go_did() if line.startswith("list ")]
    assert sorted(set(asked)) == [
        "list .",
        "list github.com/moby/buildkit/cmd/buildctl",
        "list github.com/rootless-containers/rootlesskit/v2/cmd/rootlesskit",
    ]
    assert "[2/3] buildkit v0.31.2: building buildkitd, buildctl" in machine.said
    assert any(line.startswith("[3/3] coredns v1.15.0: built in ") for line in machine.said)


def test_nothing_but_results_is_left_after_success(machine: Machine) -> None:
    toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    assert set(cache.folders()) == set(machine.published().values())
    assert not cache.work_exists()


def test_failed_build_goes_on_at_the_program_that_failed(machine: Machine) -> None:
    machine.tell_go("go-fails-at-buildkitd", "# github.com/moby/buildkit\nmain.go:1: undefined: x")
    with pytest.raises(CommandError, match=r"main\.go:1: undefined: x"):
        toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    assert set(machine.published()) == {"rootlesskit"}
    assert (machine.cache / ".work" / "build").is_dir(), "what was compiled is kept to go on from"
    machine.go_did()
    (machine.bin / "go-fails-at-buildkitd").unlink()
    toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    assert machine.built() == ["buildkitd", "buildctl", "coredns"]
    assert not cache.work_exists()


def test_interrupted_build_goes_on_and_publishes_nothing_half_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = gobuild.Builder.build

    def interrupted(self: gobuild.Builder, job: object, step: object) -> dict[str, Path]:
        built = build(self, job, step)  # type: ignore[arg-type] # passed through
        if "coredns" in built:
            raise KeyboardInterrupt
        return built

    monkeypatch.setattr(gobuild.Builder, "build", interrupted)
    with pytest.raises(KeyboardInterrupt):
        toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    monkeypatch.undo()
    monkeypatch.setenv("BUILD_CONFORMANCE_CACHE_DIR", str(machine.cache.parent))
    monkeypatch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
    assert set(machine.published()) == set(_NAMES) - {"coredns"}
    machine.go_did()
    toolchain.ensure(toolchain.pick(_NAMES), progress=machine.said.append)
    assert machine.built() == ["coredns"]


def test_program_appears_in_the_cache_whole_by_one_rename(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[str], bool]] = []
    rename = Path.rename

    def spy(self: Path, target: Path) -> Path:
        if target.parent == machine.cache:
            within = cache.work() in self.parents
            seen.append(({path.name for path in self.iterdir()}, within and not target.exists()))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", spy)
    toolchain.ensure(toolchain.pick(["coredns"]), progress=machine.said.append)
    assert seen == [({"coredns", "made.json"}, True)]
    assert set(machine.published()) == {"coredns"}


def test_leftovers_of_a_killed_run_do_not_break_the_next(machine: Machine) -> None:
    left = machine.cache / ".work" / "publish-x"
    left.mkdir(parents=True)
    (left / "coredns").write_text("half", encoding="utf-8")
    (machine.cache / ".lock").touch()
    damaged = machine.cache / "somebody-elses"
    damaged.mkdir()
    got = toolchain.ensure(toolchain.pick(["coredns"]), progress=machine.said.append)
    assert got["coredns"].read_text(encoding="utf-8") == "coredns built\n"
    assert not left.exists()


def test_damaged_result_is_built_again(machine: Machine) -> None:
    got = toolchain.ensure(toolchain.pick(["coredns"]), progress=machine.said.append)
    got["coredns"].unlink()
    with pytest.raises(UnavailableError):
        toolchain.locate(toolchain.pick(["coredns"]))
    assert toolchain.ensure(toolchain.pick(["coredns"]), progress=machine.said.append) == got
    assert got["coredns"].is_file()


def test_second_run_at_once_waits_says_so_and_uses_what_the_first_built(machine: Machine) -> None:
    other = FileLock(machine.cache / ".lock", thread_local=False)
    machine.cache.mkdir(parents=True)
    other.acquire()
    waits = threading.Event()

    def say(line: str) -> None:
        machine.said.append(line)
        if "waiting" in line:
            waits.set()

    second = threading.Thread(target=lambda: toolchain.ensure(toolchain.pick(["coredns"]), progress=say))
    second.start()
    assert waits.wait(20), machine.said
    assert machine.built() == [], "it builds nothing while the first holds the cache"
    other.release()
    second.join(20)
    assert machine.built() == ["coredns"]
    assert any("another run is building" in line for line in machine.said)


def test_run_that_waited_does_not_build_again_what_the_other_built(machine: Machine) -> None:
    toolchain.ensure(toolchain.pick(["coredns"]), progress=machine.said.append)
    machine.go_did()
    (built,) = machine.published().values()
    built.rename(machine.bin / "not-yet")
    other = FileLock(machine.cache / ".lock", thread_local=False)
    other.acquire()

    def other_run_ends(line: str) -> None:
        if "waiting" in line:
            (machine.bin / "not-yet").rename(built)
            other.release()

    toolchain.ensure(toolchain.pick(["coredns"]), progress=other_run_ends)
    assert machine.built() == []


def test_modules_of_the_next_job_are_fetched_while_one_is_built(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead: list[tuple[Path | None, bool]] = []
    spawn = process.spawn

    def spy(argv: Sequence[str | Path], *, cwd: Path, **rest: Any) -> object:  # noqa: ANN401 - passed through
        ahead.append((cwd, any(line.startswith("build") for line in machine.go_did())))
        return spawn(argv, cwd=cwd, **rest)

    monkeypatch.setattr(process, "spawn", spy)
    toolchain.ensure(toolchain.pick(["rootlesskit", "coredns"]), progress=machine.said.append)
    assert ahead == [(MODULES / "coredns", False)]


@pytest.mark.usefixtures("machine")
def test_step_tells_when_only_linking_is_left() -> None:
    jobs = jobs_for(toolchain.pick(["buildkitd", "buildctl"]))
    using = go.find()
    assert using is not None
    step = Step("buildkit", "")
    gobuild.Builder(using, cache.work()).build(jobs[0], step)
    assert step.detail == "linking"


@pytest.mark.usefixtures("machine")
def test_packages_that_an_earlier_job_compiled_are_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    using = go.find()
    assert using is not None
    builder = gobuild.Builder(using, cache.work())
    details: list[str] = []
    monkeypatch.setattr(Step, "__setattr__", lambda _, name, value: details.append(f"{name} {value}"))
    for job in jobs_for(toolchain.pick(["rootlesskit", "coredns"])):
        builder.build(job, Step("", ""))
    assert [said for said in details if said.endswith(" packages")] == [
        "detail compiling 2 packages",
        "detail compiling 1 packages",
    ]


def test_caller_who_only_looks_is_told_what_to_run(machine: Machine) -> None:
    with pytest.raises(
        UnavailableError, match=r"kubelet.*`python -m clusters toolchain build --kubernetes 1\.34 kubelet`"
    ):
        toolchain.locate(toolchain.pick(["kubelet"], kubernetes="1.34"))
    assert machine.go_did() == []


def test_two_lines_of_one_program_cannot_share_an_answer(machine: Machine) -> None:
    both = (*toolchain.pick(["kubelet"], kubernetes="1.34"), *toolchain.pick(["kubelet"]))
    with pytest.raises(UsageError, match="two versions of kubelet"):
        toolchain.ensure(both, progress=machine.said.append)


def test_user_without_network_is_told_the_module_and_what_to_do(machine: Machine) -> None:
    said = 'github.com/x/y@v1.2.3: Get "https://proxy.example/x": dial tcp: lookup proxy.example: no such host'
    machine.tell_go("go-offline", said)
    with pytest.raises(ClustersError) as caught:
        toolchain.ensure(toolchain.pick(["coredns"]), progress=machine.said.append)
    message = str(caught.value)
    assert "github.com/x/y@v1.2.3" in message
    assert "coredns" in message
    assert "GOPROXY" in message
    assert caught.value.exit_code == 2
