"""Which rows name which objects: the one list that verification, backup and purge go by.

Each room declares its own holdings beside its tables; `deploy` puts them together.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Integer,
    Select,
    String,
    Uuid,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql

from storage.database import Database
from storage.index.tables import Instance, Quarantine

FETCHED: Final = 1000
"""Rows asked for at once."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One table whose rows name objects.

    name: of the table, as people read it.
    prefixes: beginnings of the keys that belong to it; an object there that no row of any holding
        names is a finding.
    statement: columns as the fields of `Expected` after `holding`, in their order.
    """

    name: str
    prefixes: tuple[str, ...]
    statement: Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Expected:
    """One row's claim about one object.

    size: in bytes; None where the row does not know it.
    sha256: of the bytes from `dataset_offset` on; empty where the row does not know it.
    dataset_offset: None means "behind the file meta information, wherever that ends".
    subject: what the row is about, such as a SOP Instance UID; no patient data.
    kept_at: when the object was received or made.
    """

    holding: str
    object_key: str
    size: int | None
    sha256: str
    dataset_offset: int | None
    subject: str
    site_id: UUID | None
    kept_at: datetime


INSTANCES: Final = Holding(
    "instance",
    ("instances/",),
    select(
        Instance.object_key,
        Instance.object_size,
        Instance.dataset_sha256,
        cast(Instance.dataset_offset, Integer),
        Instance.sop_instance_uid,
        Instance.site_id,
        Instance.received_at,
    ),
)
QUARANTINED: Final = Holding(
    "quarantine",
    ("quarantine/",),
    select(
        Quarantine.object_key,
        Quarantine.object_size,
        Quarantine.dataset_sha256,
        cast(null(), Integer),
        cast(Quarantine.id, String),
        Quarantine.site_id,
        Quarantine.received_at,
    ).where(Quarantine.purged_at.is_(None)),
)
INDEX_HOLDINGS: Final = (INSTANCES, QUARANTINED)

_COLUMNS: Final = (
    ("object_key", String),
    ("size", BigInteger),
    ("sha256", String),
    ("dataset_offset", Integer),
    ("subject", String),
    ("site_id", Uuid),
    ("kept_at", DateTime),
)


def everything(holdings: Sequence[Holding]) -> Select[*tuple[Any, ...]]:
    """Return the query for the claims of all `holdings`, its columns named as in `Expected`."""
    labels = [name for name, _ in _COLUMNS]
    parts: list[Select[*tuple[Any, ...]]] = []
    for holding in holdings:
        columns = [
            column.label(label)
            for column, label in zip(holding.statement.selected_columns, labels, strict=True)
        ]
        parts.append(
            holding.statement.with_only_columns(literal(holding.name).label("holding"), *columns)
        )
    rows = union_all(*parts).subquery("claim")
    return select(rows.c.holding, *(rows.c[label] for label in labels))


@dataclass(frozen=True, slots=True)
class Limits:
    """Which claims are wanted: of one site, kept since a time, with keys after one."""

    site_id: UUID | None = None
    since: datetime | None = None
    after: str = ""


def claims_query(holdings: Sequence[Holding], limits: Limits) -> bytes:
    """Return the SQL of the claims by object key in ascending order of its bytes."""
    statement = everything(holdings)
    columns = statement.selected_columns
    if limits.site_id is not None:
        statement = statement.where(columns.site_id == limits.site_id)
    if limits.since is not None:
        statement = statement.where(columns.kept_at >= limits.since)
    # Byte order, as the object stores list their keys.
    key = columns.object_key.collate("C")
    if limits.after:
        statement = statement.where(key > limits.after)
    compiled = statement.order_by(key).compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
    )
    return str(compiled).encode()


def by_key(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[Expected]]:
    """Return the rows of `claims_query`, those of one key together."""
    claimed = (Expected(*row) for row in rows)
    return (list(group) for _, group in groupby(claimed, key=attrgetter("object_key")))


@contextmanager
def claims(
    database: Database, holdings: Sequence[Holding], limits: Limits
) -> Generator[Iterator[list[Expected]]]:
    """Yield the claims as they are now, by object key in ascending order, those of a key together.

    PostgreSQL sorts them once and keeps the result aside (a cursor WITH HOLD), so that however
    long the reader takes, no transaction stays open and memory here does not grow.
    """
    with (
        database.listen() as connection,
        connection.cursor("claims", withhold=True) as cursor,
    ):
        cursor.itersize = FETCHED
        cursor.execute(claims_query(holdings, limits))
        yield by_key(cursor)


def named_now(database: Database, holdings: Sequence[Holding], keys: Sequence[str]) -> set[str]:
    """Return those of `keys` that some row names at this moment."""
    if not keys:
        return set()
    statement = everything(holdings)
    wanted = statement.where(statement.selected_columns.object_key == func.any(list(keys)))
    with database.transaction() as session:
        return set(session.scalars(wanted.with_only_columns(literal_column("object_key"))))
