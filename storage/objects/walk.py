"""One order of listing for every backend.

Stores disagree about order: S3 sorts whole keys as bytes, stores built on a
filer sort folder by folder, so that `x/y` stands before `x-a` in one and after
it in the other. Walking folder by folder and sorting each gives the same
sequence everywhere.
"""

from collections.abc import Callable, Iterable, Iterator

from storage.objects.contract import InvalidObjectKey, ObjectKey, StoredObject, check_prefix

FolderEntry = tuple[str, StoredObject | None]
"""A name in a folder; with None the name of a folder inside it."""


def stored_object_or_none(
    key: str, make: Callable[[ObjectKey], StoredObject]
) -> StoredObject | None:
    """Return `make(key)`, or None when `key` is no key of ours but something foreign."""
    try:
        return make(ObjectKey(key))
    except InvalidObjectKey:
        return None


def walk(
    prefix: str, folder_entries: Callable[[str], Iterable[FolderEntry]]
) -> Iterator[StoredObject]:
    """Return the objects whose keys begin with `prefix`, in ascending order of the key.

    folder_entries: called with "" or with a folder's path ending in "/";
        returns what is directly inside, in any order; nothing for a folder
        that does not exist. It is called lazily.

    Raises:
        InvalidObjectKey: no key begins with `prefix`.
    """
    checked = check_prefix(prefix)
    folder = checked[: checked.rfind("/") + 1]
    return _walk(folder, checked, folder_entries)


def _walk(
    folder: str, prefix: str, folder_entries: Callable[[str], Iterable[FolderEntry]]
) -> Iterator[StoredObject]:
    # A folder sorts by its name with the slash, as its keys do.
    entries = sorted(
        (folder + name + ("/" if item is None else ""), item)
        for name, item in folder_entries(folder)
    )
    for path, item in entries:
        if item is not None:
            if path.startswith(prefix):
                yield item
        elif path.startswith(prefix) or prefix.startswith(path):
            yield from _walk(path, prefix, folder_entries)
