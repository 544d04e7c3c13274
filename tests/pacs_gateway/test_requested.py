"""An answer goes to whoever asked, whichever thread of the association runs first."""

import threading
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.presentation import build_context

from pacs_gateway.associations.requested import RequestedAssociation, request_association
from tests.pacs_gateway.receiver import Receiver

_MOMENT = 0.3


def _association(receiver: Receiver) -> RequestedAssociation:
    entity = AE("CT1")
    entity.dimse_timeout = 2
    return request_association(
        entity,
        "127.0.0.1",
        receiver.port,
        [build_context(CTImageStorage, ExplicitVRLittleEndian)],
        called_ae_title=receiver.ae_title,
        maximum_pdu=16_384,
    )


def _instance() -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid()
    return dataset


def _let_the_thread_run_late(association: Any) -> None:  # noqa: ANN401 -- pynetdicom's insides
    """Once woken, the association's thread runs on only after the answer has come.

    And who asked looks for the answer after it. As it happens on a machine that is busy; here
    each waits a moment at most for what may not come.
    """
    came, answered, looked = threading.Event(), threading.Event(), threading.Event()
    checkpoint, dimse = association._reactor_checkpoint, association.dimse
    come_through, put, take = checkpoint.wait, dimse.msg_queue.put, dimse.get_msg

    def late() -> None:
        come_through()
        came.set()
        answered.wait(_MOMENT)

    def note(message: object) -> None:
        put(message)
        answered.set()

    def get_msg(block: bool = False) -> object:  # noqa: FBT001, FBT002 -- as it is called
        if block:
            looked.wait(_MOMENT)
            return take(block=True)
        found = take(block=False)
        if answered.is_set():
            looked.set()
        return found

    checkpoint.wait, dimse.msg_queue.put, dimse.get_msg = late, note, get_msg
    assert came.wait(10)


def test_an_answer_is_not_taken_by_a_thread_that_was_woken_before_the_request() -> None:
    with Receiver(abstract_syntax=str(CTImageStorage), syntaxes=(ExplicitVRLittleEndian,)) as peer:
        association = _association(peer)
        assert association.is_established
        _let_the_thread_run_late(association)
        status = association.send_c_store(_instance())
        association.release()
    assert status.get("Status") == 0x0000
    assert len(peer.received) == 1


def test_many_requests_are_each_answered() -> None:
    with Receiver(abstract_syntax=str(CTImageStorage), syntaxes=(ExplicitVRLittleEndian,)) as peer:
        association = _association(peer)
        statuses = [association.send_c_store(_instance()).get("Status") for _ in range(30)]
        with association.held():
            assert association.is_established
        association.release()
    assert statuses == [0x0000] * 30
    assert association.is_released
