"""Making the wall: database roles, and for each table its grants and policies.

It is done after every migration, by the owner of the tables, and touches only tables whose rule
has changed since: a policy takes a lock that waits for whoever is reading.

Roles none of which can sign in by itself; the owner's connections put them on:

- `rdc_app` reads and writes every row and owns nothing: it cannot drop a guard. Its policy is
  constant, which the planner leaves out: no question of the system is planned otherwise for it.
- `rdc_site` sees the rows of the sites in the setting ``rdc.sites``; `rdc_operator`, `rdc_auditor`
  and `rdc_regulator` see the same of fewer tables (`rules.may_ask`).
- `rdc_expert` also sees what consultations share with the person in the setting ``rdc.person``.

A condition of a query that might tell something of a row waits behind that of a policy, unless its
function is known to tell nothing: then an index may answer it. Searching by name and by the
beginning of a number is done with such functions, and only the server's administrator can say so
of them (`leakproof_statements`).
"""

import hashlib
import json
import logging
from typing import Final

import psycopg.errors
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from storage.walls.reach import Standing
from storage.walls.rules import (
    RULES,
    Closed,
    Common,
    OfSite,
    PartOf,
    Rule,
    WriteOnly,
    counted,
    may_ask,
)

APP_ROLE: Final = "rdc_app"
SITE_ROLE: Final = str(Standing.SITES)
ROLES: Final = (APP_ROLE, *(str(standing) for standing in Standing))
SETTING: Final = "rdc.sites"
PERSON_SETTING: Final = "rdc.person"

SEARCHES: Final = (
    "ts_match_vq(tsvector, tsquery)",
    "array_to_tsvector(text[])",
    "textlike(text, text)",
)
"""The functions that searches are made with."""

_logger: Final = logging.getLogger(__name__)

_MADE_BY: Final = "2"
"""Changes with how statements are made of a rule."""

_POLICIES: Final = ("wall_app", "wall_site", "wall_expert")
_EVERYTHING: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_UNKNOWN: Final = Closed("nobody has decided it yet")

