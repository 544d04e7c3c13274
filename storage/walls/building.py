"""Making the wall: database roles, and for each table its grants and policies.

It is done after every migration, by the owner of the tables, and touches only tables whose rule
has changed since: a policy takes a lock that waits for whoever is reading.

Two roles, neither of which can sign in by itself; the owner's connections put them on:

- `rdc_app` reads and writes every row and owns nothing: it cannot drop a guard. Its policy is
  constant, which the planner leaves out: no question of the centre is planned otherwise for it.
- `rdc_site` sees the rows of the sites in the setting ``rdc.sites``.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Final

import psycopg.errors
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from storage.walls.rules import RULES, Closed, Common, OfSite, PartOf, Rule, WriteOnly

APP_ROLE: Final = "rdc_app"
SITE_ROLE: Final = "rdc_site"
ROLES: Final = (APP_ROLE, SITE_ROLE)
SETTING: Final = "rdc.sites"

_logger: Final = logging.getLogger(__name__)

_MADE_BY: Final = "1"
"""Changes with how statements are made of a rule."""

_EVERYTHING: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_UNKNOWN: Final = Closed("nobody has decided it yet")

# In a scalar sub-select it is worked out once for a query, not for each row.
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION rdc_sites() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT string_to_array(current_setting('{SETTING}', true), ',')::uuid[] $$
"""
_TABLES: Final = text(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND relkind IN ('r', 'p') AND relname <> 'alembic_version' ORDER BY relname"
)
_KNOWN: Final = text("SELECT obj_description(to_regprocedure('public.rdc_sites()'), 'pg_proc')")
# What a trigger refuses for every row without a condition (tgtype: 1 row, 8 delete, 16 update).
_REFUSED: Final = text(
    "SELECT c.relname, bool_or(t.tgtype & 16 > 0), bool_or(t.tgtype & 8 > 0)"
    " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'refuse_change'"
    " AND t.tgtype & 1 > 0 AND t.tgqual IS NULL AND t.tgattr = '' GROUP BY c.relname"
)
_HELD: Final = text(
    "SELECT count(*) FROM pg_roles WHERE rolname = ANY(:names)"
    " AND pg_has_role(current_user, oid, 'MEMBER')"
)
_MAKE_ROLE: Final = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
"""


def role_statements(owner: str) -> list[str]:
    """Return what makes both roles and lets `owner` put them on; harmless when they are there.

    For whoever may make roles. owner: a role's name as SQL writes it, quoted where it must be.
    """
    made = [_MAKE_ROLE.format(role=role) for role in ROLES]
    return [*made, f"GRANT {', '.join(ROLES)} TO {owner}"]


def ensure_roles(connection: Connection) -> bool:
    """Make the roles where they are missing; tell whether the current role can put them on.

    An owner who may not make roles gets them from the database's administrator.
    """
    if _holds_roles(connection):
        return True
    try:
        with connection.begin_nested():
            for statement in role_statements("CURRENT_USER"):
                connection.exec_driver_sql(statement)
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        return False
    return _holds_roles(connection)


def build(connection: Connection) -> bool:
    """Make roles, grants and policies as the rules say, in the caller's transaction.

    Returns False, and changes nothing, when the roles are missing and may not be made: the
    application then works as the owner, behind the first wall alone, and ``rdc doctor`` says so.
    """
    if not ensure_roles(connection):
        _logger.warning(
            "there is no second wall between sites: the database's owner may not make roles;"
            " as its administrator run CREATE ROLE %s; CREATE ROLE %s; GRANT both to the owner,"
            " then `rdc migrate`",
            *ROLES,
        )
        return False
    told = connection.scalar(_KNOWN)
    known: dict[str, str] = json.loads(told) if told else {}
    refused = refused_rights(connection)
    wanted = {
        table: _statements(table, RULES.get(table, _UNKNOWN), refused.get(table, frozenset()))
        for table in connection.scalars(_TABLES)
    }
    marks = {table: _mark(statements) for table, statements in wanted.items()}
    if marks == known:
        return True
    connection.exec_driver_sql(_FUNCTION)
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {', '.join(ROLES)}")
    for table, statements in wanted.items():
        if known.get(table) != marks[table]:
            for statement in statements:
                connection.exec_driver_sql(statement)
    connection.exec_driver_sql(
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {', '.join(ROLES)}"
    )
    connection.exec_driver_sql(f"COMMENT ON FUNCTION rdc_sites() IS '{json.dumps(marks)}'")
    return True


def refused_rights(connection: Connection) -> dict[str, frozenset[str]]:
    """Return which rights no role of the application has, by table.

    What a guard of a table refuses, the role may not even ask: the guard could be lifted by who
    owns the table, and the roles own none. One list of what never changes is enough.
    """
    return {
        table: frozenset(
            right for right, no in (("UPDATE", no_update), ("DELETE", no_delete)) if no
        )
        for table, no_update, no_delete in connection.execute(_REFUSED)
    }


def _holds_roles(connection: Connection) -> bool:
    return connection.scalar(_HELD, {"names": list(ROLES)}) == len(ROLES)


def _mark(statements: list[str]) -> str:
    return hashlib.sha256("\n".join([_MADE_BY, *statements]).encode()).hexdigest()[:12]


def _statements(table: str, rule: Rule, refused: frozenset[str]) -> list[str]:
    """Return what gives a table the grants and policies of its rule, whatever it had before.

    refused: rights that nobody gets.
    """
    rights = ", ".join(right for right in _EVERYTHING if right not in refused)
    made = [
        f"REVOKE ALL ON {table} FROM {', '.join(ROLES)}",
        f"GRANT {rights} ON {table} TO {APP_ROLE}",
        f"DROP POLICY IF EXISTS wall_app ON {table}",
        f"DROP POLICY IF EXISTS wall_site ON {table}",
    ]
    match rule:
        case OfSite() | PartOf():
            sees = condition(table, rule)
            made += [
                f"GRANT {rights} ON {table} TO {SITE_ROLE}",
                f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
                f"CREATE POLICY wall_app ON {table} TO {APP_ROLE} USING (true)",
                f"CREATE POLICY wall_site ON {table} TO {SITE_ROLE} USING ({sees})",
            ]
        case Common():
            made += [f"GRANT {rights} ON {table} TO {SITE_ROLE}", _opened(table)]
        case WriteOnly():
            made += [f"GRANT {_added(rule)} ON {table} TO {SITE_ROLE}", _opened(table)]
        case Closed():
            made.append(_opened(table))
    return made


def _added(rule: WriteOnly) -> str:
    return f"INSERT, SELECT ({', '.join(rule.columns)})"


def condition(table: str, rule: OfSite | PartOf) -> str:
    """Return the SQL condition under which the role of sites sees a row of a table."""
    if isinstance(rule, OfSite):
        # As a bare array it would be asked for each row; as a sub-select alone it would be a set.
        return f"{rule.column} = ANY ((SELECT rdc_sites())::uuid[])"
    return " AND ".join(_seen(table, column, *of) for column, of in _sorted(rule.parents))


def _seen(table: str, column: str, parent: str, key: str) -> str:
    # The parent has a policy of its own, which holds inside of this one.
    return f"EXISTS (SELECT FROM {parent} p WHERE p.{key} = {table}.{column})"


def _sorted(parents: Mapping[str, tuple[str, str]]) -> list[tuple[str, tuple[str, str]]]:
    return sorted(parents.items())


def _opened(table: str) -> str:
    return f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
