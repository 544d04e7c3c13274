"""How Han characters are read: pinyin without tones, ü written v.

The dictionaries of pypinyin take 55 MiB and a third of a second. They are loaded when a first name
is read, so that processes which read none stay small.
"""


def syllables(text: str) -> list[str]:
    """Return the usual reading of `text`, one syllable for each character.

    What is not Han stays together as one.
    """
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 -- see above

    return lazy_pinyin(text, style=Style.NORMAL)


def readings(text: str) -> list[list[str]]:
    """Return every reading of each character of `text`, the usual one first.

    What is not Han, and a word of the dictionary that is read as one, stay together as one.
    """
    from pypinyin import Style, pinyin  # noqa: PLC0415 -- see above

    return pinyin(text, style=Style.NORMAL, heteronym=True)
