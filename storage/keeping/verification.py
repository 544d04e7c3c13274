"""Holding every object against the rows that name it, in both directions.

Rows and objects are both read in the order of their keys and merged, so memory
does not grow with either. What looks wrong is looked at once more before it is
said: on a live system rows and objects come and go while we read.
"""

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import audit
from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import DatasetError
from storage.errors import RdcError
from storage.keeping.digests import digest_of
from storage.keeping.holdings import Expected, Holding, Limits, claims, named_now
from storage.keeping.kept import KeptScales
from storage.keeping.tables import Fault, Verification, VerificationFinding
from storage.objects import (
    ObjectKey,
    ObjectNotFound,
    ObjectStore,
    ObjectStoreUnavailable,
    StoredObject,
)

DERIVED_PREFIXES: Final = ("derived/",)
"""Beginnings of the keys of objects that are made from others and can be made again."""

_BATCH: Final = 64
_READERS: Final = 4
_NOTED_SECONDS: Final = 5.0
_CRC_VALUES: Final = 1 << 32
_ACTOR: Final = audit.system_actor("rdc verify")


class NothingToResume(RdcError):
    """No interrupted run has the same options."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run looks at.

    site_id: of one site only; signed reports, whose keys name no site, are then compared in one
        direction.
    since: only what was received or made since.
    sample: of how many objects, 0 to 1, the bytes are read; existence and size are always compared.
    settle: an object younger than this at the start is not judged when no row names it yet.
    """

    site_id: UUID | None = None
    since: datetime | None = None
    sample: float = 1.0
    settle: timedelta = timedelta(minutes=15)

    def to_json(self) -> dict[str, str | float]:
        """Return the options as they are kept with the run."""
        found: dict[str, str | float] = {"sample": self.sample}
        if self.site_id is not None:
            found["site_id"] = str(self.site_id)
        if self.since is not None:
            found["since"] = self.since.isoformat()
        return found


@dataclass(slots=True)
class Finding:
    """One thing that is wrong; the fields are those of `VerificationFinding`."""

    fault: Fault
    object_key: str
    holding: str = ""
    subject: str = ""
    expected: str = ""
    found: str = ""


@dataclass(slots=True)
class Tally:
    """How far a run is."""

    objects: int = 0
    bytes_read: int = 0
    derived: int = 0
    recent: int = 0
    findings: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """All that rows and store say about one key."""

    key: ObjectKey
    claims: list[Expected]
    stored: StoredObject | None


@dataclass(slots=True)
class _Compared:
    findings: list[Finding] = field(default_factory=list[Finding])
    bytes_read: int = 0


