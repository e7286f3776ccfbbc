"""A connector's view of the shop: the objects that it exports, their files, and the functions that build their records.

Views are found by their connector's name: `pipeline/connectors/<connector>/synthetic.py` declares one in `VIEW`.
A connector that is like another has its own view, or uses the other's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any  # pyarrow is untyped: its tables are Any

from pipeline.config.tenant import Tenant
from pipeline.contracts.connector import connector_part
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.synthetic.activity.simulation import Activity
    from pipeline.synthetic.model.shop import Shop, ShopAccount


@dataclass(frozen=True)
class SimulatedExport:
    """One object of an account, exported chunk by chunk.

    Attributes:
        suffix: Of its files, as `writers.write_records` knows it.
        records: Gives the object's records on the days of the activity's span, in their state at its end.
        names_campaigns: The records have the names of campaigns; a rename within a chunk splits its file in two, so
            that both names are exported.
        keeps_nulls: A missing value is null; else it is an absent key.
    """

    suffix: str
    records: Callable[[Shop, Activity, ShopAccount], Any]
    names_campaigns: bool = False
    keeps_nulls: bool = False


@dataclass(frozen=True)
class Channel:
    """How an ads platform sends visitors.

    Attributes:
        source: utm_source of its links.
        medium: utm_medium of its links. The seed platform_ref__traffic_platforms knows the pair.
        site: The page that visitors come from.
        kinds: The names of the ads of an ad group; empty where ads are products.
    """

    source: str
    medium: str
    site: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """The objects of the shop that a connector exports.

    Attributes:
        exports: By object.
        channel: Of an ads platform; None for the others.
        digits: The length of the ids in its accounts.
    """

    exports: Mapping[str, SimulatedExport]
    channel: Channel | None = None
    digits: int = 16


def find_view(connector: str) -> View | None:
    """The view that the connector's folder declares, if any."""
    view: View | None = connector_part(connector, "synthetic", "VIEW")
    return view


def synthetic_views(tenant: Tenant) -> dict[str, View]:
    """The view of every enabled source with synthetic accounts, by platform.

    Raises:
        ConfigError: Such a source has no view.
    """
    views = {}
    for source in tenant.enabled:
        if not any(account.read.kind == "synthetic" for account in source.accounts):
            continue
        view = find_view(source.platform) or find_view(source.reads_as)
        if view is None:
            raise ConfigError(
                f"{tenant.slug} reads {source.platform} as synthetic, and there is no synthetic {source.platform}.",
                f"Write `read: {{kind: files}}` with its objects under {source.platform}.",
            )
        views[source.platform] = view
    return views
