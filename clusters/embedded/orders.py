"""What the supervisor is told to do: the namespaces' insides and the steps, as a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


class Kind(StrEnum):
    """How a step is known to be ready."""

    #: The step's program ended with 0.
    EXIT = "exit"
    #: Something accepts connections on a unix socket (`target` is its path).
    SOCKET = "socket"
    #: A GET of the URL `target` answers 200. Who serves https is not verified: it is ours, on the loopback.
    HTTP = "http"
    #: The API object at the path `target` exists.
    OBJECT = "object"
    #: The Node at the API path `target` has condition Ready.
    NODE_READY = "node-ready"
    #: The DNS server at the address `target` resolves the API server's Service.
    DNS = "dns"
    #: The file `target` holds `text`: for a program that serves nothing that could be asked.
    LOGGED = "logged"
    #: Nothing to wait for.
    NOTHING = "nothing"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ready(_Frozen):
    """A readiness check and the seconds after which its failure is final."""

    kind: Kind
    limit: float
    target: str = ""
    text: str = ""


class Step(_Frozen):
    """A step: started once all of `needs` are ready.

    With `argv` it is a program: one that must stay, or, when ready means EXIT, one that must end well.
    With `objects` it is a list of API path and object to create. With neither it is only a check.
    """

    name: str
    ready: Ready
    needs: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    objects: tuple[tuple[str, dict[str, Any]], ...] = ()


class Mount(_Frozen):
    """A private view: `source` is bound over `target`; without a source, `target` gets an empty tmpfs."""

    target: Path
    source: Path | None = None


class Emulator(_Frozen):
    """A registration of binfmt_misc: its name there, and the line that makes it."""

    name: str
    rule: str


class Api(_Frozen):
    """Where the API server is and as whom to speak to it."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path


class Network(_Frozen):
    """The node's side of the veth pair: its first name, its final name, its address with prefix, and extra routes."""

    peer: str
    interface: str
    address: str
    routes: tuple[str, ...]


class Orders(_Frozen):
    """Everything the supervisor needs to know."""

    hostname: str
    status: Path
    logs: Path
    env: dict[str, str]
    #: Folders of cgroups that the supervisor, and so everything it starts, joins.
    cgroups: tuple[Path, ...]
    mounts: tuple[Mount, ...]
    #: Paths that must stay visible even where a mount covers a parent of theirs.
    visible: tuple[Path, ...]
    #: Kernel settings of the network namespace: path below /proc/sys -> value; skipped where absent.
    sysctls: dict[str, str]
    #: What the kernel is to run programs of foreign architectures with.
    emulators: tuple[Emulator, ...] = ()
    network: Network
    api: Api
    steps: tuple[Step, ...]
