"""The channel rules of a tenant: its own, then the rules of GA4's default channel group."""

from __future__ import annotations

import re

from pipeline.config.blocks.channels import ChannelRule
from pipeline.config.tenant import Tenant
from pipeline.contracts.sql import literal
from warehouse.projects.star_models import opening, without_quotes

CHANNEL_RULES, TRAFFIC_SITES = "platform_ref__channel_rules", "platform_ref__traffic_sites"
"""The hub's reference tables of channels."""


def channel_rules(tenant: Tenant) -> dict[str, str]:
    """The model of the rules in their order; the tenant's come first, as their positions are below 0."""
    columns = "position, channel, site_kind, traffic_source, traffic_medium, traffic_campaign"
    text = f"select {columns}\nfrom {{{{ source('hub', '{CHANNEL_RULES}') }}}}"
    own = ",\n    ".join(_row(n - len(tenant.channels), rule) for n, rule in enumerate(tenant.channels))
    if own:
        text += f"\nunion all\nselect {columns}\nfrom (values\n    {own}\n) as own ({columns})"
    path = f"models/intermediate/int_{tenant.slug}__channel_rules.sql"
    return {path: f"{opening('Which channel a visit belongs to: the first rule that fits.')}{text}\n"}


def _row(position: int, rule: ChannelRule) -> str:
    patterns = ", ".join(_pattern(texts) for texts in (rule.source, rule.medium, rule.campaign))
    return f"({position}, {without_quotes(literal(rule.channel))}, cast(null as varchar), {patterns})"


def _pattern(texts: tuple[str, ...]) -> str:
    """Texts with * for anything as a regular expression over the whole folded text; NULL fits everything."""
    if not texts:
        return "cast(null as varchar)"
    return without_quotes(literal("|".join(".*".join(map(re.escape, text.split("*"))) for text in texts)))
