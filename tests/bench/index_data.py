"""A generated index: patients with Chinese names, studies of fifteen years, their instances.

Nothing is in an object store: the rows alone are there, as the gateway would have written them,
in the order in which the studies were made.
"""

import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from deploy.embedded.postgres import EmbeddedPostgres
from storage import registry
from storage.database import Database
from storage.person_name import search_keys
from storage.registry import OrganisationKind
from tests.support.seed import Consortium

_YEARS: Final = 15
_LAST_DAY: Final = date(2026, 11, 21)
_ROOT: Final = "1.2.840.113619.2"
_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程"
    "苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝"
    "龚邵万钱严覃武戴莫孔向汤单仇解"
)
_GIVEN: Final = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉红建国文辉力志海燕飞鹏波宁斌浩宇"
    "鑫欣婷雪梅琴云莲真环荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉桦晓小春夏秋冬生龙元全胜学祥才发武新"
    "利清彬富顺信子杰昌成康星光天达安岩中茂进林有坚和彪博诚先敬震振壮会思群豪心邦承乐绍功松善厚庆"
)
# Modality, share of the studies, series and instances of a study on average.
_MODALITIES: Final = (
    ("CT", 0.38, 3, 38),
    ("DX", 0.24, 1, 2),
    ("US", 0.15, 1, 12),
    ("MR", 0.06, 5, 62),
    ("ECG", 0.09, 1, 1),
    ("CR", 0.04, 1, 2),
    ("MG", 0.02, 4, 4),
    ("XA", 0.02, 2, 24),
)
_DESCRIPTIONS: Final = {
    "CT": ("胸部平扫", "头颅平扫", "上腹部平扫+增强", "CHEST ROUTINE"),
    "DX": ("胸部正位", "膝关节正侧位", "腰椎正侧位"),
    "US": ("肝胆胰脾", "甲状腺", "心脏彩超"),
    "MR": ("头颅平扫", "腰椎平扫", "膝关节平扫"),
    "ECG": ("十二导联心电图",),
    "CR": ("胸部正位",),
    "MG": ("双乳 CC+MLO",),
    "XA": ("冠脉造影",),
}
_SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.2"
_TABLES: Final = ("patient", "study", "study_listing", "series", "instance")


