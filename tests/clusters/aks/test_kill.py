"""A creator that is killed in the middle of each of its calls; then the janitor."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from pathlib import Path

import pytest

from clusters import janitor, ledger, process
from clusters.aks.provider import AksProvider
from clusters.janitor import Fate
from clusters.paths import CHECKOUT
from tests.clusters.aks.azure import Azure, Hold
from tests.clusters.aks.conftest import NAME, QUICK

CREATOR = f"""
from clusters.aks.limits import Limits
from clusters.aks.provider import AksProvider
from clusters.provider import ClusterSpec
spec = ClusterSpec(name={NAME!r}, run_id="r1", kubernetes="1.35")
AksProvider(Limits(poll=0.01, look=0.01)).create(spec, print)
"""


@pytest.mark.parametrize("title", ["PUT group", "PUT cluster", "GET operation", "POST credentials"])
def test_a_creator_that_is_killed_leaves_nothing_after_the_janitor(azure: Azure, tmp_path: Path, title: str) -> None:
    """The call on its way arrives only after the janitor has looked: that is why it looks twice."""
    hold = azure.hold = Hold(title=title)
    log = tmp_path / "creator.log"
    creator = process.spawn([sys.executable, "-c", CREATOR], log=log, cwd=CHECKOUT)
    try:
        assert hold.reached.wait(60), log.read_text()
    finally:
        os.kill(creator.pid, signal.SIGKILL)
        creator.wait(10)
    azure.on_call = lambda seen: hold.released.set() if seen == "GET nodes group" else None
    provider = AksProvider(dataclasses.replace(QUICK, settle=2))
    findings = janitor.sweep({"aks": provider})
    assert hold.done.wait(10)
    assert [finding.fate for finding in findings] == [Fate.REMOVED]
    assert azure.is_empty
    assert ledger.leases() == ()
