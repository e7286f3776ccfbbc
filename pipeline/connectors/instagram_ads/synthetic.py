"""The shop's ads on Instagram: Meta's records under a source of their own, with publisher_platform in insights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any  # pyarrow is untyped: its tables are Any

import numpy as np

from pipeline.connectors.facebook_ads.synthetic import VIEW as META
from pipeline.connectors.facebook_ads.synthetic_insights import insights
from pipeline.synthetic.activity.simulation import Activity
from pipeline.synthetic.arrays.columns import repeat_text
from pipeline.synthetic.model.shop import Shop, ShopAccount
from pipeline.synthetic.model.view import Channel, SimulatedExport


def _insights(shop: Shop, activity: Activity, account: ShopAccount) -> Any:
    report = insights(shop, activity, account)
    return report.append_column("publisher_platform", repeat_text("instagram", np.arange(report.num_rows)))


VIEW = replace(
    META,
    exports={**META.exports, "facebook_insights": SimulatedExport("jsonl", _insights)},
    channel=Channel("instagram", "paid_social", "https://www.instagram.com/", ("Story", "Reel")),
)
