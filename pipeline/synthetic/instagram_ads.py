"""The shop's ads on Instagram: Meta's records of a source of its own, as insights by publisher platform name them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any  # pyarrow is untyped: its tables are Any

import numpy as np

from pipeline.synthetic.columns import same
from pipeline.synthetic.facebook_ads import VIEW as META
from pipeline.synthetic.facebook_ads_insights import insights
from pipeline.synthetic.shop import Outlet, Shop
from pipeline.synthetic.trade import Trade
from pipeline.synthetic.view import Channel, Export


def _insights(shop: Shop, trade: Trade, outlet: Outlet) -> Any:
    report = insights(shop, trade, outlet)
    return report.append_column("publisher_platform", same("instagram", np.arange(report.num_rows)))


VIEW = replace(
    META,
    exports={**META.exports, "facebook_insights": Export("jsonl", _insights)},
    channel=Channel("instagram", "paid_social", "https://www.instagram.com/", ("Story", "Reel")),
)
