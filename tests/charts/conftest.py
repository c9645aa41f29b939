"""What tests that render charts need."""

from __future__ import annotations

import pytest

from clusters.embedded import toolchain
from conformance import chart
from conformance.errors import UsageError


@pytest.fixture(scope="session", autouse=True)
def _(request: pytest.FixtureRequest) -> None:
    """Build helm where there is none and a test will need it: those tests are never skipped."""
    if not any(item.get_closest_marker("cluster") for item in request.session.items):
        return
    try:
        chart.find_helm()
    except UsageError:
        toolchain.ensure(toolchain.pick(["helm"], kubernetes=toolchain.DEFAULT_LINE), progress=print)
