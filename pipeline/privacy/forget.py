"""Erasing: a tenant, or one person of a tenant, from the hub, whose file is then written anew so that nothing lingers.

A person's records stay, because orders and visits must still add up; what says who they were goes. Every value by
which the person is known becomes an alias, the same everywhere; what else a contract calls personal, and every field it
does not know, is dropped from the person's own records. The hash of the payload stays, so the same export landed again
brings nothing back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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
from pipeline.privacy.forget_exports import RewrittenExport, rewrite_exports
from pipeline.settings import Settings
from pipeline.storage.hub import STORAGE_VERSION, WRITING, explain_duckdb_error, write_hub

Json = Any  # Any: what JSON can carry
Erased = dict[str, int]
"""Rows erased or rewritten, by table."""


class Person:
    """Somebody to be forgotten: their email, in lower case, and what else their records know them by."""

    def __init__(self, email: str, ids: Mapping[str, frozenset[str]]) -> None:
        """`ids` are those that the tenant's star knows, by platform."""
        self.email = email
        self.aliases = Aliases({email, *(value for values in ids.values() for value in values)})
        self._address = Aliases({email})
        self._own = {platform: self._named({email, *values}) for platform, values in ids.items()}
        self._found: dict[str, frozenset[str]] = {}

    def known_as(self, platform: str) -> list[str]:
        """Every value that stands for the person in a platform's records; a device may be another's too."""
        return sorted(self._own_of(platform) | self._found.get(platform, frozenset()))

    def learn(self, record: Json, blueprint: Blueprint) -> bool:
        """Take in what else a record says of the person whose it is; whether that was news.

        Ids beside the address itself, in an order or a profile, are the person's; those of an event may be a device's.
        """
        platform, values = blueprint.platform, self._values(record, blueprint)
        if not values & self._own_of(platform):
            return False
        self.aliases.add(values)
        before = self._own_of(platform), self._found.get(platform, frozenset())
        is_theirs = self.email in values and any("email" in path for path in blueprint.contract.identity)
        kept = self._own if is_theirs else self._found
        kept[platform] = before[0 if is_theirs else 1] | self._named(values)
        return before != (self._own_of(platform), self._found.get(platform, frozenset()))

    def owns(self, record: Json, blueprint: Blueprint) -> bool:
        """Whether a record is the person's: it says so, mentions the address, or names but a device of theirs."""
        values = self._values(record, blueprint)
        is_theirs = values & self._own_of(blueprint.platform) or self._address.is_mentioned(_text(record))
        return bool(is_theirs or (values and values <= {*self.known_as(blueprint.platform)}))

    def is_named(self, record: Json, blueprint: Blueprint) -> bool:
        """Whether a record holds any value that the person is known by."""
        known = self._values(record, blueprint) & {*self.known_as(blueprint.platform)}
        return bool(known) or self.aliases.is_mentioned(_text(record))

    def _own_of(self, platform: str) -> frozenset[str]:
        """Values that are this person's and nobody else's."""
        return self._own.get(platform, frozenset({self.email}))

    def _named(self, values: Iterable[str]) -> frozenset[str]:
        return frozenset(value for value in values if self.aliases.holds(value))

    @staticmethod
    def _values(record: Json, blueprint: Blueprint) -> set[str]:
        return {value.lower() for value in identities_of(record, blueprint.contract)}


def known_ids(stars: Path, tenant: Tenant, email: str) -> dict[str, frozenset[str]]:
    """By platform, the ids under which a tenant's star knows the customer with this email; none without a star."""
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
    found: dict[str, set[str]] = {}
    for platform, value in rows:
        if value is not None:
            found.setdefault(platform, set()).add(value.lower())
    return {platform: frozenset(values) for platform, values in found.items()}


def forget_person(tenant: Tenant, blueprints: Sequence[Blueprint], person: Person, settings: Settings) -> Erased:
    """Rewrite a tenant's records of a person without the person, and drop them from landing and quarantine.

    Exports that we made up ourselves are rewritten too. `person` knows afterwards every value that was theirs.

    Raises:
        LandError: The hub is open elsewhere or cannot be written; nothing was changed.
    """
    erased: Erased = {}
    with write_hub(settings) as hub:
        hub.execute("begin")
        has_news = True
        while has_news:
            has_news = sum(_learn(hub, tenant, blueprint, person) for blueprint in blueprints) > 0
        for blueprint in blueprints:
            erased[blueprint.sink] = erased.get(blueprint.sink, 0) + _rewrite(hub, tenant, blueprint, person)
            erased[blueprint.landing_table] = _drop_landed(hub, tenant, blueprint, person)
        erased["quarantine"] = _drop_quarantined(hub, tenant, person)
        drafts = _without_in_files(hub, tenant, blueprints, person, settings)
        erased["synthetic files"] = len(drafts)
        hub.execute("commit")
        for draft in drafts:
            draft.take_place()
    rewrite_file(settings)
    return {table: rows for table, rows in erased.items() if rows}


