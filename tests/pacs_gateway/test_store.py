"""C-STORE from the socket to the index: what is kept, what is answered, what a person sees."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import func, select

from pacs_gateway.gateway import Gateway
from storage.database import Database
from storage.index.tables import Instance, Patient, Quarantine, QuarantineReason, Series, Study
from storage.objects import ObjectKey, ObjectStore
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import (
    CT,
    EXPLICIT,
    Sample,
    ct,
    encode,
    pydicom_file,
    renamed,
    sample,
)
from tests.pacs_gateway.peers import RawPeer, dcmtk, p_data, pdv, store_command
from tests.pacs_gateway.waiting import until

_FRAGMENT = 100_000


def send(
    gateway: Gateway, samples: Sequence[Sample], *, calling: str = "CT1", status_only: bool = False
) -> list[int]:
    """Send samples over one association, each under a context of its own; return the statuses."""
    contexts = {
        2 * number + 1: (item.sop_class_uid, [item.transfer_syntax_uid])
        for number, item in enumerate(samples)
    }
    statuses: list[int] = []
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate(contexts, calling=calling) == 2
        for number, item in enumerate(samples):
            peer.send(request(2 * number + 1, item))
            statuses.append(peer.status())
        assert peer.release() == 6
    return statuses


def request(context: int, item: Sample, *, uid: str | None = None) -> bytes:
    """Return the PDUs of one C-STORE request."""
    command = store_command(uid or item.sop_instance_uid, item.sop_class_uid)
    pieces = [
        item.encoded[at : at + _FRAGMENT] for at in range(0, len(item.encoded), _FRAGMENT)
    ] or [b""]
    stream = p_data(pdv(context, 3, command))
    for number, piece in enumerate(pieces):
        stream += p_data(pdv(context, 2 if number == len(pieces) - 1 else 0, piece))
    return stream


def drained(gateway: Gateway) -> None:
    until(lambda: gateway.waiting() == 0, "the spool is empty")


def stored_dataset(database: Database, objects: ObjectStore, uid: str) -> bytes:
    with database.transaction() as session:
        row = session.scalars(select(Instance).where(Instance.sop_instance_uid == uid)).one()
    return objects.read(ObjectKey(row.object_key), row.dataset_offset)


def count(database: Database, table: type) -> int:
    with database.transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def quarantined(database: Database) -> Sequence[Quarantine]:
    with database.transaction() as session:
        return session.scalars(select(Quarantine).order_by(Quarantine.received_at)).all()


def test_an_instance_is_filed_with_its_bytes_and_its_place(
    gateway: Gateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    item = sample(PatientName="Zhang^San", InstanceNumber=7)
    assert send(gateway, [item]) == [0]
    drained(gateway)
    assert stored_dataset(database, objects, item.sop_instance_uid) == item.encoded
    with database.transaction() as session:
        row = session.scalars(select(Instance)).one()
        assert row.site_id == site.id
        assert row.device_id == site.device_id
        assert row.instance_number == 7
        assert row.dataset_sha256 == hashlib.sha256(item.encoded).hexdigest()
        assert row.pixel_data_offset is not None
        head = objects.read(ObjectKey(row.object_key), row.pixel_data_offset, 4)
        assert head == b"\xe0\x7f\x10\x00"
        assert session.scalars(select(Patient.name)).one() == "Zhang^San"
        assert session.scalars(select(Study.modalities)).one() == ["CT"]


_ENCODINGS = (
    "CT_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "image_dfl.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "JPEG-lossy.dcm",
    "JPGExtended.dcm",
    "MR_small_RLE.dcm",
    "JPEG2000.dcm",
    "693_J2KI.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "rtdose_expb.dcm",
    "examples_palette.dcm",
    "waveform_ecg.dcm",
    "rtplan.dcm",
    "rtstruct.dcm",
    "liver_1frame.dcm",
)


def test_every_encoding_is_kept_byte_for_byte(
    gateway: Gateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    assert site
    # Some of these files are versions of one instance: each gets a UID of its own.
    items = [renamed(pydicom_file(name), number) for number, name in enumerate(_ENCODINGS)]
    assert dict(zip(_ENCODINGS, send(gateway, items), strict=True)) == dict.fromkeys(_ENCODINGS, 0)
    drained(gateway)
    for name, item in zip(_ENCODINGS, items, strict=True):
        assert stored_dataset(database, objects, item.sop_instance_uid) == item.encoded, name


def test_private_sop_class_and_transfer_syntax(
    gateway: Gateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    assert site
    dataset = ct(SOPClassUID="1.2.840.113619.4.26")
    item = Sample(
        "1.2.840.113619.4.26", dataset.SOPInstanceUID, "1.2.826.0.1.99.1", encode(dataset)
    )
    assert send(gateway, [item]) == [0]
    drained(gateway)
    assert stored_dataset(database, objects, item.sop_instance_uid) == item.encoded


def test_the_same_instance_again_is_success_and_no_second_copy(
    gateway: Gateway, database: Database, objects: ObjectStore, site: Site, other_site: Site
) -> None:
    assert site
    item = sample()
    assert send(gateway, [item, item]) == [0, 0]
    drained(gateway)
    # Another association: another head, the same dataset.
    assert send(gateway, [item]) == [0]
    drained(gateway)
    assert count(database, Instance) == 1
    assert quarantined(database) == []
    assert len(list(objects.list())) == 1
    # At another site it is another instance.
    assert send(gateway, [item], calling="CT2") == [0]
    drained(gateway)
    assert count(database, Instance) == 2
    assert {str(key).split("/")[1] for key in (o.key for o in objects.list())} == {
        str(site.id),
        str(other_site.id),
    }


def test_the_same_uid_with_other_bytes_is_kept_aside_and_overwrites_nothing(
    gateway: Gateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    assert site
    first = sample(SOPInstanceUID="1.2.3.4.5", SeriesDescription="first")
    other = sample(SOPInstanceUID="1.2.3.4.5", SeriesDescription="other")
    assert send(gateway, [first]) == [0]
    drained(gateway)
    assert send(gateway, [other, other]) == [0, 0]
    drained(gateway)
    assert stored_dataset(database, objects, "1.2.3.4.5") == first.encoded
    entry = quarantined(database)[0]
    assert len(quarantined(database)) == 1
    assert entry.reason == QuarantineReason.UID_CONFLICT
    assert entry.instance_id is not None
    assert entry.detail["times_received"] == "2"
    assert objects.read(ObjectKey(entry.object_key)).endswith(other.encoded)


def test_an_instance_of_another_patient_does_not_join_the_study(
    gateway: Gateway, database: Database, site: Site
) -> None:
    assert site
    assert send(gateway, [sample(PatientID="P1"), sample(PatientID="P2")]) == [0, 0]
    drained(gateway)
    assert count(database, Instance) == 1
    assert [entry.reason for entry in quarantined(database)] == [QuarantineReason.PATIENT_MISMATCH]


def test_missing_patient_ids_never_join_two_patients(
    gateway: Gateway, database: Database, site: Site
) -> None:
    assert site
    items = [
        sample(PatientID=None, StudyInstanceUID=f"1.2.9.{n}", SeriesInstanceUID=f"1.2.9.{n}.1")
        for n in (1, 2)
    ]
    assert send(gateway, items) == [0, 0]
    drained(gateway)
    assert count(database, Patient) == 2
    assert count(database, Series) == 2


_LONG = "1.2." + "3" * 80


_REFUSED: Sequence[tuple[dict[str, str | None], str | None, int, str]] = (
    ({"SOPInstanceUID": None}, "1.2.3", 0xC101, "missing_uid"),
    ({"SOPInstanceUID": ""}, "1.2.3", 0xC101, "missing_uid"),
    ({"SOPClassUID": None}, "1.2.3", 0xC101, "missing_uid"),
    ({"StudyInstanceUID": None}, None, 0xC101, "missing_uid"),
    ({"SeriesInstanceUID": None}, None, 0xC101, "missing_uid"),
    ({"StudyInstanceUID": "../../../etc/x"}, None, 0xC102, "invalid_uid"),
    ({"SOPInstanceUID": "../../../etc/x"}, "../../../etc/x", 0xC102, "invalid_uid"),
    ({"StudyInstanceUID": _LONG}, None, 0xC102, "invalid_uid"),
    ({"SeriesInstanceUID": "1..2"}, None, 0xC102, "invalid_uid"),
    ({"SOPInstanceUID": "1.2.3.4"}, "1.2.3.5", 0xC103, "command_mismatch"),
    ({"SOPInstanceUID": "1.2.3.6"}, "../../../etc/x", 0xC103, "command_mismatch"),
    ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, None, 0xA900, "command_mismatch"),
)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_cannot_be_filed_is_refused_and_shown_to_a_person(
    gateway: Gateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    sent: dict[str, tuple[bytes, str]] = {}
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate({1: (CT, [EXPLICIT])}) == 2
        for attributes, command_uid, status, reason in _REFUSED:
            dataset = ct(size=16, **attributes)
            item = Sample(CT, str(dataset.get("SOPInstanceUID")), EXPLICIT, encode(dataset))
            sent[hashlib.sha256(item.encoded).hexdigest()] = (item.encoded, reason)
            peer.send(request(1, item, uid=command_uid))
            assert peer.status() == status, (attributes, command_uid)
        # After all of this the association goes on.
        peer.send(request(1, sample()))
        assert peer.status() == 0
        assert peer.release() == 6
    drained(gateway)
    assert count(database, Instance) == 1
    entries = quarantined(database)
    assert len(entries) == len(_REFUSED)
    for entry in entries:
        encoded, reason = sent[entry.dataset_sha256]
        assert (entry.reason, entry.site_id, entry.calling_ae_title) == (reason, site.id, "CT1")
        assert entry.detail["expected"]
        assert entry.detail["found"]
        assert entry.detail["remedy"]
        assert entry.object_key.startswith(f"quarantine/{site.id}/")
        assert objects.read(ObjectKey(entry.object_key)).endswith(encoded)


def test_a_dataset_that_was_cut_is_refused_wherever_it_was_cut(
    gateway: Gateway, database: Database, site: Site
) -> None:
    assert site
    whole = sample()
    cuts = [1, 7, 100, len(whole.encoded) - 513, len(whole.encoded) - 1]
    items = [
        Sample(whole.sop_class_uid, whole.sop_instance_uid, EXPLICIT, whole.encoded[:cut])
        for cut in cuts
    ]
    statuses = send(gateway, items)
    assert all(status in {0xC101, 0xC104} for status in statuses), [hex(s) for s in statuses]
    assert 0xC104 in statuses
    drained(gateway)
    assert count(database, Instance) == 0
    assert len(quarantined(database)) == len(cuts)


def test_garbage_is_refused_and_kept(gateway: Gateway, database: Database, site: Site) -> None:
    assert site
    items = [
        Sample(CT, "1.2.3", EXPLICIT, garbage)
        for garbage in (b"", b"\0" * 1000, b"hello world, this is not DICOM at all", b"\xff" * 5000)
    ]
    statuses = send(gateway, items)
    assert all(status >= 0xC000 for status in statuses)
    drained(gateway)
    assert len(quarantined(database)) == 4


def test_a_device_that_repeats_a_broken_instance_makes_one_entry(
    gateway: Gateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    assert site
    broken = Sample(
        CT, "1.2.3", EXPLICIT, encode(ct(StudyInstanceUID=None, SOPInstanceUID="1.2.3"))
    )
    for _ in range(3):
        assert send(gateway, [broken]) == [0xC101]
        drained(gateway)
    assert [entry.detail["times_received"] for entry in quarantined(database)] == ["3"]
    assert len(list(objects.list())) == 1


def test_a_short_disk_is_told_and_other_work_goes_on(
    start_gateway: Callable[..., Gateway], database: Database, site: Site
) -> None:
    assert site
    gateway = start_gateway(spool_reserve_bytes=1 << 60)
    assert send(gateway, [sample(), sample()]) == [0xA700, 0xA700]
    assert count(database, Instance) == 0
    assert quarantined(database) == []


def test_a_request_without_a_dataset_is_answered(gateway: Gateway, site: Site) -> None:
    assert site
    command = store_command("1.2.3", t0800=b"\x01\x01")
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate() == 2
        peer.send(p_data(pdv(1, 3, command)))
        assert peer.status() == 0xC000


def test_operations_not_served_are_answered(gateway: Gateway, site: Site) -> None:
    assert site
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate({1: ("1.2.840.10008.1.1", [EXPLICIT]), 3: (CT, [EXPLICIT])}) == 2
        # C-STORE on the verification context, C-FIND on a storage context.
        peer.send(request(1, sample()))
        assert peer.status() == 0x0211
        peer.send(p_data(pdv(3, 3, store_command("1.2.3").replace(b"\x01\x00", b"\x20\x00", 1))))
        peer.send(p_data(pdv(3, 2, b"")))
        assert peer.status() in {0x0211, 0xC101}


def test_an_instance_larger_than_all_buffers_arrives_whole(
    gateway: Gateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    assert site
    item = sample(size=2048)
    assert send(gateway, [item]) == [0]
    drained(gateway)
    assert stored_dataset(database, objects, item.sop_instance_uid) == item.encoded


def test_many_associations_at_once(
    gateway: Gateway, database: Database, site: Site, other_site: Site
) -> None:
    assert site
    assert other_site
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            calling = ("CT1", "CT2")[number % 2]
            items = [
                sample(StudyInstanceUID=f"1.2.7.{n % 3}", SeriesInstanceUID=f"1.2.7.{n % 3}.1")
                for n in range(20)
            ]
            assert send(gateway, items, calling=calling) == [0] * 20
        except BaseException as error:  # noqa: BLE001 -- told by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    drained(gateway)
    assert count(database, Instance) == 120
    with database.transaction() as session:
        assert session.scalars(select(Study.instance_count)).all()
        assert sum(session.scalars(select(Study.instance_count))) == 120


def test_storescu(gateway: Gateway, database: Database, site: Site, tmp_path: Path) -> None:
    assert site
    for number in range(5):
        dataset = ct(InstanceNumber=number)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    done = dcmtk(
        "storescu",
        *("-aec", "RDC", "-aet", "CT1", "+sd"),
        *("127.0.0.1", str(gateway.bound_port), tmp_path),
    )
    assert done.returncode == 0, done.stderr
    drained(gateway)
    assert count(database, Instance) == 5
