"""Modality worklist over real associations: DCMTK's findscu and pynetdicom ask."""

import subprocess
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import ModalityWorklistInformationFind  # pyright: ignore[reportAttributeAccessIssue]
from sqlalchemy import update

from pacs_gateway.gateway import Gateway
from pacs_gateway.services.readable_text import readable_by
from storage import audit
from storage.character_sets import decode_text
from storage.database import Database
from storage.orders import service
from storage.orders.request import OrderRequest, StepRequest
from storage.orders.words import Contrast, Laterality, OrderSource, Priority, PriorityReason
from storage.registry import (
    WORKLIST_CHARACTER_SETS,
    Device,
    RegistryRefused,
    write_worklist_in,
)
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.peers import associated
from tests.support.peers import require_program

ACTOR = audit.system_actor("test")
ZONE = ZoneInfo("Asia/Shanghai")
# 2026-03-04 09:30 at the site, the day before in UTC for the first hours of a day.
MORNING = datetime(2026, 3, 4, 9, 30, tzinfo=ZONE)
EARLY = datetime(2026, 3, 4, 0, 30, tzinfo=ZONE)
ORDER_KEYS = (
    "AccessionNumber",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "RequestedProcedurePriority",
)
STEP_KEYS = (
    "Modality",
    "ScheduledStationAETitle",
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
)


@pytest.fixture
def place(database: Database, site: Site) -> Callable[..., str]:
    """Places an order at the site; gives its accession number."""

    def place(
        *,
        step: dict[str, Any] | None = None,
        registered: str | None = None,
        **values: Any,  # noqa: ANN401 -- any field
    ) -> str:
        request = OrderRequest(
            **{  # pyright: ignore[reportArgumentType] -- any field
                "site_id": site.id,
                "source": OrderSource.API,
                "patient_local_id": "P1",
                "patient_name": "张伟",
                "patient_sex": "M",
                "patient_birth_date": date(1960, 5, 17),
                "procedure_description": "胸部CT平扫",
                "procedure_code": "CT001",
                "steps": [scheduled(**(step or {}))],
                **values,
            }
        )
        with database.transaction() as session:
            session.execute(update(Device).values(worklist_character_set=registered))
            accession = service.place(session, ACTOR, request).accession_number
        assert accession is not None
        return accession

    return place


def scheduled(
    *, modality: str = "CT", at: datetime = MORNING, station: str | None = None
) -> StepRequest:
    return StepRequest(modality, at, station)


def query(**step: str) -> Dataset:
    """A worklist query for everything, with keys of the step."""
    wanted, item = Dataset(), Dataset()
    for keyword in ORDER_KEYS:
        setattr(wanted, keyword, "")
    for keyword in STEP_KEYS:
        setattr(item, keyword, step.get(keyword, ""))
    wanted.ScheduledProcedureStepSequence = [item]
    return wanted


def ask(gateway: Gateway, wanted: Dataset, title: str = "CT1") -> tuple[list[Dataset], int]:
    """The matches and the final status."""
    ae = AE(ae_title=title)
    ae.add_requested_context(ModalityWorklistInformationFind)
    association = associated(ae, gateway.bound_port)
    assert association.is_established
    found: list[Dataset] = []
    status = -1
    for answer, identifier in association.send_c_find(wanted, ModalityWorklistInformationFind):
        status = answer.Status
        if identifier is not None:
            found.append(identifier)
    association.release()
    return found, status


def accessions(found: list[Dataset]) -> set[str]:
    return {one.AccessionNumber for one in found}


