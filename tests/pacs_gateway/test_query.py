"""C-FIND answers what the index knows of the caller's own site, and refuses what is no question."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
from pydicom.dataset import Dataset
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association

from pacs_gateway.associations.commands import Command, CommandField
from pacs_gateway.associations.contexts import IMPLICIT_VR_LITTLE_ENDIAN
from pacs_gateway.associations.exchange import Context, Exchange
from pacs_gateway.gateway import Gateway
from pacs_gateway.services.datasets import encode
from pacs_gateway.services.operations import Call
from pacs_gateway.services.query import PATIENT_ROOT, STUDY_ROOT, operations
from storage.database import Database, as_owner
from storage.receptions import Origin
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.peers import RawPeer, associated, command, dcmtk, p_data, pdv
from tests.support.index_rows import add_study
from tests.support.search_cases import CASES, fill

GBK_NAME = "=张^伟"


@pytest.fixture
def filled(database: Database, site: Site, other_site: Site) -> None:
    with database.transaction() as session:
        add_study(
            session,
            site.id,
            uid="1.2.1",
            patient_id="P1",
            name=GBK_NAME,
            series=[
                ("1.2.1.1", "CT", ["1.2.1.1.1", "1.2.1.1.2"]),
                ("1.2.1.2", "SR", ["1.2.1.2.1"]),
            ],
        )
        add_study(session, site.id, uid="1.2.2", patient_id="P2", name="Smith^Anna")
        add_study(session, other_site.id, uid="1.2.3", patient_id="P1", name="Secret^Other")


@contextmanager
def asking(gateway: Gateway, calling: str = "CT1") -> Generator[Association]:
    entity = ApplicationEntity(calling)
    for root in (PATIENT_ROOT, STUDY_ROOT):
        entity.add_requested_context(root)
    association = associated(entity, gateway.bound_port)
    assert association.is_established
    yield association
    association.release()


def find(
    association: Association, level: str, root: str = STUDY_ROOT, **keys: object
) -> tuple[list[Dataset], Dataset, set[int]]:
    """Return the matches, the final command set, and the pending statuses."""
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    matches: list[Dataset] = []
    pending: set[int] = set()
    final = Dataset()
    for status, match in association.send_c_find(identifier, root):
        if match is not None:
            matches.append(match)
            pending.add(status.Status)
        final = status
    return matches, final, pending


@pytest.mark.usefixtures("filled")
def test_studies_of_ones_own_site(gateway: Gateway) -> None:
    with asking(gateway) as association:
        matches, final, pending = find(
            association, "STUDY", PatientID="", StudyInstanceUID="", StudyDate="20260101-"
        )
    assert sorted(match.StudyInstanceUID for match in matches) == ["1.2.1", "1.2.2"]
    assert final.Status == 0x0000
    assert pending == {0xFF00}
    assert {match.RetrieveAETitle for match in matches} == {"RDC"}
    assert {match.QueryRetrieveLevel for match in matches} == {"STUDY"}


@pytest.mark.usefixtures("filled")
def test_a_device_of_another_site_sees_its_own(gateway: Gateway) -> None:
    with asking(gateway, "CT2") as association:
        for level, keys in (
            ("STUDY", {"PatientID": "", "StudyInstanceUID": ""}),
            ("STUDY", {"PatientID": "P1", "StudyInstanceUID": ""}),
        ):
            matches, _, _ = find(association, level, **keys)
            assert [match.StudyInstanceUID for match in matches] == ["1.2.3"]
        for uid in ("1.2.1", "1.2.2"):
            assert find(association, "STUDY", StudyInstanceUID=uid)[0] == []
            series, _, _ = find(association, "SERIES", StudyInstanceUID=uid, SeriesInstanceUID="")
            assert series == []
        patients, _, _ = find(association, "PATIENT", PATIENT_ROOT, PatientID="", PatientName="")
        assert [str(match.PatientName) for match in patients] == ["Secret^Other"]


@pytest.mark.usefixtures("filled")
def test_down_the_hierarchy(gateway: Gateway) -> None:
    with asking(gateway) as association:
        patients, _, _ = find(
            association,
            "PATIENT",
            PATIENT_ROOT,
            PatientID="P1",
            NumberOfPatientRelatedStudies=None,
        )
        assert [match.NumberOfPatientRelatedStudies for match in patients] == [1]
        studies, _, _ = find(
            association,
            "STUDY",
            PATIENT_ROOT,
            PatientID="P1",
            StudyInstanceUID="",
            ModalitiesInStudy="",
            NumberOfStudyRelatedInstances=None,
            InstanceAvailability="",
        )
        assert [list(match.ModalitiesInStudy) for match in studies] == [["CT", "SR"]]
        assert [match.NumberOfStudyRelatedInstances for match in studies] == [3]
        assert [match.InstanceAvailability for match in studies] == ["ONLINE"]
        series, _, _ = find(
            association,
            "SERIES",
            StudyInstanceUID="1.2.1",
            SeriesInstanceUID="",
            Modality="CT",
        )
        assert [match.SeriesInstanceUID for match in series] == ["1.2.1.1"]
        instances, _, _ = find(
            association,
            "IMAGE",
            StudyInstanceUID="1.2.1",
            SeriesInstanceUID="1.2.1.1",
            SOPInstanceUID="",
            InstanceNumber=None,
            Rows=None,
        )
        assert [match.InstanceNumber for match in instances] == [1, 2]
        assert [match.Rows for match in instances] == [512, 512]


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_the_rules_of_matching(gateway: Gateway, database: Database, site: Site) -> None:
    with database.transaction() as session:
        fill(session, site.id)
    with asking(gateway) as association:
        for case in CASES:
            if case.fuzzy:
                continue
            root = PATIENT_ROOT if case.level == "PATIENT" else STUDY_ROOT
            level = "IMAGE" if case.level == "INSTANCE" else case.level
            keys = {case.returned: "", "SpecificCharacterSet": "ISO_IR 192", **case.keys}
            matches, final, _ = find(association, level, root, **keys)
            found = [str(match[case.returned].value) for match in matches]
            assert sorted(found) == sorted(case.found), case
            assert final.Status == 0x0000


REFUSED: Sequence[tuple[str, str, dict[str, object], int, int]] = (
    (STUDY_ROOT, "PATIENT", {"PatientID": "P1"}, 0xA900, 0x00080052),
    (STUDY_ROOT, "", {"PatientID": "P1"}, 0xA900, 0x00080052),
    (STUDY_ROOT, "SERIES", {"SeriesInstanceUID": ""}, 0xA900, 0x0020000D),
    (STUDY_ROOT, "SERIES", {"StudyInstanceUID": "1.2.*"}, 0xA900, 0x0020000D),
    (STUDY_ROOT, "SERIES", {"StudyInstanceUID": ["1.2.1", "1.2.2"]}, 0xA900, 0x0020000D),
    (STUDY_ROOT, "IMAGE", {"StudyInstanceUID": "1.2.1"}, 0xA900, 0x0020000E),
    (PATIENT_ROOT, "STUDY", {"StudyInstanceUID": "1.2.1"}, 0xA900, 0x00100020),
    (STUDY_ROOT, "STUDY", {"StudyDate": "yesterday"}, 0xC000, 0x00080020),
    (STUDY_ROOT, "STUDY", {"StudyInstanceUID": "1.2.x"}, 0xC000, 0x0020000D),
)


@pytest.mark.usefixtures("filled")
@pytest.mark.filterwarnings("ignore:.*(value|UID|length).*:UserWarning")
def test_what_is_no_question_is_refused_with_the_element_to_blame(gateway: Gateway) -> None:
    with asking(gateway) as association:
        for root, level, keys, status, tag in REFUSED:
            matches, final, _ = find(association, level, root, **keys)
            assert (matches, final.Status) == ([], status), keys
            assert final.OffendingElement == tag, keys
            assert final.ErrorComment, keys


@pytest.mark.usefixtures("filled")
def test_keys_that_the_index_does_not_know_are_said_to_be_so(gateway: Gateway) -> None:
    with asking(gateway) as association:
        matches, final, pending = find(
            association, "STUDY", StudyInstanceUID="", PatientComments="", Modality="CT"
        )
    assert len(matches) == 2
    assert final.Status == 0x0000
    assert pending == {0xFF01}
    assert all("PatientComments" not in match for match in matches)


@pytest.mark.usefixtures("filled")
def test_names_come_in_the_character_set_of_the_question(gateway: Gateway) -> None:
    with asking(gateway) as association:
        for asked, answered in (
            ("GB18030", "GB18030"),
            ("ISO_IR 192", "ISO_IR 192"),
            ("ISO_IR 100", "ISO_IR 192"),
            (None, "ISO_IR 192"),
        ):
            keys = {} if asked is None else {"SpecificCharacterSet": asked}
            matches, _, _ = find(association, "STUDY", **keys, PatientID="P1", PatientName="")
            assert [match.SpecificCharacterSet for match in matches] == [answered]
            assert [str(match.PatientName) for match in matches] == [GBK_NAME]
        ascii_only, _, _ = find(association, "STUDY", PatientID="P2", PatientName="")
        assert "SpecificCharacterSet" not in ascii_only[0]
        for asked in ("GB18030", "ISO_IR 192"):
            found, _, _ = find(
                association, "STUDY", SpecificCharacterSet=asked, PatientName="张*", PatientID=""
            )
            assert [match.PatientID for match in found] == ["P1"]


@pytest.mark.usefixtures("filled")
def test_no_more_than_the_limit_and_then_said_so(start_gateway: Callable[..., Gateway]) -> None:
    with asking(start_gateway(query_results_max=1)) as association:
        matches, final, _ = find(association, "STUDY", StudyInstanceUID="")
        assert len(matches) == 1
        assert final.Status == 0xA700
        assert "narrow" in final.ErrorComment
        assert find(association, "STUDY", StudyInstanceUID="1.2.1")[1].Status == 0x0000


def test_cancelled(gateway: Gateway, database: Database, site: Site) -> None:
    with database.transaction() as session:
        for number in range(3):
            add_study(session, site.id, uid=f"1.2.{number + 1}", patient_id="P1", name="A^B")
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = ""
    request = command(0x0020, t0002=STUDY_ROOT.encode())
    cancel = command(0x0FFF, t0120=b"\x01\0", t0800=b"\x01\x01")
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate({1: (STUDY_ROOT, [IMPLICIT_VR_LITTLE_ENDIAN])}) == 0x02
        # In one piece, so that the cancellation is there before the first match is sent.
        peer.send(
            p_data(pdv(1, 3, request))
            + p_data(pdv(1, 2, encode(identifier, IMPLICIT_VR_LITTLE_ENDIAN)))
            + p_data(pdv(1, 3, cancel))
        )
        assert peer.status() == 0xFE00
        assert peer.release() == 0x06


def test_an_error_of_ours_is_no_empty_answer(
    gateway: Gateway, database: Database, site: Site
) -> None:
    with asking(gateway) as association:
        assert find(association, "STUDY", StudyInstanceUID="")[1].Status == 0x0000
        with database.transaction() as session:
            as_owner(session)
            session.connection().exec_driver_sql("ALTER TABLE study_listing RENAME TO gone")
        assert find(association, "STUDY", StudyInstanceUID="")[1].Status == 0x0110


def test_a_database_that_is_away_is_no_empty_answer(tmp_path: Path) -> None:
    class NoAssociation:
        context = Context(1, STUDY_ROOT, IMPLICIT_VR_LITTLE_ENDIAN)

    away = Database(f"postgresql://rdc@/rdc?host={tmp_path}")
    (operation,) = operations(away, ae_title="RDC", results_max=10)
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    call = Call(
        Command(CommandField.C_FIND_RQ, 1, True, b"", b""),
        Origin(uuid4(), uuid4(), "CT1", "RDC", "127.0.0.1"),
        encode(identifier, IMPLICIT_VR_LITTLE_ENDIAN),
        cast("Exchange", NoAssociation()),
    )
    answer = operation.serve(call)
    assert answer.status == 0xA700
    assert "later" in answer.comment


@pytest.mark.usefixtures("filled")
def test_findscu_of_dcmtk(gateway: Gateway) -> None:
    for model in ("-S", "-P"):
        done = dcmtk(
            "findscu",
            model,
            "-aet",
            "CT1",
            "-aec",
            "RDC",
            "-k",
            "QueryRetrieveLevel=STUDY",
            "-k",
            "PatientID=P1",
            "-k",
            "StudyInstanceUID",
            "-k",
            "StudyDate=20260101-20271231",
            "-v",
            "127.0.0.1",
            str(gateway.bound_port),
        )
        assert "1.2.1" in done.stdout + done.stderr
        assert "1.2.3" not in done.stdout + done.stderr
