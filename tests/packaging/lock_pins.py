"""Writes requirements.lock, and its versions into pyproject.toml, where uv looks for them.

    make lock                   what pyproject.toml asks for, at the versions that are locked already
    make lock UPGRADE=duckdb    the same, with the newest duckdb that pyproject.toml allows

pip takes requirements.lock with its hashes. uv, which `mcp dev` runs in the checkout, resolves pyproject.toml itself;
`[tool.uv] constraint-dependencies` holds it to the same versions, so that it finds nothing to replace in `.venv`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK, PROJECT = ROOT / "requirements.lock", ROOT / "pyproject.toml"

COMPILE = (
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--all-extras", "--group", "dev"),
    *("--generate-hashes", "--no-strip-extras", "--no-header", "--no-annotate", "--no-emit-index-url"),
)
_PIN = re.compile(r"^(?P<name>[\w.-]+)(\[[^]]*])?(?P<version>==[^\s;]+)(?P<marker> ; [^\\]+?)? \\$", re.MULTILINE)
_LIST = re.compile(r"(?<=^constraint-dependencies = \[\n)(.*?)(?=^]$)", re.MULTILINE | re.DOTALL)


def pins(lock: str) -> list[str]:
    """The requirements of a lock file without hashes, and without extras, which no constraint may have."""
    return [f"{pin['name']}{pin['version']}{pin['marker'] or ''}" for pin in _PIN.finditer(lock)]


def name_of(requirement: str) -> str:
    """The name of the package that a requirement is about, as indexes spell it."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def with_pins(project: str, constraints: Sequence[str]) -> str:
    """The text of a pyproject.toml whose constraint-dependencies are exactly these."""
    lines = "".join(f'    "{constraint}",\n' for constraint in constraints)
    return _LIST.sub(lambda _: lines, project, count=1)


def main(upgrade: Sequence[str]) -> None:
    """Resolve pyproject.toml without its constraints, which would hold back every upgrade, and write both files."""
    project = PROJECT.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        free = Path(folder) / PROJECT.name
        free.write_text(with_pins(project, ()), encoding="utf-8")
        command = [
            "uv",
            *COMPILE,
            *(f"--upgrade-package={name}" for name in upgrade),
            "--output-file",
            str(LOCK),
            free.name,
        ]
        subprocess.run([sys.executable, "-P", "-m", *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    PROJECT.write_text(with_pins(project, pins(LOCK.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
