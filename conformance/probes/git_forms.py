"""The ways to write a git context: each builds what the git server has there."""

from __future__ import annotations

import secrets
import shlex

from conformance import fixtures
from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.buildkit import program
from conformance.probes.context import CannotLookError, LookBrokeError, Probe, ProbeRun, found, last_line
from conformance.probes.git_server import hello, serving
from conformance.tools import Build

#: What follows the repository's address (with the commit of the tag v1 put in), and the file that shows what was built:
#: its path in the image, and in the repository at which revision.
_FORMS = {
    "default": ("", "hello.txt", "main:hello.txt"),
    "branch": ("#feature", "hello.txt", "feature:hello.txt"),
    "tag": ("#v1", "hello.txt", "v1:hello.txt"),
    "commit": ("#{commit}", "hello.txt", "v1:hello.txt"),
    "subdir": ("#main:app", "greeting.txt", "main:app/greeting.txt"),
}
#: Those that need a server of their own and BuildKit's secrets.
_GUARDED = ("private", "submodule")


def look(run: ProbeRun) -> Facts:
    """Build every form and compare a file of what was pushed with the same file on the git server."""
    commit = _ask(run, "rev-parse", "v1^{commit}")
    address = run.cell_run.fixtures
    context = address.git_context if run.cell_run.driver.speaks_git else address.http_context
    forms = {name: f"{context.partition('#')[0]}{ref.format(commit=commit)}" for name, (ref, _, _) in _FORMS.items()}
    facts: Facts = {}
    for name, url in forms.items():
        driver, image = run.cell_run.driver, run.image(name)
        ran = run.script(f"{name}.txt", "set -eu", driver.script(Build(git=url, push=image)))
        _, path, revision = _FORMS[name]
        content = registry.content(run, image, path) if ran.ok else ""
        facts |= _facts(name, ran.output, built=ran.ok, right=content == _ask(run, "show", revision))
    return facts | _guarded(run)


def judge(facts: Facts) -> ProbeFinding:
    """Rank: a form that builds something else is worse than one that fails."""
    names = [*_FORMS, *(name for name in _GUARDED if f"{name}_built" in facts)]
    for name in names:
        if facts[f"{name}_built"] and not facts[f"{name}_right"]:
            detail = f"the form {name} is green, but what was pushed is not what the git server has"
            return found(facts, "wrong-content", detail, f"{name}_built", f"{name}_right")
    if facts.get("anonymous_built"):
        detail = "a repository that asks for a token was built without one"
        return found(facts, "private-is-open", detail, "anonymous_built")
    failed = [name for name in names if not facts[f"{name}_built"]]
    if failed:
        detail = f"{facts[f'{failed[0]}_said']} (forms that fail: {', '.join(failed)})"
        return found(facts, f"{failed[0]}-fails", detail, *(f"{name}_built" for name in failed), f"{failed[0]}_said")
    return found(facts, HOLDS, f"built as they should: {', '.join(names)}", *(f"{name}_right" for name in names))


def _guarded(run: ProbeRun) -> Facts:
    """Build from a private repository with a token and without, and from one with a submodule."""
    try:
        ctl = program(run)
    except CannotLookError:
        return {}
    token = secrets.token_hex(16)
    facts: Facts = {}
    with serving(run, token) as server:
        builds = {
            # Without a token first: what was fetched with one must not help.
            "anonymous": (f"{server}/private/hello.git#main", False),
            "private": (f"{server}/private/hello.git#main", True),
            "submodule": (f"{server}/super.git#main", False),
        }
        for name, (url, with_token) in builds.items():
            image = run.image(name)
            words = [
                *ctl,
                "build",
                "--progress=plain",
                "--frontend=dockerfile.v0",
                f"--opt=context={url}",
                "--no-cache",
            ]
            words += ["--secret=id=GIT_AUTH_TOKEN,env=CONFORMANCE_TOKEN"] if with_token else []
            words += [f"--output=type=image,name={image},push=true"]
            ran = run.script(f"{name}.txt", f"export CONFORMANCE_TOKEN={token}", shlex.join(words))
            content = registry.content(run, image, "hello.txt") if ran.ok else ""
            right = content == _ask(run, "show", "main:hello.txt")
            facts |= _facts(name, ran.output, built=ran.ok, right=right)
    return facts


def _facts(name: str, output: str, *, built: bool, right: bool) -> Facts:
    return {
        f"{name}_built": built,
        f"{name}_said": "" if built else last_line(output),
        f"{name}_right": built and right,
    }


def _ask(run: ProbeRun, *arguments: str) -> str:
    said = hello(run, fixtures.GIT, fixtures.NAMESPACE, *arguments)
    if not said:
        raise LookBrokeError(f"the git server did not answer `git {shlex.join(arguments)}`")
    return said


PROBE = Probe(
    name="git-forms",
    summary="default branch, branch, tag, full commit, subdirectory, private with a token and submodule all build",
    findings={
        "wrong-content": "A build is green, but pushed something else than the git server has there.",
        "private-is-open": "A repository that asks for a token is built without one.",
        **{
            f"{name}-fails": f"The form `{name}` fails, and maybe later ones of this list too."
            for name in (*_FORMS, *_GUARDED)
        },
    },
    look=look,
    judge=judge,
)
