"""A file that cannot be read as a whole."""

from __future__ import annotations


class Unreadable(Exception):  # a finding about a file, not an error of ours
    """A file cannot be read as a whole: it is quarantined by name, and never stops the others.

    Attributes:
        lasting: The content is at fault, so the same content fails again; else the access is (a permission, a disk).
    """

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting
