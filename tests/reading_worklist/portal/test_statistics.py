"""A site's own figures of a month, against scenes counted by hand."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from reading_worklist.critical_values.states import CriticalState
from reading_worklist.critical_values.tables import CriticalValue
from reading_worklist.identity import arrival
from reading_worklist.portal.statistics import ALL, Exam, Measure, month_of, percentile, summary
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Study
from storage.objects import ObjectStore
from tests.support.seed import Consortium, received
from tests.support.web import Browser, application

NOON = datetime(2026, 11, 10, 4, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def exam(number: int, **facts: object) -> Exam:
    return Exam(**{"id": UUID(int=number), "modality": "CT", "received_at": NOON, **facts})  # pyright: ignore[reportArgumentType] -- any field


def test_percentiles_lie_in_proportion_between_two_values() -> None:
    assert percentile([], 0.5) is None
    assert percentile([7], 0.9) == 7
    assert percentile([4, 1, 3, 2], 0.5) == 2.5
    assert percentile(list(range(11)), 0.9) == 9


def test_a_month_begins_and_ends_at_midnight_of_the_site() -> None:
    begin, end = month_of("2026-12", SHANGHAI)
    assert begin.astimezone(UTC).isoformat() == "2026-11-30T16:00:00+00:00"
    assert end.astimezone(UTC).isoformat() == "2026-12-31T16:00:00+00:00"


def test_a_month_without_exams_has_no_rates() -> None:
    row = summary(ALL, [], NOON)
    assert (row.sent, row.reported) == (0, 0)
    rates = (row.in_time, row.retakes, row.unopened, row.critical, row.chest_pain, row.grade_a)
    assert [(one.numerator, one.denominator, one.value) for one in rates] == [(0, 0, None)] * 6
    assert {(one.count, one.median, one.p90) for one in row.segments.values()} == {(0, None, None)}


def test_figures_of_four_exams_counted_by_hand() -> None:
    whole = exam(
        1,
        complete_at=at(2),
        claimed_at=at(12),
        submitted_at=at(20),
        finalised_at=at(30),
        issued_at=at(30),
        arrived_at=at(31),
        due_at=at(60),
        opened=True,
        image_grade="A",
        critical=[True, False],
    )
    late = exam(
        2,
        complete_at=at(4),
        claimed_at=at(64),
        submitted_at=at(70),
        finalised_at=at(90),
        issued_at=at(90),
        due_at=at(60),
        image_grade="B",
    )
    # A first contact after the receipt is a slip of the pen: it counts in no share.
    waiting = exam(3, complete_at=at(6), due_at=at(600), critical=[None], first_contact_at=at(30))
    forgotten = exam(
        4,
        complete_at=at(8),
        due_at=at(100),
        retaken=True,
        first_contact_at=at(-10),
    )
    row = summary(ALL, [whole, late, waiting, forgotten], now=at(120))
    assert (row.sent, row.reported) == (4, 2)
    assert (row.segments["send"].count, row.segments["send"].median) == (4, 5 * 60)
    assert row.segments["send"].p90 == pytest.approx(7.4 * 60)
    assert (row.segments["queue"].count, row.segments["queue"].median) == (2, 35 * 60)
    assert row.segments["write"].median == 7 * 60
    assert row.segments["review"].median == 15 * 60
    assert (row.segments["deliver"].count, row.segments["deliver"].median) == (1, 60)
    assert row.segments["total"].p90 == pytest.approx(84 * 60)

    def share(name: str) -> tuple[int, int, float | None]:
        rate = getattr(row, name)
        return rate.numerator, rate.denominator, rate.value

    assert share("in_time") == (1, 3, pytest.approx(1 / 3))
    assert share("retakes") == (1, 4, 0.25)
    assert share("unopened") == (1, 2, 0.5)
    assert share("critical") == (1, 2, 0.5)
    assert share("chest_pain") == (1, 1, 1.0)
    assert share("grade_a") == (1, 2, 0.5)


def test_a_site_sees_its_own_month_and_the_exams_behind_each_figure(
    consortium: Consortium, objects: ObjectStore, database: Database, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    items: dict[str, UUID] = {}
    for name, site, modality, day in (
        ("ct", consortium.east, "CT", 10),
        ("dx", consortium.east, "DX", 12),
        ("before", consortium.east, "CT", 1),
        ("west", consortium.west, "CT", 10),
    ):
        study = consortium.complete_study(
            site=site, modalities=(modality,), local_id=name, accession_number=None
        )
        # The last second of October in Shanghai, and days of November.
        came = datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC) + timedelta(days=day - 1)
        with database.transaction() as session:
            arrival.study_received(session, received(study))
            session.execute(
                update(Study)
                .where(Study.id == study.id)
                .values(first_received_at=came, completed_at=came + timedelta(minutes=3))
            )
            item = session.query(Workitem).where(Workitem.study_id == study.id).one()
            item.queued_at = came + timedelta(minutes=3)
            item.due_at = came + timedelta(hours=2)
            items[name] = item.id
    with database.transaction() as session:
        ct = session.get_one(Workitem, items["ct"])
        ct.finalised_at = ct.queued_at + timedelta(minutes=57)
        writer = consortium.people["writer"].id
        session.add(
            CriticalValue(
                workitem_id=ct.id,
                site_id=ct.site_id,
                state=CriticalState.SUSPECTED,
                finding="急性脑出血",
                found_by=writer,
                found_for=consortium.centre.id,
                found_at=utc_now() - timedelta(hours=1),
                notified_at=utc_now(),
            )
        )
    east = Browser(app, "doctor-east")
    month = east.get("/api/portal/statistics?month=2026-11").json()
    assert [(row["modality"], row["sent"]) for row in month["rows"]] == [
        ("ALL", 2),
        ("CT", 1),
        ("DX", 1),
    ]
    every, ct_row, dx_row = month["rows"]
    assert every["segments"]["send"]["median"] == 180
    assert ct_row["segments"]["total"]["median"] == 3600
    assert (every["in_time"]["numerator"], every["in_time"]["denominator"]) == (1, 2)
    assert (ct_row["critical"]["numerator"], ct_row["critical"]["denominator"]) == (0, 1)
    assert dx_row["segments"]["total"] == {"count": 0, "median": None, "p90": None}
    assert dx_row["unopened"]["value"] is None

    def behind(measure: Measure, modality: str = ALL) -> list[str]:
        answer = east.client.get(
            "/api/portal/statistics/exams",
            params={"month": "2026-11", "measure": measure.value, "modality": modality},
        )
        return sorted(one["id"] for one in answer.json()["items"])

    assert behind(Measure.SENT) == sorted(str(items[name]) for name in ("ct", "dx"))
    assert behind(Measure.IN_TIME) == behind(Measure.UNOPENED) == [str(items["ct"])]
    assert behind(Measure.LATE) == behind(Measure.SENT, "DX") == [str(items["dx"])]
    assert behind(Measure.CRITICAL) == [str(items["ct"])]
    assert behind(Measure.RETAKES) == []
    assert east.get("/api/portal/statistics?month=2026-10").json()["rows"][0]["sent"] == 1

    table = east.get("/api/portal/statistics.csv?month=2026-11&language=en")
    assert table.text.startswith("\ufeffMonth,Modality,Sent")
    lines = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert [line["Modality"] for line in lines] == ["All", "CT", "DX"]
    assert (lines[0]["In time (rate)"], lines[2]["Unopened (rate)"]) == ("50.0%", "–")
    for wrong in ("2026-13", "x", "9999-12", "0000-01"):
        assert east.get(f"/api/portal/statistics?month={wrong}").status_code == 422
    assert Browser(app, "writer").get("/api/portal/statistics?month=2026-11").status_code == 403
