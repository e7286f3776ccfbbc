"""Where in a model file something is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import ConfigError


@dataclass(frozen=True)
class FileLine:
    """A line of a model file."""

    file: str
    line: int = 1

    def at(self, line: int) -> FileLine:
        return FileLine(self.file, line)

    def wrong(self, what: str, fix: str) -> ConfigError:
        """The error to raise about it: file and line, what is wrong, and the step that works."""
        return ConfigError(f"{self}: {what}", fix)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
