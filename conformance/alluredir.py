"""allure-pytest's `--alluredir`: cells are reported from their results, as any renderer does, not from pytest's items.

An item knows neither its verdict's evidence nor what the controller found out without running it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from conformance.artifacts import RunFolder
from conformance.report import allure

#: The name under which allure-pytest registers what listens to items.
_LISTENER: Final = "allure_listener"


def take_over(config: pytest.Config) -> None:
    """Keep allure-pytest from reporting items, in the controller and in each worker."""
    listener = config.pluginmanager.get_plugin(_LISTENER)
    if listener is not None:
        config.pluginmanager.unregister(listener)


def write(config: pytest.Config, folder: RunFolder | None, say: Callable[[str], None]) -> None:
    """Write a run's results into the folder that `--alluredir` names, if it does; `say` tells what went wrong."""
    into = config.getoption("allure_report_dir", None)
    if not into or folder is None:
        return
    try:
        allure.write(folder, Path(into))
    except OSError as error:
        say(f"--alluredir {into}: {error.strerror}: run `conformance report {folder.path} --allure DIR`")
