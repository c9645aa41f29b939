"""Every error of the harness itself. A builder that fails is no error: it is a finding.

Exit codes (also of pytest with our plugin): 0 as claimed, 1 claims broken, 2 infrastructure or all inconclusive,
3 usage or bad input, 4 nothing ran, 130 interrupted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """How `conformance run` ends; the first of 130, 3, 1, 2, 4 that applies, else 0."""

    AS_CLAIMED = 0
    CLAIMS_BROKEN = 1
    INFRASTRUCTURE = 2
    USAGE = 3
    NOTHING_RAN = 4
    INTERRUPTED = 130


class ConformanceError(Exception):
    """The harness cannot go on; the message ends with what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.INFRASTRUCTURE


class UsageError(ConformanceError):
    """An option, a matrix, a claim or a chart is wrong. Several faults are reported at once, one a line."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE

    def __init__(self, *faults: str) -> None:
        """Keep each fault as a sentence that says what is wrong and what to do."""
        self.faults = faults
        super().__init__("\n".join(faults))


class ApiError(ConformanceError):
    """The Kubernetes API answered with an error or not at all."""

    def __init__(self, message: str, *, status: int | None = None, reason: str = "", body: str = "") -> None:
        """Keep the HTTP status (None: no answer), the API's `reason` and its raw answer."""
        self.status = status
        self.reason = reason
        self.body = body
        super().__init__(message)


class HelmError(ConformanceError):
    """helm refused to render or install the chart."""

    def __init__(self, message: str, *, output: str = "", returncode: int | None = None) -> None:
        """Keep all that helm said (`output`) and how it ended (`returncode`, None: not by itself)."""
        self.output = output
        self.returncode = returncode
        super().__init__(message)


class WaitError(ConformanceError):
    """Something did not come to pass within its named limit."""
