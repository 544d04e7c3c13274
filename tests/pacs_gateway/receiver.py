"""A site's receiving AE, played by pynetdicom; it can be refused, slow, dead and alive again."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from tests.pacs_gateway.peers import EXPLICIT, IMPLICIT

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


class Receiver:
    """Accepts Encapsulated PDF instances, and `also` others, on its own port and keeps them."""

    def __init__(
        self,
        *,
        port: int = 0,
        ae_title: str = "EASTPACS",
        status: int = 0x0000,
        syntaxes: tuple[str, ...] = (EXPLICIT, IMPLICIT),
        abstract_syntax: str = ENCAPSULATED_PDF,
        also: str = "",
        before_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self.received: list[Dataset] = []
        self.arrived = threading.Event()
        self.statuses: dict[str, int] = {}
        self._status = status
        self._before_answer = before_answer
        entity = AE(ae_title)
        entity.require_called_aet = True
        for one in filter(None, (abstract_syntax, also)):
            entity.add_supported_context(one, list(syntaxes))
        handlers: list[Any] = [(evt.EVT_C_STORE, self._store)]
        server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
        assert server is not None
        self._server = server
        self.ae_title = ae_title
        self.port: int = server.server_address[1]

    def _store(self, event: evt.Event) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        self.received.append(dataset)
        self.arrived.set()
        self._before_answer()
        return self.statuses.get(str(dataset.SOPClassUID), self._status)

    def stop(self) -> None:
        self._server.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
