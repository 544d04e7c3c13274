"""What the reading side issues becomes messages that another library finds nothing wrong with."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from sqlalchemy import select

from pacs_gateway.returns.hl7_report import MessageSettings, write_messages
from storage import issued_reports
from storage.issued_reports import IssuedReport, IssuedReportRow
from storage.objects import ObjectStore
from tests.support.desk import Desk
from tests.support.seed import Consortium
from tests.support.web import application


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    app = application(consortium, objects, tmp_path)
    return Desk(app, consortium, consortium.queued_study().workitem_id)


def issued(desk: Desk) -> list[IssuedReport]:
    with desk.database.transaction() as session:
        ids = session.scalars(
            select(IssuedReportRow.report_version_id).order_by(IssuedReportRow.number)
        ).all()
        return [one for known in ids if (one := issued_reports.read(session, known)) is not None]


def test_an_issued_report_is_a_message(desk: Desk) -> None:
    desk.write()
    desk.finalise()
    (first,) = issued(desk)
    messages = write_messages(
        first, (), UUID(int=1), MessageSettings(application="RDC"), pdf=b"%PDF-"
    )
    (text,) = [one.content.decode() for one in messages]
    found: Any = parse_message(
        text, validation_level=VALIDATION_LEVEL.STRICT, force_validation=True
    )
    assert found.validate()
    order = found.oru_r01_patient_result.oru_r01_order_observation
    assert order.obr.obr_25.to_er7() == "F"
    assert "王审核" in order.obr.obr_32.to_er7()
    assert "李书写" in order.obr.obr_33.to_er7()
    values = {
        one.obx.obx_3.to_er7().split("^")[0]: one.obx.obx_5.to_er7()
        for one in order.oru_r01_observation
    }
    assert values["19005-8"] == "未见明显异常。"
    assert values["110180"] == first.exam.study_instance_uid
    assert found.oru_r01_patient_result.oru_r01_patient.pid.pid_3.to_er7().startswith(
        first.patient.local_id or "?"
    )
