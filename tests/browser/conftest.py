from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks import synthetic
from clusters import process
from clusters.paths import cache_dir
from conformance.artifacts import RunFolder
from conformance.report import write_reports

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Dialog, Page

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = (
    "--no-sandbox",  # root has no other way
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE: Final = "4.14.1"
#: As the registry publishes it.
AXE_SHA512: Final = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """A page and everything it asked for or complained about."""

    page: Page
    file: Path
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def fragment(self) -> str:
        found: str = self.page.evaluate("decodeURIComponent(location.hash.slice(1))")
        return found

    def count(self) -> str:
        found: str = self.page.locator("#count").inner_text()
        return found


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: `nox -s browser` installs it")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: `nox -s browser` installs it")
    with sync_api.sync_playwright() as playwright:
        profile = tmp_path_factory.mktemp("profile")
        started = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(ARGUMENTS), viewport={"width": 1280, "height": 900}
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = synthetic.write(tmp_path_factory.mktemp("small"), 408)
    write_reports(folder)
    return folder


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Callable[..., Visit]]:
    """Open a run's page; at the end, no visited page may have asked for anything else or complained."""
    visits: list[Visit] = []

    def go(folder: RunFolder, fragment: str = "") -> Visit:
        made = Visit(page=context.new_page(), file=folder.path / "report.html")
        made.page.on("request", lambda request: made.requests.append(request.url.partition("#")[0]))
        made.page.on("console", lambda message: made.complaints.append(message.text))
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.page.on("dialog", partial(_dismiss, made.complaints))
        made.page.goto(f"{made.file.as_uri()}{fragment}")
        visits.append(made)
        return made

    yield go
    for made in visits:
        made.page.close()
        assert set(made.requests) <= {made.file.as_uri()}
        assert made.complaints == []


def _dismiss(complaints: list[str], dialog: Dialog) -> None:
    complaints.append(dialog.message)
    dialog.dismiss()


@pytest.fixture(scope="session")
def axe() -> str:
    """Return axe-core's code, from the cache or, the first time, from npm."""
    folder = cache_dir() / "axe-core"
    archive = folder / f"axe-core-{AXE}.tgz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        process.run(["npm", "pack", "--silent", f"axe-core@{AXE}"], cwd=folder, timeout=120)
    content = archive.read_bytes()
    seen = base64.b64encode(hashlib.sha512(content).digest()).decode()
    assert seen == AXE_SHA512, f"{archive} is not what the registry published: remove it"
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        code = tar.extractfile("package/axe.min.js")
        assert code is not None
        return code.read().decode()