# In a scalar sub-select they are worked out once for a query, not for each row.
_FUNCTIONS: Final = f"""
CREATE OR REPLACE FUNCTION rdc_sites() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT string_to_array(current_setting('{SETTING}', true), ',')::uuid[] $$;

CREATE OR REPLACE FUNCTION rdc_shared(what text) RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT array_agg(CASE what
     WHEN 'consultation' THEN c.id
     WHEN 'reading' THEN w.id
     WHEN 'order' THEN o.order_id
     WHEN 'patient' THEN s.patient_id
     ELSE s.id END)
   FROM consultation c
   JOIN workitem w ON w.id = c.workitem_id
   JOIN study s ON s.id = w.study_id
   LEFT JOIN study_order o ON o.study_id = s.id
   WHERE c.invitee_id = nullif(current_setting('{PERSON_SETTING}', true), '')::uuid
   AND (what <> 'image' OR c.state NOT IN ('DECLINED', 'ARCHIVED', 'RATED')) $$;

REVOKE ALL ON FUNCTION rdc_shared(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rdc_shared(text) TO {Standing.EXPERT}
"""  # noqa: S608 -- of constants of ours
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
_SEARCHES_FREE: Final = text(
    "SELECT bool_and(proleakproof) FROM pg_proc WHERE oid = ANY(CAST(:names AS regprocedure[]))"
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
    """Return what makes the roles and lets `owner` put them on; harmless when they are there.

    For whoever may make roles. owner: a role's name as SQL writes it, quoted where it must be.
    """
    made = [_MAKE_ROLE.format(role=role) for role in ROLES]
    return [*made, f"GRANT {', '.join(ROLES)} TO {owner}"]


def roles_by_hand(owner: str) -> list[str]:
    """Return the same in words for an administrator, who runs one after the other in any database.

    One that is there already, made for another database of the server, fails and does no harm.
    """
    made = [f"CREATE ROLE {role} NOLOGIN" for role in ROLES]
    return [*made, f"GRANT {', '.join(ROLES)} TO {owner}"]


def leakproof_statements() -> list[str]:
    """Return what lets indices answer searches behind a wall; for a superuser, in each database.

    Of the functions behind ``@@`` and ``LIKE``: they say nothing of a row but whether it matches,
    and an error names the pattern at most, which is the asker's own. No dump has it in it.
    """
    return [f"ALTER FUNCTION pg_catalog.{one} LEAKPROOF" for one in SEARCHES]


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
        owner = connection.scalar(text("SELECT quote_ident(session_user)"))
        _logger.warning(
            "there is no second wall between sites: the database's owner may not make roles;"
            " as its administrator run %s; then `rdc migrate`, and start again",
            "; ".join(roles_by_hand(str(owner))),
        )
        return False
    told = connection.scalar(_KNOWN)
    known: dict[str, str] = json.loads(told) if told else {}
    _let_indices_answer(connection)
    refused = refused_rights(connection)
    wanted = {
        table: _statements(table, RULES.get(table, _UNKNOWN), refused.get(table, frozenset()))
        for table in connection.scalars(_TABLES)
    }
    marks = {table: _mark(statements) for table, statements in wanted.items()}
    if marks == known:
        return True
    connection.exec_driver_sql(_FUNCTIONS)
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


def _let_indices_answer(connection: Connection) -> None:
    """Say of the functions that searches are made with what they are, where the owner may.

    Where he may not, the administrator has to: `rdc doctor` says so where it matters.
    """
    if connection.scalar(_SEARCHES_FREE, {"names": list(SEARCHES)}):
        return
    try:
        with connection.begin_nested():
            for statement in leakproof_statements():
                connection.exec_driver_sql(statement)
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        _logger.info("searches of several consortia wait behind the wall; see `rdc doctor`")


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
    everybody = ", ".join(Standing)
    made = [
        f"REVOKE ALL ON {table} FROM {', '.join(ROLES)}",
        f"GRANT {rights} ON {table} TO {APP_ROLE}",
        *(f"DROP POLICY IF EXISTS {name} ON {table}" for name in _POLICIES),
    ]
    match rule:
        case OfSite() | PartOf():
            asking = [standing for standing in Standing if may_ask(standing, table)]
            of_sites = ", ".join(one for one in asking if one is not Standing.EXPERT)
            made += [
                *(
                    f"GRANT {counted(table) if one is Standing.REGULATOR else rights}"
                    f" ON {table} TO {one}"
                    for one in asking
                ),
                f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
                _policy("wall_app", table, APP_ROLE, "true"),
                _policy("wall_site", table, of_sites, condition(table, rule)),
                _policy("wall_expert", table, Standing.EXPERT, shared_condition(table, rule)),
            ]
        case Common():
            made += [f"GRANT {rights} ON {table} TO {everybody}", _opened(table)]
        case WriteOnly():
            made += [f"GRANT {_added(rule)} ON {table} TO {everybody}", _opened(table)]
        case Closed():
            made.append(_opened(table))
    return made


def _policy(name: str, table: str, roles: str, sees: str) -> str:
    return f"CREATE POLICY {name} ON {table} TO {roles} USING ({sees})"


def _added(rule: WriteOnly) -> str:
    return f"INSERT, SELECT ({', '.join(rule.columns)})"


def condition(table: str, rule: OfSite | PartOf) -> str:
    """Return the SQL condition under which a row of a table is of the sites of who asks."""
    if isinstance(rule, OfSite):
        return _among(rule.column, "rdc_sites()")
    return " AND ".join(_seen(table, *one) for one in sorted(rule.parents.items()))


def shared_condition(table: str, rule: OfSite | PartOf) -> str:
    """Return the SQL condition under which an expert sees a row of a table."""
    if isinstance(rule, OfSite):
        own = condition(table, rule)
        shared = rule.shared
        return own if shared is None else f"{own} OR {_lent(shared.column, shared.of)}"
    return " AND ".join(
        _seen(table, *one, more="" if rule.shared else _not_lent(one[1][0]))
        for one in sorted(rule.parents.items())
    )


def _among(column: str, ids: str) -> str:
    # As a bare array it would be asked for each row; as a sub-select alone it would be a set.
    return f"{column} = ANY ((SELECT {ids})::uuid[])"


def _lent(column: str, what: str) -> str:
    return _among(column, f"rdc_shared('{what}')")


def _not_lent(parent: str) -> str:
    """Return what keeps parts of a row of `parent` to its site, though the row itself is shared."""
    rule = RULES[parent]
    return f" AND {_among(f'p.{rule.column}', 'rdc_sites()')}" if isinstance(rule, OfSite) else ""


def _seen(table: str, column: str, parent: tuple[str, str], more: str = "") -> str:
    # The parent has a policy of its own, which holds inside of this one.
    name, key = parent
    return f"EXISTS (SELECT FROM {name} p WHERE p.{key} = {table}.{column}{more})"


def _opened(table: str) -> str:
    return f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
