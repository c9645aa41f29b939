"""What a step sees of the daemon and of another build on it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import LookBrokeError, Probe, ProbeRun, found

#: Names of the processes that make up a rootless or rootful daemon.
_DAEMON: Final = frozenset({"buildkitd", "rootlesskit"})
#: In the command line of the other build's step.
_OTHER: Final = "conformance-other-build"
#: The other build's variable, whose value is what must stay its own.
_CANARY: Final = "CONFORMANCE_CANARY"
_WAIT_TENTHS: Final = 600

#: A line for each process: name, whether it is the other build's, may be signalled, its environment read, its memory
#: opened (which needs what ptrace(2) needs, PTRACE_MODE_ATTACH in its manual), and whether the canary was read.
OBSERVER: Final = f"""\
exec > /seen 2> /dev/null
yes_no() {{ if "$@" > /dev/null 2>&1; then printf ' yes'; else printf ' no'; fi; }}
for process in /proc/[0-9]*; do
  id=${{process#/proc/}}
  if [ "$id" = "$$" ] || ! read -r name < "$process/comm"; then continue; fi
  tr '\\0' ' ' < "$process/cmdline" > /line
  if grep -q observer.sh /line; then continue; fi
  printf '%s' "$name" | tr ' ' '_'
  yes_no grep -q {_OTHER} /line
  yes_no kill -0 "$id"
  yes_no dd if="$process/environ" of=/environ bs=65536
  yes_no sh -c ": < $process/mem"
  yes_no grep -q {_CANARY}= /environ
  rm -f /environ
  echo
done
echo end
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process that a step sees."""

    name: str
    of_other_build: bool
    signalled: bool
    read: bool
    opened: bool
    canary: bool

    @property
    def of_daemon(self) -> bool:
        """Say whether it is the daemon's."""
        return self.name in _DAEMON


def look(run: ProbeRun) -> Facts:
    """Keep one build waiting in a step, let another one look around, and read what it saw from its image."""
    program(run, daemon=True)
    canary = secrets.token_hex(8)
    other = from_base(
        run, f"ENV {_CANARY}={canary}", f"RUN printf 'other build is %s\\n' up; sh -c 'sleep 120; true' {_OTHER}"
    )
    image = run.image("seen")
    ran = run.script(
        "builds.txt",
        "log=$(mktemp)",
        *context(other),
        f"{line(run, '--no-cache')} > $log 2>&1 &",
        "other=$!",
        "tenths=0",
        f'until grep -q "other build is up" $log || [ $tenths -ge {_WAIT_TENTHS} ]; do',
        "  sleep 0.1; tenths=$((tenths+1))",
        "done",
        *context(from_base(run, "COPY observer.sh /", "RUN sh /observer.sh"), {"observer.sh": OBSERVER}),
        line(run, "--no-cache", push=image),
        'grep -q "other build is up" $log && kill $other && echo conformance: both ran',
        "wait; cat $log",
    )
    if "conformance: both ran" not in ran.output:
        raise LookBrokeError("the build that is to be looked at did not run while the other one looked")
    seen = registry.content(run, image, "seen")
    run.note("seen.txt", f"{seen}\n")
    if not seen.endswith("end"):
        raise LookBrokeError("the step that looks around did not come to its end")
    processes = [_process(entry) for entry in seen.splitlines()[:-1]]
    daemon = [process for process in processes if process.of_daemon]
    others = [process for process in processes if process.of_other_build]
    return {
        "processes": len(processes),
        "names": ", ".join(sorted({process.name for process in processes}))[:300],
        "sees_daemon": bool(daemon),
        "may_signal_daemon": any(process.signalled for process in daemon),
        "reads_daemon": any(process.read for process in daemon),
        "may_trace_daemon": any(process.opened for process in daemon),
        "sees_other_build": bool(others),
        "may_signal_other_build": any(process.signalled for process in others),
        "may_trace_other_build": any(process.opened for process in others),
        "reads_other_build": any(process.canary for process in processes),
    }


def judge(facts: Facts) -> ProbeFinding:
    """Rank: what a step can take from the daemon, then what it can take from another build; seeing is least."""
    ranks = (
        ("step-reads-daemon", ("reads_daemon", "may_trace_daemon"), "a step reads the daemon's environment or memory"),
        (
            "step-reads-other-build",
            ("reads_other_build", "may_trace_other_build"),
            "a step reads the environment or memory of another build's step",
        ),
        ("step-can-signal", ("may_signal_daemon", "may_signal_other_build"), "a step may signal what is not its own"),
        ("step-sees-daemon", ("sees_daemon",), "a step sees the daemon's processes"),
        ("step-sees-other-build", ("sees_other_build",), "a step sees the processes of another build"),
    )
    for finding, names, what in ranks:
        if any(facts[name] for name in names):
            return found(
                facts, finding, f"{what}: it sees {facts['names']}", *names, "may_signal_daemon", "sees_daemon"
            )
    return found(facts, HOLDS, "a step sees nothing but itself", "processes", "names")


def _process(entry: str) -> Process:
    name, *answers = entry.split()
    other, signalled, read, opened, canary = (answer == "yes" for answer in answers)
    return Process(name=name, of_other_build=other, signalled=signalled, read=read, opened=opened, canary=canary)


PROBE = Probe(
    name="isolation",
    summary="a step sees neither the daemon nor a concurrent build, and can neither read nor signal them",
    findings={
        "step-reads-daemon": "A step reads the environment or opens the memory of the daemon, as ptrace would.",
        "step-reads-other-build": "A step reads the environment or opens the memory of another build's step.",
        "step-can-signal": "A step may signal (kill 0) the daemon or another build's step.",
        "step-sees-daemon": "A step sees the daemon's processes in /proc.",
        "step-sees-other-build": "A step sees another build's processes in /proc.",
    },
    look=look,
    judge=judge,
)
