"""The paper: a report is drawn, signed by two doctors and concluded; many at once, and one alone.

No server takes part: what is measured is the work of the two requests between "sign" and the stored
file. Opening a key with the PIN, which is made slow on purpose, is in the row of one report and not
in that of the batch.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reading_worklist.reports.rendering import render
from reading_worklist.signing.authority import Authority, serial_of
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.pades import sign_as_reviewer, sign_as_writer
from reading_worklist.signing.providers.port import StoredKey
from reading_worklist.signing.providers.sealed import FULL_COST, SealedKeys, seal
from reading_worklist.signing.service_keys import make_service_keys
from reading_worklist.signing.unlocking import Signer
from reading_worklist.signing.verdicts import Verdict
from reading_worklist.signing.verification import verify
from reading_worklist.typesetting.labels import Language
from storage.clock import utc_now
from tests.bench.row import RDC, Goal, Measured, Row, RunFailed
from tests.bench.stage import Stage
from tests.support.reports import CHINESE, authority, ct_report, signer, typesetter

_BATCH: Final = 60
_PROCESSES: Final = 2
_PIN: Final = "428193"


@dataclass(frozen=True)
class _Desk:
    """What a process needs to make reports."""

    issuer: Authority
    writer: Signer
    reviewer: Signer
    long_term: LongTerm


@cache
def _desk() -> _Desk:
    with tempfile.TemporaryDirectory() as folder:
        issuer = authority(Path(folder))
        keys = make_service_keys(Path(folder), issuer)
    return _Desk(issuer, signer(issuer, "李建国"), signer(issuer, "王芳"), LongTerm(keys))


def _report(note: Callable[[str, float], None]) -> bytes:
    """Make one report; `note` is told the seconds of each step."""
    desk, now, began = _desk(), utc_now(), time.perf_counter()
    pdf = render(ct_report(), Language.ZH_CN, typesetter())
    drawn = time.perf_counter()
    pdf = sign_as_writer(
        pdf, desk.writer, appearance=CHINESE, typesetter=typesetter(), signed_at=now
    )
    pdf = sign_as_reviewer(
        pdf, desk.reviewer, appearance=CHINESE, typesetter=typesetter(), signed_at=now
    )
    signed = time.perf_counter()
    pdf = desk.long_term.conclude(pdf, at=now)
    note("render ms", drawn - began)
    note("sign ms", signed - drawn)
    note("conclude ms", time.perf_counter() - signed)
    return pdf


def _some(count: int) -> int:
    for _ in range(count):
        _report(lambda _name, _seconds: None)
    return count


def _prepare(stage: Stage) -> None:
    # Fresh processes: a fork of the bench would share its threads' locks.
    context = multiprocessing.get_context("spawn")
    pool = stage.enter(ProcessPoolExecutor(_PROCESSES, mp_context=context))
    list(pool.map(_some, [2] * _PROCESSES))
    stage.facts["pool"] = pool


def _batch(stage: Stage) -> float:
    pool: ProcessPoolExecutor = stage.facts["pool"]
    began = time.perf_counter()
    done = sum(pool.map(_some, [1] * _BATCH))
    return done / (time.perf_counter() - began)


def _opened_twice() -> float:
    """Open two keys as the two doctors do; return the seconds."""
    key = ec.generate_private_key(ec.SECP256R1())
    desk = _desk()
    person = desk.writer.person_id
    certificate = desk.issuer.issue(
        key.public_key(), person_id=person, display_name="李建国", organisation="-"
    )
    secret = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    serial = serial_of(certificate)
    sealed, derivation = seal(secret, _PIN, person_id=person, serial=serial, cost=FULL_COST)
    stored = StoredKey(person, serial, (certificate,), sealed, derivation)
    began = time.perf_counter()
    for _ in range(2):
        SealedKeys().open(stored, _PIN)
    return time.perf_counter() - began


def _one(_stage: Stage) -> Measured:
    steps: dict[str, float | str] = {}

    def note(name: str, seconds: float) -> None:
        steps[name] = round(seconds * 1000, 1)

    opening = _opened_twice()
    began = time.perf_counter()
    pdf = _report(note)
    making = time.perf_counter() - began
    note("open keys ms", opening)
    began = time.perf_counter()
    found = verify(pdf, [_desk().issuer.certificate_pem])
    note("verify ms", time.perf_counter() - began)
    if found.verdict is not Verdict.VALID:
        raise RunFailed(found.reason.explanation)
    return Measured((opening + making) * 1000, steps)


ROWS: Final = (
    Row(
        name="report-batch",
        title="reports drawn, signed twice and concluded by two processes",
        unit="reports/s",
        goal=Goal(at_least=10),
        runs={RDC: _batch},
        prepare=_prepare,
        operations=_BATCH,
    ),
    Row(
        name="report",
        title="one report drawn, signed twice with both keys opened, and concluded",
        unit="ms",
        goal=Goal(below=1000),
        runs={RDC: _one},
        higher_is_better=False,
        repeats=10,
    ),
)
