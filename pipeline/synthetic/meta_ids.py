"""The ids of an ad account's things, as text: each kind has a range of its own after the account's base."""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np

from pipeline.synthetic.columns import chosen, digits
from pipeline.synthetic.dice import Ints
from pipeline.synthetic.shop import Outlet

ROOM = 10**9


def account_ids(outlet: Outlet, places: Ints) -> Any:
    """The account's own id, as often as there are places."""
    return chosen([str(outlet.base)], np.zeros_like(places))


def campaign_ids(outlet: Outlet, places: Ints) -> Any:
    return digits(outlet.base + ROOM + places)


def ad_set_ids(outlet: Outlet, places: Ints) -> Any:
    return digits(outlet.base + 2 * ROOM + places)


def ad_ids(outlet: Outlet, places: Ints) -> Any:
    return digits(outlet.base + 3 * ROOM + places)


def creative_ids(outlet: Outlet, places: Ints) -> Any:
    return digits(outlet.base + 4 * ROOM + places)
