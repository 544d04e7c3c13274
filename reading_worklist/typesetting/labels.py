"""The words that our paper prints by itself, in each language."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources


class Language(StrEnum):
    """A language that paper is printed in (BCP 47)."""

    ZH_CN = "zh-CN"
    EN = "en"


Labels = Mapping[str, Mapping[str, str]]


@cache
def labels(language: Language) -> Labels:
    """Return the words of one language, by group and key."""
    catalogue = resources.files("reading_worklist.typesetting").joinpath("labels.toml")
    words: Mapping[str, Labels] = tomllib.loads(catalogue.read_text(encoding="utf-8"))
    return words[language]
