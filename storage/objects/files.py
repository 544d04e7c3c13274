"""What the object store asks of the files under it: durable names, hard links, plain errors."""

import contextlib
import errno
import io
import os
import secrets
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Final

from storage.objects.contract import CHUNK_BYTES, ObjectStoreUnavailable

# A hard link can be impossible where a copy is not: another filesystem, one without links,
# too many links, or a file of another user (fs.protected_hardlinks).
LINK_IMPOSSIBLE: Final = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS}
)
_NO_WAIT: Final = getattr(os, "RWF_NOWAIT", 0)
_REMEDIES: Final = {
    errno.ENOSPC: "Free space on the disk of the object store, or move the store to a larger one.",
    errno.EDQUOT: "Raise the disk quota of the user that runs the service.",
    errno.EACCES: "Give the user that runs the service the folder of the object store.",
    errno.EPERM: "Give the user that runs the service the folder of the object store.",
    errno.EROFS: "Mount the disk of the object store writable; after an error it is read-only.",
    errno.EMFILE: "Raise the limit of open files of the service.",
}


@contextlib.contextmanager
def unavailable(what: str, root: Path) -> Generator[None]:
    """Turn an error of the system into one of the store at `root`; `what` cannot be done.

    Raises:
        ObjectStoreUnavailable: the block raised OSError.
    """
    try:
        yield
    except OSError as error:
        raise ObjectStoreUnavailable(
            what,
            expected=f"a working folder {root}",
            found=error.strerror or type(error).__name__,
            remedy=_REMEDIES.get(
                error.errno or 0, "Look at the disk and the system log, then try again."
            ),
        ) from error


def in_memory(file: int, offset: int, length: int) -> bool:
    """Tell whether a range of an open file can be read without waiting for the disk.

    Files come into memory and go from it in long runs: the two ends speak for all. Linux alone
    can tell; elsewhere nothing counts as being in memory.
    """
    if not _NO_WAIT:
        return False
    try:
        for place in {offset, max(offset + length - 1, offset)}:
            os.preadv(file, [bytearray(1)], place, _NO_WAIT)
    except OSError:
        # Some of it is not in memory, or the filesystem cannot tell.
        return False
    return True


def links_work(folder: Path) -> bool:
    """Tell whether files in `folder` can have a second name.

    Raises:
        OSError: nothing can be written there.
    """
    probe = folder / f"link-{secrets.token_hex(8)}"
    twin = probe.with_suffix(".twin")
    try:
        probe.write_bytes(b"")
        os.link(probe, twin)
    except OSError as error:
        if error.errno not in LINK_IMPOSSIBLE:
            raise
        return False
    finally:
        probe.unlink(missing_ok=True)
        twin.unlink(missing_ok=True)
    return True


def write_all(file: io.FileIO, piece: bytes) -> None:
    """Write all of `piece` to a file without a buffer, which may take less at once."""
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def same_bytes(left: Path, right: Path) -> bool:
    """Tell whether two files hold the same; memory does not grow with them."""
    if left.samefile(right):
        return True
    if left.stat().st_size != right.stat().st_size:
        return False
    with left.open("rb") as one, right.open("rb") as other:
        while piece := one.read(CHUNK_BYTES):
            if piece != other.read(len(piece)):
                return False
    return True


def one_journal(folder: Path) -> bool:
    """Tell whether to sync one folder makes durable all that was changed before on its filesystem.

    True for ext4 with a journal, whose fsync of a folder commits the running transaction with all
    that is in it (ext4_force_commit). False for all others, as POSIX promises nothing of the kind:
    XFS forces its log only up to the last change of the folder that is synced.
    """
    if sys.platform != "linux":
        return False
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
            fields = line.split()
            if fields[2] == number:
                kind = fields[fields.index("-") + 1]
                block_device = Path(f"/sys/dev/block/{number}").resolve().name
                journal = Path(f"/proc/fs/jbd2/{block_device}-8")
                return kind == "ext4" and journal.exists()
    except (OSError, ValueError, IndexError):
        # Without what the system says of its filesystems, nothing is known of them.
        return False
    return False


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
