"""Erasure of a tenant, or of one person of a tenant, from the hub; its file is then rewritten without free blocks.

A person's records stay, because orders and visits must still add up; what identifies the person is removed. Every
identifier becomes an alias, the same everywhere; other personal values of a contract, and every field it does not know,
are dropped from the person's own records. The hash of the payload stays, so landing the same export again restores
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import literal, quote
from pipeline.ingest.landing_tables import dataset
from pipeline.privacy.aliases import Aliases, identities_of, without_identities
from pipeline.privacy.forget_bronze import Redaction, redact_bronze
from pipeline.privacy.forget_exports import RewrittenExport, rewrite_exports
from pipeline.settings import Settings
from pipeline.storage.hub import STORAGE_VERSION, WRITING, explain_duckdb_error, write_hub

Json = Any  # Any: what JSON can carry
Erased = dict[str, int]
"""Rows erased or rewritten, by table."""


class Person:
    """A person to forget: the email in lower case, and the other identifiers in the person's records."""

    def __init__(self, email: str, ids: Mapping[str, frozenset[str]], *, secret: bytes | None = None) -> None:
        """`ids` are those of the tenant's star, by platform; `secret` makes the aliases, which are random without."""
        self.email = email
        self.aliases = Aliases({email, *(value for values in ids.values() for value in values)}, secret)
        self._address = Aliases({email})
        self._own = {platform: self._named({email, *values}) for platform, values in ids.items()}
        self._found: dict[str, frozenset[str]] = {}

    def known_as(self, platform: str) -> list[str]:
        """Every identifier of the person in a platform's records; a device may be shared with other persons."""
        return sorted(self._own_of(platform) | self._found.get(platform, frozenset()))

    def learn(self, record: Json, blueprint: Blueprint) -> bool:
        """Collect further identifiers from a record of the person; returns whether there were new ones.

        Ids beside the address itself, in an order or a profile, are the person's; those of an event may be a device's.
        """
        platform, values = blueprint.platform, self._values(record, blueprint)
        if not values & self._own_of(platform):
            return False
        self.aliases.add(values)
        before = self._own_of(platform), self._found.get(platform, frozenset())
        is_theirs = self.email in values and any("email" in path for path in blueprint.contract.identity)
        target = self._own if is_theirs else self._found
        target[platform] = before[0 if is_theirs else 1] | self._named(values)
        return before != (self._own_of(platform), self._found.get(platform, frozenset()))

    def owns(self, record: Json, blueprint: Blueprint) -> bool:
        """Whether a record is the person's: it has their identifier or address, or names only their devices."""
        values = self._values(record, blueprint)
        is_theirs = values & self._own_of(blueprint.platform) or self._address.is_mentioned(_text(record))
        return bool(is_theirs or (values and values <= {*self.known_as(blueprint.platform)}))

    def is_named(self, record: Json, blueprint: Blueprint) -> bool:
        """Whether a record holds any identifier of the person."""
        known = self._values(record, blueprint) & {*self.known_as(blueprint.platform)}
        return bool(known) or self.aliases.is_mentioned(_text(record))

    def _own_of(self, platform: str) -> frozenset[str]:
        """Identifiers of this person alone."""
        return self._own.get(platform, frozenset({self.email}))

    def _named(self, values: Iterable[str]) -> frozenset[str]:
        return frozenset(value for value in values if self.aliases.holds(value))

    @staticmethod
    def _values(record: Json, blueprint: Blueprint) -> set[str]:
        return {value.lower() for value in identities_of(record, blueprint.contract)}


def known_ids(stars: Path, tenant: Tenant, email: str) -> dict[str, frozenset[str]]:
    """By platform, the ids of the customer with this email in a tenant's star; none without a star."""
    if not stars.exists():
        return {}
    with duckdb.connect(str(stars), read_only=True) as con:
        rows = con.execute(
            f"""select source_platform, customer_id from fct_{tenant.slug}__orders where customer_email = $email
            union
            select source_platform, unnest([user_pseudo_id, user_id]) from dim_{tenant.slug}__users
            where customer_email = $email or lower(user_id) = $email""",
            {"email": email},
        ).fetchall()
    ids: dict[str, set[str]] = {}
    for platform, value in rows:
        if value is not None:
            ids.setdefault(platform, set()).add(value.lower())
    return {platform: frozenset(values) for platform, values in ids.items()}


