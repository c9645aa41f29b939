"""Measure how many megabytes of log `classify_text` reads in a second of processor time, on kinds of text.

Run it: `uv run python benchmarks/classify.py [MEGABYTES]`. Ends with 1 when one of them is slower than the budget.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

from conformance.classify import classify_text

_BUDGET: Final = 20.0
_MEGABYTE: Final = 1_000_000
_WORDS: Final = (
    "resolve sha256 extracting transferring context done DONE CACHED load build definition Dockerfile RUN COPY apt-get "
    "update install Get:1 http://deb.debian.org bookworm InRelease kB Selecting previously unselected package Setting up "
    "level=info level=debug msg= time= spanID traceID worker linux/amd64 found running server on found error failed not"
).split()
#: Lines that rules look at closely and then refuse, or take.
_NEAR_MISSES: Final = (
    "#7 0.125    root: open /proc/1/root: permission denied",
    'time="2026-11-21T01:37:06Z" level=warning msg="skipping containerd worker, as \\"/run/containerd/containerd.sock\\" does not exist"',
    'W1107 13:24:08.331340  347415 warnings.go:70] would violate PodSecurity "restricted:latest": runAsNonRoot != true (pod)',
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


def main() -> int:
    """Print a line for each text and return the exit code."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    slow = 0
    classify_text("warm up")
    for name, make in TEXTS.items():
        data = make(megabytes * _MEGABYTE)
        started = time.process_time()
        classify_text(data)
        speed = len(data) / _MEGABYTE / (time.process_time() - started)
        slow += speed < _BUDGET
        print(f"{name:45} {speed:7.1f} MB/s{'' if speed >= _BUDGET else '  below the budget'}")  # noqa: T201
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
