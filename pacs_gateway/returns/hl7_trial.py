"""Finding out whether a receiver reads our messages, without saying anything of anybody.

HL7 v2 has no echo. What comes closest is NMD^N02, which tells the sender's clock (HL7 v2.5.1
§14.3.2): it changes nothing and names nobody. Few receivers know the type; whatever they answer
under the message's control id, a refusal too, shows that they read what we write and answer it.
Since an unknown message may still ring somebody's alarm, it is sent only where the site agrees.
"""

import time
from uuid import UUID, uuid4

from pacs_gateway.hl7 import writing
from pacs_gateway.hl7.answers import read_acknowledgement
from pacs_gateway.hl7.client import MllpConnection, NoAnswer
from pacs_gateway.returns.hl7_report import CODECS, MessageSettings, control_id, header
from pacs_gateway.tls import TlsUnusable, is_tls_fault
from storage.clock import utc_now
from storage.destination_trials import Finding, Tried

_LISTEN_SECONDS = 0.5
"""A gateway with nobody behind it takes the connection and drops it."""


def write_clock(known: str, settings: MessageSettings) -> bytes:
    """Return NMD^N02 of this moment. known: MSH-10."""
    clock = f"{utc_now():%Y%m%d%H%M%S%z}"
    head = header(settings, known, clock, "NMD^N02^NMD_N02", settings.application)
    text = writing.message([head, writing.segment("NCK", {1: clock})])
    return text.encode(CODECS[settings.character_set])


def try_out(
    connection: MllpConnection,
    settings: MessageSettings,
    destination_id: UUID,
    *,
    may_send: bool,
    seconds: float,
) -> Tried:
    """Connect, and ask with a message where that may be.

    seconds: how long it may take altogether.
    """
    try:
        if not may_send:
            connection.reach(seconds=_LISTEN_SECONDS)
            return Tried(Finding.REACHED, "connected; nothing was sent, since HL7 has no echo")
        known = control_id(uuid4(), destination_id)
        answer = connection.exchange(
            write_clock(known, settings),
            lambda frame: read_acknowledgement(frame, known),
            until=time.monotonic() + seconds,
        )
    except NoAnswer as error:
        finding = Finding.NO_ANSWER if error.sent else Finding.UNREACHABLE
        return Tried(Finding.NOT_SECURED if is_tls_fault(error) else finding, str(error))
    except TlsUnusable as error:
        return Tried(Finding.NOT_SET_UP, str(error))
    return Tried(Finding.WORKS, f"answers a message without content with {answer.summary}")