def forget_person(
    tenant: Tenant,
    blueprints: Sequence[Blueprint],
    person: Person,
    settings: Settings,
    *,
    learned: Callable[[], None] = lambda: None,
) -> Erased:
    """Rewrite a tenant's records of a person without the person, and drop them from landing and quarantine.

    Synthetic exports and the batches of bronze are replaced too. Afterwards `person` holds every identifier that was
    found. Killed at any point, the same call again with the same secret of aliases ends what it began.

    Args:
        tenant: Whose records are rewritten.
        blueprints: The objects of its platforms.
        person: Who is forgotten.
        settings: Where the records are.
        learned: Called when every identifier is known, before anything is rewritten.

    Raises:
        LandError: The hub is open elsewhere or cannot be written; nothing was changed.
    """
    erased: Erased = {}
    with write_hub(settings) as hub:
        hub.execute("begin")
        has_new = True
        while has_new:
            has_new = sum(_learn(hub, tenant, blueprint, person) for blueprint in blueprints) > 0
        learned()
        for blueprint in blueprints:
            erased[blueprint.sink] = erased.get(blueprint.sink, 0) + _rewrite(hub, tenant, blueprint, person)
            erased[blueprint.landing_table] = _drop_landed(hub, tenant, blueprint, person)
        erased["quarantine"] = _drop_quarantined(hub, tenant, person)
        replacements = _rewrite_synthetic(hub, tenant, blueprints, person, settings)
        erased["synthetic files"] = len(replacements)
        renamed = {replacement.sha256: replacement.new_sha256 for replacement in replacements}
        for blueprint in blueprints:
            redaction = Redaction(
                blueprint,
                change=partial(anonymous, blueprint=blueprint, person=person),
                mentions=person.aliases.is_mentioned,
                renamed=renamed,
            )
            superseded = redact_bronze(tenant, settings, redaction)
            counted = _count_as_landed(hub, tenant, blueprint, superseded)
            erased["bronze batches"] = erased.get("bronze batches", 0) + counted
        hub.execute("commit")
        for replacement in replacements:
            replacement.replace_original()
    rewrite_file(settings)
    return {table: rows for table, rows in erased.items() if rows}


def _learn(hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person) -> int:
    """Collect identifiers from the person's records in a sink; returns how many records had new ones."""
    return sum(person.learn(record, blueprint) for _, record in _candidates(hub, tenant, blueprint, person))


def _rewrite_synthetic(
    hub: duckdb.DuckDBPyConnection,
    tenant: Tenant,
    blueprints: Sequence[Blueprint],
    person: Person,
    settings: Settings,
) -> list[RewrittenExport]:
    """Rewrite the tenant's synthetic exports without the person, beside the originals and recorded as landed."""
    replacements = []
    for blueprint in blueprints:
        known = [*person.aliases.search_terms, *person.known_as(blueprint.platform)]
        change = partial(anonymous, blueprint=blueprint, person=person)
        for replacement in rewrite_exports(settings.home / "synthetic" / tenant.slug, blueprint, known, change):
            hub.execute(
                f"update {quote(dataset(tenant))}.landed_files set sha256 = ? where sha256 = ?",
                [replacement.new_sha256, replacement.sha256],
            )
            replacements.append(replacement)
    return replacements


def _count_as_landed(
    hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, superseded: Mapping[str, str]
) -> int:
    """Record the redacted batches as landed, in place of those that they supersede; returns how many."""
    schema = quote(dataset(tenant))
    counted = 0
    for old, new in superseded.items():
        for table in ("landed_files", "quarantine"):
            hub.execute(f"update {schema}.{table} set batch_id = ? where batch_id = ?", [new, old])
        in_ledger = f"update {schema}.landed_deliveries set batch_id = ? where batch_id = ?"
        counted += _count(hub.execute(in_ledger, [new, old]))
        table = f"{schema}.{quote(blueprint.landing_table)}"
        hub.execute(f"update {table} set _batch_id = ? where _batch_id = ?", [new, old])
    return counted


def _candidates(
    hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person
) -> list[tuple[int, Json]]:
    """Row ids and payloads of the records in a sink that may name the person."""
    values = [_value("raw_data_payload", path) for path in blueprint.contract.identity]
    where, parameters = _may_name("raw_data_payload::varchar", values, person, blueprint.platform)
    rows = hub.execute(
        f"""select rowid, raw_data_payload::varchar from {blueprint.sink}
        where tenant_slug = $tenant and source_platform = $platform and {where}""",
        {"tenant": tenant.slug, "platform": blueprint.platform, **parameters},
    ).fetchall()
    return [(row, json.loads(payload)) for row, payload in rows]


def _may_name(text: str, values: Sequence[str], person: Person, platform: str) -> tuple[str, dict[str, list[str]]]:
    """SQL that is true where a text or one of the values may name the person, and its parameters."""
    mentioned = f"len(list_filter($terms::varchar[], lambda term: contains(lower({text}), term))) > 0"
    ids = [f"list_contains($known::varchar[], lower({value}))" for value in values]
    known = {"known": person.known_as(platform)} if ids else {}
    return f"({' or '.join([mentioned, *ids])})", {"terms": person.aliases.search_terms, **known}


def _value(column: str, path: str) -> str:
    pointer = "$." + ".".join(f'"{name}"' for name in path.split("."))
    return f"({column} ->> {literal(pointer)})"


