"""Commands of a page, and the output that the page shows below them."""

from __future__ import annotations

import re
from pathlib import Path


def commands_and_output(page: Path) -> list[tuple[str, str]]:
    """Each sh block of a page that an output block follows, with that output."""
    return re.findall(r"```sh\n(.*?)```\n```\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def is_shown(shown: str, printed: str) -> bool:
    """Whether every line of a shown output was printed; run ids differ, and `...` stands for other lines."""
    lines = {line.rstrip() for line in printed.splitlines()}
    return all(line.rstrip() in lines or line == "..." for line in shown.splitlines())
