"""The boundary of one tenant's work: what goes wrong inside it is the failure of that tenant, and never of the others.

an error of ours       as it is: it names what is wrong, and the step that works
an error of a file     FileError: the file and the reason of the operating system
anything else          Unforeseen: a bug, reported under an event id
Ctrl-C, ops.sqlite     raised: they concern everybody
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeVar

from pipeline.bug_reports import is_interrupt, report_bug
from pipeline.errors import FileError, GataError, StateError, Unforeseen
from pipeline.retries import failure_class

Result = TypeVar("Result")

OF_FILES = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EISDIR,
        errno.ELOOP,
        errno.EMFILE,
        errno.ENAMETOOLONG,
        errno.ENFILE,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
    }
)
"""Codes of the operating system that say something about a file or a disk, and nothing about our code."""


def failure_of(error: Exception, *, tenant: str, step: str) -> GataError:
    """The failure of a tenant that an error in a step of its work is; a bug is reported, and its event id named.

    Raises:
        Exception: The error itself, where it is Ctrl-C or concerns every tenant.
    """
    if isinstance(error, StateError) or is_interrupt(error):
        raise error
    if isinstance(error, GataError):
        return error
    if isinstance(error, OSError) and error.errno in OF_FILES and error.filename is not None:
        return _of_file(error, tenant)
    event_id = report_bug(error, call=f"{step} of {tenant}")
    return Unforeseen(
        f"The step {step} of {tenant} met a bug in gata, event {event_id}.",
        "Report it with the lines of the log that name the event; its readers keep the run they have.",
        event_id=event_id,
    )


def attempt(work: Callable[[], Result], *, tenant: str, step: str) -> Result | GataError:
    """The result of some work for a tenant, or its failure, as a value: a process cannot raise in another one."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  # the boundary: of whatever kind, it is this tenant's
        failure = failure_of(error, tenant=tenant, step=step)
        failure.failure = failure_class(error)  # its cause stays in this process
        return failure


def _of_file(error: OSError, tenant: str) -> FileError:
    name = error.filename2 or error.filename
    path = name.decode(errors="backslashreplace") if isinstance(name, bytes) else str(name)
    shown = path.encode(errors="backslashreplace").decode()
    return FileError(
        f"{shown} cannot be used: {(error.strerror or str(error)).lower()}.",
        f"Mend it, then run `gata build --tenant {tenant}`; its readers keep the run they have.",
    )
