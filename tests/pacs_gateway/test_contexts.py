"""Which abstract and transfer syntaxes are accepted."""

import pytest
from pynetdicom.presentation import PresentationContext, build_context, negotiate_as_acceptor
from pynetdicom.sop_class import _STORAGE_CLASSES

from pacs_gateway.associations.contexts import (
    is_storage,
    preferred_transfer_syntax,
    supported_contexts,
)

_CT = "1.2.840.10008.5.1.4.1.1.2"
_JPEG = "1.2.840.10008.1.2.4.50"
_JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
_EXPLICIT = "1.2.840.10008.1.2.1"
_IMPLICIT = "1.2.840.10008.1.2"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"


@pytest.mark.parametrize("uid", sorted(set(_STORAGE_CLASSES.values())))
def test_every_storage_class_of_the_standard_is_taken(uid: str) -> None:
    not_of_a_patient = uid.startswith("1.2.840.10008.5.1.4.1.1.20") and not is_storage(uid)
    assert is_storage(uid) or not_of_a_patient


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.113619.4.26",
        "1.3.12.2.1107.5.9.1",
        "2.25.1",
        "1.2.840.10008.5.1.4.1.1.9999.1",
        "1.2.840.10008.5.1.4.1.1.5",
        "1.2.840.10008.5.1.4.1.1.88.1",
    ],
)
def test_private_unknown_and_retired_classes_are_taken(uid: str) -> None:
    assert is_storage(uid)


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.1.1",
        "1.2.840.10008.5.1.4.1.2.1.1",
        "1.2.840.10008.5.1.4.31",
        "1.2.840.10008.1.20.1",
        "1.2.840.10008.1.3.10",
        "1.2.840.10008.5.1.4.38.1",
        "1.2.840.10008.1.2.1",
        "../../etc/passwd",
        "",
        "1." * 40,
    ],
)
def test_what_is_not_storage_is_refused(uid: str) -> None:
    assert not is_storage(uid)


@pytest.mark.parametrize(
    ("proposed", "expected"),
    [
        ([_IMPLICIT], _IMPLICIT),
        ([_IMPLICIT, _EXPLICIT], _EXPLICIT),
        ([_BIG_ENDIAN, _IMPLICIT], _IMPLICIT),
        ([_BIG_ENDIAN], _BIG_ENDIAN),
        ([_JPEG_LOSSLESS, _EXPLICIT], _JPEG_LOSSLESS),
        ([_EXPLICIT, _JPEG], _EXPLICIT),
        (["1.2.3.4.5"], "1.2.3.4.5"),
    ],
)
def test_the_preferred_transfer_syntax(proposed: list[str], expected: str) -> None:
    assert preferred_transfer_syntax(proposed) == expected


def _negotiated(requested: list[PresentationContext]) -> list[tuple[int | None, str]]:
    for number, context in enumerate(requested):
        context.context_id = 2 * number + 1
    results, _ = negotiate_as_acceptor(requested, supported_contexts(requested))
    return [(context.result, str(context.transfer_syntax[0])) for context in results]


def test_contexts_of_one_class_are_accepted_each_by_its_own_choice() -> None:
    requested = [
        build_context(_CT, [_EXPLICIT]),
        build_context(_CT, [_JPEG_LOSSLESS, _EXPLICIT]),
        build_context(_CT, [_IMPLICIT]),
        build_context(_CT, [_BIG_ENDIAN]),
        build_context("1.2.840.113619.4.26", ["1.2.840.113619.5.2"]),
        build_context("1.2.840.10008.5.1.4.1.2.2.1", [_EXPLICIT]),
        build_context("1.2.840.10008.1.1", [_IMPLICIT]),
    ]
    assert _negotiated(requested) == [
        (0, _EXPLICIT),
        (0, _JPEG_LOSSLESS),
        (0, _IMPLICIT),
        (0, _BIG_ENDIAN),
        (0, "1.2.840.113619.5.2"),
        (3, _EXPLICIT),
        (0, _IMPLICIT),
    ]


def test_128_contexts_of_one_class_are_all_accepted() -> None:
    requested = [build_context(_CT, [f"1.2.3.{number}"]) for number in range(128)]
    assert all(result == 0 for result, _ in _negotiated(requested))
