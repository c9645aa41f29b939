"""The command line: one group, one command a file, errors without a traceback."""

from __future__ import annotations

import sys

import click

from clusters import interrupts
from clusters.cli import janitor_command
from clusters.errors import ClustersError
from conformance.commands.admit import admit_command
from conformance.commands.classes import classes_command
from conformance.commands.classify import classify_command
from conformance.commands.diff import diff_command
from conformance.commands.doctor import doctor_command
from conformance.commands.explain import explain_command
from conformance.commands.merge import merge_command
from conformance.commands.plan import plan_command
from conformance.commands.publish import publish_command
from conformance.commands.replay import replay_command
from conformance.commands.report import report_command
from conformance.commands.run import run_command
from conformance.errors import ConformanceError, ExitCode


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="build-conformance")
def group() -> None:
    """Say, with evidence, where in-cluster image builds work and which layer refuses them where they do not."""


_COMMANDS = (
    run_command,
    admit_command,
    doctor_command,
    classify_command,
    explain_command,
    classes_command,
    replay_command,
    diff_command,
    report_command,
    plan_command,
    merge_command,
    publish_command,
    janitor_command,
)
for _command in _COMMANDS:
    group.add_command(_command)


def main() -> None:
    """Run the command line; an error is its message and its exit code."""
    try:
        with interrupts.as_interrupts():
            group.main(standalone_mode=False)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(int(ExitCode.USAGE))
    except (ConformanceError, ClustersError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(int(error.exit_code))
    except PermissionError as error:
        click.echo(f"error: {error.filename}: {error.strerror}: run this as its owner, or change its mode", err=True)
        sys.exit(int(ExitCode.USAGE))
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(int(ExitCode.INTERRUPTED))
