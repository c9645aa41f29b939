from __future__ import annotations

import pytest

from clusters.embedded.toolchain.failures import explain
from clusters.errors import CommandError

_GET = 'Get "https://proxy.example/x": dial tcp: lookup proxy.example: no such host'


@pytest.mark.parametrize(
    ("said", "module"),
    [
        (
            f"go: downloading example.com/x v1.0.0\ngithub.com/moby/sys/user@v0.4.0: {_GET}",
            "github.com/moby/sys/user@v0.4.0",
        ),
        (f"go: golang.org/x/net@v0.55.0: {_GET}", "golang.org/x/net@v0.55.0"),
        (f"/w/mod/a.com/b@v1.0.0/c/d.go:19:2: github.com/moby/vpnkit@v0.6.0: {_GET}", "github.com/moby/vpnkit@v0.6.0"),
        ("go: a.com/b@v1.0.0: reading https://proxy.example/a: 404 Not Found", "a.com/b@v1.0.0"),
        (
            "go: downloading a.com/b v1.0.0\ngo: downloading c.com/d/v2 v2.0.0\nmodule lookup disabled by GOPROXY=off",
            "c.com/d/v2@v2.0.0",
        ),
    ],
)
def test_user_is_told_which_module_could_not_be_fetched(said: str, module: str) -> None:
    message = str(explain(CommandError(("go", "list"), 1, said), "buildkit"))
    assert f"the module {module}, which buildkit is built from, could not be fetched" in message
    assert "GOPROXY" in message
    assert "run this again" in message


def test_module_that_is_not_what_go_sum_says_is_never_explained_away() -> None:
    said = (
        "verifying github.com/x/y@v1.2.3: checksum mismatch\n\tdownloaded: h1:abc=\n\tgo.sum:     h1:def=\n"
        "\nSECURITY ERROR\nThis download does NOT match an earlier download recorded in go.sum."
    )
    message = str(explain(CommandError(("go", "list"), 1, said), "buildkit"))
    assert "github.com/x/y@v1.2.3, which buildkit needs, is not what its go.sum says" in message
    assert "NOSUMDB" not in message


def test_maintainer_who_changed_a_version_alone_is_told_to_update() -> None:
    said = "go: updates to go.mod needed; to update it:\n\tgo mod tidy"
    assert "`python -m clusters toolchain update helm`" in str(explain(CommandError(("go", "list"), 1, said), "helm"))


def test_compile_error_is_shown_without_the_list_of_packages() -> None:
    said = "\n".join(
        [f"example.com/package{number}" for number in range(50)] + ["# example.com/x", "x.go:1:2: undefined: y"]
    )
    error = explain(CommandError(("go", "build"), 1, said), "runc")
    assert isinstance(error, CommandError)
    assert error.output == "# example.com/x\nx.go:1:2: undefined: y"
    assert "runc could not be built" in str(error)
