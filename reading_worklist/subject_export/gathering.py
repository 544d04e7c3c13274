"""Every row that is about a patient, found along the foreign keys of the schema.

Whatever table comes later and refers to a patient, a study or anything of theirs is found without a
word here: nothing is left out because somebody forgot it. Only children are followed, never what a
row refers to, so another patient's rows are never reached.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Table, Uuid, or_, select
from sqlalchemy.orm import Session

from storage.database import Base, one_of

ROWS_MAX: Final = 10_000
"""Of one table; no patient has as many of anything but instances, which are counted by study."""

# Each of a CT's thousand instances has a row; the study says how many there are.
_NOT_LISTED: Final = frozenset({"instance"})
# What opens something is no data about anybody.
_SECRET: Final = re.compile(r"token|secret|password|(^|_)pin($|_)|sha256|hash")

Rows = Mapping[str, list[dict[str, Any]]]


def rows_of(session: Session, patient_id: UUID) -> Rows:
    """Return the rows about a patient by table, each with its columns as JSON has them."""
    tables = Base.metadata.tables
    reached: dict[str, set[UUID]] = {"patient": {patient_id}}
    changed = True
    while changed:
        changed = False
        for child, links in _links():
            found = _keys(session, child, links, reached)
            if not found <= reached.get(child.name, set()):
                reached.setdefault(child.name, set()).update(found)
                changed = True
    rows: dict[str, list[dict[str, Any]]] = {
        "patient": _shown(session, tables["patient"], [(tables["patient"].c.id, {patient_id})])
    }
    for child, links in _links():
        narrowed = [(column, reached[parent]) for column, parent in links if reached.get(parent)]
        if narrowed and (found_rows := _shown(session, child, narrowed)):
            rows[child.name] = found_rows
    return rows


def _links() -> Iterator[tuple[Table, list[tuple[Column[Any], str]]]]:
    """Yield each table with its columns that refer to another's id, and which."""
    for child in Base.metadata.sorted_tables:
        if child.name in _NOT_LISTED or child.name == "patient":
            continue
        links = [
            (key.parent, key.column.table.name)
            for key in child.foreign_keys
            # A parent of everything: who did it, and for whom.
            if key.column.table.name not in {"person", "organisation", child.name}
            and key.column.primary_key
            and isinstance(key.column.type, Uuid)
        ]
        if links:
            yield child, links


def _keys(
    session: Session,
    child: Table,
    links: list[tuple[Column[Any], str]],
    reached: Mapping[str, set[UUID]],
) -> set[UUID]:
    """Return the keys of a table's rows under what was reached, where others refer to them."""
    key = list(child.primary_key.columns)
    narrowed = [one_of(column, reached[parent]) for column, parent in links if reached.get(parent)]  # pyright: ignore[reportArgumentType] -- a column of a table
    if len(key) != 1 or not narrowed:
        return set()
    found = session.scalars(select(key[0]).where(or_(*narrowed)).limit(ROWS_MAX))
    return {one for one in found if isinstance(one, UUID)}


def _shown(
    session: Session, table: Table, narrowed: list[tuple[Column[Any], set[UUID]]]
) -> list[dict[str, Any]]:
    columns = [column for column in table.columns if not _SECRET.search(column.name)]
    conditions = [one_of(column, ids) for column, ids in narrowed]  # pyright: ignore[reportArgumentType] -- a column of a table
    found = session.execute(select(*columns).where(or_(*conditions)).limit(ROWS_MAX))
    return [
        {column.name: _plain(value) for column, value in zip(columns, row, strict=True)}
        for row in found
    ]


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, datetime | date):
        return value.isoformat()
    # Of the rest JSON takes these, and everything else has a form in words.
    plain = (str, int, float, bool, type(None), list, dict)
    return value if isinstance(value, plain) else str(value)  # pyright: ignore[reportUnknownVariableType] -- JSON
