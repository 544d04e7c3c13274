"""Which presentation contexts we accept (PS3.8 §7.1.1.13, PS3.7 D.3.2).

C-ECHO, the services of this gateway, and every storage SOP class: those the
standard knows by today's dictionary, those it will know tomorrow, and private
ones. What is sent is kept as it is, so no transfer syntax is refused either.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from pydicom.uid import UID
from pynetdicom.presentation import PresentationContext, build_context

from storage.identifiers import InvalidIdentifier, Uid

VERIFICATION: Final = "1.2.840.10008.1.1"
EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"

_STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"

# Between encodings without compression every sender converts at no loss: the
# one that keeps the VR of private elements is asked for first, the retired last.
_UNCOMPRESSED: Final = (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
)

# SOP classes with "Storage" in their name that do not carry instances of a
# patient's study: DICOMDIR, storage commitment, and the Non-Patient Object
# Storage Service Class (PS3.4 Annex GG).
_NOT_OF_A_STUDY: Final = frozenset(
    {
        "1.2.840.10008.1.3.10",
        _STORAGE_COMMITMENT,
        "1.2.840.10008.1.20.2",
        "1.2.840.10008.5.1.4.38.1",
        "1.2.840.10008.5.1.4.39.1",
        "1.2.840.10008.5.1.4.43.1",
        "1.2.840.10008.5.1.4.44.1",
        "1.2.840.10008.5.1.4.45.1",
        "1.2.840.10008.5.1.4.1.1.200.1",
        "1.2.840.10008.5.1.4.1.1.200.3",
        "1.2.840.10008.5.1.4.1.1.200.7",
        "1.2.840.10008.5.1.4.1.1.201.1",
    }
)


# Asked for every instance; a peer can propose any number of syntaxes.
@lru_cache(maxsize=1024)
def is_storage(abstract_syntax: str) -> bool:
    """Tell whether instances proposed under this abstract syntax are taken in.

    A UID unknown to the data dictionary counts as storage: it is a private
    SOP class or one younger than this software.
    """
    if abstract_syntax in _NOT_OF_A_STUDY or not _is_uid(abstract_syntax):
        return False
    uid = UID(abstract_syntax)
    if uid.name == abstract_syntax:
        return True
    return uid.type == "SOP Class" and "Storage" in uid.name


def preferred_transfer_syntax(proposed: Sequence[str]) -> str:
    """Return the transfer syntax to accept of those `proposed` in one context; there is one.

    The first is taken as the sender's own encoding. Only when that is an
    uncompressed one, a better uncompressed one is preferred, see above.
    """
    first = proposed[0]
    if first not in _UNCOMPRESSED:
        return first
    return next(syntax for syntax in _UNCOMPRESSED if syntax in proposed)


def supported_contexts(
    requested: Sequence[PresentationContext], served: Collection[str] = ()
) -> list[PresentationContext]:
    """Return what an association that proposes `requested` is negotiated against.

    served: SOP classes besides verification and storage; their datasets are taken and given
        without compression.

    Either role is granted for storage and for storage commitment: a peer that
    retrieves by C-GET takes the SCP role for the classes it wants to receive
    (PS3.4 C.5.3), and one that tells a result has it (PS3.4 J.3.3). One supported
    context per abstract syntax, its transfer syntaxes in the order in which the
    negotiation shall try them; what is not in the list is refused with
    "abstract syntax not supported".
    """
    proposed = tuple(
        (str(context.abstract_syntax), tuple(map(str, context.transfer_syntax)))
        for context in requested
    )
    return list(_supported(proposed, frozenset(served)))


# A device proposes the same each time, and some open an association for every image. Nobody
# changes what has been made.
@lru_cache(maxsize=64)
def _supported(
    proposed: tuple[tuple[str, tuple[str, ...]], ...], served: frozenset[str]
) -> tuple[PresentationContext, ...]:
    chosen: dict[str, set[str]] = {}
    for abstract_syntax, syntaxes in proposed:
        offered = [syntax for syntax in syntaxes if _is_uid(syntax)]
        if offered and abstract_syntax not in served and is_storage(abstract_syntax):
            chosen.setdefault(abstract_syntax, set()).add(preferred_transfer_syntax(offered))
    contexts = [build_context(VERIFICATION)]
    for abstract_syntax in served:
        context = build_context(abstract_syntax, list(_UNCOMPRESSED))
        if abstract_syntax == _STORAGE_COMMITMENT:
            # Who was asked by us tells the result as SCP.
            context.scu_role = context.scp_role = True
        contexts.append(context)
    for abstract_syntax, syntaxes in chosen.items():
        context = build_context(abstract_syntax, sorted(syntaxes, key=_trial_order))
        context.scu_role = context.scp_role = True
        contexts.append(context)
    return tuple(contexts)


def _trial_order(transfer_syntax: str) -> tuple[int, str]:
    """Order for one class proposed in several contexts.

    The negotiation takes the first of the list that a context offers.
    Compressed ones come first, since each is the choice of a context that names
    it first; a context with only uncompressed ones passes them by.
    """
    uncompressed = transfer_syntax in _UNCOMPRESSED
    return (1 + _UNCOMPRESSED.index(transfer_syntax) if uncompressed else 0, transfer_syntax)


def _is_uid(text: str) -> bool:
    try:
        Uid.parse(text)
    except InvalidIdentifier:
        return False
    return True
