"""A kept instance as the dataset of a C-STORE of ours, in a transfer syntax that the peer takes.

Where people decided that its patient is another than its header says, it leaves corrected.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, Protocol, TypeVar

from pacs_gateway.associations.commands import ProtocolViolation
from pacs_gateway.associations.contexts import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from storage.datasets.sources import ObjectSource
from storage.errors import RdcError
from storage.identity.correction import corrected
from storage.index.retrieval import KeptInstance
from storage.objects import ObjectKey, ObjectStore
from storage.transcoding import Original, can_transcode, transcode

_CHUNK: Final = 1 << 18
_IN_MEMORY: Final = 8 << 20
_PREFERRED: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)


class Accepted(Protocol):
    """A presentation context that a peer has accepted."""

    @property
    def abstract_syntax(self) -> str:
        """The SOP class."""
        ...

    @property
    def transfer_syntax(self) -> str:
        """The transfer syntax that datasets under it are in."""
        ...


AcceptedT = TypeVar("AcceptedT", bound=Accepted)


def context_for(instance: KeptInstance, contexts: Iterable[AcceptedT]) -> AcceptedT | None:
    """Return the context to send an instance under; None when the peer takes it in none.

    That of the stored transfer syntax, where there is one: nothing is converted without need.
    """
    fitting = [one for one in contexts if one.abstract_syntax == instance.sop_class_uid]
    stored = instance.transfer_syntax_uid
    for syntax in (stored, *_PREFERRED, *(one.transfer_syntax for one in fitting)):
        if syntax == stored or can_transcode(stored, syntax):
            found = next((one for one in fitting if one.transfer_syntax == syntax), None)
            if found is not None:
                return found
    return None


def dataset_of(
    instance: KeptInstance, transfer_syntax: str, objects: ObjectStore
) -> Iterator[bytes]:
    """Return the dataset in pieces; its first piece is at hand when this returns.

    Raises:
        CannotTranscode: it cannot be given in this transfer syntax.
        CannotBeCorrected: its patient is another by decision, and it is too broken to say so.
        ObjectNotFound, ObjectStoreUnavailable: its bytes cannot be had.
    """
    if transfer_syntax == instance.transfer_syntax_uid and instance.overlay is None:
        pieces = objects.stream(
            ObjectKey(instance.object_key), instance.dataset_offset, None, _CHUNK
        )
    else:
        pieces = _converted(instance, transfer_syntax, objects)
    first = next(pieces, b"")
    return chain((first,), _unbroken(pieces))


def _unbroken(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the rest; what fails now leaves half a message behind, which ends the association."""
    try:
        yield from pieces
    except RdcError as error:
        raise ProtocolViolation(f"our bytes ended early: {error.what}") from error


def _converted(
    instance: KeptInstance, transfer_syntax: str, objects: ObjectStore
) -> Iterator[bytes]:
    source = ObjectSource(objects, instance.object_key, instance.object_size)
    original = Original(source, instance.dataset_offset, instance.transfer_syntax_uid)
    if instance.overlay is not None:
        original = corrected(original, instance.overlay)
    if original.transfer_syntax_uid == transfer_syntax:
        offset = original.dataset_offset
        yield from original.source.stream(offset, original.source.size - offset)
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        transcode(original, transfer_syntax, file)  # pyright: ignore[reportArgumentType] -- a file in all but name
        file.seek(0)
        while piece := file.read(_CHUNK):
            yield piece


def proposals(instances: Sequence[KeptInstance]) -> list[tuple[str, str]]:
    """Return SOP class and transfer syntax of the contexts to propose for sending `instances`.

    The stored transfer syntaxes first, then the uncompressed ones that every receiver has.
    """
    stored = dict.fromkeys((one.sop_class_uid, one.transfer_syntax_uid) for one in instances)
    classes = dict.fromkeys(one.sop_class_uid for one in instances)
    plain = [(sop_class, syntax) for sop_class in classes for syntax in _PREFERRED]
    return list(dict.fromkeys((*stored, *plain)))
