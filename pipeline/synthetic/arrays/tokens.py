"""Opaque ids: letters and digits that look random and are derived from a number, always the same."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.synthetic.arrays.rng import Ints, seed_of

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HEX = b"0123456789abcdef"
_UUID = ((8, "-"), (13, "-"), (14, "4"), (18, "-"), (19, "8"), (23, "-"))  # version 4, its first variant


def letters(seed: int, kind: str, numbers: Ints, length: int, alphabet: bytes = ALPHABET) -> Any:
    """`length` letters and digits for each number; they differ by tenant (`seed`) and by kind of id."""
    return _texts(_draw(seed, kind, numbers, length, alphabet))


def uuids(seed: int, kind: str, numbers: Ints) -> Any:
    """A UUID for each number, such as 3f2b1c9a-0d4e-4a7b-8c61-5e90d2f7a318."""
    characters = _draw(seed, kind, numbers, 36, HEX)
    for position, character in _UUID:
        characters[:, position] = ord(character)
    return _texts(characters)


def _draw(seed: int, kind: str, numbers: Ints, length: int, alphabet: bytes) -> NDArray[np.uint8]:
    """Characters for each number: SplitMix64 seeded with the number, one character per step."""
    state = numbers.astype(np.uint64) ^ np.uint64(seed_of(str(seed), kind))
    characters = np.frombuffer(alphabet, dtype=np.uint8)
    texts = np.empty((len(numbers), length), dtype=np.uint8)
    for position in range(length):
        state += np.uint64(0x9E3779B97F4A7C15)
        mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        texts[:, position] = characters[(mixed ^ (mixed >> np.uint64(31))) % np.uint64(len(alphabet))]
    return texts


def _texts(characters: NDArray[np.uint8]) -> Any:
    """Rows of characters as texts."""
    count, length = characters.shape
    offsets = np.arange(count + 1, dtype=np.int32) * length
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(characters.tobytes())])
