"""A test patient walked through the index and the worklist, in a transaction that is undone.

So nobody finds him in a list, nothing has to be removed, and a process that dies in the middle
leaves nothing. What goes over the network is told by the device's own calls, see `records`.
"""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any, Final, cast
from uuid import UUID, uuid4

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from pacs_gateway.associations.commands import Command, CommandField
from pacs_gateway.associations.exchange import Context, Exchange
from pacs_gateway.associations.status import SUCCESS, Answer
from pacs_gateway.services import modality_worklist, query
from pacs_gateway.services.datasets import decode, encode
from pacs_gateway.services.operations import Call, Operation
from storage import audit
from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import read_header
from storage.identifiers import Uid
from storage.index.ingest import Filing, ReceivedInstance, ingest
from storage.objects import ObjectKey, ObjectStore, ObjectStoreError
from storage.orders import service as orders
from storage.orders.request import OrderRequest, StepRequest
from storage.orders.words import OrderSource
from storage.receptions import Origin
from storage.registry import Device
from storage.rehearsal import rehearsal
from storage.site_tests.findings import Check, Finding, Outcome

NAME: Final = "测试^張伟"
"""In GB18030, GBK and UTF-8; with a traditional character, which GB2312 does not have."""
_WORKLIST_NAME: Final = "测试^张伟"
_CHARACTER_SETS: Final = ("GB18030", "ISO_IR 192")
_EDGE: Final = 8
_LABEL: Final = "RDC-SITE-TEST"
_ANY_MODALITY: Final = "OT"


