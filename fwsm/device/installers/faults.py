"""What the operating system refuses, as errors of ours."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fwsm.errors import NoSpaceError, SlotError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["translated"]

_NO_SPACE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FIX: Final = {
    errno.EROFS: "Mount the file system of the slots for writing, then retry",
    errno.EACCES: "Give the slots to the user that this program runs as, then retry",
    errno.EPERM: "Give the slots to the user that this program runs as, then retry",
    errno.ELOOP: "Put a file in the place of the symbolic link, then retry",
}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn an OSError into an error of ours.

    Args:
        doing: what is being tried, as in "write slot b".

    Raises:
        NoSpaceError: the disk or the quota is full.
        SlotError: anything else that the system refuses.
    """
    try:
        yield
    except OSError as error:
        why = f"{error.strerror or error} ({error.filename})" if error.filename else error.strerror or str(error)
        if error.errno in _NO_SPACE:
            raise NoSpaceError(f"cannot {doing}", why=why, fix="Make room beside the slots, then retry") from error
        fix = _FIX.get(error.errno or 0, "Check the storage that holds the slots")
        raise SlotError(f"cannot {doing}", why=why, fix=fix) from error
