"""What we vouch for: only what is filed in the index and present in the object store."""

from collections.abc import Sequence

from storage.commitments import Candidate, FailureReason
from storage.objects import InvalidObjectKey, ObjectKey, ObjectStore


def examine(candidates: Sequence[Candidate], objects: ObjectStore) -> dict[int, FailureReason]:
    """Return, by position, the reason for each instance that we cannot vouch for now.

    `NO_SUCH_OBJECT_INSTANCE` may change while the instance is on its way
    through the spool; the other reasons are final. An instance of which the
    device's own version is in dispute with the filed one is not vouched for: a
    person may still discard the device's.

    Raises:
        ObjectStoreUnavailable: the store cannot be asked, so that nothing can be said.
    """
    found = {one.position: _reason(one, objects) for one in candidates}
    return {position: reason for position, reason in found.items() if reason is not None}


def _reason(candidate: Candidate, objects: ObjectStore) -> FailureReason | None:
    if candidate.object_key is None:
        return FailureReason.NO_SUCH_OBJECT_INSTANCE
    if candidate.sop_class_uid != candidate.referenced.sop_class_uid:
        return FailureReason.CLASS_INSTANCE_CONFLICT
    if candidate.in_dispute:
        return FailureReason.PROCESSING_FAILURE
    try:
        stored = objects.stat(ObjectKey(candidate.object_key))
    except InvalidObjectKey:
        stored = None
    if stored is None or stored.size != candidate.object_size:
        return FailureReason.PROCESSING_FAILURE
    return None
