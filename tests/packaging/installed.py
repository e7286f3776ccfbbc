"""A checkout with its environment, and an empty environment with nothing but the wheel, outside of every checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.lock_pins import LOCK, ROOT, pins

OURS = ("GATA_", "PYTEST_", "COV_")
"""How the variables begin that a process outside is to know nothing of."""


@dataclass(frozen=True)
class Environment:
    """An environment of Python, and the folder in which its commands run."""

    prefix: Path
    folder: Path

    def variables(self, **more: str) -> dict[str, str]:
        """What its processes see: how packages are found here, and nothing of the checkout or of this process."""
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
        kept = {name: value for name, value in os.environ.items() if name not in hidden and not name.startswith(OURS)}
        return {**kept, "PATH": f"{self.prefix / 'bin'}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100", **more}

    def run(self, *command: str, variables: Mapping[str, str] | None = None, code: int = 0) -> str:
        """Run a command of it, which must end with `code`; what it says on stdout, or where it fails on stderr."""
        done = subprocess.run(
            [shutil.which(command[0], path=str(self.prefix / "bin")) or command[0], *command[1:]],
            env=self.variables(**variables or {}),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stderr if code else done.stdout

    def packages(self) -> dict[str, str]:
        """The version of every package in it."""
        lines = self.run("python", "-m", "pip", "list", "--format=freeze").splitlines()
        return dict(line.split("==", 1) for line in lines)


def new_checkout(folder: Path) -> Environment:
    """The files of this checkout as git would have them in a clone, and what `make setup` makes of them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    checkout = Environment(folder / ".venv", folder)
    checkout.run("make", "setup", f"PYTHON={sys.executable}")
    return checkout


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def new_environment(folder: Path, wheel: Path) -> Environment:
    """An environment with the wheel and what it always needs, at the versions of the lock file, and no extra."""
    prefix, constraints = folder / "environment", folder / "constraints.txt"
    constraints.write_text("\n".join(pins(LOCK.read_text(encoding="utf-8"))), encoding="utf-8")
    subprocess.run([sys.executable, "-P", "-m", "venv", str(prefix)], check=True)
    environment = Environment(prefix, folder / "elsewhere")
    environment.folder.mkdir()
    environment.run("python", "-m", "pip", "install", "--quiet", "--constraint", str(constraints), str(wheel))
    return environment
