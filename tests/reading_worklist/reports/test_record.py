"""The record of a report says what was signed, field by field, or verification says that not."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from reading_worklist.reports.document import (
    Addendum,
    EcgBlock,
    EcgMeasurement,
    EcgSource,
    PrintedImage,
    content_digest,
    from_content,
    kept,
    to_content,
)
from reading_worklist.reports.documents import read_pdf
from reading_worklist.reports.record import says_what_was_signed, signed_digest
from reading_worklist.reports.rendering import render
from reading_worklist.reports.tables import ReportSubmission, ReportVersion
from reading_worklist.typesetting.labels import Language
from storage.database import Database, as_owner
from storage.objects import ObjectStore
from tests.support.desk import Desk
from tests.support.pictures import jpeg
from tests.support.reports import ct_report, typesetter
from tests.support.seed import Consortium
from tests.support.web import application

_FULL = ct_report(
    order_number="HIS-1",
    purpose="排除感染",
    technique="Chest",
    contrast="Iohexol",
    dose="CTDIvol 8.3 mGy",
    comparison="与前片比较",
    recognition_mark="川HR",
    critical_notice="已通知",
    amendment_reason="更正",
    single_signature_basis="依据",
    addenda=(Addendum(text="补充", written_at=ct_report().reported_at),),
    codes={"birads": "4A"},
    key_images=(
        PrintedImage(
            series_instance_uid="1.2", sop_instance_uid="1.2.3", frame_number=1, picture=jpeg()
        ),
    ),
    ecg=EcgBlock(
        measurements=(EcgMeasurement("pr", "161", "ms", "device"),),
        device_statements=("ECG NORMALE",),
        source=EcgSource(
            series_instance_uid="1",
            sop_class_uid="2",
            sop_instance_uid="3",
            sampling_rate_hz=500.0,
        ),
    ),
)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """The path of every value of a document."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list) and value:
        for number, one in enumerate(value):
            yield from leaves(one, (*path, number))
    else:
        yield path


def changed(content: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    altered = copy.deepcopy(content)
    *way, last = path
    at: Any = altered
    for step in way:
        at = at[step]
    value = at[last]
    match value:
        case bool():
            at[last] = not value
        case int() | float():
            at[last] = value + 1
        case str():
            at[last] = value + "x"
        case _:
            at[last] = "x"
    return altered


def test_every_field_of_the_content_is_under_the_signatures() -> None:
    content: dict[str, Any] = to_content(kept(_FULL))
    signed = signed_digest(render(_FULL, Language.ZH_CN, typesetter()))
    assert signed == content_digest(content, Language.ZH_CN)
    paths = list(leaves(content))
    assert len(paths) > 60
    for path in paths:
        altered = content_digest(changed(content, path), Language.ZH_CN)
        assert altered != signed, path
        if len(path) > 1:
            without = copy.deepcopy(content)
            del without[path[0]]
            assert content_digest(without, Language.ZH_CN) != signed
    assert content_digest(content, Language.EN) != signed


def test_what_is_drawn_again_and_the_order_of_members_change_nothing() -> None:
    content = to_content(kept(_FULL))
    digest = content_digest(content, Language.EN)
    assert content_digest(dict(reversed(content.items())), Language.EN) == digest
    again = from_content(content)
    assert content_digest(to_content(kept(again)), Language.EN) == digest
    other = replace(_FULL.key_images[0], picture=b"other")
    drawn = replace(_FULL, key_images=(other,))
    assert content_digest(to_content(kept(drawn)), Language.EN) == digest


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    app = application(consortium, objects, tmp_path)
    return Desk(app, consortium, consortium.queued_study().workitem_id)


def verdict(desk: Desk) -> tuple[str, str]:
    with desk.database.transaction() as session:
        version = session.scalars(select(ReportVersion.id)).one()
        code = session.scalars(select(ReportSubmission.verification_code)).one()
    inside = desk("reviewer").get(f"/api/reports/{version}/verification").json()
    outside = desk("reviewer").get(f"/api/verify/{code}").json()
    assert outside["verdict"] == inside["verdict"]
    return inside["verdict"], inside["reason"]


def alter(database: Database, **values: object) -> None:
    """Past every trigger, as the owner of the tables could."""
    with database.transaction() as session:
        as_owner(session)
        session.execute(text("ALTER TABLE report_submission DISABLE TRIGGER USER"))
        session.execute(update(ReportSubmission).values(**values))
        session.execute(text("ALTER TABLE report_submission ENABLE TRIGGER USER"))


def holds(desk: Desk, objects: ObjectStore) -> bool:
    with desk.database.transaction() as session:
        version = session.scalars(select(ReportVersion)).one()
        submission = session.scalars(select(ReportSubmission)).one()
    pdf = read_pdf(objects, version.pdf_object_key, version.pdf_sha256)
    return says_what_was_signed(pdf, version, submission)


def test_an_altered_row_is_found(desk: Desk, objects: ObjectStore) -> None:
    desk.write()
    desk.finalise()
    assert verdict(desk) == ("valid", "none")
    assert holds(desk, objects)
    with desk.database.transaction() as session:
        row = session.scalars(select(ReportSubmission)).one()
        content: dict[str, Any] = dict(row.content)
        was = {name: getattr(row, name) for name in ("findings", "impression", "advice", "codes")}
    for path in (("findings",), ("patient", "name"), ("study_instance_uid",)):
        alter(desk.database, content=changed(content, path))
        assert not holds(desk, objects), path
    assert verdict(desk) == ("invalid", "record_changed")
    alter(desk.database, content={**content, "reported_at": "2020-01-01T00:00:00Z"})
    assert not holds(desk, objects)
    alter(desk.database, content=content)
    for name, value in was.items():
        alter(desk.database, **{name: {"birads": "5"} if name == "codes" else f"{value}x"})
        assert not holds(desk, objects), name
        alter(desk.database, **{name: value})
    alter(desk.database, language=Language.EN)
    assert not holds(desk, objects)
    alter(desk.database, language=Language.ZH_CN)
    assert holds(desk, objects)


def test_another_reviewer_on_record_is_found(desk: Desk) -> None:
    desk.write()
    desk.finalise()
    other = desk.consortium.people["reviewer2"].id
    with desk.database.transaction() as session:
        as_owner(session)
        session.execute(text("ALTER TABLE report_version DISABLE TRIGGER USER"))
        session.execute(update(ReportVersion).values(reviewer_id=other))
        session.execute(text("ALTER TABLE report_version ENABLE TRIGGER USER"))
    assert verdict(desk) == ("invalid", "wrong_person")
