"""Domains of a tenant: those it has sources of, and those with empty facts because it declares to have none."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.entry import Entry
from pipeline.config.slug import Slug
from pipeline.config.source import Source
from pipeline.contracts.connector import Domain

DOMAINS: tuple[Domain, ...] = ("ads", "ecommerce", "analytics")
"""The domains of a tenant that does not declare fewer; it has a source of each."""
BELONGS_TO: dict[Domain, Domain] = {"payments": "ecommerce"}
"""Domains that only add detail to the records of another domain."""


def read_domains(entry: Entry) -> tuple[Domain, ...]:
    """The domains a tenant names, in the order of `DOMAINS`."""
    if not isinstance(entry.value, str | list):
        raise entry.unlike("a list of domains, such as [ecommerce]")
    named: list[str] = []
    for item in entry.one_or_many():
        name = item.choice(DOMAINS, "domain")
        if name in named:
            raise item.wrong(f"The domain {name} is listed twice.", "Remove one of the two.")
        named.append(name)
    return tuple(domain for domain in DOMAINS if domain in named)


def refuse_other_domains(slug: Slug, sources: Entry, enabled: Sequence[Source], domains: Sequence[Domain]) -> None:
    """Check that every enabled source belongs to a domain that the tenant has.

    Raises:
        ConfigError: Names the first that does not, at its own line.
    """
    for source in enabled:
        needed = BELONGS_TO.get(source.domain, source.domain)
        if needed not in domains:
            more = ", ".join(domain for domain in DOMAINS if domain in (*domains, needed))
            kind = source.domain if needed == source.domain else f"{source.domain}, for {needed}"
            raise sources.mapping()[source.platform].wrong(
                f"{slug} enables {source.platform} ({kind}), and its domains are [{', '.join(domains)}].",
                f"Write domains: [{more}], or enabled: false.",
            )
