"""Erasures made again on a restored backup: their log knows a person by a salted hash, so each address is compared."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.slug import Slug
from pipeline.contracts.sql import literal, quote
from pipeline.errors import RecoveryError
from pipeline.log import log
from pipeline.privacy.erasure_log import Erasure
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.hub import read_hub
from pipeline.storage.ops import Ops
from server.orchestration import verbs
from server.orchestration.build_command import StepObserver
from server.orchestration.build_context import open_build_context
from server.orchestration.forgetting import erase_everywhere, erase_person, is_known, record_erasure

_PART = r"""[^\s"<>()\[\]{},;:\\=&?/|]+"""
_ADDRESS = rf"{_PART}(?:@|%40){_PART}"


def forget_again(settings: Settings, erasures: Sequence[Erasure], watch: StepObserver) -> int:
    """Make erasures again that a restored state folder does not know, and record them there.

    Returns:
        How many of them found something.

    Raises:
        RecoveryError: A person of a tenant was forgotten that cannot be built now.
        GataError: An erasure failed.
    """
    found = 0
    persons: dict[Slug, list[Erasure]] = {}
    for erasure in sorted(erasures, key=lambda each: (each.at, each.tenant)):
        if not is_known(erasure.tenant, settings):
            _only_record(erasure, settings)
        elif erasure.person is None:
            with build_lock(settings.home, wait_seconds=0):
                erase_everywhere(erasure, settings)
            found += 1
        else:
            persons.setdefault(erasure.tenant, []).append(erasure)
    return found + sum(_forget_persons(slug, each, settings, watch) for slug, each in persons.items())


def _forget_persons(slug: Slug, erasures: Sequence[Erasure], settings: Settings, watch: StepObserver) -> int:
    """Forget those persons of a tenant whose address is in its records; returns how many."""
    if not is_known(slug, settings):  # a later erasure took the whole tenant
        for erasure in erasures:
            _only_record(erasure, settings)
        return 0
    context = open_build_context(settings)
    if slug not in {tenant.slug for tenant in context.manifest.active}:
        raise RecoveryError(
            f"A person of {slug} was forgotten after the backup, and {slug} is not active in {settings.tenants}.",
            f"Set its status to active for the restore, or forget all of it: `gata forget --tenant {slug}` in the state"
            " folder that is there.",
        )
    verbs.build(context, [slug], watch=watch)
    addresses = addresses_of(slug, settings)
    found = 0
    for erasure in erasures:
        email = next(filter(erasure.is_of, addresses), None)
        if email is None:
            _only_record(erasure, settings)
            continue
        erase_person(context, erasure, email, watch=watch)
        found += 1
    log.info("forgotten_again", tenant=slug, persons=found)
    return found


def addresses_of(slug: Slug, settings: Settings) -> frozenset[str]:
    """Every email address, in lower case, in the records of a tenant: in sinks, landing tables and quarantine."""
    addresses: set[str] = set()
    with read_hub(settings) as hub:
        sinks = hub.execute(
            "select table_name from duckdb_columns() where schema_name = 'main' and column_name = 'raw_data_payload'"
            " and table_name in (select table_name from duckdb_tables())"
        ).fetchall()
        schema = f"landing_{slug}"
        landed = hub.execute("select table_name from duckdb_tables() where schema_name = ?", [schema]).fetchall()
        payload = "raw_data_payload::varchar as text"
        texts = [f"select {payload} from {quote(name)} where tenant_slug = {literal(slug)}" for (name,) in sinks]
        for (name,) in landed:
            texts.append(f"select to_json(landed)::varchar as text from {quote(schema)}.{quote(name)} as landed")
        for query in texts:
            rows = hub.execute(
                f"select distinct lower(unnest(regexp_extract_all(text, {literal(_ADDRESS)}))) from ({query})"
            ).fetchall()
            addresses.update(word.replace("%40", "@").rstrip(".") for (word,) in rows)
    return frozenset(addresses | {address.strip("'") for address in addresses})


def _only_record(erasure: Erasure, settings: Settings) -> None:
    with Ops(settings.ops) as ops:
        record_erasure(ops, erasure, {}, settings)
