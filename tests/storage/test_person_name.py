"""Names are found by Hanzi, pinyin and initials, in every reading, and by parts of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.identifiers import time_ordered_uuid
from storage.person_name import KEY_LENGTH, canonical, display_name, latin_name, search_keys


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("=张^伟", {"^张伟", "^张", "^zhangwei", "^zw", "伟", "wei"}),
        ("单^雄信", {"^shanxiongxin", "^danxiongxin", "^sxx", "雄信", "xiongxin"}),
        ("曾国藩", {"^zengguofan", "^cengguofan", "^zgf"}),
        ("仇^英", {"^qiuying", "^chouying"}),
        ("解^缙", {"^xiejin", "^jiejin"}),
        ("欧阳^修", {"^ouyangxiu", "^oyx", "^欧阳"}),
        ("O'Neil^Anna=", {"^oneilanna", "^annaoneil", "^oneil", "^oa", "neilanna"}),
        ("", set[str]()),
        ("^^=", set[str]()),
    ],
)
def test_keys(name: str, keys: set[str]) -> None:
    found = set(search_keys(name))
    assert found >= keys
    assert bool(found) == bool(keys)


@given(st.text(max_size=200))
def test_any_name_has_bounded_keys_without_punctuation(name: str) -> None:
    for key in search_keys(name):
        plain = key.removeprefix("^")
        assert plain
        assert plain == canonical(plain)
        assert len(plain) <= KEY_LENGTH


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_canonical_of_a_part_is_part_of_the_whole(first: str, second: str) -> None:
    assert canonical(first) + canonical(second) == canonical(first + second)


def test_later_ids_sort_behind() -> None:
    made = [time_ordered_uuid() for _ in range(100)]
    assert len(set(made)) == 100
    assert [one.version for one in made] == [7] * 100
    stamps = [one.int >> 80 for one in made]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    ("name", "displayed", "latin"),
    [
        ("Zhang^Wei=张^伟", "张伟", "Zhang Wei"),
        ("Zhang^Wei=张^伟=ㄓㄤ^ㄨㄟˇ", "张伟", "Zhang Wei"),
        ("Smith^John", "Smith John", ""),
        ("Smith^John=Smith^John", "Smith John", ""),
        ("张^伟", "张伟", ""),
        ("张^伟=张^伟", "张伟", ""),
        ("=张^伟", "张伟", ""),
        ("Zhang^Wei==", "Zhang Wei", ""),
        ("", "", ""),
    ],
)
def test_the_latin_name_stands_beside_one_in_other_characters(
    name: str, displayed: str, latin: str
) -> None:
    assert (display_name(name), latin_name(name)) == (displayed, latin)
