"""Peers for the tests: a sender whose every byte the test decides, and DCMTK's programs."""

import os
import socket
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation

from pacs_gateway.associations.requested import RequestedAssociation, request_association
from tests.support.peers import require_program

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
IMPLICIT: Final = "1.2.840.10008.1.2"


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def association_request(
    contexts: Mapping[int, tuple[str, Sequence[str]]],
    *,
    called: str = "RDC",
    calling: str = "CT1",
    maximum_length: int = 16_384,
) -> bytes:
    """Return an A-ASSOCIATE-RQ PDU (PS3.8 9.3.2)."""
    variable = _item(0x10, b"1.2.840.10008.3.1.1.1")
    for context_id, (abstract, transfers) in contexts.items():
        content = struct.pack(">Bxxx", context_id) + _item(0x30, abstract.encode())
        variable += _item(
            0x20, content + b"".join(_item(0x40, syntax.encode()) for syntax in transfers)
        )
    user = _item(0x51, struct.pack(">I", maximum_length)) + _item(0x52, b"1.2.3.4")
    variable += _item(0x50, user)
    body = (
        struct.pack(">Hxx16s16s32x", 1, called.encode().ljust(16), calling.encode().ljust(16))
        + variable
    )
    return struct.pack(">BxI", 0x01, len(body)) + body


def pdv(context_id: int, control: int, data: bytes) -> bytes:
    """Return a presentation data value item (PS3.8 9.3.5.1)."""
    return struct.pack(">IBB", len(data) + 2, context_id, control) + data


def p_data(*items: bytes) -> bytes:
    """Return a P-DATA-TF PDU."""
    body = b"".join(items)
    return struct.pack(">BxI", 0x04, len(body)) + body


def command(field: int, **elements: bytes) -> bytes:
    """Return a command set with a dataset to follow; `t1000=…` sets (0000,1000), and so on."""
    values = {
        0x0100: struct.pack("<H", field),
        0x0110: struct.pack("<H", 1),
        0x0800: struct.pack("<H", 1),
    }
    values |= {int(name[1:], 16): value for name, value in elements.items()}
    return b"".join(
        struct.pack("<HHI", 0, tag, len(value) + len(value) % 2) + value + b"\0" * (len(value) % 2)
        for tag, value in sorted(values.items())
    )


def store_command(sop_instance_uid: str, sop_class_uid: str = CT, **elements: bytes) -> bytes:
    """Return a C-STORE-RQ command set."""
    return command(
        0x0001,
        t0002=sop_class_uid.encode(),
        t0700=b"\0\0",
        t1000=sop_instance_uid.encode(),
        **elements,
    )


class RawPeer:
    """A connection over which a test sends exactly the bytes it wants."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> tuple[int, bytes]:
        """Return the next PDU as (type, body); (0, b"") when the connection ends."""
        try:
            header = self._exactly(6)
            kind, length = struct.unpack(">BxI", header)
            return kind, self._exactly(length)
        except (EOFError, ConnectionError):
            return 0, b""

    def associate(
        self,
        contexts: Mapping[int, tuple[str, Sequence[str]]] | None = None,
        *,
        called: str = "RDC",
        calling: str = "CT1",
    ) -> int:
        """Ask for an association; return the type of the PDU that answers."""
        self.send(
            association_request(contexts or {1: (CT, [EXPLICIT])}, called=called, calling=calling)
        )
        return self.receive()[0]

    def status(self) -> int:
        """Return the status of the next response."""
        kind, body = self.receive()
        assert kind == 0x04, f"expected P-DATA-TF, found {kind:02X}"
        at = body.index(struct.pack("<HHI", 0, 0x0900, 2))
        value: int = struct.unpack_from("<H", body, at + 8)[0]
        return value

    def release(self) -> int:
        """Release the association; return the type of the PDU that answers."""
        self.send(struct.pack(">BxI", 0x05, 4) + bytes(4))
        return self.receive()[0]

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


def associated(
    entity: AE,
    port: int,
    *,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    handlers: Sequence[tuple[evt.EventType, Callable[[evt.Event], object]]] = (),
) -> RequestedAssociation:
    """Return an association of `entity` with our gateway, for the contexts that it asks for."""
    return request_association(
        entity,
        "127.0.0.1",
        port,
        entity.requested_contexts,
        called_ae_title="RDC",
        maximum_pdu=16_382,
        roles=roles,
        handlers=handlers,
    )


def dcmtk(
    program: str, *arguments: str | Path, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a program of DCMTK; where it is not installed see `require_program`."""
    return subprocess.run(
        [require_program(program, package="dcmtk"), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        env={**os.environ, "TCP_NODELAY": "1"},
    )
