"""What is only added to: the database itself refuses more, to the role of the application too."""

import psycopg.errors
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from storage.audit import record, system_actor
from storage.database import Database
from storage.walls import building, within

# The trail, its seals, and what was signed or decided: whatever else is, these are among them.
UNCHANGING = (
    "audit_record",
    "audit_seal",
    "hl7_message",
    "identity_decision",
    "issued_report",
    "report_opening",
    "report_recall",
    "report_submission",
    "report_version",
)
KEPT = ("agreement", "purge", "report_revocation", "signing_credential")


def test_no_role_of_the_application_may_change_or_remove_what_is_only_added_to(
    database: Database,
) -> None:
    with database.engine.connect() as connection:
        refused = building.refused_rights(connection)
        assert {refused[table] for table in UNCHANGING} == {frozenset({"UPDATE", "DELETE"})}
        assert {refused[table] for table in KEPT} == {frozenset({"DELETE"})}
        held = connection.execute(
            text(
                "SELECT r.role, c.relname, p.priv FROM pg_class c"
                " CROSS JOIN unnest(CAST(:roles AS text[])) r(role)"
                " CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) p(priv)"
                " WHERE c.relname = ANY(:tables)"
                " AND has_table_privilege(r.role, c.oid, p.priv)"
            ),
            {"roles": list(building.ROLES), "tables": list(refused)},
        )
        assert [row for row in held if row[2] in refused[row[1]] | {"TRUNCATE", "TRIGGER"}] == []


def test_raw_sql_of_the_application_is_refused_before_any_guard_is_asked(
    database: Database,
) -> None:
    with database.transaction() as session:
        record(session, system_actor("test"), "test:act", subject_kind="test", subject_id=1)
    for statement in (
        "UPDATE audit_record SET client = ''",
        "DELETE FROM audit_record",
        "TRUNCATE audit_record",
        "DELETE FROM audit_seal",
        "UPDATE report_version SET status = 'final'",
        "ALTER TABLE audit_record DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON audit_record",
    ):
        with pytest.raises(ProgrammingError) as refused, database.transaction() as session:
            session.execute(text(statement))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege), statement


def test_who_works_for_a_site_adds_records_and_reads_none(database: Database) -> None:
    with within(()), database.transaction() as session:
        record(session, system_actor("test"), "test:act", subject_kind="test", subject_id=1)
    with (
        within(()),
        pytest.raises(ProgrammingError) as refused,
        database.transaction() as session,
    ):
        session.execute(text("SELECT client FROM audit_record"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)
