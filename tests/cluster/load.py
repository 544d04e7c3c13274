"""What goes on while a part of the centre fails: devices send, and people read."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any, Final, Self

import httpx
import pydicom
from pydicom.dataset import Dataset
from sqlalchemy import func, select

from deploy.demo.consortium import SITES
from deploy.demo.people import DemoClient, DemoRefused
from deploy.demo.walk import Road
from reading_worklist.workitems.tables import Workitem
from storage.database import Database
from storage.index.tables import Instance, Study, StudyState
from storage.objects import ObjectKey, ObjectStore
from tests.e2e.modality import Modality, studies
from tests.e2e.system import wait_for

STUDY_INSTANCES: Final = 10
BURST_INSTANCES: Final = 1000
_AT_ONCE: Final = 4
_dicom: Any = pydicom
_PAUSE_SECONDS: Final = 0.5
_FILED_SECONDS: Final = 240.0


@dataclass
class Gaps:
    """When something went well, and the longest time in which it did not."""

    times: list[float] = field(default_factory=list[float])
    failed: list[str] = field(default_factory=list[str])
    """When what went wrong, and how; the clock is that of the servers' logs."""

    def mark(self) -> None:
        """Note a success, the beginning, or the end."""
        self.times.append(time.monotonic())

    def note(self, error: Exception) -> None:
        """Note a failure."""
        when = datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3]
        asked = ""
        if isinstance(error, httpx.RequestError):
            asked = f" at {error.request.method} {error.request.url.path}"
        self.failed.append(f"{when} {error!r}{asked}")

    def longest(self) -> float:
        """Seconds between two marks."""
        return max(after - before for before, after in itertools.pairwise(self.times))


class Load:
    """Two modalities that send studies, and a doctor who reads, until the block ends.

    What was sent in it has all been acknowledged then.
    """

    def __init__(self, road: Road, *, changing: bool = True) -> None:
        """Plan it. changing: whether the doctor also says by a POST that he is there."""
        self._road = road
        self._changing = changing
        self._stop = threading.Event()
        self.sent: list[Dataset] = []
        self.acknowledged: list[str] = []
        self.sending, self.reading = Gaps(), Gaps()
        self.failed: list[BaseException] = []
        self._threads = [
            *(threading.Thread(target=self._send, args=(one.modality_ae,)) for one in SITES),
            threading.Thread(target=self._read),
        ]

    def __enter__(self) -> Self:
        self._mark()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._mark()

    def _mark(self) -> None:
        for gaps in (self.sending, self.reading):
            gaps.mark()

    def _send(self, ae_title: str) -> None:
        try:
            while not self._stop.is_set():
                datasets = studies(1, STUDY_INSTANCES)
                modality = Modality(
                    self._road.dicom_port, host=self._road.dicom_host, ae_title=ae_title
                )
                self.sent.extend(datasets)
                modality.send_all(datasets)
                self.acknowledged.extend(modality.acknowledged)
                self.sending.mark()
                self._stop.wait(_PAUSE_SECONDS)
        except BaseException as error:  # told by `check`, in the thread of the test
            self.failed.append(error)
            raise

    def _read(self) -> None:
        """Look into the worklist and at an image of each study, again and again."""
        while not self._stop.is_set():
            try:
                with DemoClient(self._road.web, self._road.people["li.shu"]) as doctor:
                    for uid in itertools.cycle(doctor.workitems()):
                        if self._stop.is_set():
                            return
                        doctor.workitems()
                        doctor.get_bytes(f"/dicom-web/studies/{uid}/metadata")
                        image = _first_image(doctor, uid)
                        if image is not None:
                            doctor.get_bytes(f"{image}/frames/1")
                        if self._changing:
                            # What no balancer may ask twice.
                            doctor.post("/api/session/stay")
                        self.reading.mark()
                        self._stop.wait(_PAUSE_SECONDS)
                # Nothing to read yet.
                self._stop.wait(_PAUSE_SECONDS)
            except (httpx.HTTPError, DemoRefused) as error:
                self.reading.note(error)
                self._stop.wait(_PAUSE_SECONDS)

    def check(self, database: Database, objects: ObjectStore) -> float:
        """See that all of it is kept once, byte for byte, and read once.

        Return the seconds until all of it was in the worklist.
        """
        assert not self.failed, self.failed
        assert sorted(self.acknowledged) == sorted(str(one.SOPInstanceUID) for one in self.sent)
        began = time.monotonic()
        uids = {str(one.StudyInstanceUID) for one in self.sent}

        def queued() -> bool | None:
            with database.transaction() as session:
                found = session.scalar(
                    select(func.count())
                    .select_from(Study)
                    .join(Workitem, Workitem.study_id == Study.id)
                    .where(
                        Study.study_instance_uid.in_(uids),
                        Study.state == StudyState.COMPLETE,
                        Study.instance_count == STUDY_INSTANCES,
                    )
                )
            return True if found == len(uids) else None

        wait_for("all that was sent to be in the worklist", queued, timeout=_FILED_SECONDS)
        seconds = time.monotonic() - began
        by_uid = {str(one.SOPInstanceUID): one for one in self.sent}
        kept = list(_kept(database, set(by_uid)))
        assert sorted(uid for uid, _ in kept) == sorted(by_uid)
        for uid, key in kept:
            with objects.open(key) as file:
                stored = _dicom.dcmread(BytesIO(file.read()))
            assert stored.PixelData == by_uid[uid].PixelData
        return seconds


def burst(road: Road) -> None:
    """Send many instances as fast as they are taken, over four associations."""

    def send(ae_title: str) -> None:
        modality = Modality(road.dicom_port, host=road.dicom_host, ae_title=ae_title)
        modality.send_all(studies(1, BURST_INSTANCES // _AT_ONCE))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        titles = [SITES[number % len(SITES)].modality_ae for number in range(_AT_ONCE)]
        list(pool.map(send, titles))


def _kept(database: Database, uids: set[str]) -> Iterator[tuple[str, ObjectKey]]:
    with database.transaction() as session:
        rows = session.execute(
            select(Instance.sop_instance_uid, Instance.object_key).where(
                Instance.sop_instance_uid.in_(uids)
            )
        ).all()
    return ((uid, ObjectKey.parse(key)) for uid, key in rows)


def _first_image(doctor: DemoClient, study: str) -> str | None:
    """Where the first image of a study is; ECGs, reports and plans are none, and have no Rows."""
    for one in doctor.get(f"/dicom-web/studies/{study}/instances?limit={STUDY_INSTANCES}"):
        if "Value" in one.get("00280010", {}):
            series, instance = (one[tag]["Value"][0] for tag in ("0020000E", "00080018"))
            return f"/dicom-web/studies/{study}/series/{series}/instances/{instance}"
    return None
