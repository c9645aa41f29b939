from __future__ import annotations

import pytest

from conformance import cli
from conformance.errors import UsageError


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (PermissionError(13, "Permission denied", "charts/x"), 3, "charts/x: Permission denied"),
        (UsageError("one", "two"), 3, "one\ntwo"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_is_its_message_and_its_exit_code(
    error: BaseException, code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.group, "main", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert told in capsys.readouterr().err
