"""The command line for people who only want a cluster: `python -m clusters`."""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from clusters import interrupts, janitor, ledger, listing, paths, process, providers
from clusters.docker.cli import engine_group
from clusters.embedded.requirements import INSTALL_VARIABLE
from clusters.embedded.toolchain import DEFAULT_LINE, KUBERNETES_LINES
from clusters.embedded.toolchain.cli import toolchain_group
from clusters.errors import ClustersError, UnavailableError, UsageError
from clusters.provider import (
    BASIC_IMAGES,
    SECCOMP_PROFILES,
    Capability,
    Cluster,
    ClusterSpec,
    Hosts,
    ImageRole,
    NodeConditions,
    Prepares,
    Progress,
    Provider,
    Serves,
)

#: What a node is like when nothing is asked for.
DEFAULTS = NodeConditions()

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
@click.option(
    "--image",
    "roles",
    multiple=True,
    type=click.Choice([str(role) for role in ImageRole if role not in BASIC_IMAGES]),
    metavar="ROLE",
    help=f"Also put this image on the node; repeatable: {', '.join(sorted(set(ImageRole) - BASIC_IMAGES))}.",
)
@click.option(
    "--seccomp-default",
    is_flag=True,
    help="Containers that name no seccomp profile get the runtime's (seccompDefault).",
)
@click.option(
    "--ids-per-pod",
    type=int,
    default=DEFAULTS.ids_per_pod,
    show_default=True,
    metavar="N",
    help="Ids a pod with hostUsers: false is given (userNamespaces.idsPerPod, from Kubernetes 1.33): a power of two.",
)
@click.option(
    "--seccomp-profiles", is_flag=True, help=f"Install the Localhost profiles {' and '.join(SECCOMP_PROFILES)}."
)
@click.option(
    "--emulators", is_flag=True, help="Run programs of foreign architectures; while it exists, on this whole machine."
)
@click.option("--volumes", is_flag=True, help="Answer claims for volumes: a default StorageClass and its provisioner.")
@click.option("--network-policy", is_flag=True, help="Enforce NetworkPolicies.")
def create(  # noqa: PLR0913 - one parameter an option
    name: str,
    provider: str,
    kubernetes: str,
    *,
    no_install_deps: bool,
    keep: bool,
    roles: tuple[str, ...],
    seccomp_default: bool,
    ids_per_pod: int,
    seccomp_profiles: bool,
    emulators: bool,
    volumes: bool,
    network_policy: bool,
) -> None:
    """Create the cluster NAME and print how to reach it. The first time, its programs are built (20 minutes)."""
    if no_install_deps:
        os.environ[INSTALL_VARIABLE] = "0"
    source = providers.find(provider)
    asked = NodeConditions(
        seccomp_default=seccomp_default,
        ids_per_pod=ids_per_pod,
        seccomp_profiles=seccomp_profiles,
        emulators=emulators,
    )
    _require_possible(provider, asked)
    features = {Capability.VOLUMES: volumes, Capability.NETWORK_POLICY: network_policy}
    spec = ClusterSpec(
        name=name,
        run_id=f"cli-{secrets.token_hex(4)}",
        kubernetes=kubernetes,
        conditions=asked,
        images=BASIC_IMAGES | {ImageRole(role) for role in roles},
        features=frozenset(feature for feature, is_asked in features.items() if is_asked),
    )
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
    for line in listing.lines() or ("there are no clusters: python -m clusters create NAME",):
        click.echo(line)


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
@click.option("--provider", help="Only what this provider made.  [default: all]")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--all", "everything", is_flag=True, help="Also clusters that are kept, and traces without a lease.")
def janitor_command(provider: str | None, *, dry_run: bool, everything: bool) -> None:
    """Remove what killed runs left: what was noted here, and what the providers find of theirs.

    What a living process holds is left alone.
    """
    asked = providers.PROVIDERS if provider is None else {provider: providers.find(provider)}
    with interrupts.held_back():
        findings = janitor.sweep(asked, only=provider, dry_run=dry_run, everything=everything)
    for finding in findings:
        click.echo(f"{finding.fate}: {finding.provider} {finding.what}: {finding.why}")
    if not findings:
        click.echo("nothing to remove")
    if any(finding.fate is janitor.Fate.FAILED for finding in findings):
        sys.exit(ClustersError.exit_code)


clusters.add_command(toolchain_group, "toolchain")
clusters.add_command(engine_group, "engine")


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
        return _with_features(spec, source.create(spec, say))
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


def _with_features(spec: ClusterSpec, cluster: Cluster) -> Cluster:
    missing = ", ".join(sorted(spec.features - cluster.capabilities))
    if missing:
        raise UnavailableError(
            f"cluster {spec.name} was asked for {missing} and cannot have it here (the lines above may say why): "
            "create it without, or on another machine or provider"
        )
    return cluster


def _require_possible(provider: str, asked: NodeConditions) -> None:
    source = providers.find(provider)
    if asked != DEFAULTS and not isinstance(source, Hosts):
        raise UsageError(
            f"nodes of {provider} cannot be asked to be like that ({asked.describe()}): "
            "leave these options out, or use another provider"
        )


def _collect_logs(source: Provider, name: str, say: Progress) -> None:
    folder = paths.state_dir() / "failed" / name
    try:
        source.collect_logs(name, folder)
    except (ClustersError, OSError) as error:
        # What made the creation fail is what has to be told, and the removal must go on.
        say(f"its logs could not be copied: {error}")
    else:
        say(f"its logs were copied to {folder}")


def _progress() -> Progress:
    began = time.monotonic()

    def say(line: str) -> None:
        click.echo(f"[{time.monotonic() - began:6.1f} s] {line}", err=True)

    return say
