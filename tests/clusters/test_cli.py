from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from clusters import cli, holders, ledger, providers
from clusters.errors import ClusterFailedError, UnavailableError
from clusters.provider import (
    BASIC_IMAGES,
    Capability,
    Cluster,
    ClusterSpec,
    ImageRole,
    Lease,
    NodeConditions,
    Progress,
    Provenance,
)


class FakeProvider:
    """Makes clusters of nothing; `error` is raised by create, before or after the lease is taken."""

    def __init__(
        self,
        *,
        error: BaseException | None = None,
        takes_lease: bool = True,
        has: frozenset[Capability] = frozenset(),
    ) -> None:
        self.deleted: list[str] = []
        self.asked: list[NodeConditions] = []
        self.images: list[frozenset[ImageRole]] = []
        self._has = has
        self._error = error
        self._takes_lease = takes_lease

    def why_unavailable(self) -> str | None:
        return None

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        if self._takes_lease:
            lease = holders.lease_of_this_process(provider="fake", name=spec.name, run_id=spec.run_id, created=0)
            ledger.take(lease)
        self.asked.append(spec.conditions)
        self.images.append(spec.images)
        progress("making it")
        if self._error is not None:
            raise self._error
        return Cluster(
            name=spec.name,
            provider="fake",
            run_id=spec.run_id,
            kubeconfig=Path("/kubeconfig"),
            kubernetes=spec.kubernetes,
            provenance=Provenance.GENUINE,
            capabilities=self._has,
            images={},
        )

    def delete(self, name: str) -> None:
        self.deleted.append(name)
        ledger.release("fake", name)

    def collect_logs(self, name: str, into: Path) -> None:
        into.mkdir(parents=True)
        (into / "why.txt").write_text(name)

    def list_leases(self) -> tuple[Lease, ...]:
        return ledger.leases("fake")


def run(monkeypatch: pytest.MonkeyPatch, provider: FakeProvider, *words: str) -> int:
    monkeypatch.setattr(providers, "PROVIDERS", {"fake": provider})
    monkeypatch.setattr(sys, "argv", ["clusters", *words])
    try:
        cli.main()
    except SystemExit as error:
        return int(str(error.code))
    return 0


def create(monkeypatch: pytest.MonkeyPatch, provider: FakeProvider, *words: str) -> int:
    return run(monkeypatch, provider, "create", "one", "--provider", "fake", *words)


@pytest.mark.usefixtures("state_dir")
def test_a_cluster_that_was_created_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = FakeProvider()
    assert create(monkeypatch, provider) == 0
    lease = ledger.find("fake", "one")
    assert lease is not None
    assert lease.kept
    assert provider.deleted == []
    assert "export KUBECONFIG=/kubeconfig" in capsys.readouterr().out


def test_a_cluster_that_failed_is_deleted_and_its_logs_are_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state_dir: Path
) -> None:
    provider = FakeProvider(error=ClusterFailedError("one", "etcd", "it ended with 1"))
    assert create(monkeypatch, provider) == 2
    assert provider.deleted == ["one"]
    assert (state_dir / "failed" / "one" / "why.txt").is_file()
    said = capsys.readouterr().err
    assert "error: cluster 'one' failed at step 'etcd': it ended with 1" in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("state_dir")
def test_logs_that_cannot_be_copied_do_not_keep_a_failed_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = FakeProvider(error=ClusterFailedError("one", "etcd", "it ended with 1"))

    def fail(name: str, into: Path) -> None:
        raise OSError(28, f"no space for {name} in {into}")

    monkeypatch.setattr(provider, "collect_logs", fail)
    assert create(monkeypatch, provider) == 2
    assert provider.deleted == ["one"]
    assert "its logs could not be copied" in capsys.readouterr().err


@pytest.mark.usefixtures("state_dir")
def test_a_cluster_without_what_was_asked_for_is_deleted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = FakeProvider(has=frozenset({Capability.VOLUMES}))
    assert create(monkeypatch, provider, "--volumes") == 0
    assert create(monkeypatch, provider, "--volumes", "--network-policy") == 2
    assert provider.deleted == ["one"]
    assert "was asked for network-policy and cannot have it here" in capsys.readouterr().err


@pytest.mark.usefixtures("state_dir")
def test_a_cluster_that_failed_stays_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = FakeProvider(error=ClusterFailedError("one", "etcd", "it ended with 1"))
    assert create(monkeypatch, provider, "--keep") == 2
    assert provider.deleted == []


