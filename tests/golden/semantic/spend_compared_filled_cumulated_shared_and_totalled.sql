WITH "current_ad_performance" AS (
  SELECT
    CAST(CAST("t7"."ad_performance.period_of_date" AS TIMESTAMP) AS DATE) AS "date",
    "t7"."campaigns.campaign_name" AS "campaign_name",
    "t7"."ad_performance.spend" AS "spend",
    1 AS "rows_of_ad_performance"
  FROM (
    SELECT
      "t6"."ad_performance.period_of_date",
      "t6"."campaigns.campaign_name",
      SUM("t6"."spend") AS "ad_performance.spend"
    FROM (
      SELECT
        "t5"."__bsl_jk_campaign_key" AS "campaign_key",
        "t5"."report_date",
        "t5"."spend",
        "t5"."period_of_date",
        "t5"."campaign_key" AS "campaign_key_right",
        "t5"."campaign_name",
        "t5"."period_of_date" AS "ad_performance.period_of_date",
        "t5"."campaign_name" AS "campaigns.campaign_name"
      FROM (
        SELECT
          "t4"."__bsl_jk_campaign_key",
          "t4"."report_date",
          "t4"."spend",
          "t4"."period_of_date",
          "t2"."campaign_key",
          "t2"."campaign_name"
        FROM (
          SELECT
            "t0"."campaign_key" AS "__bsl_jk_campaign_key",
            "t0"."report_date",
            "t0"."spend",
            DATE_TRUNC('MONTH', "t0"."report_date") AS "period_of_date"
          FROM "fct_shop__ad_performance" AS "t0"
          WHERE
            "t0"."report_date" >= CAST('2026-01-01' AS DATE)
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
"previous_ad_performance" AS (
  SELECT
    CAST(CAST("t7"."ad_performance.period_of_date" AS TIMESTAMP) AS DATE) AS "date",
    "t7"."campaigns.campaign_name" AS "campaign_name",
    "t7"."ad_performance.spend" AS "spend",
    1 AS "rows_of_ad_performance"
  FROM (
    SELECT
      "t6"."ad_performance.period_of_date",
      "t6"."campaigns.campaign_name",
      SUM("t6"."spend") AS "ad_performance.spend"
    FROM (
      SELECT
        "t5"."__bsl_jk_campaign_key" AS "campaign_key",
        "t5"."report_date",
        "t5"."spend",
        "t5"."period_of_date",
        "t5"."campaign_key" AS "campaign_key_right",
        "t5"."campaign_name",
        "t5"."period_of_date" AS "ad_performance.period_of_date",
        "t5"."campaign_name" AS "campaigns.campaign_name"
      FROM (
        SELECT
          "t4"."__bsl_jk_campaign_key",
          "t4"."report_date",
          "t4"."spend",
          "t4"."period_of_date",
          "t2"."campaign_key",
          "t2"."campaign_name"
        FROM (
          SELECT
            "t0"."campaign_key" AS "__bsl_jk_campaign_key",
            "t0"."report_date",
            "t0"."spend",
            DATE_TRUNC('MONTH', "t0"."report_date") AS "period_of_date"
          FROM "fct_shop__ad_performance" AS "t0"
          WHERE
            "t0"."report_date" >= CAST('2025-12-01' AS DATE)
            AND "t0"."report_date" <= CAST('2026-01-31' AS DATE)
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
"calendar" AS (
  SELECT
    CAST("day" AS DATE) AS "date",
    CAST(CAST("day" AS DATE) - TO_MONTHS(CAST(2 AS INTEGER)) AS DATE) AS previous_date
  FROM GENERATE_SERIES(CAST(DATE_TRUNC('month', CAST('2026-02-01' AS DATE)) AS DATE), CAST('2026-03-31' AS DATE), INTERVAL 1 MONTH) AS "days"("day")
),
"shifted" AS (
  SELECT
    "calendar"."date",
    "previous_ad_performance"."campaign_name",
    "previous_ad_performance"."spend",
    "previous_ad_performance"."rows_of_ad_performance"
  FROM "calendar"
  JOIN "previous_ad_performance" ON "previous_ad_performance"."date" = "calendar"."previous_date"
),
"compared" AS (
  SELECT
    COALESCE("current_ad_performance"."date", "shifted"."date") AS "date",
    COALESCE("current_ad_performance"."campaign_name", "shifted"."campaign_name") AS "campaign_name",
    "current_ad_performance"."spend",
    "current_ad_performance"."rows_of_ad_performance",
    "shifted"."spend" AS "spend_previous",
    "shifted"."rows_of_ad_performance" AS "rows_of_ad_performance_previous"
  FROM "current_ad_performance"
  FULL JOIN "shifted" ON "current_ad_performance"."date" IS NOT DISTINCT FROM "shifted"."date" AND "current_ad_performance"."campaign_name" IS NOT DISTINCT FROM "shifted"."campaign_name"
),
"spine" AS (
  SELECT CAST("day" AS DATE) AS "date"
  FROM GENERATE_SERIES(CAST(DATE_TRUNC('month', CAST('2026-01-01' AS DATE)) AS DATE), CAST('2026-03-31' AS DATE), INTERVAL 1 MONTH) AS "days"("day")
),
"groups" AS (
  SELECT DISTINCT "campaign_name"
  FROM "compared"
),
"cells" AS (
  SELECT
    "spine"."date",
    "groups"."campaign_name"
  FROM "spine"
  CROSS JOIN "groups"
),
"filled" AS (
  SELECT
    "cells"."date",
    "cells"."campaign_name",
    "compared"."spend",
    "compared"."rows_of_ad_performance",
    "compared"."spend_previous",
    "compared"."rows_of_ad_performance_previous"
  FROM "cells"
  LEFT JOIN "compared" ON "cells"."date" IS NOT DISTINCT FROM "compared"."date" AND "cells"."campaign_name" IS NOT DISTINCT FROM "compared"."campaign_name"
),
"cumulated" AS (
  SELECT
    *,
    SUM("spend") OVER (PARTITION BY "campaign_name", DATE_TRUNC('year', "date") ORDER BY "date") AS "spend_cumulative",
    SUM("rows_of_ad_performance") OVER (PARTITION BY "campaign_name", DATE_TRUNC('year', "date") ORDER BY "date") AS "rows_of_ad_performance_cumulative"
  FROM "filled"
),
"shown" AS (
  SELECT *
  FROM "cumulated"
  WHERE "date" >= CAST('2026-02-01' AS DATE)
),
"kept" AS (
  SELECT *
  FROM "shown"
  WHERE (CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END) >= 0
),
"whole" AS (
  SELECT
    SUM("spend") AS "spend",
    SUM("rows_of_ad_performance") AS "rows_of_ad_performance",
    SUM("spend_previous") AS "spend_previous",
    SUM("rows_of_ad_performance_previous") AS "rows_of_ad_performance_previous"
  FROM "kept"
),
"ranked" AS (
  SELECT
    "campaign_name",
    CASE WHEN SUM("rows_of_ad_performance") > 0 THEN SUM("spend") ELSE 0 END AS rank_value
  FROM "kept"
  GROUP BY "campaign_name"
),
"placed" AS (
  SELECT
    "campaign_name",
    ROW_NUMBER() OVER (ORDER BY rank_value DESC NULLS LAST, "campaign_name" NULLS LAST) AS place
  FROM "ranked"
),
"topped" AS (
  SELECT "kept".*
  FROM "kept"
  JOIN "placed" ON "kept"."campaign_name" IS NOT DISTINCT FROM "placed"."campaign_name"
  WHERE place <= 2
)
SELECT *, FALSE AS is_total
FROM (
  SELECT
    "date",
    "campaign_name",
    CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END AS "spend",
    CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" ELSE 0 END AS "spend_previous",
    (CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END) - (CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" ELSE 0 END) AS "spend_change",
    ((CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END) - (CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" ELSE 0 END)) / NULLIF(ABS(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" ELSE 0 END), 0) AS "spend_change_ratio",
    (CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END) / NULLIF((SELECT CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END FROM whole), 0) AS "spend_share",
    CASE WHEN "rows_of_ad_performance_cumulative" > 0 THEN "spend_cumulative" ELSE 0 END AS "spend_cumulative"
  FROM "topped"
  ORDER BY "date" ASC NULLS LAST, "spend" DESC NULLS LAST, "campaign_name" ASC NULLS LAST
  LIMIT 101 OFFSET 0
)
UNION ALL
SELECT
  NULL AS "date",
  NULL AS "campaign_name",
  CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END AS "spend",
  CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" ELSE 0 END AS "spend_previous",
  (CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END) - (CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" ELSE 0 END) AS "spend_change",
  ((CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END) - (CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" ELSE 0 END)) / NULLIF(ABS(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" ELSE 0 END), 0) AS "spend_change_ratio",
  (CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END) / NULLIF((SELECT CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END FROM whole), 0) AS "spend_share",
  NULL AS "spend_cumulative",
  TRUE
FROM "whole"
