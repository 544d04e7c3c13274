"""The viewer in Chromium: from the address to the first image, the browser's cache empty."""

import time
from functools import partial
from typing import Final

from playwright.sync_api import Browser

from tests.bench.data import CT_EDGE
from tests.bench.ohif_on_orthanc import OhifOnOrthanc
from tests.bench.row import ORTHANC, RDC, Goal, Measured, Row, RunFailed
from tests.bench.rows.retrieve import prepare_study
from tests.bench.stage import Stage
from tests.support.seed import PASSWORD
from tests.support.viewer import (
    CHROMIUM,
    NotShown,
    Traffic,
    chromium,
    new_page,
    sign_in,
    wait_for_image,
)

_CT: Final = 250
_LOOK_MILLISECONDS: Final = 20


def _prepare(stage: Stage) -> None:
    if CHROMIUM is None:
        raise RunFailed("Chromium is not installed (package chromium)")
    prepare_study(stage, instances=_CT, edge=CT_EDGE)
    stage.facts["browser"] = stage.enter(chromium())
    stage.facts["orthanc"] = stage.enter(OhifOnOrthanc(stage.orthanc.orthanc.web)).address


def _first_image(stage: Stage, contender: str) -> Measured:
    browser: Browser = stage.facts["browser"]
    ours = contender == RDC
    address = stage.rdc.system.web if ours else stage.facts["orthanc"]
    page = new_page(browser)
    if ours:
        sign_in(page, address, {"login": "writer", "password": PASSWORD})
    traffic = Traffic(page)
    study = stage.facts["data"].senders[0].study_instance_uid
    began = time.perf_counter()
    try:
        page.goto(f"{address}/viewer/viewer?StudyInstanceUIDs={study}", wait_until="commit")
        wait_for_image(page, traffic, look_milliseconds=_LOOK_MILLISECONDS)
        seconds = time.perf_counter() - began
    except NotShown as error:
        raise RunFailed(str(error)) from error
    finally:
        page.context.close()
    return Measured(seconds, {"requests": len(traffic.asked)})


ROWS: Final = (
    Row(
        "viewer-first-image",
        "OHIF in Chromium: first image of a CT of 250 slices",
        "s",
        Goal(times=1.0),
        {name: partial(_first_image, contender=name) for name in (RDC, ORTHANC)},
        higher_is_better=False,
        prepare=_prepare,
    ),
)