def test_a_step_is_told_with_what_the_exam_needs(
    gateway: Gateway, place: Callable[..., str]
) -> None:
    accession = place(priority=Priority.STAT, laterality=Laterality.LEFT)
    wanted = query()
    wanted.SpecificCharacterSet = "GB18030"
    wanted.RequestedLateralityCodeSequence = []
    wanted.ScheduledProcedureStepSequence[0].Laterality = ""
    found, status = ask(gateway, wanted)
    assert (len(found), status) == (1, 0x0000)
    one = found[0]
    assert one.SpecificCharacterSet == "GB18030"
    assert (one.AccessionNumber, one.PatientID, str(one.PatientName)) == (
        accession,
        "P1",
        "Zhang^Wei=张^伟",
    )
    assert (one.PatientBirthDate, one.PatientSex) == ("19600517", "M")
    assert (one.RequestedProcedurePriority, one.RequestedProcedureDescription) == (
        "STAT",
        "胸部CT平扫",
    )
    assert one.StudyInstanceUID.startswith("2.25.")
    side = one.RequestedLateralityCodeSequence[0]
    assert (side.CodeValue, side.CodingSchemeDesignator, side.CodeMeaning) == (
        "7771000",
        "SCT",
        "Left",
    )
    step = one.ScheduledProcedureStepSequence[0]
    assert (step.Modality, step.ScheduledStationAETitle) == ("CT", "CT1")
    assert step.Laterality == "L"
    # In the site's zone, as the device's clock is.
    assert (step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime) == (
        "20260304",
        "093000",
    )


@pytest.mark.parametrize(
    ("character_set", "contrast", "reason"),
    [
        ("GB18030", "平扫+增强 PLAIN AND CONTRAST", "胸痛 CHEST PAIN; 排除夹层"),
        ("ISO_IR 100", "PLAIN AND CONTRAST", "CHEST PAIN"),
    ],
)
def test_a_step_is_told_with_its_contrast_and_why_it_cannot_wait(
    gateway: Gateway,
    place: Callable[..., str],
    character_set: str,
    contrast: str,
    reason: str,
) -> None:
    place(
        priority=Priority.STAT,
        priority_reason=PriorityReason.CHEST_PAIN,
        reason="排除夹层",
        contrast=Contrast.BOTH,
    )
    wanted = query()
    wanted.SpecificCharacterSet = character_set
    wanted.ReasonForTheRequestedProcedure = ""
    wanted.ScheduledProcedureStepSequence[0].RequestedContrastAgent = ""
    found, status = ask(gateway, wanted)
    assert (len(found), status) == (1, 0x0000)
    assert reason in found[0].ReasonForTheRequestedProcedure
    assert contrast in found[0].ScheduledProcedureStepSequence[0].RequestedContrastAgent


@pytest.mark.parametrize(
    ("asked", "registered", "told"),
    [
        ("GB18030", None, "GB18030"),
        ("GBK", None, "GBK"),
        ("ISO_IR 192", None, "ISO_IR 192"),
        ("\\ISO 2022 IR 58", None, "\\ISO 2022 IR 58"),
        ("ISO_IR 100", None, None),
        (None, None, None),
        (None, "GB18030", "GB18030"),
        ("ISO_IR 100", "GBK", "GBK"),
        ("ISO_IR 192", "GBK", "ISO_IR 192"),
    ],
)
def test_text_comes_in_a_character_set_that_the_device_reads(
    gateway: Gateway,
    place: Callable[..., str],
    *,
    asked: str | None,
    registered: str | None,
    told: str | None,
) -> None:
    place(registered=registered)
    wanted = query()
    if asked is not None:
        wanted.SpecificCharacterSet = asked.split("\\")
    found = ask(gateway, wanted)[0][0]
    # Read by our own decoder: pydicom's leaves the escape sequences of GB 2312 in the text.
    name = decode_text(found.PatientName.original_string, told or "").text
    description = found.RequestedProcedureDescription.replace("\x1b$)A", "")
    assert name == ("Zhang^Wei=张^伟" if told else "Zhang^Wei")
    assert description == ("胸部CT平扫" if told else "xiong bu CT ping sao")
    character_set = found.get("SpecificCharacterSet")
    assert character_set == (told.split("\\") if told and "\\" in told else told)


def test_a_device_is_registered_with_a_character_set_for_chinese_or_none() -> None:
    device = Device(worklist_character_set="GBK")
    for term in WORKLIST_CHARACTER_SETS:
        write_worklist_in(device, term)
        assert readable_by(b"", device.worklist_character_set).written("张伟") == "张伟"
    with pytest.raises(RegistryRefused, match="GB18030, GBK"):
        write_worklist_in(device, "ISO_IR 100")
    write_worklist_in(device, None)
    assert readable_by(b"", device.worklist_character_set).written("张伟").isascii()


