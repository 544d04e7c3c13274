"""Delivering to a site's information system: ORU^R01 over MLLP, delivered when it says so."""

import time
from typing import Final

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.hl7.answers import Acknowledgement, Verdict, read_acknowledgement
from pacs_gateway.hl7.client import MllpConnection, NoAnswer, Receiver
from pacs_gateway.returns.channels import Channel, DeliveryAnswer, Parcel, Target
from pacs_gateway.returns.hl7_report import MessageSettings, WrittenMessage, write_messages
from pacs_gateway.returns.hl7_trial import try_out
from pacs_gateway.tls import TlsUnusable
from storage.destination_trials import Tried
from storage.registry.destination_settings import Hl7Settings

_KEPT_BYTES: Final = 4000
_NOT_SHOWN: Final = "ED"
# The rest is for reading what is sent and for writing down what came of it.
_SHARE_OF_LEASE: Final = 0.75
_REJECTED: Final = frozenset({"AR", "CR"})


def open_channel(target: Target, config: ReturnsConfig) -> Channel:
    """Return a channel to a receiver of ORU^R01; it connects at its first parcel."""
    return Hl7Channel(target, config)


class Hl7Channel:
    """A receiver of ORU^R01; not shared between threads."""

    def __init__(self, target: Target, config: ReturnsConfig) -> None:
        """Note where it is and what it wants."""
        assert isinstance(target.settings, Hl7Settings)
        settings = target.settings
        self._target = target
        self._seconds = config.lease_seconds * _SHARE_OF_LEASE
        self._wanted = settings.acknowledgement
        self._may_test = settings.test_message
        self._connection = MllpConnection(
            Receiver(
                settings.host,
                settings.port,
                settings.tls,
                connect_seconds=config.connect_timeout_seconds,
                answer_seconds=settings.answer_seconds,
            )
        )
        self._settings = MessageSettings(
            application=config.calling_ae_title,
            facility=settings.facility,
            receiving_application=settings.receiving_application,
            receiving_facility=settings.receiving_facility,
            character_set=settings.character_set,
            content=settings.content,
            text_type=settings.text_type,
            acknowledgement=settings.acknowledgement,
        )

    def send(self, parcel: Parcel) -> DeliveryAnswer:
        """Send what the version needs; delivered when the receiver has acknowledged all of it."""
        pdf = None if self._settings.content == "text" else parcel.pdf()
        messages = write_messages(
            parcel.report(),
            parcel.replaced_reports(),
            self._target.id,
            self._settings,
            pdf=pdf,
            transmission=parcel.transmission,
        )
        until = time.monotonic() + self._seconds
        for number, message in enumerate(messages, 1):
            answer = self._send(message, until)
            if not answer.is_delivered or number == len(messages):
                return answer
        raise AssertionError(messages)

    def try_out(self) -> Tried:
        """Connect; where the site agreed to it, ask with a message without content."""
        return try_out(
            self._connection,
            self._settings,
            self._target.id,
            may_send=self._may_test,
            seconds=self._seconds,
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, message: WrittenMessage, until: float) -> DeliveryAnswer:
        request = _shown(message)
        committed: list[bytes] = []

        def judge(frame: bytes) -> tuple[Acknowledgement, bytes] | None:
            found = read_acknowledgement(frame, message.control_id)
            if found is None:
                return None
            if found.verdict is Verdict.COMMITTED and self._wanted != "commit":
                # Whether it can use the message is still to come.
                committed.append(frame)
                return None
            return found, frame

        try:
            found, frame = self._connection.exchange(message.content, judge, until=until)
        except NoAnswer as error:
            if committed:
                return DeliveryAnswer.try_again(
                    "the receiver has only said that it keeps the message (CA), not that it can"
                    " use it; if it never says more, set acknowledgement to commit",
                    whole_destination=True,
                    request=request,
                    response=_text(committed[-1]),
                )
            return DeliveryAnswer.try_again(
                str(error), whole_destination=True, request=request, response=_text(error.heard)
            )
        except TlsUnusable as error:
            return DeliveryAnswer.try_again(str(error), whole_destination=True, request=request)
        return _answer(found, request, _text(frame))


def _answer(found: Acknowledgement, request: str, response: str) -> DeliveryAnswer:
    said = f"acknowledged {found.summary}"
    if found.verdict in {Verdict.KEPT, Verdict.COMMITTED}:
        return DeliveryAnswer.delivered(said, request=request, response=response)
    if found.verdict is Verdict.NEVER:
        return DeliveryAnswer.refused(said, request=request, response=response)
    return DeliveryAnswer.try_again(
        said,
        # A receiver in trouble is in trouble for every message (§2.9.2.2); what it says of one
        # message, such as of a patient that it does not know yet, holds for that one.
        whole_destination=found.error == "207" or (found.code in _REJECTED and not found.error),
        request=request,
        response=response,
    )


def _shown(message: WrittenMessage) -> str:
    """Return the message for the record of the attempt, its document left out."""
    lines = _decoded(message.content).split("\r")
    kept = [
        "|".join([*fields[:5], "(document)", *fields[6:]])
        if (fields := line.split("|"))[0] == "OBX" and fields[2:3] == [_NOT_SHOWN]
        else line
        for line in lines
    ]
    return "\n".join(kept)[:_KEPT_BYTES]


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def _text(frame: bytes) -> str:
    return _decoded(frame[:_KEPT_BYTES]).replace("\r", "\n")
