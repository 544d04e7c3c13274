"""A drawn page as a caliper sees it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from reading_worklist.ecg.drawing import DrawnEcg
from storage.ecg.leads import STANDARD_LEADS
from storage.ecg.waveform import EcgRecord
from tests.support.ecg import record

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class DrawnLead:
    """A lead as a caliper on the page sees it: runs of (x, y) in paper millimetres."""

    name: str
    origin: str
    x_mm: float
    zero_mm: float
    start_seconds: float
    seconds: float
    runs: tuple[npt.NDArray[np.float64], ...]
    texts: tuple[str, ...]
    gaps: int
    ends: int


def root_of(page: DrawnEcg) -> ET.Element:
    return ET.fromstring(page.svg)


def leads_of(page: DrawnEcg) -> Iterator[DrawnLead]:
    for group in root_of(page).iter(f"{SVG}g"):
        if "data-lead" not in group.attrib:
            continue
        paths = group.findall(f"{SVG}path")
        traces = [path for path in paths if path.get("data-part") == "trace"]
        runs: list[npt.NDArray[np.float64]] = []
        for path in traces:
            scale = float(NUMBER.findall(path.attrib["transform"])[0])
            for part in path.attrib["d"].split("M")[1:]:
                numbers = np.array(NUMBER.findall(part.replace("h0", "")), dtype=np.float64)
                runs.append(np.cumsum(numbers.reshape(-1, 2), axis=0) * scale)
        yield DrawnLead(
            name=group.attrib["data-lead"],
            origin=group.attrib["data-origin"],
            x_mm=float(group.attrib["data-x-mm"]),
            zero_mm=float(group.attrib["data-zero-mm"]),
            start_seconds=float(group.attrib["data-start-seconds"]),
            seconds=float(group.attrib["data-seconds"]),
            runs=tuple(runs),
            texts=tuple(text.text or "" for text in group.iter(f"{SVG}text")),
            gaps=sum(path.get("data-part") == "gap" for path in paths),
            ends=sum(path.get("data-part") == "end" for path in paths),
        )


def lead_of(page: DrawnEcg, name: str) -> DrawnLead:
    return next(lead for lead in leads_of(page) if lead.name == name)


def texts_of(page: DrawnEcg) -> str:
    return "\n".join(text.text or "" for text in root_of(page).iter(f"{SVG}text"))


def twelve(signal: npt.NDArray[Any], *, rate: float = 500) -> EcgRecord:
    seconds = len(signal) / rate
    return record(dict.fromkeys(STANDARD_LEADS, signal), rate=rate, seconds=seconds)


def step(height_uv: float, count: int = 5000) -> npt.NDArray[np.float64]:
    return np.where(np.arange(count) < count // 2, 0.0, height_uv)
