WITH "current_sessions" AS (
  SELECT
    "t2"."campaign_name",
    CAST(CAST("t2"."period_of_date" AS TIMESTAMP) AS DATE) AS "date",
    "t2"."attributed_revenue",
    1 AS "rows_of_sessions"
  FROM (
    SELECT
      "t1"."campaign_name",
      "t1"."period_of_date",
      SUM(CASE WHEN "t1"."attribution" <> 'none' THEN "t1"."session_revenue" ELSE 0 END) AS "attributed_revenue"
    FROM (
      SELECT
        "t0"."ad_platform",
        "t0"."attribution",
        "t0"."campaign_name",
        "t0"."session_date",
        "t0"."session_revenue",
        DATE_TRUNC('MONTH', "t0"."session_date") AS "period_of_date"
      FROM "fct_shop__sessions" AS "t0"
      WHERE
        "t0"."ad_platform" IN ('facebook_ads', 'google_ads')
        AND "t0"."session_date" >= CAST('2026-01-01' AS DATE)
        AND "t0"."session_date" <= CAST('2026-03-31' AS DATE)
    ) AS "t1"
    GROUP BY
      1,
      2
  ) AS "t2"
),
"current_ad_performance" AS (
  SELECT
    "t7"."campaigns.campaign_name" AS "campaign_name",
    CAST(CAST("t7"."ad_performance.period_of_date" AS TIMESTAMP) AS DATE) AS "date",
    "t7"."ad_performance.spend" AS "spend",
    1 AS "rows_of_ad_performance"
  FROM (
    SELECT
      "t6"."campaigns.campaign_name",
      "t6"."ad_performance.period_of_date",
      SUM("t6"."spend") AS "ad_performance.spend"
    FROM (
      SELECT
        "t5"."__bsl_jk_campaign_key" AS "campaign_key",
        "t5"."report_date",
        "t5"."source_platform",
        "t5"."spend",
        "t5"."period_of_date",
        "t5"."campaign_key" AS "campaign_key_right",
        "t5"."campaign_name",
        "t5"."campaign_name" AS "campaigns.campaign_name",
        "t5"."period_of_date" AS "ad_performance.period_of_date"
      FROM (
        SELECT
          "t4"."__bsl_jk_campaign_key",
          "t4"."report_date",
          "t4"."source_platform",
          "t4"."spend",
          "t4"."period_of_date",
          "t2"."campaign_key",
          "t2"."campaign_name"
        FROM (
          SELECT
            "t0"."campaign_key" AS "__bsl_jk_campaign_key",
            "t0"."report_date",
            "t0"."source_platform",
            "t0"."spend",
            DATE_TRUNC('MONTH', "t0"."report_date") AS "period_of_date"
          FROM "fct_shop__ad_performance" AS "t0"
          WHERE
            "t0"."source_platform" IN ('facebook_ads', 'google_ads')
            AND "t0"."report_date" >= CAST('2026-01-01' AS DATE)
            AND "t0"."report_date" <= CAST('2026-03-31' AS DATE)
        ) AS "t4"
        LEFT OUTER JOIN "dim_shop__campaigns" AS "t2"
          ON "t4"."__bsl_jk_campaign_key" = "t2"."campaign_key"
      ) AS "t5"
    ) AS "t6"
    GROUP BY
      1,
      2
  ) AS "t7"
),
"current" AS (
  SELECT
    COALESCE("current_sessions"."campaign_name", "current_ad_performance"."campaign_name") AS "campaign_name",
    COALESCE("current_sessions"."date", "current_ad_performance"."date") AS "date",
    "current_sessions"."attributed_revenue",
    "current_ad_performance"."spend",
    "current_sessions"."rows_of_sessions",
    "current_ad_performance"."rows_of_ad_performance"
  FROM "current_sessions"
  FULL JOIN "current_ad_performance" ON "current_sessions"."campaign_name" IS NOT DISTINCT FROM "current_ad_performance"."campaign_name" AND "current_sessions"."date" IS NOT DISTINCT FROM "current_ad_performance"."date"
)
SELECT
  "campaign_name",
  "date",
  CASE WHEN "rows_of_sessions" > 0 THEN "attributed_revenue" ELSE 0 END / NULLIF(CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END, 0) AS "roas"
FROM "current"
ORDER BY "roas" DESC NULLS LAST, "campaign_name" ASC NULLS LAST, "date" ASC NULLS LAST
LIMIT 101 OFFSET 0
