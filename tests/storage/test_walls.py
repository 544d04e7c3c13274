"""Behind every query stands the database: a site's role sees and writes its own rows alone.

The first wall, the conditions of our queries, is left out here: everything is asked in plain SQL.
"""

from collections.abc import Callable, Iterator
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
from storage import walls
from storage.database import Database, as_owner
from storage.walls.building import APP_ROLE, SETTING, SITE_ROLE
from storage.walls.rules import RULES, OfSite, PartOf
from tests.support.seed import Consortium

A, B = uuid4(), uuid4()
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
        connection.execute("RESET session_replication_role")

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
        rows.connection.execute(f"SET ROLE {SITE_ROLE}")
        rows.connection.execute(
            "SELECT set_config(%s, %s, false)", (SETTING, ",".join(map(str, sites)))
        )

    yield put_on
    rows.connection.execute("RESET ROLE")


def seen(rows: Rows, table: str) -> list[DictRow]:
    return rows.connection.execute(
        sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
    ).fetchall()


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
        fresh.execute(f"SET ROLE {SITE_ROLE}")
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
        walls.see((consortium.east.id,))
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
