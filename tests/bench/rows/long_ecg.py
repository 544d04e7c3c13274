"""A 24 h ECG of three leads: how soon it is there in a browser, and what memory that takes."""

import hashlib
import uuid
from contextlib import ExitStack
from typing import Final

import psutil
from playwright.sync_api import Browser
from psycopg import sql
from sqlalchemy import make_url

from deploy.embedded.postgres import EmbeddedPostgres
from reading_worklist.ecg.ambulatory import service
from storage.clock import utc_now
from storage.database import Database, migrate
from storage.index.tables import Instance, Series
from storage.objects import ObjectKey, ObjectStore, open_object_store
from tests.bench.index_data import connected
from tests.bench.row import RDC, Goal, Measured, Row, RunFailed
from tests.bench.stage import Stage
from tests.support.long_ecg import AMBULATORY, write_long_ecg
from tests.support.screens import WEB
from tests.support.seed import PASSWORD, Consortium, QueuedStudy
from tests.support.serving import served
from tests.support.viewer import CHROMIUM, chromium
from tests.support.web import application

_GOAL_SECONDS: Final = 2.0
_GOAL_MIB: Final = 300.0
_RATE_HZ: Final = 250
_MIB: Final = 1 << 20
_READY: Final = """() => document.querySelector('.long-plot path')?.getAttribute('d')
  && document.querySelector('.long .ecg-page svg') !== null && performance.now()"""


def _prepare(stage: Stage) -> None:
    if CHROMIUM is None:
        raise RunFailed("Chromium is not installed (package chromium)")
    if not (WEB / "dist" / "index.html").is_file():
        raise RunFailed("the pages are not built (make setup)")
    opened = ExitStack()
    stage.on_end(opened.close)
    directory = stage.generated / "long-ecg"
    directory.mkdir(parents=True, exist_ok=True)
    server = opened.enter_context(EmbeddedPostgres(directory / "postgres", durable=False))
    name = f"long_ecg_{uuid.uuid4().hex}"
    with connected(server.url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_url(server.url).set(database=name).render_as_string(hide_password=False)
    migrate(url)
    database = Database(url)
    opened.callback(database.close)
    objects = open_object_store(f"file://{directory / 'objects'}")
    consortium = Consortium(database)
    exam = consortium.queued_study(modalities=("ECG",))
    path = directory / "24h.dcm"
    if not path.exists():
        write_long_ecg(path.with_suffix(".part"), rate=_RATE_HZ).path.rename(path)
    key = ObjectKey(f"instances/{exam.study.site_id}/24h.dcm")
    objects.put_file(key, path)
    _file(database, exam, objects, key)
    if service.prepare(database, objects, exam.study.id) != 1:
        raise RunFailed("the overview was not made")
    app = application(consortium, objects, directory / "web", signers=False, web_ui=WEB / "dist")
    stage.facts["pages"] = stage.enter(served(app))
    stage.facts["browser"] = stage.enter(chromium())
    stage.facts["reading"] = f"/exams/{exam.workitem_id}"


def _file(database: Database, exam: QueuedStudy, objects: ObjectStore, key: ObjectKey) -> None:
    """File the stored object as the study's only instance, as the gateway would."""
    stored = objects.stat(key)
    if stored is None:
        raise RunFailed("the made ECG is not in the store")
    uid = f"2.25.{uuid.uuid4().int}"
    with database.transaction() as session:
        series = Series(study_id=exam.study.id, series_instance_uid=f"{uid}.1", modality="ECG")
        session.add(series)
        session.flush()
        session.add(
            Instance(
                site_id=exam.study.site_id,
                study_id=exam.study.id,
                series_id=series.id,
                sop_instance_uid=uid,
                sop_class_uid=AMBULATORY,
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                object_key=key,
                object_size=stored.size,
                dataset_sha256=hashlib.sha256(key.encode()).hexdigest(),
                dataset_offset=0,
                received_at=utc_now(),
            )
        )


def _open(stage: Stage) -> Measured:
    """Open the reading in a context of its own; from navigation to overview and first trace."""
    browser: Browser = stage.facts["browser"]
    context = browser.new_context(
        base_url=stage.facts["pages"], viewport={"width": 1440, "height": 900}
    )
    try:
        context.request.post("/api/session", data={"login": "writer", "password": PASSWORD})
        page = context.new_page()
        page.goto(stage.facts["reading"])
        milliseconds = page.wait_for_function(_READY, timeout=60_000).json_value()
        session = context.new_cdp_session(page)
        session.send("Performance.enable")
        metrics = {
            one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]
        }
        renderer = max(_renderers_mib(), default=0.0)
    finally:
        context.close()
    return Measured(
        milliseconds / 1000,
        {
            "renderer MiB": renderer,
            "JS heap MiB": metrics["JSHeapUsedSize"] / _MIB,
            "server MiB": psutil.Process().memory_info().rss / _MIB,
        },
    )


def _renderers_mib() -> list[float]:
    """Return the resident memory of the renderers of browsers that this process started."""
    return [
        one.memory_info().rss / _MIB
        for one in psutil.Process().children(recursive=True)
        if "--type=renderer" in one.cmdline()
    ]


def _memory(stage: Stage) -> Measured:
    opened = _open(stage)
    value = opened.notes["renderer MiB"]
    return Measured(float(value), {"seconds": opened.value, **opened.notes})


ROWS: Final = (
    Row(
        name="long-ecg-open",
        title="24 h ECG of 3 leads (124 MiB): reading opened to overview and first trace",
        unit="s",
        goal=Goal(below=_GOAL_SECONDS),
        runs={RDC: _open},
        higher_is_better=False,
        prepare=_prepare,
        world="long-ecg",
        repeats=3,
    ),
    Row(
        name="long-ecg-memory",
        title="24 h ECG of 3 leads (124 MiB): memory of the browser's renderer",
        unit="MiB",
        goal=Goal(below=_GOAL_MIB),
        runs={RDC: _memory},
        higher_is_better=False,
        prepare=_prepare,
        world="long-ecg",
        repeats=3,
    ),
)
