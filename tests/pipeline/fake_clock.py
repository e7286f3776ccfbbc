"""A clock that passes only while somebody sleeps by it."""

from __future__ import annotations

from collections.abc import Callable


class FakeClock:
    """Keeps every sleep; `while_asleep` is called during each."""

    def __init__(self, while_asleep: Callable[[], object] = lambda: None) -> None:
        self.now, self.slept, self._while_asleep = 1000.0, list[float](), while_asleep

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self._while_asleep()
