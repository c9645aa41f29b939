"""A small Debian and a small cookbook: apt is faked where processes are started, everything else is real."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from clusters import process
from clusters.embedded import images
from clusters.errors import CommandError
from clusters.provider import ImageRole


def _member(name: str, content: bytes) -> bytes:
    padding = b"\n" if len(content) % 2 else b""
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content + padding


def make_deb(files: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """Pack files (bytes: mode 4755 so that setuid is seen to go) as dpkg-deb does."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted({str(parent) for path in files for parent in Path(path).parents}):
            directory = tarfile.TarInfo(f"./{name}")
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(directory)
        for path, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(f"./{path}")
            info.mode, info.size, info.mtime = 0o4755, len(content), 1_700_000_000
            tar.addfile(info, io.BytesIO(content))
    return (
        b"!<arch>\n"
        + _member("debian-binary", b"2.0\n")
        + _member("control.tar.xz", b"odd")
        + _member("data.tar.xz", data.getvalue())
    )


@dataclass
class FakeApt:
    """Packages by name: what they need and the files they bring. `calls` is what was asked, without options."""

    packages: dict[str, tuple[tuple[str, ...], dict[str, bytes | tarfile.TarInfo]]]
    calls: list[tuple[str, ...]] = field(default_factory=list)
    broken: str | None = None

    def run(self, argv: Sequence[str | Path], *, cwd: Path | None = None, **_: object) -> process.Completed:
        program, option, config, *words = (str(word) for word in argv)
        assert option == "--config-file"
        self.calls.append((program, *words))
        if self.broken in words:
            raise CommandError((program, *words), 100, "E: Failed to fetch", "no network")
        held = self._held(Path(config))
        match words:
            case ["update"]:
                output = ""
            case ["show", "--no-all-versions", *names]:
                output = "\n".join(f"Package: {name}\nVersion: 1:1.0-1\nDepends: more\n" for name in names)
            case ["--yes", "--print-uris", "install", *names]:
                output = "Reading package lists...\n" + "".join(self._line(name) for name in self._closure(names, held))
            case ["download", *wanted]:
                assert cwd is not None
                for name in (word.removesuffix("=1:1.0-1") for word in wanted):
                    (cwd / f"{name}_1%3a1.0-1_all.deb").write_bytes(make_deb(self.packages[name][1]))
                output = ""
            case _:
                raise AssertionError(words)
        return process.Completed(argv=(program, *words), returncode=0, stdout=output, stderr="")

    @staticmethod
    def _held(config: Path) -> set[str]:
        stanzas = (config.parent / "status").read_text().split("\n\n")
        assert not any("Depends" in stanza for stanza in stanzas)
        return {s.split()[1] for s in stanzas if "Status: hold ok installed" in s}

    @staticmethod
    def _line(name: str) -> str:
        return f"'http://deb.test/{name}_1.0-1_all.deb' {name}_1%3a1.0-1_all.deb 9 SHA256:0\n"

    def _closure(self, names: Sequence[str], held: set[str]) -> list[str]:
        found: list[str] = []
        for name in names:
            if name not in held and name not in found:
                found += [name, *(n for n in self._closure(self.packages[name][0], held) if n not in found)]
        return found


@pytest.fixture
def apt(monkeypatch: pytest.MonkeyPatch) -> FakeApt:
    fake = FakeApt(
        packages={
            "busybox": ((), {"bin/busybox": b"busybox", "usr/share/doc/busybox/copyright": b"words"}),
            "git": (("libc", "perl"), {"usr/bin/git": b"git", "usr/bin/gitk": b"gitk"}),
            "libc": ((), {"lib/libc.so": b"libc"}),
            "perl": (("perl-modules",), {"usr/bin/perl": b"perl"}),
            "perl-modules": ((), {"usr/share/perl": b"modules"}),
            "uidmap": (("libc",), {"usr/bin/newuidmap": b"newuidmap"}),
            "buildah": (("libc",), {"usr/bin/buildah": b"buildah"}),
        }
    )
    monkeypatch.setattr(process, "run", fake.run)
    return fake


