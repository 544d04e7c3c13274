"""What a service may do with its association, against pynetdicom as the peer."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation

from pacs_gateway.associations.admission import Admission
from pacs_gateway.associations.association import Acceptor
from pacs_gateway.associations.commands import CommandField
from pacs_gateway.associations.exchange import Exchange
from pacs_gateway.associations.status import SUCCESS, Answer, Status, SubOperations
from pacs_gateway.config import GatewayConfig
from pacs_gateway.services import datasets
from pacs_gateway.services.dispatch import Dispatch
from pacs_gateway.services.operations import DATASET_MAXIMUM, Call, Operation
from pacs_gateway.spool import Spool
from storage.database import Database
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.listening import Listening
from tests.pacs_gateway.peers import CT, EXPLICIT, RawPeer, associated, command, p_data, pdv

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
GET = "1.2.840.10008.5.1.4.1.2.2.3"
COMMITMENT = "1.2.840.10008.1.20.1"
NO_DATASET = b"\x01\x01"

Serve = Callable[[CommandField, str, Callable[[Call], Answer]], int]


@pytest.fixture
def serve(database: Database, site: Site, tmp_path: Path) -> Iterator[Serve]:
    """Listens with one operation; returns the port."""
    stops: list[Callable[[], None]] = []

    def start(field: CommandField, sop_class: str, function: Callable[[Call], Answer]) -> int:
        config = GatewayConfig(
            ae_title="RDC", host="127.0.0.1", port=0, spool_dir=tmp_path / "spool"
        )
        dispatch = Dispatch(
            Spool(tmp_path / "spool", reserve_bytes=0),
            [Operation(field, frozenset({sop_class}), function)],
        )
        admission = Admission(database, ae_title="RDC", fresh_seconds=0, grace_seconds=0)
        stopping = threading.Event()
        listener = Listening(
            config, Acceptor(admission, dispatch.serve, dispatch.abstract_syntaxes, stopping)
        )
        listener.start()
        stops.append(lambda: (stopping.set(), listener.stop(1.0))[1])
        return listener.bound_port

    yield start
    for stop in stops:
        stop()


@contextmanager
def _association(
    port: int, sop_class: str, *, handlers: Sequence[tuple[Any, Any]] = (), receives: bool = False
) -> Generator[Any]:
    ae = AE("CT1")
    ae.add_requested_context(sop_class)
    roles: list[SCP_SCU_RoleSelectionNegotiation] = []
    if receives:
        ae.add_requested_context(CT, EXPLICIT)
        role = SCP_SCU_RoleSelectionNegotiation()
        role.sop_class_uid = CT
        role.scu_role, role.scp_role = False, True
        roles.append(role)
    association: Any = associated(
        ae,
        port,
        roles=roles,
        handlers=list(handlers),
    )
    assert association.is_established
    try:
        yield association
    finally:
        association.release()


def _identifier(**elements: str) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def test_pending_responses_with_datasets_come_before_the_final_answer(serve: Serve) -> None:
    asked: list[Dataset] = []

    def find(call: Call) -> Answer:
        syntax = call.exchange.context.transfer_syntax
        asked.append(datasets.decode(call.dataset, syntax))
        for number in range(3):
            found = _identifier(QueryRetrieveLevel="STUDY", AccessionNumber=f"A{number}")
            call.exchange.respond(Answer(Status.PENDING, dataset=datasets.encode(found, syntax)))
        return SUCCESS

    port = serve(CommandField.C_FIND_RQ, FIND, find)
    with _association(port, FIND) as association:
        responses = list(
            association.send_c_find(_identifier(QueryRetrieveLevel="STUDY", PatientID="7"), FIND)
        )
    assert [status.Status for status, _ in responses] == [0xFF00, 0xFF00, 0xFF00, 0x0000]
    assert [found.AccessionNumber for _, found in responses[:3]] == ["A0", "A1", "A2"]
    assert asked[0].PatientID == "7"


def test_a_cancel_is_noticed(serve: Serve) -> None:
    def find(call: Call) -> Answer:
        while not call.exchange.cancelled():
            call.exchange.respond(Answer(Status.PENDING))
        return Answer(Status.CANCEL)

    port = serve(CommandField.C_FIND_RQ, FIND, find)
    with RawPeer(port) as peer:
        assert peer.associate({1: (FIND, [EXPLICIT])}) == 0x02
        # The association goes on after the first.
        for _ in range(2):
            peer.send(p_data(pdv(1, 3, command(0x0020, t0002=FIND.encode(), t0800=NO_DATASET))))
            assert peer.status() == 0xFF00
            peer.send(p_data(pdv(1, 3, command(0x0FFF, t0120=b"\x01\0", t0800=NO_DATASET))))
            while (status := peer.status()) == 0xFF00:
                pass
            assert status == 0xFE00
        assert peer.release() == 0x06


def test_instances_are_sent_over_the_same_association(serve: Serve) -> None:
    pixels = bytes(300_000)
    statuses: list[int] = []

    def get(call: Call) -> Answer:
        context = next(one for one in call.exchange.contexts.values() if one.as_scu)
        for number in range(2):
            instance = _identifier(SOPClassUID=CT, SOPInstanceUID=f"1.2.{number}")
            instance.add_new("PixelData", "OW", pixels)
            encoded = datasets.encode(instance, context.transfer_syntax)
            pieces = (encoded[at : at + 7000] for at in range(0, len(encoded), 7000))
            statuses.append(
                call.exchange.store(
                    context, sop_class_uid=CT, sop_instance_uid=f"1.2.{number}", dataset=pieces
                )
            )
            call.exchange.respond(
                Answer(Status.PENDING, sub_operations=SubOperations(1 - number, number + 1, 0, 0))
            )
        return Answer(Status.SUCCESS, sub_operations=SubOperations(None, 2, 0, 0))

    received: list[Dataset] = []

    def take(event: evt.Event) -> int:
        received.append(event.dataset)
        return 0x0000 if len(received) == 1 else 0xB000

    port = serve(CommandField.C_GET_RQ, GET, get)
    handlers = [(evt.EVT_C_STORE, take)]
    with _association(port, GET, handlers=handlers, receives=True) as association:
        responses = list(association.send_c_get(_identifier(QueryRetrieveLevel="STUDY"), GET))
    assert statuses == [0x0000, 0xB000]
    assert [instance.SOPInstanceUID for instance in received] == ["1.2.0", "1.2.1"]
    assert received[0].PixelData == pixels
    last = responses[-1][0]
    assert (last.Status, last.NumberOfCompletedSuboperations) == (0x0000, 2)
    assert responses[0][0].NumberOfRemainingSuboperations == 1


def test_an_event_is_reported_while_the_association_is_idle(serve: Serve) -> None:
    reported: list[int] = []
    answered = threading.Event()

    def act(call: Call) -> Answer:
        def report(exchange: Exchange) -> bool:
            event = _identifier(TransactionUID="1.2.3")
            reported.append(
                exchange.report_event(
                    sop_class_uid=COMMITMENT,
                    sop_instance_uid="1.2.840.10008.1.20.1.1",
                    event_type_id=1,
                    dataset=datasets.encode(event, exchange.context.transfer_syntax),
                )
            )
            answered.set()
            return True

        call.exchange.later(report)
        return SUCCESS

    events: list[tuple[int | None, str]] = []

    def take(event: evt.Event) -> tuple[int, None]:
        events.append((event.event_type, event.event_information.TransactionUID))
        return 0x0000, None

    port = serve(CommandField.N_ACTION_RQ, COMMITMENT, act)
    handlers = [(evt.EVT_N_EVENT_REPORT, take)]
    with _association(port, COMMITMENT, handlers=handlers) as association:
        status, _ = association.send_n_action(
            _identifier(TransactionUID="1.2.3"), 1, COMMITMENT, "1.2.840.10008.1.20.1.1"
        )
        assert status.Status == 0x0000
        assert answered.wait(10)
    assert events == [(1, "1.2.3")]
    assert reported == [0x0000]


def test_an_error_of_ours_is_answered_and_the_association_goes_on(serve: Serve) -> None:
    def fail(call: Call) -> Answer:
        raise KeyError(call.command.field)

    port = serve(CommandField.C_FIND_RQ, FIND, fail)
    with _association(port, FIND) as association:
        for _ in range(2):
            [(status, _)] = association.send_c_find(_identifier(QueryRetrieveLevel="STUDY"), FIND)
            assert status.Status == 0x0110


def test_a_dataset_beyond_the_limit_is_refused_without_being_held(serve: Serve) -> None:
    port = serve(CommandField.C_FIND_RQ, FIND, lambda _call: SUCCESS)
    with RawPeer(port) as peer:
        assert peer.associate({1: (FIND, [EXPLICIT])}) == 0x02
        peer.send(p_data(pdv(1, 3, command(0x0020, t0002=FIND.encode()))))
        piece = bytes(1024 * 1024)
        for _ in range(DATASET_MAXIMUM // len(piece)):
            peer.send(p_data(pdv(1, 0, piece)))
        peer.send(p_data(pdv(1, 2, piece)))
        assert peer.status() == 0xA700
        assert peer.release() == 0x06


def test_a_second_request_before_the_answer_ends_the_association(serve: Serve) -> None:
    def find(call: Call) -> Answer:
        while not call.exchange.cancelled():
            pass
        return Answer(Status.CANCEL)

    port = serve(CommandField.C_FIND_RQ, FIND, find)
    with RawPeer(port) as peer:
        assert peer.associate({1: (FIND, [EXPLICIT])}) == 0x02
        request = command(0x0020, t0002=FIND.encode(), t0800=NO_DATASET)
        peer.send(p_data(pdv(1, 3, request)))
        peer.send(p_data(pdv(1, 3, request)))
        assert peer.receive()[0] == 0x07
