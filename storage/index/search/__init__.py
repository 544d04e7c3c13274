"""Searching the index (PS3.4 §C.2): one engine for QIDO-RS, C-FIND and whoever else asks."""

from storage.index.search.attributes import ATTRIBUTES, UNIQUE_KEYS, Attribute, Level, Matching
from storage.index.search.engine import (
    COUNTED_MAX,
    COUNTED_MAX_BY_ATTRIBUTES,
    Key,
    Match,
    Options,
    Page,
    Search,
    Sees,
    Total,
    Within,
    prepare,
    run,
)
from storage.index.search.names import name_begins, patient_name_begins, patient_name_matches
from storage.index.search.values import InvalidKey

__all__ = [
    "ATTRIBUTES",
    "COUNTED_MAX",
    "COUNTED_MAX_BY_ATTRIBUTES",
    "UNIQUE_KEYS",
    "Attribute",
    "InvalidKey",
    "Key",
    "Level",
    "Match",
    "Matching",
    "Options",
    "Page",
    "Search",
    "Sees",
    "Total",
    "Within",
    "name_begins",
    "patient_name_begins",
    "patient_name_matches",
    "prepare",
    "run",
]
