"""The command line for people who only want a cluster: `python -m clusters`."""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from clusters import holders, interrupts, janitor, ledger, paths, process, providers
from clusters.embedded.requirements import INSTALL_VARIABLE
from clusters.embedded.toolchain import DEFAULT_LINE, KUBERNETES_LINES
from clusters.embedded.toolchain.cli import toolchain_group
from clusters.errors import ClustersError, UsageError
from clusters.provider import Cluster, ClusterSpec, Prepares, Progress, Provider, Serves

#: Exit code of a run that was interrupted (128 + SIGINT).
INTERRUPTED = 130

provider_option = click.option(
    "--provider", default="embedded", show_default=True, help="Where the cluster comes from."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def clusters() -> None:
    """Create, use and remove clusters of your own on this machine.

    A cluster stays until it is deleted; whatever a killed run left is found by `janitor`.
    """


@clusters.command()
@click.argument("name")
@provider_option
@click.option(
    "--kubernetes",
    default=DEFAULT_LINE,
    show_default=True,
    metavar="LINE",
    help=f"Kubernetes line: {', '.join(KUBERNETES_LINES)}.",
)
@click.option(
    "--no-install-deps", is_flag=True, help="Say which Debian packages are missing instead of installing them."
)
@click.option("--keep", is_flag=True, help="Leave a cluster that failed as it is, to look into it.")
def create(name: str, provider: str, kubernetes: str, no_install_deps: bool, keep: bool) -> None:  # noqa: FBT001
    """Create the cluster NAME and print how to reach it. The first time, its programs are built (20 minutes)."""
    if no_install_deps:
        os.environ[INSTALL_VARIABLE] = "0"
    source = providers.find(provider)
    spec = ClusterSpec(name=name, run_id=f"cli-{secrets.token_hex(4)}", kubernetes=kubernetes)
    say = _progress()
    with interrupts.as_interrupts():
        if isinstance(source, Prepares):
            source.prepare(spec, say)
        cluster = _create_or_delete(provider, spec, say, keep=keep)
        ledger.keep(provider, name)
    click.echo(f"cluster {name} is ready: Kubernetes {cluster.facts.get('kube-apiserver', kubernetes)}")
    click.echo(f"  export KUBECONFIG={cluster.kubeconfig}")
    click.echo(f"  python -m clusters delete {name}")


@clusters.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@provider_option
def delete(names: tuple[str, ...], provider: str) -> None:
    """Remove clusters and everything that bears their names, half-made ones too."""
    source = providers.find(provider)
    for name in names:
        was_there = ledger.find(provider, name) is not None or (
            isinstance(source, Serves) and source.state(name) != "gone"
        )
        with interrupts.held_back():
            source.delete(name)
        click.echo(f"cluster {name} is deleted" if was_there else f"there was no cluster {name}")


@clusters.command("list")
def list_clusters() -> None:
    """List the clusters there are and who holds them."""
    leases = ledger.leases()
    if not leases:
        click.echo("there are no clusters: python -m clusters create NAME")
        return
    rows = [("NAME", "PROVIDER", "STATE", "AGE", "HELD BY", "KUBECONFIG")]
    for lease in leases:
        source = providers.PROVIDERS.get(lease.provider)
        holder = "nobody: kept" if lease.kept else f"process {lease.pid}"
        if not lease.kept and not holders.is_alive(lease):
            holder += ", gone: janitor removes it"
        age = f"{(time.time() - lease.created) / 60:.0f} min"
        state = _state(source, lease.name)
        rows.append((lease.name, lease.provider, state, age, holder, _kubeconfig(source, lease.name)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@clusters.command()
@click.argument("name")
@provider_option
@click.option("--node", is_flag=True, help="On the cluster's node, in its namespaces, as root.")
@click.argument("command", nargs=-1)
def shell(name: str, provider: str, node: bool, command: tuple[str, ...]) -> NoReturn:  # noqa: FBT001
    """Open a shell (or run COMMAND) with KUBECONFIG set for the cluster NAME."""
    source = providers.find(provider)
    if not isinstance(source, Serves):
        raise UsageError(f"clusters of {provider} are not on this machine: use their own tools")
    words = command or (os.environ.get("SHELL") or "/bin/sh",)
    prefix = source.node_command(name) if node else ()
    process.replace([*prefix, *words], env={**os.environ, **source.environment(name)})


@clusters.command()
@click.argument("name")
@provider_option
@click.option("--into", type=click.Path(path_type=Path), help="Folder to write to.  [default: ./NAME-logs]")
def logs(name: str, provider: str, into: Path | None) -> None:
    """Copy logs, configuration and state of the cluster NAME into a folder, to find out why it is as it is."""
    folder = into or Path(f"{name}-logs")
    providers.find(provider).collect_logs(name, folder)
    click.echo(str(folder))


@clusters.command("janitor")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--all", "everything", is_flag=True, help="Also clusters that are kept, and traces without a lease.")
def janitor_command(dry_run: bool, everything: bool) -> None:  # noqa: FBT001
    """Remove what killed runs left. What a living process holds is left alone."""
    with interrupts.held_back():
        findings = janitor.sweep(providers.PROVIDERS, dry_run=dry_run, everything=everything)
    for finding in findings:
        click.echo(f"{finding.fate}: {finding.provider} {finding.what}: {finding.why}")
    if not findings:
        click.echo("nothing to remove")
    if any(finding.fate is janitor.Fate.FAILED for finding in findings):
        sys.exit(ClustersError.exit_code)


clusters.add_command(toolchain_group, "toolchain")


def main() -> None:
    """Run the command line; errors end it with a sentence and their exit code."""
    try:
        clusters.main(prog_name="python -m clusters", standalone_mode=False)
    except ClustersError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(UsageError.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(ClustersError.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)


def _create_or_delete(provider: str, spec: ClusterSpec, say: Progress, *, keep: bool) -> Cluster:
    source = providers.find(provider)
    try:
        return source.create(spec, say)
    except (Exception, KeyboardInterrupt) as error:
        if not ledger.is_held_here(provider, spec.name):
            # It was refused before anything was made; a cluster of that name is somebody else's.
            raise
        with interrupts.held_back():
            if keep:
                say(f"kept as it is: python -m clusters logs {spec.name}, python -m clusters delete {spec.name}")
                raise
            if isinstance(error, ClustersError):
                _collect_logs(source, spec.name, say)
            say(f"deleting what was made of {spec.name}")
            source.delete(spec.name)
        raise


def _collect_logs(source: Provider, name: str, say: Progress) -> None:
    folder = paths.state_dir() / "failed" / name
    try:
        source.collect_logs(name, folder)
    except (ClustersError, OSError) as error:
        # What made the creation fail is what has to be told, and the removal must go on.
        say(f"its logs could not be copied: {error}")
    else:
        say(f"its logs were copied to {folder}")


def _state(source: object, name: str) -> str:
    return source.state(name) if isinstance(source, Serves) else "unknown"


def _kubeconfig(source: object, name: str) -> str:
    try:
        return source.environment(name)["KUBECONFIG"] if isinstance(source, Serves) else ""
    except ClustersError:
        return ""


def _progress() -> Progress:
    began = time.monotonic()

    def say(line: str) -> None:
        click.echo(f"[{time.monotonic() - began:6.1f} s] {line}", err=True)

    return say