class _Overheard:
    """What C-FIND uses of an exchange, with nobody at the other end: the answers are kept."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.answers: list[bytes] = []

    @property
    def context(self) -> Context:
        return self._context

    def respond(self, answer: Answer) -> None:
        self.answers.append(answer.dataset or b"")

    def cancelled(self) -> bool:
        return False


def filing(database: Database, objects: ObjectStore, site_id: UUID) -> Iterator[Finding]:
    """Keep a test image, file it, find it by C-FIND in each character set, and undo it all."""
    wrong: list[str] = []
    for character_set in _CHARACTER_SETS:
        try:
            found = _filed_and_found(database, objects, site_id, character_set)
        except (ObjectStoreError, OSError) as error:
            facts = {"said": f"object store: {type(error).__name__}"}
            yield Finding(Check.FILING, Outcome.FAILED, "filing_failed", facts=facts)
            return
        if found is None:
            facts = {"said": f"{character_set}: not filed as it was sent"}
            yield Finding(Check.FILING, Outcome.FAILED, "filing_failed", facts=facts)
            return
        if found != NAME:
            wrong.append(character_set)
    yield Finding(Check.FILING, Outcome.PASSED, "filing")
    facts = {"character_set": ", ".join(wrong or _CHARACTER_SETS)}
    if wrong:
        yield Finding(Check.CHINESE, Outcome.FAILED, "chinese_wrong", facts=facts)
    else:
        yield Finding(Check.CHINESE, Outcome.PASSED, "chinese", facts=facts)


def worklist(database: Database, device: Device, time_zone: str) -> Iterator[Finding]:
    """Order a test exam for the device, ask for its worklist as it would, and undo it all."""
    patient_id = f"{_LABEL}-{secrets.token_hex(4)}"
    request = OrderRequest(
        site_id=device.site_id,
        source=OrderSource.API,
        patient_local_id=patient_id,
        patient_name=_WORKLIST_NAME,
        procedure_description="连接测试",
        steps=[StepRequest(device.modality or _ANY_MODALITY, utc_now(), device.ae_title)],
    )
    asked = Dataset()
    asked.PatientID = patient_id
    asked.PatientName = ""
    step = Dataset()
    step.ScheduledStationAETitle = device.ae_title
    step.ScheduledProcedureStepStartDate = ""
    asked.ScheduledProcedureStepSequence = [step]
    with rehearsal(database) as undone:
        with undone.transaction() as session:
            orders.place(session, audit.system_actor("site test"), request)
        [operation] = modality_worklist.operations(undone, time_zone=time_zone)
        origin = Origin(device.site_id, device.id, device.ae_title, "", "")
        answer, found = _asked(operation, modality_worklist.MODALITY_WORKLIST, asked, origin)
    if answer != SUCCESS or len(found) != 1:
        facts = {"said": answer.comment or f"{len(found)} answers"}
        yield Finding(Check.WORKLIST, Outcome.FAILED, "worklist_failed", device.ae_title, facts)
        return
    facts = {"ae_title": device.ae_title, "character_set": _declared(found[0])}
    if _WORKLIST_NAME in str(found[0].PatientName):
        yield Finding(Check.WORKLIST, Outcome.PASSED, "worklist", device.ae_title, facts)
    else:
        yield Finding(Check.WORKLIST, Outcome.WARNING, "worklist_pinyin", device.ae_title, facts)


def _declared(dataset: Dataset) -> str:
    untyped: Any = dataset
    value = untyped.get("SpecificCharacterSet") or "ISO_IR 6"
    return value if isinstance(value, str) else "\\".join(value)


def _asked(
    operation: Operation, sop_class_uid: str, identifier: Dataset, origin: Origin
) -> tuple[Answer, list[Dataset]]:
    """Return how a C-FIND of ours would end for who is there, and its matches."""
    exchange = _Overheard(Context(1, sop_class_uid, ExplicitVRLittleEndian))
    encoded = encode(identifier, ExplicitVRLittleEndian)
    command = Command(CommandField.C_FIND_RQ, 1, True, sop_class_uid.encode(), b"")
    call = Call(command, origin, encoded, cast("Exchange", exchange))
    answer = operation.serve(call)
    return answer, [decode(one, ExplicitVRLittleEndian) for one in exchange.answers]


def _filed_and_found(
    database: Database, objects: ObjectStore, site_id: UUID, character_set: str
) -> str | None:
    """Return the name that C-FIND tells of a test image; None when it was not filed as it was."""
    content, patient_id = _image(character_set)
    # Among what can be made again: if we are killed in between, nobody misses or reports it.
    key = ObjectKey(f"derived/site-test/{secrets.token_hex(8)}")
    objects.put(key, content)
    try:
        kept = objects.read(key)
        if kept != content:
            return None
        instance = _received(kept, key, site_id)
        with rehearsal(database) as undone:
            with undone.transaction() as session:
                [outcome] = ingest(session, [instance])
            if outcome.filing is not Filing.STORED:
                return None
            return _found(undone, site_id, patient_id, character_set)
    finally:
        objects.delete(key)


def _found(database: Database, site_id: UUID, patient_id: str, character_set: str) -> str | None:
    asked = Dataset()
    asked.SpecificCharacterSet = character_set
    asked.QueryRetrieveLevel = "STUDY"
    asked.PatientID = patient_id
    asked.PatientName = ""
    [operation] = query.operations(database, ae_title=_LABEL, results_max=10)
    answer, found = _asked(operation, query.STUDY_ROOT, asked, Origin(site_id, None, "", "", ""))
    return str(found[0].PatientName) if answer == SUCCESS and len(found) == 1 else None


def _image(character_set: str) -> tuple[bytes, str]:
    """Return a small Part 10 file of a marked patient, and his id."""
    patient_id = f"{_LABEL}-{secrets.token_hex(4)}"
    image = Dataset()
    image.SpecificCharacterSet = character_set
    image.SOPClassUID = SecondaryCaptureImageStorage
    image.SOPInstanceUID = Uid.from_uuid(uuid4())
    image.StudyInstanceUID = Uid.from_uuid(uuid4())
    image.SeriesInstanceUID = Uid.from_uuid(uuid4())
    image.PatientName = NAME
    image.PatientID = patient_id
    image.Modality = _ANY_MODALITY
    image.Rows = image.Columns = _EDGE
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit = 7
    image.PixelRepresentation = 0
    image.add(DataElement("PixelData", "OB", secrets.token_bytes(_EDGE * _EDGE)))
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue(), patient_id


def _received(content: bytes, key: ObjectKey, site_id: UUID) -> ReceivedInstance:
    header = read_header(BytesIO(content))
    return ReceivedInstance(
        header=header,
        site_id=site_id,
        device_id=None,
        transfer_syntax_uid=header.transfer_syntax_uid,
        object_key=key,
        object_size=len(content),
        dataset_sha256=hashlib.sha256(content[header.dataset_offset :]).hexdigest(),
        dataset_offset=header.dataset_offset,
        pixel_data_offset=header.pixel_data_offset,
        received_at=utc_now(),
        quiet=timedelta(hours=1),
    )
