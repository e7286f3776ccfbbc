"""Files that people download from Google Ads.

Source: support.google.com/google-ads/answer/2404031 (download your reports) and public importers, which skip two
title lines and drop rows that begin with `Total:` or `Gesamt:` (found by `Currency code,Cost` and
`Kampagne,Währungscode`). The flavour for Excel is UTF-16 with tabs. Amounts are in major units, where the API has
millionths; ` --` is no value, and numbers are written as the reader's own number format says, whatever the language.
Without the segment Day a row covers the whole period.
"""

from __future__ import annotations

from pipeline.contracts.downloads import Download, Language, NotRead

ENGLISH = Language(
    name="English",
    known_by=(
        ("Impr.", "Cost"),
        ("Currency code", "Cost"),
        ("Day", "Campaign", "Cost"),
        ("Day", "Currency code", "Clicks"),
        ("Day", "Impr.", "Clicks"),
    ),
    titles={
        "segments.date": ("Day",),
        "customer.id": ("Customer ID", "External customer ID"),
        "customer.descriptiveName": ("Account name", "Account"),
        "customer.currencyCode": ("Currency code", "Currency"),
        "campaign.id": ("Campaign ID",),
        "campaign.name": ("Campaign",),
        "adGroup.id": ("Ad group ID",),
        "adGroup.name": ("Ad group",),
        "adGroupAd.ad.id": ("Ad ID",),
        "adGroupAd.ad.name": ("Ad name",),
        "adGroupCriterion.criterionId": ("Keyword ID", "Criterion ID"),
        "keyword": ("Search keyword", "Keyword"),
        "segments.hour": ("Hour of the day", "Hour of day"),
        "segments.device": ("Device",),
        "segments.adNetworkType": ("Network", "Network (with search partners)"),
        "segments.slot": ("Top vs. Other", "Top vs. other"),
        "segments.clickType": ("Click type",),
        "segments.conversionActionName": ("Conversion action", "Conversion name"),
        "segments.conversionActionCategory": ("Conversion category", "Conversion action category"),
        "metrics.costMicros": ("Cost",),
        "metrics.impressions": ("Impr.", "Impressions"),
        "metrics.clicks": ("Clicks",),
        "metrics.interactions": ("Interactions",),
        "metrics.conversions": ("Conversions",),
        "metrics.conversionsValue": ("Conv. value", "Total conv. value"),
        "metrics.allConversions": ("All conv.",),
        "metrics.viewThroughConversions": ("View-through conv.",),
    },
    totals=("total:", "total -", "total"),
)
GERMAN = Language(
    name="German",
    known_by=(
        ("Impr.", "Kosten"),
        ("Währungscode", "Kosten"),
        ("Tag", "Kampagne", "Kosten"),
        ("Tag", "Währungscode", "Klicks"),
        ("Tag", "Impr.", "Klicks"),
    ),
    titles={
        "segments.date": ("Tag",),
        "customer.id": ("Kundennummer", "Kunden-ID"),
        "customer.descriptiveName": ("Kontoname", "Konto"),
        "customer.currencyCode": ("Währungscode", "Währung"),
        "campaign.id": ("Kampagnen-ID",),
        "campaign.name": ("Kampagne",),
        "adGroup.id": ("Anzeigengruppen-ID",),
        "adGroup.name": ("Anzeigengruppe",),
        "adGroupAd.ad.id": ("Anzeigen-ID",),
        "adGroupAd.ad.name": ("Anzeigenname", "Name der Anzeige"),
        "adGroupCriterion.criterionId": ("Keyword-ID",),
        "keyword": ("Suchkeyword", "Keyword"),
        "segments.hour": ("Tageszeit", "Stunde"),
        "segments.device": ("Gerät",),
        "segments.adNetworkType": ("Werbenetzwerk", "Netzwerk"),
        "segments.slot": ("Oben im Vergleich zu anderen Positionen",),
        "segments.clickType": ("Klicktyp",),
        "segments.conversionActionName": ("Conversion-Aktion",),
        "segments.conversionActionCategory": ("Conversion-Kategorie",),
        "metrics.costMicros": ("Kosten",),
        "metrics.impressions": ("Impr.", "Impressionen"),
        "metrics.clicks": ("Klicks",),
        "metrics.interactions": ("Interaktionen",),
        "metrics.conversions": ("Conversions",),
        "metrics.conversionsValue": ("Conv.-Wert", "Conversion-Wert"),
        "metrics.allConversions": ("Alle Conv.",),
        "metrics.viewThroughConversions": ("View-through-Conv.",),
    },
    numbers="1.234,56",
    totals=("gesamt", "summe"),
)

REPORT = Download(
    name="a Google Ads report download",
    objects=("ad_performance",),
    languages=(ENGLISH, GERMAN),
    needs=(("segments.date",), ("metrics.costMicros",), ("metrics.impressions",), ("metrics.clicks",)),
    bring="in Google Ads add Segment > Time > Day and the columns Cost, Impr., Clicks and Currency code, and download "
    "it again",
    other_languages=(
        ("Coût", "Impr."),
        ("Coste", "Impr."),
        ("Costo", "Impr."),
        ("Custo", "Impr."),
        ("Kosten", "Vert."),
        ("Code de la devise",),
        ("Código de moneda",),
        ("Codice valuta",),
        ("Código da moeda",),
        ("Valutacode",),
    ),
    currency="customer.currencyCode",
    day="segments.date",
    digits=("customer.id",),
    ids_by_name=(
        ("campaign.id", "campaign.name"),
        ("adGroup.id", "adGroup.name"),
        ("adGroupAd.ad.id", "adGroupAd.ad.name"),
        ("adGroupCriterion.criterionId", "keyword"),
    ),
    breakdowns=(
        "customer.id",
        "customer.descriptiveName",
        "segments.hour",
        "segments.device",
        "segments.adNetworkType",
        "segments.slot",
        "segments.clickType",
        "segments.conversionActionName",
        "segments.conversionActionCategory",
    ),
)

DOWNLOADS = (REPORT,)
NOT_READ = (
    NotRead(
        name="a Google Ads search terms report, which leaves out the cost of rare terms",
        known_by=(("Search term", "Match type"), ("Search term", "Campaign"), ("Suchbegriff", "Kampagne")),
        bring="download the campaign report by day (Segment > Time > Day)",
    ),
    NotRead(
        name="a Google Ads Editor export, which has settings and no days",
        known_by=(("Campaign", "Ad Group", "Final URL", "Headline 1"),),
        bring="download the campaign report by day (Segment > Time > Day)",
    ),
)
