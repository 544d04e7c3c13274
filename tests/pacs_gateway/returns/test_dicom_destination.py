"""Report objects at a receiver: each taken once, and sent again when it was refused for a while."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    KeyObjectSelectionDocumentStorage,
)
from pynetdicom import AE, evt

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import DeliveryAnswer, Outcome, Target
from pacs_gateway.returns.dicom_destination import open_channel
from storage.registry.destination_settings import DestinationKind, DicomSettings
from tests.pacs_gateway.certificates import Authority
from tests.pacs_gateway.peers import EXPLICIT
from tests.pacs_gateway.returns.parcels import GivenParcel

_CONFIG = ReturnsConfig("RDC", connect_timeout_seconds=2, acse_timeout_seconds=2)
_CLASSES = (EncapsulatedPDFStorage, BasicTextSRStorage, KeyObjectSelectionDocumentStorage)


class Pacs:
    """A receiver whose answers to C-STORE are given, by SOP class."""

    def __init__(self, *accepted: UID, tls: ssl.SSLContext | None = None) -> None:
        self.statuses: dict[str, int] = {}
        self.received: list[str] = []
        self.associations = 0
        self.drop_next = False
        entity = AE("PACS")
        for one in accepted or _CLASSES:
            entity.add_supported_context(one, [EXPLICIT])
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_ESTABLISHED, self._established),
        ]
        server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls
        )
        assert server is not None
        self._server = server
        self.port = int(server.server_address[1])

    def _established(self, event: evt.Event) -> None:
        assert event
        self.associations += 1

    def _store(self, event: evt.Event) -> int:
        if self.drop_next:
            self.drop_next = False
            event.assoc.abort()
        uid = str(event.request.AffectedSOPClassUID)
        status = self.statuses.get(uid, 0x0000)
        if status == 0:
            self.received.append(UID(uid).name.removesuffix(" Storage"))
        return status

    def stop(self) -> None:
        self._server.shutdown()


@contextmanager
def pacs(*accepted: UID, tls: ssl.SSLContext | None = None) -> Generator[Pacs]:
    one = Pacs(*accepted, tls=tls)
    try:
        yield one
    finally:
        one.stop()


def parcel(number: int = 1) -> GivenParcel:
    return GivenParcel(objects=[made(one, number) for one in _CLASSES])


def made(sop_class: UID, number: int) -> Dataset:
    instance = Dataset()
    instance.SOPClassUID = sop_class
    instance.SOPInstanceUID = f"1.2.3.{number}.{sop_class.rsplit('.', 1)[-1]}"
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return instance


def target(at: Pacs, **settings: object) -> Target:
    parsed = DicomSettings.model_validate(
        {"ae_title": "PACS", "host": "127.0.0.1", "port": at.port, **settings}
    )
    return Target(UUID(int=1), UUID(int=2), DestinationKind.DICOM, "PACS", parsed)


def send(at: Pacs, *parcels: GivenParcel, **settings: object) -> list[DeliveryAnswer]:
    channel = open_channel(target(at, **settings), _CONFIG)
    try:
        return [channel.send(one) for one in parcels]
    finally:
        channel.close()


def test_all_of_several_versions_go_over_one_association() -> None:
    with pacs() as peer:
        answers = send(peer, parcel(1), parcel(2))
        assert [one.outcome for one in answers] == [Outcome.DELIVERED] * 2
        assert (
            peer.received
            == ["Encapsulated PDF", "Basic Text SR", "Key Object Selection Document"] * 2
        )
        assert peer.associations == 1
    assert "1.2.3.2.11" in answers[1].request


def test_what_was_refused_for_a_while_is_sent_again_and_nothing_else() -> None:
    with pacs() as peer:
        peer.statuses[BasicTextSRStorage] = 0xA700
        one = parcel()
        (first,) = send(peer, one)
        assert (first.outcome, first.whole_destination) == (Outcome.TRY_AGAIN, True)
        assert "Basic Text SR Storage: C-STORE status A700H" in first.said
        peer.statuses.clear()
        (second,) = send(peer, one)
        assert second.is_delivered
        assert peer.received == [
            "Encapsulated PDF",
            "Basic Text SR",
            "Key Object Selection Document",
        ]


def test_what_is_refused_for_good_beside_the_page_does_not_keep_it() -> None:
    with pacs() as peer:
        peer.statuses[BasicTextSRStorage] = 0xC000
        (answer,) = send(peer, parcel())
        assert answer.is_delivered
        assert "Basic Text SR Storage: C-STORE status C000H" in answer.said
    with pacs(EncapsulatedPDFStorage) as peer:
        (answer,) = send(peer, parcel())
        assert answer.is_delivered
        assert "does not accept Basic Text SR Storage" in answer.said


def test_without_the_page_nothing_is_delivered() -> None:
    with pacs() as peer:
        peer.statuses[EncapsulatedPDFStorage] = 0xA900
        (answer,) = send(peer, parcel())
        assert answer.outcome is Outcome.REFUSED
        assert peer.received == []
    with pacs(BasicTextSRStorage) as peer:
        (answer,) = send(peer, parcel())
        assert (answer.outcome, answer.whole_destination) == (Outcome.TRY_AGAIN, True)
        assert "does not accept Encapsulated PDF" in answer.said


@pytest.mark.parametrize(("status", "whole"), [(0x0110, False), (0xA701, True), (0x0213, True)])
def test_a_page_refused_for_a_while_is_tried_again(status: int, *, whole: bool) -> None:
    with pacs() as peer:
        peer.statuses[EncapsulatedPDFStorage] = status
        (answer,) = send(peer, parcel())
    assert (answer.outcome, answer.whole_destination) == (Outcome.TRY_AGAIN, whole)


def test_a_receiver_that_says_it_has_it_has_it() -> None:
    with pacs() as peer:
        peer.statuses.update(dict.fromkeys(_CLASSES, 0x0111))
        (answer,) = send(peer, parcel())
    assert answer.is_delivered


def test_an_association_that_ended_in_the_meantime_is_opened_again() -> None:
    with pacs() as peer:
        channel = open_channel(target(peer), _CONFIG)
        assert channel.send(parcel(1)).is_delivered
        peer.drop_next = True
        assert channel.send(parcel(2)).is_delivered
        channel.close()
        assert peer.associations == 2


def test_a_receiver_of_pages_alone_gets_nothing_beside() -> None:
    with pacs() as peer:
        (answer,) = send(peer, parcel(), structured=False)
        assert answer.is_delivered
        assert peer.received == ["Encapsulated PDF"]


def test_a_dead_receiver_is_tried_again() -> None:
    with pacs() as peer:
        pass
    (answer,) = send(peer, parcel())
    assert (answer.outcome, answer.whole_destination) == (Outcome.TRY_AGAIN, True)
    assert "no connection to PACS" in answer.said


def test_a_secured_receiver_must_be_who_it_says(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "authority"), Authority(tmp_path, "stranger")
    receiver, ours = authority.issue("localhost"), authority.issue("rdc")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(receiver.certificate, receiver.key)
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    tls = {
        "authorities": authority.path,
        "certificate": ours.certificate,
        "key": ours.key,
        "server_name": "localhost",
    }
    with pacs(tls=context) as peer:
        assert send(peer, parcel(), tls=tls)[0].is_delivered
        for wrong in (
            {**tls, "authorities": stranger.path},
            {**tls, "server_name": "another"},
            {**tls, "key": tmp_path / "none.key"},
        ):
            (answer,) = send(peer, parcel(), tls=wrong)
            assert (answer.outcome, answer.whole_destination) == (Outcome.TRY_AGAIN, True)
        assert len(peer.received) == len(_CLASSES)


def test_what_stays_refused_does_not_keep_the_page_for_ever() -> None:
    with pacs() as peer:
        peer.statuses[BasicTextSRStorage] = 0x0110
        one = parcel()
        assert send(peer, one)[0].outcome is Outcome.TRY_AGAIN
        one.attempt_number = 20
        assert send(peer, one)[0].is_delivered