_DEBIAN = """\
release = "bookworm"
components = ["main"]
keyring = "{keyring}"
without = ["perl"]
drop = ["/usr/share/doc/*"]
[[archives]]
uri = "http://deb.test/debian"
suites = ["bookworm"]
"""

_RECIPES = {
    "base": 'summary = "tools"\n[[layers]]\nsummary = "busybox"\npackages = ["busybox"]\n'
    'files = [{path = "/etc/passwd", source = "passwd"}]\n',
    "app": 'summary = "client"\nbases = ["base"]\n[[layers]]\nsummary = "buildctl"\n'
    'programs = {buildctl = "/usr/bin/buildctl"}\n[config]\nuser = "1000:1000"\ncommand = ["/bin/sh"]\n',
    "fixtures": 'summary = "servers"\nbases = ["base"]\n[[layers]]\nsummary = "git"\npackages = ["git"]\n'
    'drop = ["/usr/bin/gitk"]\n[config]\n',
    "buildkit-rootful": 'summary = "root"\nbases = ["base"]\n[[layers]]\nsummary = "buildctl"\n'
    'programs = {buildctl = "/usr/bin/buildctl"}\n[config]\nentrypoint = ["buildkitd"]\n',
    "buildkit-rootless": 'summary = "rootless"\nbases = ["fixtures"]\n[[layers]]\nsummary = "maps"\n'
    'packages = ["uidmap"]\n[[layers.grants]]\npath = "/usr/bin/newuidmap"\ncapabilities = ["cap_setuid"]\n'
    '[config]\nuser = "1000:1000"\n[config.environment]\nHOME = "/home/user"\n',
    "buildah": 'summary = "buildah"\nbases = ["base"]\n[[layers]]\nsummary = "buildah"\n'
    'packages = ["buildah"]\n[config]\n',
    "kaniko": 'summary = "kaniko"\n[[layers]]\nsummary = "kaniko"\n'
    'programs = {kaniko = "/kaniko/executor"}\n[config]\n',
    "pause": 'summary = "waits"\n[[layers]]\nsummary = "busybox"\npackages = ["busybox"]\n[config]\n',
}


@pytest.fixture
def cookbook_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "recipes"
    other = 'summary = "x"\nbases = ["base"]\n[[layers]]\nsummary = "empty"\n[config]\n'
    for name, text in (dict.fromkeys(ImageRole, other) | _RECIPES).items():
        (folder / name).mkdir(parents=True)
        (folder / name / "recipe.toml").write_text(text)
    (folder / "base" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (folder / "keyring.gpg").touch()
    (folder / "debian.toml").write_text(_DEBIAN.format(keyring=folder / "keyring.gpg"))
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Make the smallest thing that looks like a static Go program."""
    path = tmp_path / "buildctl"
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 0)
    info = b"path\tgithub.com/moby/buildkit/cmd/buildctl\nmod\tbuild\t(devel)\n"
    path.write_bytes(
        bytes(header) + info + b"dep\tgithub.com/moby/buildkit\tv0.31.2\th1:x=\ndep\tgithub.com/m\tv9\th1:y=\n"
    )
    return path


@pytest.fixture
def small_debian(apt: FakeApt, cookbook_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApt:
    """Point the images at the small cookbook and at a cache of their own."""
    monkeypatch.setattr(images, "RECIPES", cookbook_folder)
    monkeypatch.setenv("BUILD_CONFORMANCE_CACHE_DIR", str(tmp_path / "cache"))
    return apt


@pytest.fixture
def deb(tmp_path: Path) -> Callable[..., Path]:
    def write(**files: bytes | tarfile.TarInfo) -> Path:
        path = tmp_path / "some.deb"
        path.write_bytes(make_deb({name.replace("__", "/"): content for name, content in files.items()}))
        return path

    return write
