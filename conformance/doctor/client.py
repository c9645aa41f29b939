"""Ask the daemon from a pod that runs already: `buildctl debug workers`, with certificates and without."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from conformance.classify import TextFinding, classify_text
from conformance.doctor.reader import ForbiddenError, Reader
from conformance.errors import ApiError
from conformance.kube import Ran
from conformance.model import SourceKind
from conformance.waiting import Timeouts

#: Classes which show that the daemon's port was reached: the TLS handshake, or what comes after, went wrong.
HANDSHAKE: Final = frozenset(
    {
        "mtls-untrusted-ca",
        "mtls-server-name-mismatch",
        "mtls-server-cert-expired",
        "mtls-client-cert-expired",
        "mtls-bad-certificate",
        "mtls-plaintext-server",
        "mtls-client-plaintext",
        "mtls-alpn-mismatch",
        "buildkitd-connection-closed",
        "buildkitd-unavailable",
    }
)


class Way(StrEnum):
    """How a client presents itself."""

    #: As builds do: with whatever certificates were named.
    OWN = "own"
    #: TLS, and no certificate of its own.
    ANONYMOUS = "anonymous"
    PLAINTEXT = "plaintext"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """Paths inside the client."""

    ca: str
    #: Empty: the client has none.
    cert: str = ""
    key: str = ""
    #: The name that the daemon's certificate must be for; empty: the host of its address.
    server_name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """An address of the daemon; `host` is the name its certificate is for."""

    address: str
    host: str
    #: `Service/buildkitd` or the pod behind it.
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call of `buildctl` that ended, was cut off or could not be made."""

    ok: bool
    output: str
    finding: TextFinding
    #: Why the call says nothing about the daemon; empty: it does.
    not_made: str = ""

    @property
    def last_line(self) -> str:
        """Return the last line that it said."""
        lines = self.output.strip().splitlines()
        return lines[-1].strip() if lines else "no answer"


class Client:
    """A container of a running pod, from where builds come."""

    def __init__(self, reader: Reader, *, namespace: str, pod: str, container: str, tls: Tls | None) -> None:
        """Call from `namespace/pod/container`; `tls` None: builds there speak plaintext."""
        self._reader = reader
        self.namespace = namespace
        self.pod = pod
        self.container = container
        self.tls = tls

    @property
    def title(self) -> str:
        """Return `namespace/pod/container`."""
        return f"{self.namespace}/{self.pod}/{self.container}"

    def workers(self, door: Door, way: Way = Way.OWN, *, verbose: bool = False) -> Call:
        """Ask the daemon for its workers. Raises ForbiddenError, ApiError when the API does not answer."""
        flags = self._flags(door, way)
        argv = ["buildctl", "--addr", door.address, *flags, "debug", "workers", *(["-v"] if verbose else [])]
        limit = Timeouts().dial
        try:
            ran = self._reader.execute(self.namespace, self.pod, self.container, argv, within=limit)
        except ForbiddenError:
            raise
        except ApiError as error:
            if error.status is None:
                raise
            return _not_made(f"buildctl could not be started in {self.title}: {error}")
        return self._call(ran, limit)

    def _call(self, ran: Ran, limit: float) -> Call:
        if ran.broken:
            said = f": {ran.output.strip()}" if ran.output.strip() else ""
            return _not_made(
                f"buildctl did not run to its end in {self.title} ({ran.broken}){said}. It must be in the PATH there"
            )
        text = ran.output
        if ran.code is None:
            text += f"\nlist workers: timed out: no answer within {limit:g} s"
        if ran.code in {126, 127}:
            return _not_made(f"there is no buildctl that runs in {self.title}: {text.strip()}")
        return Call(ok=ran.ok, output=text, finding=TextFinding() if ran.ok else classify_text(text, SourceKind.BUILD))

    def _flags(self, door: Door, way: Way) -> list[str]:
        if self.tls is None:
            return []
        name = self.tls.server_name or door.host
        match way:
            case Way.PLAINTEXT:
                return []
            case Way.ANONYMOUS:
                return ["--tlsservername", name, "--tlscacert", self.tls.ca]
            case Way.OWN:
                pair = ["--tlscert", self.tls.cert, "--tlskey", self.tls.key] if self.tls.cert else []
                return ["--tlsservername", name, "--tlscacert", self.tls.ca, *pair]
            case _:
                assert_never(way)


def _not_made(why: str) -> Call:
    return Call(ok=False, output="", finding=TextFinding(), not_made=why)
