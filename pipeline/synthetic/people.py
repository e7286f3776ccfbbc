"""Who visitors are, where they tell: customers with an account, and guests who leave an address or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # pyarrow is untyped: its arrays are Any

import pyarrow.compute as pc

from pipeline.synthetic.columns import chosen, digits, joined
from pipeline.synthetic.dice import Bools
from pipeline.synthetic.names import FIRST_NAMES, LAST_NAMES
from pipeline.synthetic.shop import Shop
from pipeline.synthetic.trade import customer_ids
from pipeline.synthetic.traffic import Visitors

GUESTS_WITH_EMAIL = 2  # every second guest leaves an address


@dataclass(frozen=True)
class People:
    """One row per visitor."""

    first_names: Any
    last_names: Any
    emails: Any
    has_email: Bools  # says its address when ordering


def read_people(shop: Shop, visitors: Visitors) -> People:
    """The names and addresses of visitors, whether or not they ever tell them."""
    first_names = chosen(FIRST_NAMES, visitors.token % len(FIRST_NAMES))
    last_names = chosen(LAST_NAMES, visitors.token // 7 % len(LAST_NAMES))
    handle = pc.utf8_lower(joined(first_names, ".", last_names))
    emails = joined(handle, ".", digits(customer_ids(shop, visitors) % 10**12), "@mail.example")
    reachable = visitors.has_account | (visitors.token % GUESTS_WITH_EMAIL == 0)
    return People(first_names, last_names, emails, reachable)