@dataclass(frozen=True)
class Size:
    """How much there is; `instances` is reached within a few percent."""

    studies: int
    instances: int
    sites: int
    seed: int = 20261122

    @property
    def patients(self) -> int:
        """Three studies for two patients... in fifteen years more come back than do not."""
        return max(1, self.studies * 3 // 5)


@dataclass(frozen=True)
class _Patient:
    id: UUID
    site: int
    born: date


@contextmanager
def unlogged_server(directory: Path) -> Generator[EmbeddedPostgres]:
    """Run a server whose log is spared what `generate` writes; a usual one can go on with its data.

    The log of an index of this size would be as large as the index.
    """
    settings = {"wal_level": "'minimal'", "max_wal_senders": "0"}
    with EmbeddedPostgres(directory) as server, connected(server.superuser_url) as connection:
        for name, value in settings.items():
            connection.execute(cast("Any", f"ALTER SYSTEM SET {name} = {value}"))
    with EmbeddedPostgres(directory) as server:
        yield server
        with connected(server.superuser_url) as connection:
            for name in settings:
                connection.execute(cast("Any", f"ALTER SYSTEM RESET {name}"))


def connected(url: str) -> psycopg.Connection[Any]:
    """Return a connection in autocommit to a database of an SQLAlchemy URL."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


def generate(
    database: Database, consortium: Consortium, size: Size, say: Callable[[str], None]
) -> None:
    """Fill the empty index of `database` with `size`; `say` is told what is done."""
    site_ids = _sites(database, consortium, size.sites)
    chance = random.Random(size.seed)
    with _connect(database) as connection:
        with _bare_tables(connection, say):
            began = time.monotonic()
            patients = _patients(connection, chance, size, site_ids)
            say(f"{len(patients)} patients in {time.monotonic() - began:.0f} s")
            _studies(connection, chance, size, site_ids, patients)
            say(f"studies and series after {time.monotonic() - began:.0f} s")
            count = _instances(connection)
            say(f"{count} instances after {time.monotonic() - began:.0f} s")
        for table in _TABLES:
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        say(f"indexed and analysed after {time.monotonic() - began:.0f} s")


def sizes(database: Database) -> dict[str, int]:
    """Bytes of each table of the index and of each of its indexes."""
    with _connect(database) as connection:
        return dict(
            connection.execute(
                """
                SELECT relname, pg_relation_size(c.oid) FROM pg_class c
                JOIN pg_namespace n ON n.oid = c.relnamespace AND nspname = 'public'
                WHERE c.oid = ANY (%(tables)s::regclass[]) OR c.oid IN (
                    SELECT indexrelid FROM pg_index WHERE indrelid = ANY (%(tables)s::regclass[])
                ) ORDER BY 2 DESC
                """,
                {"tables": list(_TABLES)},
            ).fetchall()
        )


def a_name(chance: random.Random) -> str:
    """A patient's name as a Chinese modality sends it: pinyin and Hanzi, or one of them."""
    # Some names are far more common than others.
    surname = _SURNAMES[min(int(chance.expovariate(0.06)), len(_SURNAMES) - 1)]
    count = 1 if chance.random() < 0.25 else 2
    given = "".join(
        _GIVEN[min(int(chance.expovariate(0.03)), len(_GIVEN) - 1)] for _ in range(count)
    )
    return f"{surname}^{given}"


@cache
def _keys(name: str) -> tuple[str, ...]:
    return tuple(search_keys(name))


def _connect(database: Database) -> psycopg.Connection[Any]:
    connection = connected(database.url)
    connection.execute("SET maintenance_work_mem = '512MB'")
    return connection


def _sites(database: Database, consortium: Consortium, count: int) -> list[UUID]:
    def add(session: Session, number: int) -> UUID:
        return registry.add_organisation(
            session,
            kind=OrganisationKind.SITE,
            code=f"SITE{number}",
            name=f"第{number}卫生院",
            name_en=f"Site {number}",
            parent=consortium.root,
        ).id

    with database.transaction() as session:
        more = [add(session, number) for number in range(3, count + 1)]
    return [consortium.east.id, consortium.west.id, *more][:count]


class _bare_tables:  # noqa: N801 -- used like a function
    """Within it the tables have neither indexes, constraints nor triggers; after it, all again."""

    def __init__(self, connection: psycopg.Connection[Any], say: Callable[[str], None]) -> None:
        self._connection = connection
        self._say = say
        self._again: list[str] = []

    def __enter__(self) -> None:
        connection = self._connection
        drops: list[str] = []
        constraints = connection.execute(
            """
            SELECT format('%%I', conname), conrelid::regclass::text, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE (conrelid = ANY (%(tables)s::regclass[])
                OR confrelid = ANY (%(tables)s::regclass[])) AND contype IN ('f', 'p', 'u')
            ORDER BY contype = 'f' DESC, conname
            """,
            {"tables": list(_TABLES)},
        ).fetchall()
        for name, table, definition in constraints:
            drops.append(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            # New rows are checked; what was made here needs no check of twenty million rows.
            unchecked = " NOT VALID" if definition.startswith("FOREIGN KEY") else ""
            self._again.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{unchecked}")
        # Foreign keys need the keys they point to.
        self._again.reverse()
        indexes = connection.execute(
            """
            SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), attstattarget
            FROM pg_index i JOIN pg_attribute ON attrelid = indexrelid AND attnum = 1
            WHERE indrelid = ANY (%s::regclass[])
            AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
            """,
            [list(_TABLES)],
        ).fetchall()
        for name, definition, statistics in indexes:
            drops.append(f"DROP INDEX {name}")
            self._again.append(definition)
            if statistics is not None:
                self._again.append(f"ALTER INDEX {name} ALTER COLUMN 1 SET STATISTICS {statistics}")
        for statement in drops:
            connection.execute(cast("Any", statement))
        connection.execute("ALTER TABLE study DISABLE TRIGGER USER")

    def __exit__(self, *_: object) -> None:
        began = time.monotonic()
        for statement in self._again:
            self._connection.execute(cast("Any", statement))
            self._say(f"{time.monotonic() - began:6.0f} s  {statement[:90]}")
        self._connection.execute("ALTER TABLE study ENABLE TRIGGER USER")


def _copy(
    connection: psycopg.Connection[Any],
    table: str,
    columns: Sequence[str],
    rows: Iterator[Sequence[object]],
) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with _emptied(connection, table), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def _emptied(connection: psycopg.Connection[Any], table: str) -> Generator[None]:
    """Within it `table` is filled: in the transaction that emptied it no row goes to the log."""
    with connection.transaction():
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        yield


def _patients(
    connection: psycopg.Connection[Any], chance: random.Random, size: Size, site_ids: list[UUID]
) -> list[_Patient]:
    # Sites differ in size: the first sends five times as much as the last.
    weights = [5 - 4 * number / len(site_ids) for number in range(len(site_ids))]
    made: list[_Patient] = []

    def rows() -> Iterator[Sequence[object]]:
        sites = chance.choices(range(len(site_ids)), weights, k=size.patients)
        for number, site in enumerate(sites):
            born = _LAST_DAY - timedelta(days=chance.randrange(33_000))
            known_for = timedelta(days=_YEARS * 365 * (1 - number / size.patients))
            since = datetime.combine(_LAST_DAY, datetime.min.time()) - known_for
            patient = _Patient(_row_id(chance, since), site, born)
            made.append(patient)
            name = "=" + a_name(chance)
            yield (
                patient.id,
                site_ids[site],
                f"P{number:08d}",
                name,
                name.encode("gb18030"),
                False,
                list(_keys(name)),
                "MF"[number % 2],
                born,
            )

    _copy(
        connection,
        "patient",
        (
            "id",
            "site_id",
            "local_id",
            "name",
            "name_original",
            "name_guessed",
            "name_keys",
            "sex",
            "birth_date",
        ),
        rows(),
    )
    return made


def _studies(
    connection: psycopg.Connection[Any],
    chance: random.Random,
    size: Size,
    site_ids: list[UUID],
    patients: list[_Patient],
) -> None:
    """Write studies in the order of their dates, and their series; more of them every year."""
    names = [one[0] for one in _MODALITIES]
    shares = list(accumulate(one[1] for one in _MODALITIES))
    mean = sum(share * instances for _, share, _, instances in _MODALITIES)
    factor = size.instances / size.studies / mean
    details = {one[0]: (one[2], one[3] * factor) for one in _MODALITIES}
    days = sorted(int(_YEARS * 365 * chance.random() ** 0.7) for _ in range(size.studies))
    series: list[tuple[object, ...]] = []

    def studies() -> Iterator[Sequence[object]]:
        first = _LAST_DAY - timedelta(days=_YEARS * 365)
        for number, day in enumerate(days):
            patient = patients[chance.randrange(len(patients))]
            modality = chance.choices(names, cum_weights=shares)[0]
            also = ["DX"] if modality == "CT" and chance.random() < 0.03 else []
            at = datetime.combine(first + timedelta(days=day), datetime.min.time()) + timedelta(
                seconds=chance.randrange(7 * 3600, 20 * 3600)
            )
            study_id = _row_id(chance, at)
            uid = _uid(chance, patient.site, at, number)
            series_count, average = details[modality]
            instances = max(1, round(chance.gauss(average, average / 4)))
            series_count = min(series_count, instances)
            for one in range(series_count):
                share = instances // series_count + (one < instances % series_count)
                series.append((study_id, f"{uid}.{one + 1}", modality, one + 1, share, share))
            series.extend((study_id, f"{uid}.90", extra, 90, 1, 1) for extra in also)
            yield (
                study_id,
                site_ids[patient.site],
                patient.id,
                uid,
                f"S{number % 100_000}",
                at.date(),
                at.time(),
                f"A{number:09d}",
                chance.choice(_DESCRIPTIONS[modality]),
                sorted([modality, *also]),
                "COMPLETE",
                1,
                at.astimezone(),
                at.astimezone(),
                at.astimezone(),
                series_count + len(also),
                instances + len(also),
            )

    _copy(
        connection,
        "study",
        (
            "id",
            "site_id",
            "patient_id",
            "study_instance_uid",
            "study_id_text",
            "study_date",
            "study_time",
            "accession_number",
            "study_description",
            "modalities",
            "state",
            "generation",
            "first_received_at",
            "last_received_at",
            "quiet_due_at",
            "series_count",
            "instance_count",
        ),
        studies(),
    )
    _copy(
        connection,
        "series",
        (
            "study_id",
            "series_instance_uid",
            "modality",
            "series_number",
            "instance_count",
            "revision",
        ),
        iter(series),
    )
    # As the trigger on study would have written it.
    with _emptied(connection, "study_listing"):
        connection.execute(
            """
            INSERT INTO study_listing
                (study_id, modality, site_id, patient_id, studied_at, name_vector)
            SELECT study.id, listed, study.site_id, patient_id, study_date + study_time,
                array_to_tsvector(name_keys::text[])
            FROM study JOIN patient ON patient.id = patient_id,
                unnest(array_append(modalities, '')) AS listed
            ORDER BY study.id
            """
        )


def _row_id(chance: random.Random, at: datetime) -> UUID:
    """Return an id as the gateway would have given it at that time."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | chance.getrandbits(62))


def _uid(chance: random.Random, site: int, at: datetime, number: int) -> str:
    """Most devices count on from a time; every fifth makes UIDs without any order."""
    if number % 5 == 0:
        return f"2.25.{chance.getrandbits(110)}"
    return f"{_ROOT}.{site}.{at:%Y%m%d%H%M%S}.{number}"


def _instances(connection: psycopg.Connection[Any]) -> int:
    """Write the instances of all series, in their order: of the series, which are few to sort."""
    with _emptied(connection, "instance"):
        made = connection.execute(
            """
            INSERT INTO instance (
                site_id, study_id, series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid,
                instance_number, rows, columns, object_key, object_size, dataset_sha256,
                dataset_offset, pixel_data_offset, received_at
            )
            SELECT site_id, study_id, id, series_instance_uid || '.' || n, %s,
                '1.2.840.10008.1.2.4.70', n, 512, 512,
                'instances/' || site_id || '/' || digest, 300000 + n, digest, 1200, 3400,
                first_received_at
            FROM (
                SELECT se.id, se.study_id, se.series_instance_uid, se.instance_count, st.site_id,
                    st.first_received_at
                FROM series se JOIN study st ON st.id = se.study_id
                ORDER BY se.id
            ) AS ordered
            CROSS JOIN LATERAL generate_series(1, instance_count) AS n
            CROSS JOIN LATERAL (
                SELECT md5(ordered.id || '/' || n) || md5(n || '/' || ordered.id) AS digest
            ) AS hashed
            """,
            [_SOP_CLASS],
        )
    return made.rowcount
