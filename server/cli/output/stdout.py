"""Stdout, which is reserved for answers: what libraries and child processes print goes to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_RULES = {"─": "-", "│": "|", "├": "+", "└": "+", "╴": "-", "╶": "-", "…": "...", "•": "*"}
"""What tables are drawn with, in ASCII."""
PIPE_CLOSED = 128 + 13
"""What a shell reports for a program whose reader has gone: 128 + SIGPIPE."""


def print_text(text: str) -> None:
    """Write an answer. When the reader has gone (`| head`), exit without a message."""
    try:
        sys.stdout.write(f"{encodable(text, sys.stdout.encoding)}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _redirect(1, to=os.open(os.devnull, os.O_WRONLY))  # the interpreter flushes once more when it ends
        raise SystemExit(PIPE_CLOSED) from None


def encodable(text: str, encoding: str | None) -> str:
    """The text with an escape of JSON for each character that an encoding lacks: it stays whole, and JSON valid."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return "".join(_escaped(character, encoding or "utf-8") for character in text)
    return text


def _escaped(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return _RULES.get(character) or json.dumps(character)[1:-1]
    return character


def print_json(value: object) -> None:
    """Write an answer for machines: one line, every digit of a decimal."""
    from semantic.answering.exact_json import to_json

    print_text(to_json(value))


@contextmanager
def stdout_for_answers() -> Iterator[None]:
    """Redirect what libraries and child processes print meanwhile to stderr."""
    with suppress(OSError, ValueError):  # a stdout that is already closed needs no flush
        sys.stdout.flush()
    spare = os.dup(1)
    answers, sys.stdout = sys.stdout, sys.stderr
    try:
        os.dup2(2, 1)
        yield
    finally:
        sys.stdout = answers
        _redirect(1, to=spare)


def _redirect(descriptor: int, *, to: int) -> None:
    os.dup2(to, descriptor)
    os.close(to)