@pytest.mark.usefixtures("state_dir")
def test_an_interrupted_creation_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = FakeProvider(error=KeyboardInterrupt())
    assert create(monkeypatch, provider) == 130
    assert provider.deleted == ["one"]


@pytest.mark.usefixtures("state_dir")
@pytest.mark.parametrize("error", [UnavailableError("no room"), KeyboardInterrupt()])
def test_a_creation_that_never_began_deletes_nothing_of_that_name(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    other = Lease(provider="fake", name="one", run_id="r", created=0, pid=os.getppid(), pid_started=0.0, boot="b")
    ledger.take(other)
    provider = FakeProvider(error=error, takes_lease=False)
    assert create(monkeypatch, provider) in {2, 130}
    assert provider.deleted == []
    assert ledger.find("fake", "one") == other


@pytest.mark.usefixtures("state_dir")
def test_bad_input_ends_with_3_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = FakeProvider()
    assert run(monkeypatch, provider, "create", "one", "--provider", "fke") == 3
    assert "Did you mean 'fake'?" in capsys.readouterr().err
    assert run(monkeypatch, provider, "creat") == 3
    assert run(monkeypatch, provider, "create") == 3
    assert run(monkeypatch, provider, "shell", "one", "--provider", "fake") == 3


@pytest.mark.usefixtures("state_dir")
def test_clusters_are_listed_with_who_holds_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = FakeProvider()
    assert run(monkeypatch, provider, "list") == 0
    assert "there are no clusters" in capsys.readouterr().out
    ledger.take(Lease(provider="fake", name="lost", run_id="r", created=0, pid=2**22 + 1, pid_started=0.0))
    create(monkeypatch, provider)
    capsys.readouterr()
    assert run(monkeypatch, provider, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["NAME", "PROVIDER", "STATE"]
    assert "gone: janitor removes it" in lines[1]
    assert "nobody: kept" in lines[2]
    assert run(monkeypatch, provider, "janitor") == 0
    assert provider.deleted == ["lost"]


@pytest.mark.usefixtures("state_dir")
def test_deleting_what_is_not_there_says_so_and_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, FakeProvider(), "delete", "one", "--provider", "fake") == 0
    assert "there was no cluster one" in capsys.readouterr().out


class ConditionalProvider(FakeProvider):
    """Gives nodes conditions, and remembers those of the last cluster."""

    def why_impossible(self, conditions: NodeConditions) -> str | None:
        assert conditions is not None
        return None

    def conditions(self, name: str) -> NodeConditions | None:
        return self.asked[-1] if name == "one" else None


@pytest.mark.usefixtures("state_dir")
def test_a_cluster_is_asked_for_with_the_conditions_of_the_options_and_listed_with_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = ConditionalProvider()
    assert create(monkeypatch, provider) == 0
    words = ("--seccomp-default", "--ids-per-pod", "262144", "--seccomp-profiles", "--emulators")
    assert create(monkeypatch, provider, *words) == 0
    everything = NodeConditions(seccomp_default=True, ids_per_pod=262144, seccomp_profiles=True, emulators=True)
    assert provider.asked == [NodeConditions(), everything]
    capsys.readouterr()
    assert run(monkeypatch, provider, "list") == 0
    assert "  seccomp-default ids-per-pod=262144 seccomp-profiles emulators  " in capsys.readouterr().out
    assert NodeConditions().describe() == "default"


@pytest.mark.usefixtures("state_dir")
def test_a_cluster_has_the_images_of_the_options_besides_the_basic_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = FakeProvider()
    assert create(monkeypatch, provider) == 0
    assert run(monkeypatch, provider, "delete", "one", "--provider", "fake") == 0
    assert create(monkeypatch, provider, "--image", "kaniko", "--image", "buildah") == 0
    assert provider.images == [BASIC_IMAGES, BASIC_IMAGES | {ImageRole.KANIKO, ImageRole.BUILDAH}]


@pytest.mark.usefixtures("state_dir")
def test_an_image_that_nobody_makes_is_refused_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(monkeypatch, FakeProvider(), "--image", "kanika") == 3
    assert "'kanika' is not one of 'buildkit-rootless-v0.14'" in capsys.readouterr().err


@pytest.mark.usefixtures("state_dir")
def test_a_provider_without_conditions_refuses_them_instead_of_ignoring_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = FakeProvider()
    assert create(monkeypatch, provider, "--seccomp-default") == 3
    assert "nodes of fake cannot be asked to be like that (seccomp-default)" in capsys.readouterr().err
    assert provider.asked == []
