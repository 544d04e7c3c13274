"""The statements of an ECG report: complete, found by what is typed, and read back from a text."""

import re

import pytest

from reading_worklist.ecg.statements.library import CLASSES, library, worst
from reading_worklist.typesetting.labels import Language
from storage.pinyin import readings

EVERY = tuple(library().statements.values())


def test_every_statement_has_its_own_words_and_key() -> None:
    assert len(EVERY) >= 130
    for words in (
        [one.zh for one in EVERY],
        [one.en.lower() for one in EVERY],
        [one.key for one in EVERY],
    ):
        assert len(set(words)) == len(EVERY)
    for one in EVERY:
        assert re.fullmatch(r"[a-z0-9_]+", one.id)
        assert re.fullmatch(r"[a-z0-9]+", one.key)
        assert one.ecg_class is None or one.ecg_class in CLASSES
        assert one.code is None or one.code[0].isdigit()


def test_every_group_that_a_county_centre_needs_is_there() -> None:
    assert {one.group for one in EVERY} >= {
        "overall",
        "rhythm",
        "conduction",
        "hypertrophy",
        "st_t",
        "infarction",
        "axis",
        "ectopy",
        "pacing",
        "technical",
    }


def test_the_pinyin_is_a_reading_of_the_chinese() -> None:
    for one in EVERY:
        spoken = one.pinyin.replace(" ", "")
        pattern = "".join(
            "(?:" + "|".join(sorted({_letters(reading) for reading in each})) + ")"
            for each in readings(one.zh)
        )
        assert re.fullmatch(pattern, spoken), one.id


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isascii() and letter.isalnum())


def test_every_contradiction_names_statements_that_are_there() -> None:
    for pair in library().excluding:
        assert len(pair) == 2
        assert all(library().get(identifier) for identifier in pair)


@pytest.mark.parametrize(
    "text",
    [
        "窦性心律\n完全性右束支阻滞",
        "1. 窦性心律；2. 完全性右束支阻滞。",
        "1、窦性心律\n2、完全性右束支阻滞，",
        "(1) Sinus rhythm\n(2) COMPLETE right bundle branch block.".replace(".", ""),
        "窦性心律\n心率偏快\n完全性右束支阻滞",
    ],
)
def test_statements_are_read_from_a_text_however_it_is_numbered(text: str) -> None:
    said = library().said(text)
    assert [one.statement.id for one in said] == ["sinus_rhythm", "rbbb"]
    for one in said:
        assert text[one.start : one.end].lower() in {
            one.statement.zh.lower(),
            one.statement.en.lower(),
        }


def test_a_ratio_at_the_beginning_is_no_number_of_a_list() -> None:
    assert [one.statement.id for one in library().said("2:1房室阻滞")] == ["av_block_2_to_1"]


def test_what_was_changed_is_the_doctors_own() -> None:
    assert library().said("窦性心律，偶发早搏") == []
    assert library().said("不除外心房颤动") == []


def test_a_text_is_rendered_in_the_other_language_where_it_was_picked() -> None:
    text = "1. 窦性心律\n2. 心房颤动？请结合临床\n3. 左心室肥厚。"
    picked = ["sinus_rhythm", "atrial_fibrillation", "lvh"]
    there = library().in_language(text, picked, Language.EN)
    assert there == "1. Sinus rhythm\n2. 心房颤动？请结合临床\n3. Left ventricular hypertrophy。"
    assert library().in_language(there, picked, Language.ZH_CN) == text
    assert library().in_language(text, [], Language.EN) == text


def test_the_worst_class_is_proposed() -> None:
    assert worst([None, "normal", "suspicious", "borderline"]) == "suspicious"
    assert worst([None]) is None