def _learn(hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person) -> int:
    """Let the person be known by all that their records in a sink say; how many of them had news."""
    return sum(person.learn(record, blueprint) for _, record in _naming(hub, tenant, blueprint, person))


def _without_in_files(
    hub: duckdb.DuckDBPyConnection,
    tenant: Tenant,
    blueprints: Sequence[Blueprint],
    person: Person,
    settings: Settings,
) -> list[RewrittenExport]:
    """The tenant's own made-up exports without the person, ready to take their places and known as landed already."""
    drafts = []
    for blueprint in blueprints:
        known = [*person.aliases.sought, *person.known_as(blueprint.platform)]
        change = partial(anonymous, blueprint=blueprint, person=person)
        for draft in rewrite_exports(settings.home / "synthetic" / tenant.slug, blueprint, known, change):
            hub.execute(
                f"update {quote(dataset(tenant))}.landed_files set sha256 = ? where sha256 = ?",
                [draft.new_sha256, draft.sha256],
            )
            drafts.append(draft)
    return drafts


def _naming(
    hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person
) -> list[tuple[int, Json]]:
    """Row ids and payloads of the records in a sink that may name the person."""
    values = [_value("raw_data_payload", path) for path in blueprint.contract.identity]
    where, sought = _may_name("raw_data_payload::varchar", values, person, blueprint.platform)
    rows = hub.execute(
        f"""select rowid, raw_data_payload::varchar from {blueprint.sink}
        where tenant_slug = $tenant and source_platform = $platform and {where}""",
        {"tenant": tenant.slug, "platform": blueprint.platform, **sought},
    ).fetchall()
    return [(row, json.loads(payload)) for row, payload in rows]


def _may_name(text: str, values: Sequence[str], person: Person, platform: str) -> tuple[str, dict[str, list[str]]]:
    """SQL that is true where a text or one of the values may name the person, and its parameters."""
    said = f"len(list_filter($sought::varchar[], lambda said: contains(lower({text}), said))) > 0"
    ids = [f"list_contains($known::varchar[], lower({value}))" for value in values]
    known = {"known": person.known_as(platform)} if ids else {}
    return f"({' or '.join([said, *ids])})", {"sought": person.aliases.sought, **known}


def _value(column: str, path: str) -> str:
    pointer = "$." + ".".join(f'"{name}"' for name in path.split("."))
    return f"({column} ->> {literal(pointer)})"


def _rewrite(hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person) -> int:
    """Records of a sink without the person; how many there were."""
    changed = []
    for row, record in _naming(hub, tenant, blueprint, person):
        left = anonymous(record, blueprint, person)
        if left != record:
            changed.append((row, _text(left)))
    if changed:
        hub.execute("create or replace temp table forgotten (row bigint, payload varchar)")
        hub.executemany("insert into forgotten values (?, ?)", changed)
        hub.execute(
            f"update {blueprint.sink} as sink set raw_data_payload = forgotten.payload::json from forgotten"
            " where sink.rowid = forgotten.row"
        )
    return len(changed)


def anonymous(record: Json, blueprint: Blueprint, person: Person) -> Json:
    """A record as it stays when the person is forgotten."""
    return without_identities(record, blueprint.contract, person.aliases, whole=person.owns(record, blueprint))


def _text(record: Json) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _drop_landed(hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person) -> int:
    """Landed rows are pushed by now: the sink has them."""
    table = f"{quote(dataset(tenant))}.{quote(blueprint.landing_table)}"
    values = []
    for path in blueprint.contract.identity:
        name, _, rest = path.partition(".")
        values.append(_value(quote(name), rest) if rest else f"{quote(name)}::varchar")
    where, sought = _may_name("to_json(landed)::varchar", values, person, blueprint.platform)
    rows = hub.execute(f"select rowid, to_json(landed)::varchar from {table} as landed where {where}", sought)
    named = [row for row, record in rows.fetchall() if person.is_named(json.loads(record), blueprint)]
    hub.execute(f"delete from {table} where list_contains($rows::bigint[], rowid)", {"rows": named})
    return len(named)


def _drop_quarantined(hub: duckdb.DuckDBPyConnection, tenant: Tenant, person: Person) -> int:
    """Records that did not convert, and what was told of a file that had drifted."""
    schema = quote(dataset(tenant))
    kept_out = hub.execute(f"select rowid, reason, record from {schema}.quarantine").fetchall()
    rows = [row for row, *texts in kept_out if any(text and person.aliases.is_mentioned(text) for text in texts)]
    hub.execute(f"delete from {schema}.quarantine where list_contains($rows::bigint[], rowid)", {"rows": rows})
    for row, came in hub.execute(f"select rowid, came from {schema}.drifted_files").fetchall():
        if (said := person.aliases.in_text(came)) != came:
            hub.execute(f"update {schema}.drifted_files set came = ? where rowid = ?", [said, row])
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
