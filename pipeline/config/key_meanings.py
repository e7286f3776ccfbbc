"""The meaning of every key of tenants.yaml.

The tests compare this table with the keys that the readers accept, and docs/reference/tenants.md is generated from it.
A key that is a field of a model may be left out here: the docstring of the field is its meaning.

`<...>` is a name of the tenant's own or of the catalog, `[]` each item of a list.
"""

from __future__ import annotations

from collections.abc import Mapping

TENANT = "tenants[]"
SOURCE = f"{TENANT}.sources.<connector>"
GENERATION = f"{SOURCE}.generation"
LOGIC = f"{SOURCE}.tables[].logic"
METRIC = f"{TENANT}.semantic.metrics.<metric>"
DIMENSION = f"{TENANT}.semantic.dimensions.<dimension>"

_FILE = {
    "tenants": "The tenants, as a list.",
    "include": "Files with more tenants, as glob patterns relative to this file; each holds `tenants:` alone.",
    "defaults": "Keys of a tenant that are laid under every tenant; a tenant's own value wins, mappings are merged.",
}
_TENANT = {
    "slug": "The name in tables, files and addresses: lower-case letters, digits and `_`. It never changes.",
    "business_name": "The name that people read.",
    "status": "`active` and `onboarding`: built and served. `pending`: checked, not built. `offboarded`: neither, and"
    " `gata forget` may erase it.",
    "timezone": "Its days begin in this IANA time zone.",
    "currency": "The currency it reports in, ISO 4217.",
    "rates": "A file of exchange rates with the columns date, currency, rate, relative to this file.",
    "week_start": "The first day of a week.",
    "analytics": "The analytics source that feeds sessions and events, where several are enabled.",
    "sources": "Its sources, by connector.",
    "semantic": "Its own metrics, words and permissions.",
    "attribution": "Ad platforms of its own traffic sources.",
    "channels": "Its own channels of visits, in their order; the first that fits decides, then GA4's default channel"
    " group.",
    "questions": "Questions with known answers (docs/reference/validation.md): `gata verify` asks them, and each run is"
    " judged by them before it is published.",
    "questions[].question": "The question in words.",
    "questions[].query": "The query that asks it, with the keys of `gata ask --query`.",
    "questions[].sql": "Its answer: one SELECT over the tenant's facts and dimensions that gives the rows, dimensions"
    " first, in any order. `$today` is the day that named time ranges count from.",
    "questions[].value": "Its answer instead: one value, or a list of rows. A number is compared at the decimals that"
    " it is written with.",
    "gates": "Gates that differ for it, by id (docs/reference/validation.md), over those of `GATA_GATES`. Only an"
    " operator sets them.",
    "models": "Files of the tenant's own models, `.sql` and `.yml`, as glob patterns relative to this file"
    " (docs/own-models.md).",
}
_SOURCE = {
    "enabled": "Whether the source is read.",
    "ended": "The last day of a source that is no longer in use, such as 2026-02-15: no later data is expected.",
    "accounts": "Its accounts, by a name of your choice; without it the source is one account named `main`.",
    "generation": "Parameters of synthetic data; one that the connector cannot use is refused.",
    "tables": "Rules by table.",
    "tables[].name": "An object of the connector.",
    "tables[].logic": "The rules. A key that the connector cannot apply is refused.",
}
_ACCOUNT = {
    "read": "Where the records come from; left out, they are synthetic.",
    "read.kind": "The kind of source.",
    "read.exported_at": "A regular expression on the file's name with one group: when the export was made. Where"
    " the vendor's records carry no time of change, the newest export of a record counts.",
    "read.delivery": "A regular expression on the file's name with one group: files with the same text in it are one"
    " delivery, such as the pages of a pull. It lands whole or not at all.",
    "read.covers": "A regular expression on the file's name with one or two groups: the day, or the first and the last"
    " day, that it covers. A covered day without a row has none: what landed of it before no longer counts.",
    "read.folder": "A folder, relative to this file, whose files are told apart by what they hold: each is read as the"
    " object that it is; one that is of none or of several is quarantined by name. Sources may share a folder."
    " For kind bronze, the bronze to read: a folder of `<tenant>/<platform>/<account>/<object>/"
    "ingest_dt=YYYY-MM-DD/batch_<id>/`.",
    "read.dates": "The order of day, month and year in dates such as 1/5/2026, where a downloaded file does not prove"
    " it.",
    "read.numbers": "How numbers such as 1.234 are written, where a downloaded file does not prove it.",
    "read.encoding": "The encoding of CSV files that are not UTF-8 and have no byte order mark.",
    "read.objects": "The files of each object of the connector.",
    "read.objects.<object>": "A glob pattern or a list of them, relative to this file; json, jsonl, csv or parquet,"
    " also .gz, or a .zip of them.",
    "currency": "The currency of records that do not say theirs; left out, the tenant's.",
    "timezone": "The time zone of local times; left out, the connector's own rule or the tenant's.",
}
_LOGIC = {
    "attribution_model": "Which source of a visit counts: the first, or the last that is not direct. One per tenant;"
    " left out, `first_touch`.",
    "charge_id_attributes": "Names of the order's note attributes in which an app keeps payment ids, likeliest first.",
    "conversion_event_pattern": "The action type of the report that counts as a conversion: equal, or a regular"
    " expression.",
    "conversion_events": "Event names that make a session a converting one; left out, `purchase`.",
    "filters": "Rules that a record must all meet to be counted. Records that do not stay in the sink.",
    "filters[].field": "A field of the contract that holds one value; a dotted path leads into objects.",
    "filters[].op": "The comparison.",
    "filters[].value": "The value or, for `in`, `not_in` and `between`, the list of values. None for `is_null` and"
    " `is_not_null`.",
    "funnel_steps": "The funnel's steps in order: a list of event names, or a map of step to its event names."
    " Left out, `session_start` to `purchase` in six steps.",
    "goal": "What the ads are to bring, such as lead_gen; stated beside `cost_per_conversion`, it changes no number.",
    "purchase_events": "Event names that are purchases, where the tool's own differ.",
    "target_cpa": "The wanted cost per conversion, in the account's currency; stated beside `cost_per_conversion`, it"
    " changes no number.",
}
_GENERATION = {
    "daily_spend_mean": "Spend of a day on average, in the account's currency.",
    "campaign_count": "Campaigns.",
    "ad_group_count": "Ad groups of all campaigns; left out, two of each.",
    "cpc_mean": "Cost of a click on average.",
    "avg_ctr": "Clicks per impression on average.",
    "sponsored_product_ratio": "The share of the shop's products that are advertised.",
    "daily_orders_mean": "Orders of a day on average; an older name of `daily_order_count`.",
    "daily_order_count": "Orders of a day on average.",
    "aov_mean": "Value of an order on average; an older name of `avg_order_value`.",
    "avg_order_value": "Value of an order on average, in the account's currency.",
    "product_count": "Products.",
    "product_catalog_size": "Products; an older name of `product_count`.",
    "organic_traffic_ratio": "The share of visits that no ad brings.",
    "conversion_rate": "The share of visits that buy.",
    "tracking_loss": "The share of visitors that the analytics tool never sees.",
    "daily_event_count": "Events of a day on average.",
    "unique_user_base": "People that visit at all.",
    "funnel": "The share of visitors who take each step, and who come back.",
    "funnel.session_to_view": "Of visits, those that view a product.",
    "funnel.view_to_cart": "Of visits with a view, those that fill the cart.",
    "funnel.cart_to_checkout": "Of visits with a cart, those that begin the checkout.",
    "funnel.checkout_to_payment": "Of visits with a checkout, those that enter a payment.",
    "funnel.payment_to_purchase": "Of visits with a payment, those that buy.",
    "funnel.return_after_bounce": "Of visits that saw one page, those followed by another visit.",
    "funnel.return_after_view": "Of visits that ended at a product, those followed by another visit.",
    "funnel.return_after_cart": "Of visits that ended at the cart, those followed by another visit.",
    "funnel.return_after_checkout": "Of visits that ended at the checkout, those followed by another visit.",
    "funnel.return_after_payment": "Of visits that ended at the payment, those followed by another visit.",
    "funnel.return_after_purchase": "Of visits that bought, those followed by another visit.",
    "funnel.returning_customer_boost": "How many times as likely customers are to buy as others.",
}
_OVERLAY = {
    "label": "A name to show.",
    "description": "The meaning, in one sentence.",
    "synonyms": "Other words it is found by.",
    "hidden": "It is not listed and cannot be asked for; metrics made of it still work.",
    "rename": "Another name, in place of the standard one.",
}
_METRIC = {
    "expression": "Arithmetic over metrics: `+ - * /`, numbers and parentheses.",
    "fact": "The fact whose rows are aggregated.",
    "column": "The column of the fact that is aggregated; none for `count`.",
    "aggregate": "`sum`, `count`, `count_distinct`, `average`, `min`, `max`, `median`, or a percentile `p1` to `p99`.",
    "metric": "A metric of which only some rows count; needs `filters`.",
    "filters": "Conditions that a row must all meet.",
    "filters[].name": "A dimension that the fact reaches, or a column of the fact.",
    "filters[].op": "The comparison; `=` when left out.",
    "filters[].value": "The value or list of values.",
    "unit": "The unit: `currency`, `count`, `ratio`, or a word of your own.",
}

