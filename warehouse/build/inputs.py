"""The digest of a tenant's build inputs."""

from __future__ import annotations

import hashlib

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.currency.exchange_rates import rates_digest
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub
from warehouse.build.source_digest import CODE, source_digest


def star_inputs(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> str:
    """A digest of all inputs of a tenant's published run: its configuration, gates and rates, its loads, our code.

    The star project is a function of these, so it need not be generated to know whether it changed.
    """
    digest = hashlib.sha256(source_digest(settings.home / CODE).encode())
    digest.update(tenant.star_fingerprint.encode() + rates_digest(tenant).encode())
    if settings.gates:
        digest.update(repr(sorted(settings.gates.items())).encode())
    for _, blueprint in sorted(blueprints.items()):
        digest.update(f"{blueprint.sink} {blueprint.version} {blueprint.source_schema_hash}\n".encode())
    with read_hub(settings) as hub:
        loads = hub.execute(
            "select source_platform, source_object, load_id from platform_ops__push_ledger"
            " where tenant_slug = ? order by all",
            [tenant.slug],
        ).fetchall()
    digest.update(repr(loads).encode())
    return digest.hexdigest()