class Verifier:
    """Compares the objects of one store with the rows of one database."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        holdings: Sequence[Holding],
        options: Options,
    ) -> None:
        """Prepare a run; `holdings` must be those of all rooms, or objects seem to lack rows."""
        self._database = database
        self._objects = objects
        self._holdings = holdings
        self._options = options
        self._tally = Tally()
        self._started_at = utc_now()
        self._last_key = ""
        self._id = uuid4()
        whole = options.site_id is None and options.since is None
        self._scales = KeptScales(database) if whole else None

    def run(self, progress: Callable[[Tally], None], *, resume: bool = False) -> UUID:
        """Compare everything and return the id of the run, whose result is in the database.

        resume: go on where the last interrupted run with the same options ended.
        progress: called every few seconds.

        Raises:
            NothingToResume: there is no such run.
            ObjectStoreUnavailable: the store went away; what was compared is kept for `resume`.
        """
        self._begin(resume=resume)
        noted = time.monotonic()
        doubtful: list[Pair] = []
        limits = Limits(self._options.site_id, self._options.since, self._last_key)
        with (
            claims(self._database, self._holdings, limits) as rows,
            ThreadPoolExecutor(_READERS, thread_name_prefix="verify") as readers,
        ):
            pairs = _merged(rows, self._stored())
            while batch := list(islice(pairs, _BATCH)):
                self._weigh(batch)
                both = [pair for pair in batch if pair.claims and pair.stored is not None]
                findings: list[Finding] = []
                for compared in readers.map(self._compare, both):
                    findings += compared.findings
                    self._tally.bytes_read += compared.bytes_read
                doubtful += (pair for pair in batch if self._is_doubtful(pair))
                self._tally.objects += len(batch)
                self._last_key = batch[-1].key
                late = time.monotonic() - noted > _NOTED_SECONDS
                if late or findings or len(doubtful) >= _BATCH:
                    self._note(findings + self.judge(doubtful))
                    doubtful.clear()
                    noted = time.monotonic()
                    progress(self._tally)
        self._note(self.judge(doubtful))
        self._end()
        return self._id

    def _begin(self, *, resume: bool) -> None:
        with self._database.transaction() as session:
            if not resume:
                session.add(
                    Verification(
                        id=self._id, started_at=self._started_at, options=self._options.to_json()
                    )
                )
                return
            run = session.scalar(
                select(Verification)
                .where(
                    Verification.ended_at.is_(None),
                    Verification.options == self._options.to_json(),
                )
                .order_by(Verification.started_at.desc())
                .limit(1)
            )
            if run is None:
                raise NothingToResume(
                    "no interrupted verification has these options",
                    remedy="Start a new one without --resume.",
                )
            self._id, self._last_key = run.id, run.last_key
            # What came before the interruption was not kept.
            self._scales = None
            self._tally = Tally(run.objects, run.bytes_read, run.derived, run.recent, run.findings)

    def _note(self, findings: Sequence[Finding]) -> None:
        self._tally.findings += len(findings)
        with self._database.transaction() as session:
            run = session.get_one(Verification, self._id)
            session.add_all(
                VerificationFinding(
                    verification_id=self._id,
                    fault=one.fault,
                    object_key=one.object_key,
                    holding=one.holding,
                    subject=one.subject,
                    expected=one.expected,
                    found=one.found,
                )
                for one in findings
            )
            run.last_key = self._last_key
            run.objects = self._tally.objects
            run.bytes_read = self._tally.bytes_read
            run.derived = self._tally.derived
            run.recent = self._tally.recent
            run.findings = self._tally.findings

    def _weigh(self, batch: Sequence[Pair]) -> None:
        if self._scales is None:
            return
        for pair in batch:
            if pair.stored is not None:
                self._scales.add(pair.key, pair.stored.size)

    def _end(self) -> None:
        with self._database.transaction() as session:
            if self._scales is not None:
                self._scales.write(session, self._started_at)
            session.get_one(Verification, self._id).ended_at = utc_now()
            audit.record(
                session,
                _ACTOR,
                "archive:verify",
                subject_kind="verification",
                subject_id=self._id,
                detail={"objects": self._tally.objects, "findings": self._tally.findings},
            )

    def _stored(self) -> Iterator[StoredObject]:
        """Return the objects the run looks at, by key in ascending order."""
        site, since = self._options.site_id, self._options.since
        prefixes = [""]
        if site is not None:
            prefixes = [f"instances/{site}/", f"quarantine/{site}/"]
        for prefix in prefixes:
            for stored in self._objects.list(prefix):
                if stored.key > self._last_key and (since is None or stored.modified_at >= since):
                    yield stored

    def _compare(self, pair: Pair) -> _Compared:
        result = _Compared()
        stored = pair.stored
        assert stored is not None
        wanted: set[tuple[int | None, str]] = set()
        for claim in pair.claims:
            if claim.size is not None and claim.size != stored.size:
                result.findings.append(
                    _finding(Fault.WRONG_SIZE, claim, f"{claim.size} bytes", f"{stored.size} bytes")
                )
            elif claim.sha256:
                wanted.add((claim.dataset_offset, claim.sha256))
        if not self._sampled(pair.key):
            return result
        for offset, sha256 in wanted:
            claim = next(one for one in pair.claims if one.sha256 == sha256)
            try:
                digest, length = digest_of(self._objects, pair.key, offset)
            except ObjectNotFound:
                result.findings.append(_finding(Fault.MISSING, claim, "the object", "none"))
                break
            except (ObjectStoreUnavailable, DatasetError) as error:
                # The whole store may be away, which is no finding about one object.
                self._objects.check()
                result.findings.append(_finding(Fault.UNREADABLE, claim, "its bytes", error.found))
                break
            result.bytes_read += length
            if digest != sha256:
                result.findings.append(_finding(Fault.WRONG_DIGEST, claim, sha256, digest))
        return result

    def _sampled(self, key: str) -> bool:
        # By the run, so that another run reads others.
        return zlib.crc32(f"{self._id}{key}".encode()) < self._options.sample * _CRC_VALUES

    def _is_doubtful(self, pair: Pair) -> bool:
        """Tell whether one side is missing; count what need not have a row."""
        if pair.claims or pair.stored is None:
            return pair.stored is None
        if pair.key.startswith(DERIVED_PREFIXES):
            self._tally.derived += 1
            return False
        if pair.stored.modified_at >= self._started_at - self._options.settle:
            self._tally.recent += 1
            return False
        return True

    def judge(self, doubtful: Sequence[Pair]) -> list[Finding]:
        """Look again at what lacked its other side, and return what still does."""
        named = named_now(self._database, self._holdings, [pair.key for pair in doubtful])
        findings: list[Finding] = []
        for pair in doubtful:
            exists = self._objects.stat(pair.key) is not None
            if pair.key in named and not exists and pair.claims:
                findings += [
                    _finding(Fault.MISSING, claim, "the object", "none") for claim in pair.claims
                ]
            elif pair.key not in named and exists:
                known = any(pair.key.startswith(one.prefixes) for one in self._holdings)
                fault = Fault.NO_ROW if known else Fault.FOREIGN
                findings.append(Finding(fault, pair.key, expected="a row that names it"))
        return findings


def _finding(fault: Fault, claim: Expected, expected: str, found: str) -> Finding:
    return Finding(fault, claim.object_key, claim.holding, claim.subject, expected, found)


def _merged(rows: Iterable[list[Expected]], stored: Iterable[StoredObject]) -> Iterator[Pair]:
    """Merge two streams, both ascending by key."""
    left, right = iter(rows), iter(stored)
    row, item = next(left, None), next(right, None)
    while row is not None or item is not None:
        if item is None or (row is not None and row[0].object_key < item.key):
            assert row is not None
            yield Pair(ObjectKey(row[0].object_key), row, None)
            row = next(left, None)
        elif row is None or item.key < row[0].object_key:
            yield Pair(item.key, [], item)
            item = next(right, None)
        else:
            yield Pair(item.key, row, item)
            row, item = next(left, None), next(right, None)


def latest(session: Session) -> Verification | None:
    """Return the newest run that came to its end, None when there is none."""
    return session.scalar(
        select(Verification)
        .where(Verification.ended_at.is_not(None))
        .order_by(Verification.started_at.desc())
        .limit(1)
    )


def findings_of(
    session: Session, verification_id: UUID, *, limit: int
) -> Sequence[VerificationFinding]:
    """Return up to `limit` findings of a run in the order they were found."""
    return session.scalars(
        select(VerificationFinding)
        .where(VerificationFinding.verification_id == verification_id)
        .order_by(VerificationFinding.id)
        .limit(limit)
    ).all()