def test_keys_match_as_in_the_standard(gateway: Gateway, place: Callable[..., str]) -> None:
    ours = place(step={"station": "CT1", "at": MORNING})
    other = place(
        step={"station": "CT9", "at": EARLY},
        patient_name="欧阳娜娜",
        patient_local_id="Q2",
    )
    any_station = place(step={"at": MORNING + timedelta(days=1)}, patient_name="Li^Na")
    magnet = place(step={"modality": "MR"})
    everything = {ours, other, any_station, magnet}

    def step(**keys: str) -> set[str]:
        return accessions(ask(gateway, query(**keys))[0])

    def top(**keys: str) -> set[str]:
        wanted = query()
        wanted.SpecificCharacterSet = "ISO_IR 192"
        for keyword, value in keys.items():
            setattr(wanted, keyword, value)
        return accessions(ask(gateway, wanted)[0])

    assert step() == everything
    assert step(Modality="MR") == {magnet}
    assert step(Modality="M*") == {magnet}
    assert step(ScheduledStationAETitle="CT1", Modality="CT") == {ours, any_station}
    assert step(ScheduledProcedureStepStartDate="20260304") == {ours, other, magnet}
    assert step(ScheduledProcedureStepStartDate="20260305-") == {any_station}
    assert step(ScheduledProcedureStepStartDate="-20260303") == set()
    assert step(ScheduledProcedureStepStartTime="0000-0100") == {other}
    assert top(PatientID="Q2") == {other}
    assert top(PatientID="Q?") == {other}
    assert top(AccessionNumber=ours) == {ours}
    assert top(PatientName="ouyang*") == {other}
    assert top(PatientName="欧阳*") == {other}
    assert top(PatientName="li^na") == {any_station}
    assert top(PatientName="L[iI]^Na") == set()
    assert top(PatientName="nobody") == set()


def test_another_sites_steps_are_not_told(
    gateway: Gateway, place: Callable[..., str], other_site: Site
) -> None:
    place()
    assert ask(gateway, query(), other_site.ae_title) == ([], 0x0000)


def test_what_has_begun_or_is_cancelled_is_no_longer_told(
    gateway: Gateway, place: Callable[..., str], database: Database, site: Site
) -> None:
    accession = place(placer_order_number="X1")
    assert accessions(ask(gateway, query())[0]) == {accession}
    with database.transaction() as session:
        order = service.by_placer_order_number(session, site.id, "X1")
        assert order is not None
        service.cancel(session, ACTOR, order, "病人走了")
    assert ask(gateway, query())[0] == []


def test_a_key_that_cannot_be_matched_is_refused(gateway: Gateway, site: Site) -> None:
    assert ask(gateway, query(ScheduledProcedureStepStartDate="gestern"))[1] == 0xA900


def test_the_query_can_be_cancelled(gateway: Gateway, place: Callable[..., str]) -> None:
    for number in range(60):
        place(patient_local_id=f"P{number}")
    ae = AE(ae_title="CT1")
    ae.add_requested_context(ModalityWorklistInformationFind)
    association = associated(ae, gateway.bound_port)
    answers: list[int] = []
    for status, _ in association.send_c_find(query(), ModalityWorklistInformationFind, msg_id=7):
        answers.append(status.Status)
        if len(answers) == 1:
            association.send_c_cancel(7, None, ModalityWorklistInformationFind)
    association.release()
    # It may have come too late: then all matches are told.
    assert answers[-1] in {0xFE00, 0x0000}
    assert set(answers[:-1]) == {0xFF00}


def test_findscu_reads_the_worklist(gateway: Gateway, place: Callable[..., str]) -> None:
    findscu = require_program("findscu", package="dcmtk")
    accession = place()
    done = subprocess.run(
        [
            *(
                findscu,
                "-v",
                "-W",
                "-aet",
                "CT1",
                "-aec",
                "RDC",
                "127.0.0.1",
                str(gateway.bound_port),
            ),
            *(
                "-k",
                "SpecificCharacterSet=ISO_IR 192",
                "-k",
                "PatientName",
                "-k",
                "AccessionNumber",
            ),
            *("-k", "ScheduledProcedureStepSequence[0].Modality=CT"),
            *(
                "-k",
                "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=20260301-20260331",
            ),
        ],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=30,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert accession in told
    assert "Zhang^Wei=张^伟" in told
