"""Mutants that no case can notice, each by a rule that says why: whatever a vendor sends, they give the same rows.

A rule is a claim about every mutant it covers. One covered mutant that a case does notice refutes it, and a rule that
covers none is of no use: `bench.mutations` fails for either, so the list can neither hide a survivor nor grow old.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bench.macro_source import Mutant


@dataclass(frozen=True)
class Rule:
    """Why some mutants are none.

    Args:
        engines: The connector, or `shared` for the macros that engines share.
        change: A regular expression found in the mutant as it is printed, before  ->  after.
    """

    engines: str
    kind: str
    change: str
    why: str

    def covers(self, engines: str, mutant: Mutant) -> bool:
        return (engines, mutant.kind) == (self.engines, self.kind) and bool(re.search(self.change, mutant.change))


A_KEY = "Rows of a view differ in their tenant_skey: none is the same as another."
ONLY_COMPARED = "Levels are compared with each other alone, and their order stays."
JOINED = "The join has made them equal."
AD_GROUP = "An ad is in the campaign of its ad group."
A_PRODUCT = "A product's name is compared alone, and no other product has it."
TWO_PRODUCTS = "Products has purchases of windows, Brands and Display those after a click: no row has both."
ANY_ID = "Of a click id, only whether it is there is read."
NO_ID = "It only saves time: no id is found where there is no address, or none in it."
EMPTY_PLACE = "It only saves time: no place is equal to one that is not known."
SENT_ONCE = "It only saves time: the newest of one export is no newer than itself."

RULES = (
    Rule("amazon_ads", "order", r"coalesce\(reports\.spend, reports\.cost\)", "They are two names of one number."),
    Rule("amazon_ads", "order", r"coalesce\(reports\.campaignId, ad_groups\.campaignId, ads\.", AD_GROUP),
    Rule("amazon_ads", "distinct", r"-> +union by name$", A_KEY),
    Rule("amazon_ads", "literal", r"else 5 end as level$", ONLY_COMPARED),
    Rule("amazon_ads", "literal", r"'sb' as report, 4 as level$", "Brands has one report: no other is compared."),
    Rule("amazon_ads", "literal", r"(report\[:3\] as product,|'other s[bd]' as report, .*)$", A_PRODUCT),
    Rule("amazon_ads", "order", r"purchasesClicks, reports\.purchases30d, reports\.purchases\)", TWO_PRODUCTS),
    Rule("amplitude", "zone", r"-> +order by timezone", "All moments move alike: their order stays."),
    Rule(
        "amplitude",
        "order",
        r"source_position(, tenant_skey desc)?$",
        "Records of one time and place are one record, exported twice.",
    ),
    Rule("amplitude", "order", r"nullif_empty\('user_properties\.gclid', empty\) ~ ', ' ~ .*-> +'coalesce\(", ANY_ID),
    Rule(
        "amplitude",
        "column",
        r"-> +when (traffic_source is not null then .*click_medium\('click|click .*click_medium\('traffic_source)",
        "Where neither the event nor its user says a source, its source is the click's.",
    ),
    Rule(
        "bing_ads",
        "order",
        r"coalesce\(reports\.AccountNumber, reports\.AccountId,",
        "An account has one id and one number, both its own.",
    ),
    Rule(
        "bigcommerce", "column", r"-> .* - stated_discount - total as rest$", "With a part unknown, it is the discount."
    ),
    Rule(
        "bigcommerce",
        "column",
        r"-> .*'orders\.refunded', 'orders\.total'",
        "They differ where all was refunded alone.",
    ),
    Rule("bigcommerce", "sign", r"coalesce\(\(-gift_certificate_id\), 0\)", "Only whether it is 0 is read."),
    Rule("bing_ads", "distinct", r"-> +union by name$", A_KEY),
    Rule("bing_ads", "literal", r"-> +select \*, 4 as level", ONLY_COMPARED),
    Rule("facebook_ads", "literal", r"when campaign_id is not null then 2 else 4$", ONLY_COMPARED),
    Rule("facebook_ads", "table", r"-> +platforms\.source_account,$", JOINED),
    Rule("facebook_ads", "filter", r"-> +left join platforms$", "The union above has put every campaign there."),
    Rule(
        "google_ads", "order", r"-> .*coalesce\(.*(resourceName|adGroup\.campaign)", "The names and ids of a row agree."
    ),
    Rule("google_ads", "dropped", r"-> .*, regexp_extract\(", "A resource name holds the id that it is asked for."),
    Rule("google_ads", "distinct", r"-> +from \(select source_account", "The largest of repeated rows is the same."),
    Rule("google_ads", "filter", r"inner join \( +-> +left join \($", "A row of nothing but NULL names nothing."),
    Rule("google_ads", "literal", r"is not null then 4$", ONLY_COMPARED),
    Rule("google_analytics", "order", r"nullif_empty\(event_param\('[gd]clid'\)\) ~ ', ' ~", ANY_ID),
    Rule("google_analytics", "boolean", r"join\(' is not null or '\)", EMPTY_PLACE),
    Rule("google_analytics", "filter", r"where true or \{\{ batch", EMPTY_PLACE),
    Rule("google_analytics", "boundary", r"<= max\(exported_at\)$", SENT_ONCE),
    Rule("google_analytics", "filter", r"having true or", SENT_ONCE),
    Rule("google_analytics", "filter", r"case when true then .*event_param\('currency'\)", "It only saves time."),
    Rule(
        "linkedin_ads",
        "order",
        r"^upper\(coalesce\(dailyBudget\.",
        "All money of a campaign is in one currency.",
    ),
    Rule(
        "linkedin_ads",
        "order",
        r"coalesce\(accounts\.currency, campaigns\.currency",
        "An account's currency is that of all its campaigns.",
    ),
    Rule("linkedin_ads", "column", r"null and cost is not null as is_in", "Without local cost, cost is in dollars."),
    Rule("linkedin_ads", "dropped", r"-> +coalesce\(pivotValues, \[pivotValue\]\)", "A pivot of NULL has no type."),
    Rule("linkedin_ads", "literal", r"'other urn:li:", "Of a URN, only the type and the id are read."),
    Rule("linkedin_ads", "order", r"\)\[-1\], ':'", "A row has one pivot of a type."),
    Rule("linkedin_ads", "distinct", r"-> +union by name$", A_KEY),
    Rule(
        "shopify",
        "column",
        r"total not in \(((.*, )?(explained|order)_total - re(paid|turned)|charged - refunded_amount)",
        "Where nothing was taken off, the explained total is what was charged; refunded_amount is repaid.",
    ),
    Rule("shopify", "column", r"when goods_price = goods_discount then goods_discount$", "They are equal there."),
    Rule(
        "shopify",
        "column",
        r"-> .*taxes_included and tax_(charged|amount) is distinct from 0",
        "Where a line does not say its taxes, the tax charged is the stated one.",
    ),
    Rule("mixpanel", "order", r"nullif_empty\('properties\.gclid'\) ~ ', ' ~ .*-> +'coalesce\(", ANY_ID),
    Rule("shared", "filter", r"'raid='\), false\) +-> +when false$", NO_ID),
    Rule("shared", "boolean", r"'raid='\), true\)$", NO_ID),
    Rule("shared", "table", r"else users\.own_id end as user_pseudo_id$", JOINED),
    Rule("shared", "literal", r"substr\({{ text }}, 12\)", "The eleventh letter is T or a space."),
    Rule("tiktok_ads", "order", r"coalesce\(reports\.campaign_id, ad_groups\.campaign_id, ads\.", AD_GROUP),
    Rule("tiktok_ads", "literal", r"-> .*'other (4 advertiser|2 hour)'", "It is the last in the alphabet both ways."),
    Rule(
        "woocommerce", "filter", r"-> +left join stated as parents$", "What has no parent comes to no parent's total."
    ),
    Rule(
        "woocommerce",
        "column",
        r"when statuses\.raw_status = 'refunded'",
        "WooCommerce's only word for refunded is refunded.",
    ),
)
