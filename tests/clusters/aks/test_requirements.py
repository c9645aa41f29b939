from __future__ import annotations

import sys

import pytest

from clusters import process
from clusters.aks.provider import AksProvider
from clusters.paths import CHECKOUT

#: Says what is missing in a Python that has no Azure SDK.
WITHOUT_SDK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "azure":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from clusters import providers
from clusters.errors import UnavailableError
from clusters.provider import ClusterSpec
aks = providers.find("aks")
print(aks.why_unavailable())
assert aks.find_leftovers() == ()
for verb in (lambda: aks.delete("x"), lambda: aks.create(ClusterSpec(name="x", run_id="r", kubernetes="1.35"), print)):
    try:
        verb()
    except UnavailableError as error:
        print(error)
"""


@pytest.mark.usefixtures("no_credentials")
def test_without_credentials_one_paragraph_says_every_step_and_nobody_is_asked(
    provider: AksProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(event: str) -> None:
        raise AssertionError(f"{event}: whoever asks somebody has to wait")

    monkeypatch.setattr("socket.socket.connect", lambda *_: refuse("connect"))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: refuse("getaddrinfo"))
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: refuse("Popen"))
    said = provider.why_unavailable()
    assert said is not None
    assert "\n" not in said
    for step in ("AZURE_SUBSCRIPTION_ID", "az login", "BUILD_CONFORMANCE_IMAGES_FILE", "docs/how-to/aks.md"):
        assert step in said
    assert said.endswith("Nothing was created.")


@pytest.mark.usefixtures("world")
def test_with_credentials_nothing_is_missing(provider: AksProvider) -> None:
    assert provider.why_unavailable() is None


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AZURE_SUBSCRIPTION_ID", "my subscription"),
        ("BUILD_CONFORMANCE_AZURE_ENDPOINT", "http://127.0.0.1"),
        ("BUILD_CONFORMANCE_AKS_REGION", "West Europe"),
        ("BUILD_CONFORMANCE_LIFETIME_MINUTES", "soon"),
    ],
)
def test_a_wrong_value_is_named(
    provider: AksProvider, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    said = provider.why_unavailable()
    assert said is not None
    assert f"{variable}={value}" in said


@pytest.mark.usefixtures("world")
def test_without_the_sdk_everything_imports_and_every_verb_says_how_to_install_it() -> None:
    done = process.run([sys.executable, "-c", WITHOUT_SDK], cwd=CHECKOUT, timeout=60)
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all("pip install 'build-conformance[aks]'" in line for line in lines)
