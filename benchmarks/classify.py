"""How many megabytes of log `classify_text` reads in a second, on the kinds of text that logs are made of."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Final

from conformance.classify import classify_text

_BUDGET: Final = 20.0
_MEGABYTE: Final = 1_000_000
_WORDS: Final = (
    "resolve",
    "sha256",
    "extracting",
    "transferring",
    "context",
    "done",
    "DONE",
    "CACHED",
    "load",
    "build",
    "definition",
    "Dockerfile",
    "RUN",
    "COPY",
    "apt-get",
    "update",
    "install",
    "Get:1",
    "http://deb.debian.org",
    "bookworm",
    "InRelease",
    "kB",
    "Selecting",
    "previously",
    "unselected",
    "package",
    "Setting",
    "up",
    "level=info",
    "level=debug",
    "msg=",
    "time=",
    "spanID",
    "traceID",
    "worker",
    "linux/amd64",
    "found",
    "running",
    "server",
    "on",
    "found",
    "error",
    "failed",
    "not",
)
#: Lines that rules look at closely and then refuse, or take.
_NEAR_MISSES: Final = (
    "#7 0.125    root: open /proc/1/root: permission denied",
    'level=warning msg="skipping containerd worker, as \\"/run/containerd/containerd.sock\\" does not exist"',
    'W1107 13:24:08 warnings.go:70] would violate PodSecurity "restricted:latest": runAsNonRoot != true (pod)',
    "fatal: Not a valid object name 055fe3f3847650f253d9e47fe1145307197d3771^{commit}",
    '  Normal   Pulling    49s (x4 over 2m27s)  kubelet            Pulling image "local/dummy"',
    'error: failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 1',
)


def _lines(rng: random.Random, near_misses: float) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        if rng.random() < near_misses:
            yield rng.choice(_NEAR_MISSES)
        else:
            yield f"#{number % 40} {number / 100:.3f} {' '.join(rng.choices(_WORDS, k=rng.randint(3, 20)))}"


def _text(size: int, near_misses: float) -> bytes:
    rng, parts, length = random.Random(7), [], 0  # noqa: S311 — the same text each time
    for line in _lines(rng, near_misses):
        parts.append(line)
        length += len(line) + 1
        if length >= min(size, 4 * _MEGABYTE):
            break
    block = "\n".join(parts).encode() + b"\n"
    return (block * (size // len(block) + 1))[:size]


TEXTS: Final[dict[str, Callable[[int], bytes]]] = {
    "build output": lambda size: _text(size, 0.0),
    "build output, one line in ten a near miss": lambda size: _text(size, 0.1),
    "near misses only": lambda size: _text(size, 1.0),
    "JSON log, quoted twice": lambda size: (
        b'{"log":"time=\\"2026\\" msg=\\"a \\\\\\"b\\\\\\" c\\\\n d\\"\\n","stream":"stderr"}\n' * (size // 70)
    )[:size],
    "terminal colours": lambda size: (b"\x1b[36mINFO\x1b[0m[0000] Taking snapshot of files...\r\n" * (size // 52))[
        :size
    ],
    "one line without an end": lambda size: b'a \\" operation not permitted? ' * (size // 29),
    "random bytes": lambda size: random.Random(7).randbytes(size),  # noqa: S311
    "no new lines, only quotes": lambda size: b'\\"' * (size // 2),
}


def measure(megabytes: int = 64) -> Iterator[str]:
    """Read each kind of text once; yield a Markdown table of megabytes a second of processor time."""
    classify_text("warm up")
    yield f"| {megabytes} MB of | MB/s | budget {_BUDGET:g} MB/s |"
    yield "|---|---|---|"
    for name, make in TEXTS.items():
        data = make(megabytes * _MEGABYTE)
        started = time.process_time()
        classify_text(data)
        speed = len(data) / _MEGABYTE / (time.process_time() - started)
        yield f"| {name} | {speed:.1f} | {'kept' if speed >= _BUDGET else 'broken'} |"
    yield f"| texts of a line or a few (--jsonl) | {_texts_a_second():.0f} texts a second | |"


def _texts_a_second() -> float:
    texts = [line for line, _ in zip(_lines(random.Random(7), 0.5), range(5000), strict=False)]  # noqa: S311
    started = time.process_time()
    for text in texts:
        classify_text(text)
    return len(texts) / (time.process_time() - started)


if __name__ == "__main__":
    for row in measure():
        print(row)  # noqa: T201
