"""Targets that land anew, because what is there of them does not go together with what comes now.

Two kinds: synthetic exports of a shop that another one replaced, and records that a release from before bronze pushed,
which told records apart by other keys: a new version of such a record would count beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.sql import quote
from pipeline.errors import LandError
from pipeline.ingest.deliveries.ledger import LandedFile, Ledger
from pipeline.ingest.earlier_shapes import Key
from pipeline.ingest.exports import ExportTarget
from pipeline.ingest.landing_tables import LOAD_ID, LOAD_TABLES, dataset
from pipeline.settings import Settings
from pipeline.storage.bronze.batches import BatchFolder
from pipeline.synthetic.chunks import replaces_another

_REGISTRY = "hub_key_registry"
_BY_OBJECT = (_REGISTRY, "platform_ops__slice_coverage")
"""Tables of the hub that know records by tenant, platform, account and object, beside the sink."""


@dataclass(frozen=True)
class OutdatedTargets:
    """Finds and removes, in one tenant's part of the hub."""

    hub: duckdb.DuckDBPyConnection
    tenant: Tenant
    settings: Settings

    def find(self, targets: Iterable[ExportTarget], ledgers: Mapping[Key, Ledger]) -> list[ExportTarget]:
        """The targets to land anew.

        Raises:
            LandError: One of them was pushed under other keys, and files that landed of it are not there as they were.
        """
        landed = {target.key: (ledgers.get(target.key) or Ledger()).newest for target in targets}
        return [target for target in targets if landed[target.key] and self._is_outdated(target, landed[target.key])]

    def remove(self, targets: Sequence[ExportTarget], batches_of: Callable[[ExportTarget], BatchFolder]) -> None:
        """Remove what is there of some targets: their generated batches first, so that none of them lands again.

        A process that dies in between is repeated by the next landing.
        """
        for target in targets:
            if target.read.kind == "synthetic":
                shutil.rmtree(batches_of(target).folder, ignore_errors=True)
        self.hub.execute("begin")
        for target in targets:
            self._remove_rows(target)
        self.hub.execute("commit")

    def _is_outdated(self, target: ExportTarget, landed: Mapping[str, LandedFile]) -> bool:
        if target.read.kind == "synthetic":
            if not all(self._is_generated(target, path) for path in landed):
                return False
            return self._is_of_another_shop(target, landed) or self._has_other_keys(target)
        if target.read.kind != "files" or all(file.batch_id for file in landed.values()):
            return False
        if self._has_other_keys(target):
            self._check_exports(target)
            return True
        return False

    def _is_generated(self, target: ExportTarget, path: str) -> bool:
        platform, account, _ = target.key
        return Path(path).parts[-5:-1] == ("synthetic", self.tenant.slug, platform, account)

    def _is_of_another_shop(self, target: ExportTarget, landed: Mapping[str, LandedFile]) -> bool:
        """Whether the first generated file did not land, and follows those of another shop or generator."""
        if not target.paths or not replaces_another(self.settings.home / "synthetic" / self.tenant.slug):
            return False
        first = replace(target, paths=target.paths[:1]).exports()[0]
        return first.sha256 not in {file.sha256 for file in landed.values()}

    def _has_other_keys(self, target: ExportTarget) -> bool:
        """Whether the sink has records of files from before bronze, and the registry of keys knows none of them."""
        if not self._exists(target.blueprint.sink):
            return False
        platform, account, object_ = target.key
        known = f"select tenant_skey from {_REGISTRY} where tenant_slug = $tenant and source_platform = $platform"
        if not self._exists(_REGISTRY):
            known = "select null::varchar where false"
        row = self.hub.execute(
            f"""with pushed as (
                select tenant_skey from {quote(target.blueprint.sink)}
                where tenant_slug = $tenant and source_platform = $platform and source_account = $account
                    and load_id in (
                        select {LOAD_ID} from {quote(dataset(self.tenant))}.landed_files
                        where platform = $platform and account = $account and object = $object
                            and batch_id is null and rows > 0))
            select count(*), count(*) filter (where tenant_skey in ({known})) from pushed""",
            {"tenant": self.tenant.slug, "platform": platform, "account": account, "object": object_},
        ).fetchone()
        pushed, registered = cast("tuple[int, int]", row)
        return pushed > 0 and not registered

    def _check_exports(self, target: ExportTarget) -> None:
        """Refuse unless everything that landed of a target is in its files of today."""
        platform, account, object_ = target.key
        rows = self.hub.execute(
            f"""select path, sha256, batch_id from {quote(dataset(self.tenant))}.landed_files
            where platform = ? and account = ? and object = ? and rows > 0 order by batch_id nulls first, path""",
            list(target.key),
        ).fetchall()
        here = {export.sha256 for export in target.exports()}
        gone = [Path(path).name for path, sha256, batch_id in rows if batch_id is not None or sha256 not in here]
        if gone:
            more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
            raise LandError(
                f"An earlier release pushed the {object_} of {platform} {account} of {self.tenant.slug} under other"
                f" keys, and {gone[0]}{more} that landed cannot be landed anew as it was; nothing was touched.",
                "Put the exports of then back, or run `gata build --from bronze`: it makes the hub anew from bronze and"
                " the exports that are there, and names the tables with fewer rows.",
            )

    def _remove_rows(self, target: ExportTarget) -> None:
        platform, account, object_ = target.key
        schema, slug = quote(dataset(self.tenant)), self.tenant.slug
        self.hub.execute(f"delete from {schema}.{quote(target.blueprint.landing_table)} where _account = ?", [account])
        for table in LOAD_TABLES:
            self.hub.execute(
                f"delete from {schema}.{table} where platform = ? and account = ? and object = ?", list(target.key)
            )
        of_account = "tenant_slug = ? and source_platform = ? and source_account = ?"
        if self._exists(target.blueprint.sink):
            sink = quote(target.blueprint.sink)
            self.hub.execute(f"delete from {sink} where {of_account}", [slug, platform, account])
        for table in filter(self._exists, _BY_OBJECT):
            self.hub.execute(
                f"delete from {table} where {of_account} and source_object = ?", [slug, platform, account, object_]
            )

    def _exists(self, table: str) -> bool:
        found = self.hub.execute("select 1 from duckdb_tables() where table_name = ? and schema_name = 'main'", [table])
        return found.fetchone() is not None