MEANINGS: Mapping[str, str] = {
    **_FILE,
    **{f"{TENANT}.{key}": meaning for key, meaning in _TENANT.items()},
    **{f"{SOURCE}.{key}": meaning for key, meaning in (_SOURCE | _ACCOUNT).items()},
    **{f"{SOURCE}.accounts.<account>.{key}": meaning for key, meaning in _ACCOUNT.items()},
    **{f"{LOGIC}.{key}": meaning for key, meaning in _LOGIC.items()},
    **{f"{GENERATION}.{key}": meaning for key, meaning in _GENERATION.items()},
    f"{TENANT}.semantic.metrics": "Metrics of the tenant's own, and words for standard ones, by name.",
    f"{TENANT}.semantic.dimensions": "Words for dimensions, by name.",
    f"{TENANT}.semantic.expose": "Personal dimensions that may be asked for, such as `customer_email`.",
    **{f"{METRIC}.{key}": meaning for key, meaning in (_METRIC | _OVERLAY).items()},
    **{f"{DIMENSION}.{key}": meaning for key, meaning in _OVERLAY.items()},
    f"{TENANT}.attribution.platforms": "Which ad platform a source and medium stand for, beside the built-in list.",
    f"{TENANT}.attribution.platforms[].source": "The source of a visit; case and outer spaces are ignored.",
    f"{TENANT}.attribution.platforms[].medium": "The medium of a visit.",
    f"{TENANT}.attribution.platforms[].ad_platform": "A connector of the domain ads.",
    f"{TENANT}.gates.<gate>.severity": "What it does when it does not pass: `error` holds the run in dev and prod. What"
    " is left out stays.",
    f"{TENANT}.gates.<gate>.threshold": "The value that it compares with.",
    f"{TENANT}.gates.<gate>.tables": "Thresholds by table or object.",
    f"{TENANT}.channels[].channel": "The channel's name, a new one or one of GA4's, such as Paid Social.",
    f"{TENANT}.channels[].source": "Sources of its visits, one or several, with * for anything; case is ignored.",
    f"{TENANT}.channels[].medium": "Their mediums, likewise.",
    f"{TENANT}.channels[].campaign": "Their campaigns, likewise. A visit fits every part that a rule names.",
}
