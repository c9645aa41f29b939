"""The options of a run, once: the command line and the pytest plugin both read this table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from conformance.model import Record

#: Cells mostly wait for pods; more than this only makes builds on one node slow each other down.
WORKERS: Final = 4


class Takes(Enum):
    """What an option takes."""

    FLAG = "flag"
    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One option."""

    name: str
    takes: Takes
    help: str
    metavar: str = ""

    @property
    def field(self) -> str:
        """Return the option's field in `Request`."""
        return self.name.removeprefix("--").replace("-", "_")


OPTIONS: Final[tuple[Option, ...]] = (
    Option(
        name="--cluster",
        takes=Takes.MANY,
        metavar="PROVIDER",
        help="Where the cluster comes from. Repeat for several. Default: what the matrix says.",
    ),
    Option(
        name="--kubernetes",
        takes=Takes.MANY,
        metavar="LINE",
        help="Kubernetes line of the cluster, e.g. 1.34. Repeat for several. Default: what the matrix says.",
    ),
    Option(
        name="--node",
        takes=Takes.MANY,
        metavar="KIND",
        help="Kind of node, as matrices/nodes.toml names them, e.g. seccomp-default. Repeat for several. "
        "Default: what the matrix says.",
    ),
    Option(
        name="--psa",
        takes=Takes.MANY,
        metavar="LEVEL[@VERSION]",
        help="Pod Security level: privileged, baseline or restricted; baseline@v1.34 pins the policy version. "
        "Repeat for several. Default: what the matrix says.",
    ),
    Option(
        name="--builder",
        takes=Takes.MANY,
        metavar="GLOB",
        help="Builders by name or glob, e.g. 'rootless-*'. Repeat for several. Default: what the matrix says.",
    ),
    Option(
        name="--probe",
        takes=Takes.MANY,
        metavar="GLOB",
        help="Probes that look at each cell once its stages have passed, by name or glob, e.g. isolation or '*'. "
        "Repeat for several. Default: what the matrix says.",
    ),
    Option(
        name="--matrix",
        takes=Takes.ONE,
        metavar="NAME|FILE",
        help="Which cells run when nothing narrows them: a name under matrices/ or a TOML file. Default: default.",
    ),
    Option(
        name="--cells",
        takes=Takes.ONE,
        metavar="FILE",
        help="Only these cells of the plan: a file with a cell's id on each line, as `conformance plan` lists them.",
    ),
    Option(
        name="--shard",
        takes=Takes.ONE,
        metavar="I/N",
        help="Only the cells of this shard of the plan, e.g. 2/3; `conformance plan --shards N` shows them.",
    ),
    Option(
        name="--resume",
        takes=Takes.ONE,
        metavar="RUN",
        help="Take up an interrupted run (its id or folder, or `latest`): cells whose verdict stands do not run again.",
    ),
    Option(
        name="--git-context",
        takes=Takes.ONE,
        metavar="URL",
        help="Build this git context (as buildctl takes it: URL#ref:subdir) instead of the one in the cluster.",
    ),
    Option(
        name="--chart",
        takes=Takes.ONE,
        metavar="PATH|oci://...",
        help="The chart under test, for builders of its topology. Default: charts/build-<topology>.",
    ),
    Option(
        name="--adapter",
        takes=Takes.ONE,
        metavar="NAME",
        help="How the chart under test is told to run a builder. Default: the adapter that bears the chart's name.",
    ),
    Option(
        name="--kubeconfig",
        takes=Takes.ONE,
        metavar="FILE",
        help="Kubeconfig of the cluster that `--cluster existing` uses. Default: $KUBECONFIG, or ~/.kube/config.",
    ),
    Option(
        name="--context",
        takes=Takes.ONE,
        metavar="NAME",
        help="Context of that kubeconfig. Default: its current one.",
    ),
    Option(
        name="--allow-privileged",
        takes=Takes.FLAG,
        help="Create privileged pods on the cluster of `--cluster existing` too; its control cell is one.",
    ),
    Option(
        name="--allow-disruptive",
        takes=Takes.FLAG,
        help="Let probes kill and fill pods on the cluster of `--cluster existing` too.",
    ),
    Option(
        name="--budget",
        takes=Takes.ONE,
        metavar="AMOUNT",
        help="Refuse to begin when the clusters could cost more, e.g. 2.00 (currency: clusters/prices.toml).",
    ),
    Option(
        name="--ttl",
        takes=Takes.ONE,
        metavar="MINUTES",
        help="How long a cloud cluster may live before anybody's janitor removes it. Default: 180.",
    ),
    Option(
        name="--keep",
        takes=Takes.FLAG,
        help="Keep clusters and namespaces for a look; `uv run python -m clusters delete NAME` removes them.",
    ),
    Option(
        name="--run-dir",
        takes=Takes.ONE,
        metavar="DIR",
        help="Where runs are kept, each in a folder of its own. Default: .conformance/runs.",
    ),
    Option(
        name="--no-install-deps",
        takes=Takes.FLAG,
        help="Refuse to install missing Debian packages; say which are missing instead.",
    ),
)


class Request(Record):
    """What a run was asked for; empty means: what the matrix says."""

    cluster: tuple[str, ...] = ()
    kubernetes: tuple[str, ...] = ()
    node: tuple[str, ...] = ()
    psa: tuple[str, ...] = ()
    builder: tuple[str, ...] = ()
    probe: tuple[str, ...] = ()
    matrix: str = "default"
    cells: str = ""
    shard: str = ""
    resume: str = ""
    git_context: str = ""
    chart: str = ""
    adapter: str = ""
    kubeconfig: str = ""
    context: str = ""
    allow_privileged: bool = False
    allow_disruptive: bool = False
    budget: str = ""
    ttl: str = ""
    keep: bool = False
    run_dir: Path = Path(".conformance/runs")
    no_install_deps: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Request:
        """Make a request of parsed options, leaving out what was not given."""
        return cls(**{option.field: values[option.field] for option in OPTIONS if values.get(option.field)})

    @classmethod
    def parse(cls, words: Iterable[str]) -> Request:
        """Make a request of what `arguments` returned."""
        values: dict[str, Any] = {}
        for word in words:
            name, equals, value = word.partition("=")
            option = next(option for option in OPTIONS if option.name == name)
            match option.takes:
                case Takes.FLAG:
                    values[option.field] = True
                case Takes.ONE:
                    values[option.field] = value if equals else ""
                case Takes.MANY:
                    values[option.field] = (*values.get(option.field, ()), value)
        return cls(**values)

    def arguments(self, but: Request | None = None) -> list[str]:
        """Return the request as command line arguments, so that it can be repeated or handed on.

        `but` leaves out what another request says too.
        """
        words: list[str] = []
        for option in OPTIONS:
            value = getattr(self, option.field)
            if but is not None and value == getattr(but, option.field):
                continue
            match option.takes:
                case Takes.FLAG:
                    words += [option.name] if value else []
                case Takes.ONE:
                    words += [f"{option.name}={value}"] if value else []
                case Takes.MANY:
                    words += [f"{option.name}={each}" for each in value]
        return words
