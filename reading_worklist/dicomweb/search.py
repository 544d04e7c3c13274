"""Results of searches (PS3.18 §10.6.3) in the DICOM JSON model, told from the index alone."""

from datetime import date, time
from typing import Any, Final

from reading_worklist.dicomweb.json_model import (
    UNICODE,
    JsonAttribute,
    JsonDataset,
    number_attribute,
    text_attribute,
)
from storage.index.search import ATTRIBUTES, Level, Match

_RETRIEVE_URL: Final = "00081190"
_TAGS: Final = {keyword: f"{one.tag:08X}" for keyword, one in ATTRIBUTES.items()}
_VRS: Final = {keyword: one.vr for keyword, one in ATTRIBUTES.items()}
_PATH: Final = (
    (Level.STUDY, "studies", "StudyInstanceUID"),
    (Level.SERIES, "series", "SeriesInstanceUID"),
    (Level.INSTANCE, "instances", "SOPInstanceUID"),
)


def site_root(base_url: str, site_code: str) -> str:
    """Return the DICOMweb root of one site; below it no two studies share a UID."""
    return f"{base_url}/dicom-web/sites/{site_code}"


def result(match: Match, level: Level, base_url: str) -> JsonDataset:
    """Return the result for one match, its attributes by tag in their order.

    base_url: absolute address of the server, without a slash at its end, for the Retrieve URL.
    """
    url = site_root(base_url, match.site_code)
    for one, word, keyword in _PATH:
        if one <= level:
            url = f"{url}/{word}/{match.values[keyword]}"
    attributes = {
        _TAGS[keyword]: _attribute(_VRS[keyword], value) for keyword, value in match.values.items()
    }
    attributes["00080005"] = UNICODE
    attributes[_RETRIEVE_URL] = text_attribute("UR", url)
    return dict(sorted(attributes.items()))


def _attribute(vr: str, value: Any) -> JsonAttribute:  # noqa: ANN401 -- as `Match` has them
    if isinstance(value, int):
        return number_attribute(vr, value)
    if isinstance(value, list):
        return text_attribute(vr, *value)  # pyright: ignore[reportUnknownArgumentType] -- of str
    if isinstance(value, date):
        return text_attribute(vr, value.isoformat().replace("-", ""))
    if isinstance(value, time):
        return text_attribute(vr, value.isoformat().replace(":", ""))
    return text_attribute(vr, value)
