"""A mail server that takes what a test lets it take."""

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """What the server took; `refuses` by recipient, `data` the reply to the message."""

    def __init__(self, before_answer: Callable[[], None] = lambda: None) -> None:
        self._before_answer = before_answer
        self.taken: list[Envelope] = []
        self.secured: list[bool] = []
        self.refuses: dict[str, str] = {}
        self.data = "250 taken"

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.taken.append(envelope)
        self.secured.append(session.ssl is not None)
        self._before_answer()
        return self.data


@contextmanager
def mail_server(mailbox: Mailbox, **options: object) -> Generator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    make: Any = Controller
    controller = make(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()
