"""What a search finds (PS3.4 §C.2.2.2), against a real PostgreSQL; cases as of every face."""

from collections.abc import Sequence
from datetime import date, time
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from storage.database import Database
from storage.index.search import (
    ATTRIBUTES,
    COUNTED_MAX_BY_ATTRIBUTES,
    InvalidKey,
    Key,
    Level,
    Options,
    Page,
    by_name,
    engine,
    patient_name_matches,
    prepare,
    run,
)
from storage.index.tables import Patient, Study, StudyListing
from storage.person_name import search_keys
from tests.support.index_rows import add_study
from tests.support.search_cases import CASES, REFUSED, fill
from tests.support.seed import Consortium


def found(
    session: Session,
    sites: Sequence[UUID],
    keys: dict[str, str],
    level: Level = Level.STUDY,
    *,
    options: Options | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Page:
    search = prepare([Key(*one) for one in keys.items()], level, options or Options())
    return run(
        session,
        search,
        sees=lambda column: column.in_(sites),
        returned=ATTRIBUTES,
        limit=limit,
        offset=offset,
    )


def uids(page: Page, keyword: str = "StudyInstanceUID") -> list[str]:
    return [match.values[keyword] for match in page.matches]


def test_the_rules_of_matching(database: Database, consortium: Consortium) -> None:
    with database.transaction() as session:
        fill(session, consortium.east.id)
        for case in CASES:
            page = found(
                session,
                [consortium.east.id],
                case.keys,
                Level[case.level],
                options=Options(fuzzy=case.fuzzy),
            )
            assert sorted(uids(page, case.returned)) == sorted(case.found), case
            assert page.total is not None
            assert (page.total.count, page.total.exact) == (len(case.found), True), case


def test_values_that_no_key_can_have(database: Database) -> None:
    for keyword, value in REFUSED:
        with pytest.raises(InvalidKey) as refused:
            prepare([Key(keyword, value)], Level.INSTANCE, Options())
        assert refused.value.keyword == keyword
        assert refused.value.expected


def test_another_site_is_never_found(database: Database, consortium: Consortium) -> None:
    east, west = consortium.east.id, consortium.west.id
    with database.transaction() as session:
        fill(session, west)
        add_study(session, east, uid="1.9", patient_id="P1", name="Own^Patient")
        for case in CASES:
            page = found(
                session,
                [east],
                case.keys,
                Level[case.level],
                options=Options(fuzzy=case.fuzzy),
            )
            own = {"1.9", "P1"}
            assert set(uids(page, case.returned)) <= own, case
        (patient,) = found(session, [east], {}, Level.PATIENT).matches
        assert patient.values["NumberOfPatientRelatedStudies"] == 1
        assert found(session, [], {}).matches == []
        assert found(session, [], {}, Level.PATIENT).matches == []


def test_combined_times_and_days_apart(database: Database, consortium: Consortium) -> None:
    site = consortium.east.id
    with database.transaction() as session:
        for uid, day, hour in (("1.1", 5, 9), ("1.2", 5, 20), ("1.3", 6, 9), ("1.4", 7, 20)):
            add_study(
                session,
                site,
                uid=uid,
                patient_id="P",
                name="A",
                study_date=date(2026, 7, day),
                study_time=time(hour),
            )
        keys = {"StudyDate": "20260705-20260707", "StudyTime": "10-18"}
        combined = Options(combined_datetime=True)
        assert uids(found(session, [site], keys)) == []
        assert uids(found(session, [site], keys, options=combined)) == ["1.3", "1.2"]
        # Of different forms they stay two keys.
        keys["StudyTime"] = "10-"
        assert uids(found(session, [site], keys, options=combined)) == ["1.4", "1.2"]


def test_empty_values(database: Database, consortium: Consortium) -> None:
    site = consortium.east.id
    with database.transaction() as session:
        add_study(session, site, uid="1.1", patient_id="P1", name="A", accession_number="A1")
        add_study(session, site, uid="1.2", patient_id=None, name="")
        wanted = Options(empty_values=True)
        for keyword in ("AccessionNumber", "PatientID", "PatientName"):
            page = found(session, [site], {keyword: '""'}, options=wanted)
            assert uids(page) == ["1.2"], keyword
        assert uids(found(session, [site], {"ModalitiesInStudy": '""'}, options=wanted)) == uids(
            found(session, [site], {})
        )


def test_the_newest_first_and_page_by_page(database: Database, consortium: Consortium) -> None:
    site = consortium.east.id
    days: list[date | None] = [date(2026, 1, 1 + number % 9) for number in range(20)]
    days[7] = None
    with database.transaction() as session:
        for number, day in enumerate(days):
            add_study(session, site, uid=f"1.{number}", patient_id="P", name="A", study_date=day)
        every = found(session, [site], {})
        dates = [match.values["StudyDate"] for match in every.matches]
        assert dates == [*sorted((one for one in days if one), reverse=True), None]
        paged: list[str] = []
        for offset in range(0, 24, 6):
            page = found(session, [site], {}, limit=6, offset=offset)
            assert page.total is not None
            assert page.total.count == 20
            assert page.more == (offset + 6 < 20)
            paged += uids(page)
        assert paged == uids(every)
        # An open range is about days; a study without one is in none.
        assert len(found(session, [site], {"StudyDate": "-20261231"}).matches) == 19


def test_more_than_is_counted(database: Database, consortium: Consortium) -> None:
    site = consortium.east.id
    with database.transaction() as session:
        study = add_study(session, site, uid="1.0", patient_id="P", name="A")
        session.execute(
            Study.__table__.insert(),  # pyright: ignore[reportAttributeAccessIssue] -- a Table
            [
                {
                    **{
                        column.name: getattr(study, column.key)
                        for column in Study.__table__.columns
                        if column.name not in {"id", "study_instance_uid"}
                    },
                    "study_instance_uid": f"1.1.{number}",
                }
                for number in range(COUNTED_MAX_BY_ATTRIBUTES + 5)
            ],
        )
        page = found(session, [site], {"PatientID": "P"}, limit=3)
        assert page.total is not None
        assert not page.total.exact
        assert page.total.count == COUNTED_MAX_BY_ATTRIBUTES + 1
        listed = found(session, [site], {}, limit=3)
        assert listed.total is not None
        assert (listed.total.count, listed.total.exact) == (COUNTED_MAX_BY_ATTRIBUTES + 6, True)
        deep = found(session, [site], {"PatientID": "P"}, limit=3, offset=COUNTED_MAX_BY_ATTRIBUTES)
        assert deep.total is not None
        assert (deep.total.count, deep.total.exact) == (COUNTED_MAX_BY_ATTRIBUTES + 4, False)


@pytest.mark.parametrize(
    ("newest", "more"),
    [(1000, 1000), (3, 1000), (3, 9), (1, 1)],
    ids=["all", "more", "some", "few"],
)
def test_names_are_found_the_newest_first_wherever_they_are_looked_for(
    database: Database,
    consortium: Consortium,
    monkeypatch: pytest.MonkeyPatch,
    newest: int,
    more: int,
) -> None:
    monkeypatch.setattr(by_name, "NEWEST", newest)
    monkeypatch.setattr(by_name, "MORE", more)
    names = ["王^小明", "李^娜", "Wang^Xiaoming", "王^芳", "张^伟"]
    with database.transaction() as session:
        for number in range(25):
            site = consortium.west if number % 4 == 3 else consortium.east
            add_study(
                session,
                site.id,
                uid=f"1.{number:02}",
                patient_id=f"P{number % 15}" if number < 24 else "P24",
                name=names[number % 5] if number < 24 else "单^雄信",
                study_date=date(2026, 1, 25 - number) if number != 20 else None,
                series=[(f"1.{number:02}.1", "CT" if number % 2 else "DX", [])],
            )
        east, both = [consortium.east.id], [consortium.east.id, consortium.west.id]
        every = {
            "王*": [0, 3, 5, 8, 10, 13, 15, 18, 20, 23],
            "wangx*": [0, 2, 5, 7, 10, 12, 15, 17, 20, 22],
            "wxm": [0, 5, 10, 15, 20],
            "单*": [24],
            "*xiong*": [24],
            "qqq*": [],
            "*?小明": [0, 5, 10, 15, 20],
        }
        for name, numbers in every.items():
            # The one without a date is the last of all.
            order = sorted(numbers, key=lambda number: (number == 20, number))
            for sites, keys, seen in (
                (both, {}, order),
                (east, {}, [one for one in order if one % 4 != 3]),
                (both, {"ModalitiesInStudy": "CT"}, [one for one in order if one % 2]),
                (both, {"StudyDate": "20260110-"}, [one for one in order if one <= 15]),
                (both, {"PatientID": "P0"}, [one for one in order if one % 15 == 0]),
                (both, {"StudyInstanceUID": "1.05"}, [one for one in order if one == 5]),
            ):
                wanted = [f"1.{one:02}" for one in seen]
                asked = {"PatientName": name, **keys}
                fuzzy = Options(fuzzy=True)
                paged: list[str] = []
                for offset in range(0, 12, 4):
                    page = found(session, sites, asked, options=fuzzy, limit=4, offset=offset)
                    assert page.total is not None
                    assert (page.total.count, page.total.exact) == (len(wanted), True)
                    assert page.more == (offset + 4 < len(wanted))
                    paged += uids(page)
                assert paged == wanted, asked


def test_more_of_one_name_than_is_counted(
    database: Database, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = consortium.east.id
    monkeypatch.setattr(engine, "COUNTED_MAX_BY_ATTRIBUTES", 5)
    with database.transaction() as session:
        for number in range(8):
            add_study(session, site, uid=f"1.{number}", patient_id=f"P{number}", name="王^芳")
        for newest in (1, 7, 100):
            monkeypatch.setattr(by_name, "NEWEST", newest)
            for limit, offset in ((2, 0), (2, 3), (3, 3)):
                page = found(session, [site], {"PatientName": "王*"}, limit=limit, offset=offset)
                assert page.total is not None
                assert (page.more, page.total.exact) == (True, False)
                assert page.total.count > max(5, offset + limit)
                assert len(page.matches) == limit


def listed(session: Session, study: Study) -> set[tuple[str, UUID]]:
    session.flush()
    rows = session.execute(
        select(StudyListing.modality, StudyListing.patient_id).where(
            StudyListing.study_id == study.id
        )
    )
    return {(modality, patient) for modality, patient in rows}


def test_the_listing_follows_the_study(database: Database, consortium: Consortium) -> None:
    site = consortium.east.id
    with database.transaction() as session:
        study = add_study(session, site, uid="1.1", patient_id="P1", name="A")
        other = add_study(session, site, uid="1.2", patient_id="P2", name="B").patient_id
        first = study.patient_id
        assert listed(session, study) == {("", first)}
        study.modalities = ["CT", "SR"]
        assert listed(session, study) == {("", first), ("CT", first), ("SR", first)}
        study.modalities = ["SR"]
        study.patient_id = other
        assert listed(session, study) == {("", other), ("SR", other)}
        session.execute(update(Study).where(Study.id == study.id).values(study_date=None))
        keys = {"StudyDate": "19000101-", "ModalitiesInStudy": "SR"}
        assert found(session, [site], keys).matches == []
        session.execute(delete(Study).where(Study.id == study.id))
        assert listed(session, study) == set()


def test_the_listing_follows_the_name(database: Database, consortium: Consortium) -> None:
    site = consortium.east.id
    with database.transaction() as session:
        study = add_study(session, site, uid="1.1", patient_id="P1", name="王^芳")
        other = add_study(session, site, uid="1.2", patient_id="P2", name="李^娜")
        patient = session.get_one(Patient, study.patient_id)
        patient.name, patient.name_keys = "赵^敏", search_keys("赵^敏")
        session.flush()
        assert uids(found(session, [site], {"PatientName": "王*"})) == []
        assert uids(found(session, [site], {"PatientName": "赵*"})) == ["1.1"]
        study.patient_id = other.patient_id
        session.flush()
        assert uids(found(session, [site], {"PatientName": "赵*"})) == []
        assert sorted(uids(found(session, [site], {"PatientName": "李*"}))) == ["1.1", "1.2"]


def reference(pattern: str, name: str) -> bool:
    """Match as PS3.4 says, written again in another way: letter by letter."""

    def matches(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(matches(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return bool(text) and pattern[0] in ("?", text[0]) and matches(pattern[1:], text[1:])

    wanted = pattern.casefold().rstrip("=^ ")
    groups = [group.rstrip("^ ") for group in name.casefold().split("=")]
    return matches(wanted, name.casefold()) or any(matches(wanted, group) for group in groups)


LETTERS = "Abz'^ =张伟单éΣ"


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.text(LETTERS, max_size=7), min_size=1, max_size=6),
    st.text(LETTERS + "*?", min_size=1, max_size=6),
)
def test_the_index_of_names_leaves_nothing_out(
    database: Database, consortium: Consortium, names: list[str], pattern: str
) -> None:
    names = [name.rstrip("=^ ") for name in names]
    with database.transaction() as session:
        for name in names:
            session.add(
                Patient(
                    site_id=consortium.east.id,
                    name=name,
                    name_original=b"",
                    name_keys=search_keys(name),
                )
            )
        session.flush()
        for fuzzy in (False, True):
            matched = set(
                session.scalars(
                    select(Patient.name).where(patient_name_matches(pattern, fuzzy=fuzzy).condition)
                )
            )
            assert matched >= {name for name in names if reference(pattern, name)}, fuzzy
        session.rollback()
