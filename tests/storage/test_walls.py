"""Behind every query stands the database: a site's role sees and writes its own rows alone.

The first wall, the conditions of our queries, is left out here: everything is asked in plain SQL.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from sqlalchemy import make_url, text

from deploy.embedded.postgres import EmbeddedPostgres
from reading_worklist.consultations.states import SHARED as SHARED_STATES
from reading_worklist.consultations.states import ConsultationState
from storage import walls
from storage.database import Database, as_owner
from storage.walls.building import APP_ROLE, PERSON_SETTING, SEARCHES, SETTING, SITE_ROLE
from storage.walls.reach import Standing
from storage.walls.rules import RULES, OfSite, PartOf, may_ask
from tests.support.seed import Consortium

A, B = uuid4(), uuid4()
AS_SITE = sql.SQL("SET ROLE {}").format(sql.Identifier(SITE_ROLE))
EXPERT = uuid4()
"""Whom site A asks about its case; B asks somebody else."""
WALLED = {table: rule for table, rule in RULES.items() if isinstance(rule, OfSite | PartOf)}


@dataclass(frozen=True, slots=True)
class Column:
    """What an insertion has to know of a column."""

    name: str
    kind: str
    needed: bool


MADE: dict[str, Callable[[], object]] = {
    "uuid": uuid4,
    "timestamptz": lambda: datetime.now(UTC),
    "timestamp": lambda: datetime(2026, 11, 22),  # noqa: DTZ001 -- a time on a header, of no zone
    "date": lambda: date(2026, 11, 22),
    "bool": lambda: False,
    "jsonb": lambda: "{}",
    "tsvector": str,
    "bytea": bytes,
}
NUMBERS = ("int2", "int4", "int8", "numeric", "float8")


def value_of(kind: str) -> object:
    """Something of a type, another one each time where that may be needed to be unique."""
    if kind in NUMBERS:
        return uuid4().int % 30_000
    if kind.startswith("_"):
        return "{}"
    return MADE.get(kind, lambda: uuid4().hex)()


class Rows:
    """A row of each site in every table that has a wall, whatever constraints say."""

    def __init__(self, connection: psycopg.Connection[DictRow]) -> None:
        self.connection = connection
        self.columns = self._read()
        self.of: dict[tuple[str, UUID], DictRow] = {}
        self._lift_guards()
        parents = {
            table: {one for one, _ in rule.parents.values()} if isinstance(rule, PartOf) else set()
            for table, rule in WALLED.items()
        }
        connection.execute("SET session_replication_role = replica")
        for table in TopologicalSorter(parents).static_order():
            for site in (A, B):
                self.of[table, site] = self.insert(table, self.values(table, site))
        self._ask_an_expert()
        connection.execute("RESET session_replication_role")

    def _ask_an_expert(self) -> None:
        """Make the rows of site A one case: what an expert is shown hangs on it."""
        study, item = self.of["study", A]["id"], self.of["workitem", A]["id"]
        for table, values in (
            ("study", {"patient_id": self.of["patient", A]["id"]}),
            ("study_listing", {"study_id": study}),
            ("instance", {"study_id": study}),
            ("ecg_analysis", {"study_id": study}),
            ("study_order", {"order_id": self.of["exam_order", A]["id"]}),
            ("workitem", {"study_id": study}),
            ("consultation", {"workitem_id": item, "invitee_id": EXPERT, "state": "APPLIED"}),
        ):
            self.change(table, values)

    def change(self, table: str, values: Mapping[str, object]) -> None:
        """Change the row of site A."""
        rule = WALLED[table]
        column = rule.column if isinstance(rule, OfSite) else next(iter(rule.parents))
        changed = self.connection.execute(
            sql.SQL("UPDATE {} SET ({}) = ROW({}) WHERE {} = %s RETURNING *").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join([sql.Placeholder()] * len(values)),
                sql.Identifier(column),
            ),
            (*values.values(), self.of[table, A][column]),
        ).fetchone()
        assert changed is not None
        self.of[table, A] = changed

    def values(self, table: str, site: UUID) -> dict[str, object]:
        """A row of a site that is not there yet."""
        columns = self.columns[table]
        row = {one.name: value_of(one.kind) for one in columns if one.needed}
        rule = WALLED[table]
        if isinstance(rule, OfSite):
            return row | {rule.column: site}
        return row | {
            column: self.of[parent, site][key] for column, (parent, key) in rule.parents.items()
        }

    def insert(self, table: str, values: dict[str, object], returning: str = "*") -> Any:  # noqa: ANN401 -- a row, or None
        return self.connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join([sql.Placeholder()] * len(values)),
                sql.SQL("*" if returning == "*" else "1"),
            ),
            list(values.values()),
        ).fetchone()

    def _read(self) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {}
        for one in self.connection.execute(
            "SELECT table_name, column_name, udt_name, is_nullable = 'NO' AND column_default IS"
            " NULL AND is_identity = 'NO' AND is_generated = 'NEVER' AS needed"
            " FROM information_schema.columns WHERE table_schema = 'public'"
        ):
            column = Column(one["column_name"], one["udt_name"], one["needed"])
            found.setdefault(one["table_name"], []).append(column)
        return found

    def _lift_guards(self) -> None:
        """What a row has to be like is not the question here."""
        lifted = self.connection.execute(
            "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS sql"
            " FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid <> 0"
            " AND connamespace = 'public'::regnamespace"
            " UNION ALL SELECT DISTINCT format('ALTER TABLE %s DISABLE TRIGGER USER',"
            " tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal"
        ).fetchall()
        for one in lifted:
            self.connection.execute(one["sql"])


@pytest.fixture(scope="module")
def rows(
    postgres: EmbeddedPostgres, new_database: Callable[..., AbstractContextManager[str]]
) -> Iterator[Rows]:
    with new_database() as url:
        admin = make_url(postgres.superuser_url).set(
            drivername="postgresql", database=make_url(url).database
        )
        with psycopg.Connection[DictRow].connect(
            admin.render_as_string(hide_password=False), autocommit=True, row_factory=dict_row
        ) as connection:
            yield Rows(connection)


@pytest.fixture
def as_site(rows: Rows) -> Iterator[Callable[..., None]]:
    """Puts the role of sites on, with a setting or without."""

    def put_on(*sites: UUID) -> None:
        rows.connection.execute(AS_SITE)
        rows.connection.execute(
            "SELECT set_config(%s, %s, false)", (SETTING, ",".join(map(str, sites)))
        )

    yield put_on
    rows.connection.execute("RESET ROLE")


def seen(rows: Rows, table: str) -> list[DictRow]:
    return rows.connection.execute(
        sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
    ).fetchall()


@pytest.fixture
def as_one(rows: Rows) -> Iterator[Callable[..., None]]:
    """Puts the role of a standing on."""

    def put_on(standing: Standing, *sites: UUID, person: UUID | None = None) -> None:
        rows.connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(standing)))
        rows.connection.execute(
            "SELECT set_config(%s, %s, false), set_config(%s, %s, false)",
            (SETTING, ",".join(map(str, sites)), PERSON_SETTING, str(person or "")),
        )

    yield put_on
    rows.connection.execute("RESET ROLE")


def test_every_table_has_a_rule(rows: Rows) -> None:
    tables = rows.columns.keys() - {"alembic_version"}
    assert tables - RULES.keys() == set(), "say in storage/walls/rules.py whose these are"
    assert RULES.keys() - tables == set(), "no such tables"


def test_a_table_that_names_a_site_is_walled(rows: Rows) -> None:
    """An exemption is no way around a column that says whose a row is."""
    named = {
        table
        for table, columns in rows.columns.items()
        if any(one.name == "site_id" for one in columns)
    }
    assert named - WALLED.keys() == set()


def test_a_site_sees_its_own_rows_and_no_others(rows: Rows, as_site: Callable[..., None]) -> None:
    as_site(A)
    assert {table: seen(rows, table) for table in WALLED} == {
        table: [rows.of[table, A]] for table in WALLED
    }
    as_site(A, B)
    assert {table: len(seen(rows, table)) for table in WALLED} == dict.fromkeys(WALLED, 2)


def test_who_says_nothing_sees_nothing(rows: Rows, as_site: Callable[..., None]) -> None:
    as_site()
    assert [table for table in WALLED if seen(rows, table)] == []
    # Never said at all, on a connection that has never heard of the setting.
    with psycopg.connect(rows.connection.info.dsn, autocommit=True) as fresh:
        fresh.execute(AS_SITE)
        for table in WALLED:
            found = fresh.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(table)))
            assert found.rowcount == 0, table


def test_a_site_writes_nothing_for_another(rows: Rows, as_site: Callable[..., None]) -> None:
    taken: list[str] = []
    as_site(A)
    for table, rule in WALLED.items():
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"row-level|permission"):
            rows.insert(table, rows.values(table, B), returning="nothing")
        columns = [rule.column] if isinstance(rule, OfSite) else list(rule.parents)
        for column in columns:
            name, theirs = sql.Identifier(column), rows.of[table, B][column]
            change = sql.SQL("UPDATE {} SET {} = {}").format(
                sql.Identifier(table), name, sql.Placeholder()
            )
            # Neither is one's own row given away, nor another's row touched.
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                rows.connection.execute(change, (theirs,))
            remove = sql.SQL("DELETE FROM {} WHERE {} = {}").format(
                sql.Identifier(table), name, sql.Placeholder()
            )
            try:
                if rows.connection.execute(remove, (theirs,)).rowcount:
                    taken.append(table)
            except psycopg.errors.InsufficientPrivilege:
                continue
    assert taken == []


SHARED = {table for table, rule in WALLED.items() if rule.shared}


def test_an_expert_sees_what_is_shared_with_him_and_no_more(
    rows: Rows, as_one: Callable[..., None]
) -> None:
    as_one(Standing.EXPERT, person=EXPERT)
    found = {table: seen(rows, table) for table in WALLED}
    assert found == {table: [rows.of[table, A]] if table in SHARED else [] for table in WALLED}
    # With a site of his own, that as well; and what is shared with another is not his.
    as_one(Standing.EXPERT, B, person=EXPERT)
    assert {table: len(seen(rows, table)) for table in WALLED} == {
        table: 2 if table in SHARED else 1 for table in WALLED
    }
    for person in (uuid4(), None):
        as_one(Standing.EXPERT, person=person)
        assert [table for table in WALLED if seen(rows, table)] == []


def test_images_are_shared_as_long_as_a_consultation_is_open(
    rows: Rows, as_one: Callable[..., None]
) -> None:
    images = {
        table
        for table, rule in WALLED.items()
        if isinstance(rule, OfSite) and rule.shared and rule.shared.of == "image"
    }
    for state in ConsultationState:
        rows.connection.execute("RESET ROLE")
        rows.change("consultation", {"state": state})
        as_one(Standing.EXPERT, person=EXPERT)
        shown = {table for table in images if seen(rows, table)}
        assert shown == (images if state in SHARED_STATES else set()), state
        assert len(seen(rows, "consultation")) == 1
    rows.connection.execute("RESET ROLE")
    rows.change("consultation", {"state": ConsultationState.APPLIED})


def test_who_only_looks_at_a_consultation_changes_nothing_of_another(
    rows: Rows, as_one: Callable[..., None]
) -> None:
    as_one(Standing.EXPERT, person=EXPERT)
    for table, rule in WALLED.items():
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"row-level|permission"):
            rows.insert(table, rows.values(table, B), returning="nothing")
        column = rule.column if isinstance(rule, OfSite) else next(iter(rule.parents))
        remove = sql.SQL("DELETE FROM {} WHERE {} = %s").format(
            sql.Identifier(table), sql.Identifier(column)
        )
        try:
            gone = rows.connection.execute(remove, (rows.of[table, B][column],)).rowcount
        except psycopg.errors.InsufficientPrivilege:
            continue
        assert gone == 0, table


@pytest.mark.parametrize("standing", [Standing.OPERATOR, Standing.AUDITOR, Standing.REGULATOR])
def test_who_treats_nobody_asks_fewer_tables(
    rows: Rows, as_one: Callable[..., None], standing: Standing
) -> None:
    as_one(standing, A)
    for table, rule in WALLED.items():
        if may_ask(standing, table):
            # A regulator may not ask for whole rows.
            column = rule.column if isinstance(rule, OfSite) else next(iter(rule.parents))
            found = rows.connection.execute(
                sql.SQL("SELECT {} FROM {}").format(sql.Identifier(column), sql.Identifier(table))
            ).fetchall()
            assert found == [{column: rows.of[table, A][column]}], table
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                seen(rows, table)


def test_no_table_that_may_be_asked_hangs_on_one_that_may_not() -> None:
    """Its policy would be refused, and with it every question."""
    hanging = [
        (standing, table, parent)
        for standing in Standing
        for table, rule in WALLED.items()
        if isinstance(rule, PartOf) and may_ask(standing, table)
        for parent, _ in rule.parents.values()
        if not may_ask(standing, parent)
    ]
    assert hanging == []


def test_a_regulator_reads_nothing_that_names_a_person(
    rows: Rows, as_one: Callable[..., None]
) -> None:
    asked = [table for table in WALLED if may_ask(Standing.REGULATOR, table)]
    as_one(Standing.REGULATOR, A)
    telling = ("name", "birth", "phone", "document", "local_id", "accession", "uid", "text", "note")
    shown = {
        f"{table}.{one.name}"
        for table in asked
        for one in rows.columns[table]
        if any(word in one.name for word in telling)
        and rows.connection.execute(
            "SELECT has_column_privilege(%s, %s, 'SELECT') AS may", (table, one.name)
        ).fetchone()
        == {"may": True}
    }
    # What a machine is called.
    assert shown == {"device.name"}


def test_an_index_answers_a_search_behind_the_wall(
    rows: Rows, as_site: Callable[..., None]
) -> None:
    """A condition that may tell of a row waits behind a policy; these are known to tell nothing."""
    free = rows.connection.execute(
        "SELECT proleakproof FROM pg_proc WHERE oid = ANY(%s::regprocedure[])", (list(SEARCHES),)
    ).fetchall()
    assert free == [{"proleakproof": True}] * len(SEARCHES)
    as_site(A)
    rows.connection.execute("SET enable_seqscan = off")
    plan = rows.connection.execute(
        "EXPLAIN SELECT FROM queue_name WHERE name_vector @@ 'zhang'::tsquery"
    ).fetchall()
    rows.connection.execute("RESET enable_seqscan")
    assert any("Index Cond: (name_vector @@" in line["QUERY PLAN"] for line in plan), plan


def test_what_a_site_may_only_add_to_it_cannot_read(
    rows: Rows, as_site: Callable[..., None]
) -> None:
    as_site(A)
    for table in ("audit_record", "outbox_message", "audit_seal", "verification"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            seen(rows, table)


def test_transactions_are_of_whoever_asks(database: Database, consortium: Consortium) -> None:
    consortium.queued_study()
    count, who = text("SELECT count(*) FROM study"), text("SELECT current_user")
    with database.transaction() as session:
        assert (session.scalar(who), session.scalar(count)) == (APP_ROLE, 1)
        as_owner(session)
        assert session.scalar(who) not in (APP_ROLE, SITE_ROLE)
    found: list[tuple[object, object]] = []
    for sites in ((), (consortium.west.id,), (consortium.east.id, consortium.west.id)):
        with walls.within(sites):
            with database.transaction() as session:
                found.append((session.scalar(who), session.scalar(count)))
            with database.reading() as connection:
                found.append((connection.scalar(who), connection.scalar(count)))
    assert found == [(SITE_ROLE, 0)] * 4 + [(SITE_ROLE, 1)] * 2
    with walls.no_sites_yet():
        with database.transaction() as session:
            assert session.scalar(count) == 0
        walls.see(walls.Reach(frozenset({consortium.east.id})))
        with database.transaction() as session:
            assert session.scalar(count) == 1
        with walls.beyond("the test asks for it"), database.transaction() as session:
            assert session.scalar(who) == APP_ROLE
        walls.see(None)
        with database.transaction() as session:
            assert session.scalar(who) == APP_ROLE


def test_the_role_of_the_centre_is_no_barrier(database: Database) -> None:
    """A condition that may leak a row waits behind a policy; none does behind a constant one."""
    names = text("EXPLAIN SELECT FROM queue_name WHERE name_vector @@ 'zhang'::tsquery")
    with database.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.scalars(names))
        assert "Index Cond: (name_vector @@" in plan
        as_owner(session)
        assert "\n".join(session.scalars(names)) == plan
