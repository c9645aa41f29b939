"""The daemon is killed between and during builds: what the client sees, and what is there afterwards."""

from __future__ import annotations

from typing import Final

from conformance.errors import WaitError
from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import lives, registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import LookBrokeError, Probe, ProbeRun, found, last_line

_STAMP: Final = "RUN cat /proc/sys/kernel/random/uuid > /stamp"
_RUNNING: Final = "/tmp/conformance-restart"  # noqa: S108 - in the client's container
_WAIT_TENTHS: Final = 600
#: How many tenths of a second a client may go on after its daemon has died.
_CLIENT_TENTHS: Final = 600
#: Process 1 of a container cannot be killed from inside; asked three times to end, BuildKit no longer waits for builds
#: (util/appcontext/appcontext.go).
_KILL: Final = """\
for id in $(pidof buildkitd); do
  if [ "$id" != 1 ]; then kill -KILL "$id"; continue; fi
  for time in 1 2 3 4; do kill -TERM 1; sleep 0.3; done
done
"""


def look(run: ProbeRun) -> Facts:
    """Build a stamp, kill the daemon under another build, wait for its return, and build the stamp again."""
    program(run, daemon=True)
    before = lives.current(run)
    first, second = run.image("first"), run.image("second")
    stamped = context(from_base(run, _STAMP))
    made = run.script("first.txt", "set -eu", *stamped, line(run, "--no-cache", push=first))
    if not made.ok:
        raise LookBrokeError(f"the build before the restart failed: {last_line(made.output)}")
    begun = run.script("begin.txt", *_begin(run))
    if not begun.ok:
        raise LookBrokeError("the build that is to be interrupted did not begin")
    run.note("kill.txt", run.in_builder("sh", "-c", _KILL).output)
    client = run.script("client.txt", *_end())
    try:
        after = lives.usable_again(run)
        back = True
    except WaitError:
        after, back = before, False
    again = run.script("second.txt", "set -eu", *stamped, line(run, push=second)) if back else None
    stamps = registry.content(run, first, "stamp"), registry.content(run, second, "stamp") if again else ""
    return {
        "client_ended": "client ended with" in client.output,
        "client_green": "client ended with 0" in client.output,
        "client_said": _client_said(client.output),
        "usable_again": back,
        "restarted": after.started != before.started or after.uid != before.uid,
        "same_pod": after.uid == before.uid,
        "restarts_counted": lives.counted(run, before) if back else 0,
        "builds_again": again is not None and again.ok and bool(stamps[1]),
        "cache_kept": bool(stamps[0]) and stamps[0] == stamps[1],
    }


def judge(facts: Facts) -> ProbeFinding:
    """Trust the first process, the kubelet's count and the next build: Ready says nothing here."""
    back = ("restarted", "restarts_counted", "same_pod", "usable_again", "builds_again", "cache_kept")
    names = (*back, "client_ended", "client_green", "client_said")
    doubts = (
        ("daemon-stays-dead", not (facts["usable_again"] and facts["builds_again"]), "no build works afterwards"),
        ("daemon-not-killed", not facts["restarted"], "the builder's container is in the same life as before"),
        ("death-hidden-from-client", facts["client_green"], "a build whose daemon died was green"),
        ("client-hangs", not facts["client_ended"], "the client did not end"),
        ("pod-replaced", not facts["same_pod"], "another pod took over: its restart count tells nothing"),
        ("restart-not-counted", not facts["restarts_counted"], "started anew, and restartCount is as before"),
        ("cache-lost", not facts["cache_kept"], "a step that had been cached was run again"),
    )
    for finding, seen, what in doubts:
        if seen:
            return found(facts, finding, what, *names)
    return found(facts, HOLDS, f"the client said: {facts['client_said']}; then all was back", *names)


def _begin(run: ProbeRun) -> tuple[str, ...]:
    """Return a script that starts a long build, which outlives the script, and ends when its step runs."""
    step = "RUN printf 'the step is %s\\n' up; sleep 300"
    return (
        f"rm -f {_RUNNING}.*",
        *context(from_base(run, step)),
        f"({line(run, '--no-cache')}; echo client ended with $?) > {_RUNNING}.log 2>&1 &",
        "tenths=0",
        f'until grep -q "the step is up" {_RUNNING}.log; do',
        f"  [ $tenths -lt {_WAIT_TENTHS} ] || exit 1; sleep 0.1; tenths=$((tenths+1))",
        "done",
    )


def _end() -> tuple[str, ...]:
    """Return a script that waits for that build's client and prints what it said."""
    return (
        "tenths=0",
        f'until grep -q "client ended with" {_RUNNING}.log || [ $tenths -ge {_CLIENT_TENTHS} ]; do',
        "  sleep 0.1; tenths=$((tenths+1))",
        "done",
        f"cat {_RUNNING}.log",
    )


def _client_said(output: str) -> str:
    return last_line("\n".join(each for each in output.splitlines() if not each.startswith("client ended with")))


PROBE = Probe(
    name="restart",
    summary="a killed daemon is seen by its client and counted, comes back, builds, and has kept its cache",
    findings={
        "daemon-stays-dead": "After the daemon's death no build works any more.",
        "daemon-not-killed": "The daemon could not be killed from inside its container: nothing was shown.",
        "death-hidden-from-client": "A build whose daemon died under it was green.",
        "client-hangs": "The client of the dead daemon does not end.",
        "restart-not-counted": "The container was started anew, but restartCount does not tell.",
        "pod-replaced": "The death is answered with another pod, whose restart count begins at 0.",
        "cache-lost": "A step that was cached before is run again.",
    },
    look=look,
    judge=judge,
    disruptive=True,
)
