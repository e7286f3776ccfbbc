"""Erasing: a tenant, or one person of a tenant, from the hub, whose file is then written anew so that nothing lingers.

A person's records stay, because orders and visits must still add up; what says who they were goes. Every value by
which the person is known becomes an alias, the same everywhere; what else a contract calls personal, and every field it
does not know, is dropped. The hash of the payload stays, so the same export landed again brings nothing back.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipeline.contracts.fields import Contract, Leaf, Record, Shape, shape_of
from pipeline.contracts.sql import literal, quote, struct_json
from pipeline.hub import STORAGE_VERSION, WRITING, explained, write_hub
from pipeline.landing import dataset
from pipeline.registry import Blueprint
from pipeline.settings import Settings
from pipeline.tenants import Tenant

Erased = dict[str, int]
"""Rows erased or rewritten, by table."""


@dataclass(frozen=True)
class Person:
    """Somebody to be forgotten: their email in lower case, and by platform whatever else their records carry."""

    email: str
    ids: Mapping[str, frozenset[str]]
    alias: str = field(default_factory=lambda: f"forgotten-{secrets.token_hex(8)}")
    number: int = field(default_factory=lambda: -secrets.randbelow(2**53))
    """Stands where a number is expected."""

    def known_as(self, platform: str) -> list[str]:
        return sorted({self.email, *self.ids.get(platform, ())})


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

    Raises:
        LandError: The hub is open elsewhere or cannot be written; nothing was changed.
    """
    erased: Erased = {}
    with write_hub(settings) as hub:
        hub.execute("begin")
        for blueprint in blueprints:
            erased[blueprint.sink] = erased.get(blueprint.sink, 0) + _rewrite(hub, tenant, blueprint, person)
            erased[blueprint.landing_table] = _drop_landed(hub, tenant, blueprint, person)
        erased["quarantine"] = _count(
            hub.execute(
                f"delete from {quote(dataset(tenant))}.quarantine where contains(lower(record), $email)",
                {"email": person.email},
            )
        )
        hub.execute("commit")
    rewrite_file(settings)
    return {table: rows for table, rows in erased.items() if rows}


def _rewrite(hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person) -> int:
    contract, known = blueprint.contract, person.known_as(blueprint.platform)
    matches = " or ".join(
        ["contains(lower(raw_data_payload::varchar), $email)"]
        + [f"list_contains($known, lower({_value('raw_data_payload', path)}))" for path in contract.identity]
    )
    return _count(
        hub.execute(
            f"""update {blueprint.sink} set raw_data_payload = {_without(contract, person)}
            where tenant_slug = $tenant and source_platform = $platform and ({matches})""",
            {"email": person.email, "known": known, "tenant": tenant.slug, "platform": blueprint.platform}
            if contract.identity
            else {"email": person.email, "tenant": tenant.slug, "platform": blueprint.platform},
        )
    )


def _without(contract: type[Contract], person: Person) -> str:
    """SQL giving the payload without the person: contract fields only, aliases for ids, the rest of them gone."""
    shape = shape_of(contract)
    payload = f"to_json(from_json(raw_data_payload, {literal(struct_json(shape))}))"
    for path in contract.personal:
        payload = _patched(payload, path, "null", f"{_value('raw_data_payload', path)} is not null")
    for path in contract.identity:
        alias = f'"{person.alias}"' if _leaf(shape, path).wire == "VARCHAR" else str(person.number)
        payload = _patched(payload, path, alias, f"{_value('raw_data_payload', path)} is not null")
    mentions = literal(re.escape(person.email).replace("/", r"\/"))
    return f"regexp_replace(({payload})::varchar, {mentions}, {literal(person.alias)}, 'gi')::json"


def _patched(payload: str, path: str, value: str, condition: str) -> str:
    """SQL that puts a JSON value at a path, or with null removes what is there, where the condition holds."""
    patch = value
    for name in reversed(path.split(".")):
        patch = f'{{"{name}":{patch}}}'
    return f"json_merge_patch({payload}, case when {condition} then {literal(patch)} else '{{}}' end::json)"


def _leaf(shape: Shape, path: str) -> Leaf:
    for name in path.split("."):
        if not isinstance(shape, Record):
            raise TypeError(f"{path} does not lead to a scalar.")
        shape = dict(shape)[name]
    if not isinstance(shape, Leaf):
        raise TypeError(f"{path} is not a scalar.")
    return shape


def _value(column: str, path: str) -> str:
    pointer = "$." + ".".join(f'"{name}"' for name in path.split("."))
    return f"({column} ->> {literal(pointer)})"


def _drop_landed(hub: duckdb.DuckDBPyConnection, tenant: Tenant, blueprint: Blueprint, person: Person) -> int:
    """Landed rows are pushed by now: the sink has them."""
    table = f"{quote(dataset(tenant))}.{quote(blueprint.landing_table)}"
    matches = ["contains(lower(to_json(landed)::varchar), $email)"]
    matches += [f"list_contains($known, lower({value}))" for value in _landed_values(blueprint.contract)]
    values: dict[str, object] = {"email": person.email}
    if len(matches) > 1:
        values["known"] = person.known_as(blueprint.platform)
    return _count(hub.execute(f"delete from {table} as landed where {' or '.join(matches)}", values))


def _landed_values(contract: type[Contract]) -> Iterator[str]:
    for path in contract.identity:
        name, _, rest = path.partition(".")
        yield _value(quote(name), rest) if rest else f"{quote(name)}::varchar"


def _count(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0


def forget_tenant(slug: str, settings: Settings) -> Erased:
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
        with explained(settings):
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
