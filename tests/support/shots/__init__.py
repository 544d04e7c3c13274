"""Every page and the states of it that are worth a look, one module for each part of the UI."""

from tests.support.scene import Places
from tests.support.shots import (
    audit,
    critical,
    desk,
    ecg_analysis,
    ecg_files,
    ecg_report,
    ecg_view,
    keeping,
    key_images,
    ledger,
    people,
    portal,
    reading,
    rules,
    session,
    shares,
    site_tests,
    tokens,
    worklist,
    writing,
)
from tests.support.shots.shot import Shot

PARTS = (
    session,
    worklist,
    reading,
    ecg_view,
    ecg_report,
    key_images,
    writing,
    desk,
    audit,
    keeping,
    portal,
    ledger,
    ecg_analysis,
    ecg_files,
    rules,
    critical,
    site_tests,
    tokens,
    people,
    shares,
)


def all_shots(places: Places) -> list[Shot]:
    """The pictures of all parts."""
    return [shot for part in PARTS for shot in part.shots(places)]
