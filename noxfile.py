"""The front door: every check and the main job, each in an environment of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "tests"]

#: nox kills an interrupted child after 0.3 s unless told otherwise; a cluster takes longer to delete than that.
PATIENCE_SECONDS = 180

#: Where Debian's package puts it; the tests start that one.
CHROMIUM = Path("/usr/bin/chromium")

#: Go runs it from its module, whose sum the checksum database vouches for.
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"

#: Tests against imitations of clouds over real HTTP.
CLOUDS = ("tests/clusters/aks", "tests/clusters/eks")


def install(session: nox.Session, *groups: str) -> None:
    """Install the project and dependency groups exactly as locked."""
    session.run_install(
        "uv",
        "sync",
        "--locked",
        "--no-default-groups",
        *(f"--group={group}" for group in groups),
        f"--python={session.virtualenv.location}",
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
    )


def run_patiently(session: nox.Session, *command: str, success_codes: tuple[int, ...] = (0,)) -> None:
    """Run something that has clusters to remove when it is interrupted."""
    session.run(
        *command,
        *session.posargs,
        interrupt_timeout=PATIENCE_SECONDS,
        terminate_timeout=PATIENCE_SECONDS,
        success_codes=success_codes,
    )


@nox.session
def conformance(session: nox.Session) -> None:
    """Run the matrix on real clusters: `nox -s conformance -- --psa baseline` (any option of `conformance run`)."""
    install(session)
    run_patiently(session, "conformance", "run")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; `-- -m 'not cluster and not docker'` leaves out those that need a cluster, which take minutes."""
    install(session, "tests")
    if session.posargs:
        run_patiently(session, "pytest", "--ignore=tests/browser")
        return
    # Those without a cluster first, on every core; then those of the clouds, which mostly wait for an imitated one;
    # those with a real cluster share it, one after the other.
    hermetic = ("--ignore=tests/browser", "-m", "not cluster and not docker")
    run_patiently(session, "pytest", *hermetic, *(f"--ignore={path}" for path in CLOUDS), "--numprocesses=auto")
    run_patiently(session, "pytest", *hermetic, *CLOUDS, "--numprocesses=8")
    run_patiently(session, "pytest", "--ignore=tests/browser", "-m", "cluster and not probes")


@nox.session
def probes(session: nox.Session) -> None:
    """Run every probe on a real cluster, and see each find what was broken on purpose; takes half an hour."""
    install(session, "tests")
    run_patiently(session, "pytest", "tests/cluster/test_probes.py", "-m", "probes")


@nox.session
def docker(session: nox.Session) -> None:
    """Make, use, kill and remove real kind and k3d clusters: a Docker engine, or root for one of our own, is needed."""
    install(session, "tests")
    run_patiently(session, "pytest", "tests/cluster/test_containers.py", "-m", "docker")


@nox.session
def browser(session: nox.Session) -> None:
    """Open the HTML report in Debian's chromium, and check what people and screen readers meet."""
    install(session, "browser")
    if not CHROMIUM.exists():
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            session.error(f"{CHROMIUM} is missing: install Debian's package chromium")
        session.log("installing Debian's package chromium: the tests open the report in it")
        session.run("apt-get", "install", "-y", "--no-install-recommends", "chromium", external=True)
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, spelling and metadata; `-- --fix` mends what can be mended."""
    install(session, "lint")
    session.run("ruff", "check", *session.posargs, ".")
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), ".")
    session.run("codespell")
    session.run("validate-pyproject", "pyproject.toml")
    session.run("go", "run", ACTIONLINT)
    # Offline: what is checked does not depend on a token or on the hour.
    session.run("zizmor", "--offline", "--no-progress", ".github/workflows")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation's site into `site/`; a link or a page that leads nowhere fails."""
    install(session, "docs")
    session.run("mkdocs", "build", "--strict", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    install(session, "types")
    session.install("nox")
    session.run("mypy")


@nox.session
def minimums(session: nox.Session) -> None:
    """Run the hermetic tests with the oldest dependencies that pyproject.toml allows."""
    session.install("--resolution=lowest-direct", "--group=tests", "--editable", ".")
    session.run("pytest", "--ignore=tests/browser", "-m", "not cluster and not docker", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what docs/benchmarks claims: `-- classify plan cluster matrix`, or all of them."""
    install(session, "tests")
    run_patiently(session, "python", "-m", "benchmarks")