def _rewrite(hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person) -> int:
    """Rewrite the records of a sink without the person; returns how many changed."""
    changed = []
    for row, record in _candidates(hub, tenant, blueprint, person):
        rewritten = anonymous(record, blueprint, person)
        if rewritten != record:
            changed.append((row, _text(rewritten)))
    if changed:
        hub.execute("create or replace temp table forgotten (row bigint, payload varchar)")
        hub.executemany("insert into forgotten values (?, ?)", changed)
        hub.execute(
            f"update {blueprint.sink} as sink set raw_data_payload = forgotten.payload::json from forgotten"
            " where sink.rowid = forgotten.row"
        )
    return len(changed)


def anonymous(record: Json, blueprint: Blueprint, person: Person) -> Json:
    """A record as it remains after the person is forgotten."""
    return without_identities(record, blueprint.contract, person.aliases, is_own=person.owns(record, blueprint))


def _text(record: Json) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _drop_landed(hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person) -> int:
    """Delete landed rows that name the person: the sink has them already. Returns how many."""
    table = f"{quote(dataset(tenant))}.{quote(blueprint.landing_table)}"
    values = []
    for path in blueprint.contract.identity:
        name, _, rest = path.partition(".")
        values.append(_value(quote(name), rest) if rest else f"{quote(name)}::varchar")
    where, parameters = _may_name("to_json(landed)::varchar", values, person, blueprint.platform)
    rows = hub.execute(f"select rowid, to_json(landed)::varchar from {table} as landed where {where}", parameters)
    named = [row for row, record in rows.fetchall() if person.is_named(json.loads(record), blueprint)]
    hub.execute(f"delete from {table} where list_contains($rows::bigint[], rowid)", {"rows": named})
    return len(named)


def _drop_quarantined(hub: duckdb.DuckDBPyConnection, tenant: Tenant, person: Person) -> int:
    """Delete quarantined records that mention the person, and alias mentions in the records of drifted files."""
    schema = quote(dataset(tenant))
    quarantined = hub.execute(f"select rowid, reason, record from {schema}.quarantine").fetchall()
    rows = [row for row, *texts in quarantined if any(text and person.aliases.is_mentioned(text) for text in texts)]
    hub.execute(f"delete from {schema}.quarantine where list_contains($rows::bigint[], rowid)", {"rows": rows})
    for row, came in hub.execute(f"select rowid, came from {schema}.drifted_files").fetchall():
        if (rewritten := person.aliases.in_text(came)) != came:
            hub.execute(f"update {schema}.drifted_files set came = ? where rowid = ?", [rewritten, row])
    return len(rows)


def _count(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0


def forget_tenant(slug: Slug, settings: Settings) -> Erased:
    """Remove every row of a tenant from the hub, and its landing tables.

    Raises:
        LandError: The hub is open elsewhere or cannot be written; nothing was changed.
    """
    erased: Erased = {}
    if not settings.hub.exists():
        return erased
    with write_hub(settings) as hub:
        hub.execute("begin")
        tables = hub.execute(
            "select table_name from duckdb_columns() where schema_name = 'main' and column_name = 'tenant_slug'"
            " and table_name in (select table_name from duckdb_tables())"
        ).fetchall()
        for (table,) in sorted(tables):
            erased[table] = _count(hub.execute(f"delete from {quote(table)} where tenant_slug = ?", [slug]))
        hub.execute(f"drop schema if exists {quote(f'landing_{slug}')} cascade")
        views = hub.execute(
            "select view_name from duckdb_views() where not internal and starts_with(view_name, ?)", [f"stg_{slug}__"]
        ).fetchall()
        for (view,) in views:
            hub.execute(f"drop view {quote(view)}")
        hub.execute("commit")
    rewrite_file(settings)
    return {table: rows for table, rows in erased.items() if rows}


def rewrite_file(settings: Settings) -> None:
    """Copy the hub to a new file and put it in place: deleted rows stay readable in the old one's free blocks.

    Raises:
        LandError: The hub is open elsewhere, or the disk refuses; the old file is in place.
    """
    fresh = settings.hub.with_name(f".{settings.hub.name}.fresh")
    try:
        with explain_duckdb_error(settings):
            fresh.unlink(missing_ok=True)
            with duckdb.connect(config={"threads": 1, "storage_compatibility_version": STORAGE_VERSION}) as con:
                for option, value in WRITING.items():
                    con.execute(f"set {option} = '{value}'")
                con.execute(f"attach {literal(str(settings.hub))} as old (read_only)")
                con.execute(f"attach {literal(str(fresh))} as fresh (storage_version '{STORAGE_VERSION}')")
                con.execute("copy from database old to fresh")
                con.execute("detach fresh; detach old")
            fresh.replace(settings.hub)
            settings.hub.with_name(f"{settings.hub.name}.wal").unlink(missing_ok=True)
    finally:
        fresh.unlink(missing_ok=True)
