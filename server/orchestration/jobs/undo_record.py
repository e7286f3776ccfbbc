"""The undo record of a job, as ops.sqlite keeps it: the change of tenants.yaml that is taken back when it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ConfigError
from server.orchestration.jobs.tenants_edit_file import TenantsFileChange

FORMAT: Final = 1
"""The format of records that this release writes; records of a release that did not write it are of format 1 too."""


class UndoRecord(BaseModel):
    """The change, and whether the tenant had left-overs of an earlier attempt."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = FORMAT
    file: Path
    before: str
    after: str
    leftovers: Literal["yes", ""] = ""

    @property
    def change(self) -> TenantsFileChange:
        return TenantsFileChange(self.file, self.before, self.after)


def read_undo_record(text: str) -> UndoRecord:
    """Read a record.

    Raises:
        ConfigError: A later release wrote it, or it is damaged; the change stays in tenants.yaml.
    """
    try:
        tree = json.loads(text)
        found = tree.get("version", FORMAT) if isinstance(tree, dict) else FORMAT
        if isinstance(found, int) and found > FORMAT:
            raise ConfigError(
                f"The undo record of this job is of format {found}; this release reads up to {FORMAT}.",
                "Upgrade gata to the release that accepted the job, or undo its change in tenants.yaml by hand.",
            )
        return UndoRecord.model_validate(tree)
    except (ValueError, ValidationError) as error:
        raise ConfigError(
            "The undo record of this job cannot be read.", "Undo its change in tenants.yaml by hand."
        ) from error
