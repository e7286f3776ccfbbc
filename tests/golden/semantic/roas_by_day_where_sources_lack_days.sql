WITH "current_sessions" AS (
  SELECT
    "t2"."date",
    "t2"."attributed_revenue",
    1 AS "rows_of_sessions"
  FROM (
    SELECT
      "t1"."date",
      SUM(CASE WHEN "t1"."attribution" <> 'none' THEN "t1"."session_revenue" ELSE 0 END) AS "attributed_revenue"
    FROM (
      SELECT
        "t0"."attribution",
        "t0"."session_date",
        "t0"."session_revenue",
        "t0"."session_date" AS "date"
      FROM "fct_shop__sessions" AS "t0"
      WHERE
        NOT (
          "t0"."session_date" IN (
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE)
          )
        )
        AND "t0"."session_date" >= CAST('2025-12-30' AS DATE)
        AND "t0"."session_date" <= CAST('2026-01-20' AS DATE)
    ) AS "t1"
    GROUP BY
      1
  ) AS "t2"
),
"current_ad_performance" AS (
  SELECT
    "t2"."date",
    "t2"."spend",
    1 AS "rows_of_ad_performance"
  FROM (
    SELECT
      "t1"."date",
      SUM("t1"."spend") AS "spend"
    FROM (
      SELECT
        "t0"."report_date",
        "t0"."spend",
        "t0"."report_date" AS "date"
      FROM "fct_shop__ad_performance" AS "t0"
      WHERE
        NOT (
          "t0"."report_date" IN (
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE)
          )
        )
        AND "t0"."report_date" >= CAST('2025-12-30' AS DATE)
        AND "t0"."report_date" <= CAST('2026-01-20' AS DATE)
    ) AS "t1"
    GROUP BY
      1
  ) AS "t2"
),
"current_orders" AS (
  SELECT
    "t2"."date",
    "t2"."order_revenue",
    1 AS "rows_of_orders"
  FROM (
    SELECT
      "t1"."date",
      SUM(CASE WHEN "t1"."is_valid" THEN "t1"."total_price" ELSE 0 END) AS "order_revenue"
    FROM (
      SELECT
        "t0"."is_valid",
        "t0"."order_date",
        "t0"."total_price",
        "t0"."order_date" AS "date"
      FROM "fct_shop__orders" AS "t0"
      WHERE
        NOT (
          "t0"."order_date" IN (
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE),
            CAST('0001-01-01' AS DATE)
          )
        )
        AND "t0"."order_date" >= CAST('2025-12-30' AS DATE)
        AND "t0"."order_date" <= CAST('2026-01-20' AS DATE)
    ) AS "t1"
    GROUP BY
      1
  ) AS "t2"
),
"current" AS (
  SELECT
    COALESCE("current_sessions"."date", "current_ad_performance"."date", "current_orders"."date") AS "date",
    "current_sessions"."attributed_revenue",
    "current_ad_performance"."spend",
    "current_orders"."order_revenue",
    "current_sessions"."rows_of_sessions",
    "current_ad_performance"."rows_of_ad_performance",
    "current_orders"."rows_of_orders"
  FROM "current_sessions"
  FULL JOIN "current_ad_performance" ON "current_sessions"."date" IS NOT DISTINCT FROM "current_ad_performance"."date"
  FULL JOIN "current_orders" ON COALESCE("current_sessions"."date", "current_ad_performance"."date") IS NOT DISTINCT FROM "current_orders"."date"
),
"previous_sessions" AS (
  SELECT
    "t2"."date",
    "t2"."attributed_revenue",
    1 AS "rows_of_sessions"
  FROM (
    SELECT
      "t1"."date",
      SUM(CASE WHEN "t1"."attribution" <> 'none' THEN "t1"."session_revenue" ELSE 0 END) AS "attributed_revenue"
    FROM (
      SELECT
        "t0"."attribution",
        "t0"."session_date",
        "t0"."session_revenue",
        "t0"."session_date" AS "date"
      FROM "fct_shop__sessions" AS "t0"
      WHERE
        NOT (
          "t0"."session_date" IN (
            CAST('2025-12-29' AS DATE),
            CAST('2025-12-30' AS DATE),
            CAST('2025-12-31' AS DATE),
            CAST('2026-01-01' AS DATE),
            CAST('2026-01-02' AS DATE),
            CAST('2026-01-03' AS DATE),
            CAST('2026-01-04' AS DATE),
            CAST('2026-01-05' AS DATE),
            CAST('2026-01-06' AS DATE),
            CAST('2026-01-07' AS DATE),
            CAST('2026-01-08' AS DATE),
            CAST('2026-01-09' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE)
          )
        )
        AND "t0"."session_date" >= CAST('2025-12-29' AS DATE)
        AND "t0"."session_date" <= CAST('2026-01-19' AS DATE)
    ) AS "t1"
    GROUP BY
      1
  ) AS "t2"
),
"previous_ad_performance" AS (
  SELECT
    "t2"."date",
    "t2"."spend",
    1 AS "rows_of_ad_performance"
  FROM (
    SELECT
      "t1"."date",
      SUM("t1"."spend") AS "spend"
    FROM (
      SELECT
        "t0"."report_date",
        "t0"."spend",
        "t0"."report_date" AS "date"
      FROM "fct_shop__ad_performance" AS "t0"
      WHERE
        NOT (
          "t0"."report_date" IN (
            CAST('2025-12-29' AS DATE),
            CAST('2025-12-30' AS DATE),
            CAST('2025-12-31' AS DATE),
            CAST('2026-01-01' AS DATE),
            CAST('2026-01-02' AS DATE),
            CAST('2026-01-03' AS DATE),
            CAST('2026-01-04' AS DATE),
            CAST('2026-01-05' AS DATE),
            CAST('2026-01-06' AS DATE),
            CAST('2026-01-07' AS DATE),
            CAST('2026-01-08' AS DATE),
            CAST('2026-01-09' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE)
          )
        )
        AND "t0"."report_date" >= CAST('2025-12-29' AS DATE)
        AND "t0"."report_date" <= CAST('2026-01-19' AS DATE)
    ) AS "t1"
    GROUP BY
      1
  ) AS "t2"
),
"previous_orders" AS (
  SELECT
    "t2"."date",
    "t2"."order_revenue",
    1 AS "rows_of_orders"
  FROM (
    SELECT
      "t1"."date",
      SUM(CASE WHEN "t1"."is_valid" THEN "t1"."total_price" ELSE 0 END) AS "order_revenue"
    FROM (
      SELECT
        "t0"."is_valid",
        "t0"."order_date",
        "t0"."total_price",
        "t0"."order_date" AS "date"
      FROM "fct_shop__orders" AS "t0"
      WHERE
        NOT (
          "t0"."order_date" IN (
            CAST('2025-12-29' AS DATE),
            CAST('2025-12-30' AS DATE),
            CAST('2025-12-31' AS DATE),
            CAST('2026-01-01' AS DATE),
            CAST('2026-01-02' AS DATE),
            CAST('2026-01-03' AS DATE),
            CAST('2026-01-04' AS DATE),
            CAST('2026-01-05' AS DATE),
            CAST('2026-01-06' AS DATE),
            CAST('2026-01-07' AS DATE),
            CAST('2026-01-08' AS DATE),
            CAST('2026-01-09' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE),
            CAST('2026-01-10' AS DATE)
          )
        )
        AND "t0"."order_date" >= CAST('2025-12-29' AS DATE)
        AND "t0"."order_date" <= CAST('2026-01-19' AS DATE)
    ) AS "t1"
    GROUP BY
      1
  ) AS "t2"
),
"previous" AS (
  SELECT
    COALESCE("previous_sessions"."date", "previous_ad_performance"."date", "previous_orders"."date") AS "date",
    "previous_sessions"."attributed_revenue",
    "previous_ad_performance"."spend",
    "previous_orders"."order_revenue",
    "previous_sessions"."rows_of_sessions",
    "previous_ad_performance"."rows_of_ad_performance",
    "previous_orders"."rows_of_orders"
  FROM "previous_sessions"
  FULL JOIN "previous_ad_performance" ON "previous_sessions"."date" IS NOT DISTINCT FROM "previous_ad_performance"."date"
  FULL JOIN "previous_orders" ON COALESCE("previous_sessions"."date", "previous_ad_performance"."date") IS NOT DISTINCT FROM "previous_orders"."date"
),
"calendar" AS (
  SELECT
    CAST("day" AS DATE) AS "date",
    CAST("day" AS DATE) - CAST(1 AS INTEGER) AS previous_date
  FROM GENERATE_SERIES(CAST(CAST('2025-12-30' AS DATE) AS DATE), CAST('2026-01-20' AS DATE), INTERVAL 1 DAY) AS "days"("day")
),
"shifted" AS (
  SELECT
    "calendar"."date",
    "previous"."attributed_revenue",
    "previous"."spend",
    "previous"."order_revenue",
    "previous"."rows_of_sessions",
    "previous"."rows_of_ad_performance",
    "previous"."rows_of_orders"
  FROM "calendar"
  JOIN "previous" ON "previous"."date" = "calendar"."previous_date"
),
"compared" AS (
  SELECT
    COALESCE("current"."date", "shifted"."date") AS "date",
    "current"."attributed_revenue",
    "current"."spend",
    "current"."order_revenue",
    "current"."rows_of_sessions",
    "current"."rows_of_ad_performance",
    "current"."rows_of_orders",
    "shifted"."attributed_revenue" AS "attributed_revenue_previous",
    "shifted"."spend" AS "spend_previous",
    "shifted"."order_revenue" AS "order_revenue_previous",
    "shifted"."rows_of_sessions" AS "rows_of_sessions_previous",
    "shifted"."rows_of_ad_performance" AS "rows_of_ad_performance_previous",
    "shifted"."rows_of_orders" AS "rows_of_orders_previous"
  FROM "current"
  FULL JOIN "shifted" ON "current"."date" IS NOT DISTINCT FROM "shifted"."date"
),
"spine" AS (
  SELECT CAST("day" AS DATE) AS "date"
  FROM GENERATE_SERIES(CAST(CAST('2025-12-30' AS DATE) AS DATE), CAST('2026-01-20' AS DATE), INTERVAL 1 DAY) AS "days"("day")
),
"filled" AS (
  SELECT
    "spine"."date",
    "compared"."attributed_revenue",
    "compared"."spend",
    "compared"."order_revenue",
    "compared"."rows_of_sessions",
    "compared"."rows_of_ad_performance",
    "compared"."rows_of_orders",
    "compared"."attributed_revenue_previous",
    "compared"."spend_previous",
    "compared"."order_revenue_previous",
    "compared"."rows_of_sessions_previous",
    "compared"."rows_of_ad_performance_previous",
    "compared"."rows_of_orders_previous"
  FROM "spine"
  LEFT JOIN "compared" ON "spine"."date" IS NOT DISTINCT FROM "compared"."date"
),
"covered_sessions" AS (
  SELECT DISTINCT
    CAST(covered_day AS DATE) AS "date",
    TRUE AS is_covered
  FROM (
    SELECT
      CAST(UNNEST(GENERATE_SERIES(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS covered_day
    FROM (VALUES (DATE '2026-01-11', DATE '2026-04-02')) AS "sources"("first_day", "last_day")
  )
  WHERE covered_day >= CAST('2025-12-30' AS DATE) AND covered_day <= CAST('2026-01-20' AS DATE) AND covered_day NOT IN ('0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01')
),
"covered_sessions_previous" AS (
  SELECT DISTINCT
    CAST(covered_day AS DATE) AS "date",
    TRUE AS is_covered
  FROM (
    SELECT
      CAST(UNNEST(GENERATE_SERIES(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS covered_day
    FROM (VALUES (DATE '2026-01-11', DATE '2026-04-02')) AS "sources"("first_day", "last_day")
  )
  WHERE covered_day >= CAST('2025-12-29' AS DATE) AND covered_day <= CAST('2026-01-19' AS DATE) AND covered_day NOT IN ('2025-12-29', '2025-12-30', '2025-12-31', '2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05', '2026-01-06', '2026-01-07', '2026-01-08', '2026-01-09', '2026-01-10', '2026-01-10', '2026-01-10', '2026-01-10')
),
"covered_ad_performance" AS (
  SELECT DISTINCT
    CAST(covered_day AS DATE) AS "date",
    TRUE AS is_covered
  FROM (
    SELECT
      CAST(UNNEST(GENERATE_SERIES(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS covered_day
    FROM (VALUES (DATE '2026-01-10', DATE '2026-03-01')) AS "sources"("first_day", "last_day")
  )
  WHERE covered_day >= CAST('2025-12-30' AS DATE) AND covered_day <= CAST('2026-01-20' AS DATE) AND covered_day NOT IN ('0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01')
),
"covered_ad_performance_previous" AS (
  SELECT DISTINCT
    CAST(covered_day AS DATE) AS "date",
    TRUE AS is_covered
  FROM (
    SELECT
      CAST(UNNEST(GENERATE_SERIES(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS covered_day
    FROM (VALUES (DATE '2026-01-10', DATE '2026-03-01')) AS "sources"("first_day", "last_day")
  )
  WHERE covered_day >= CAST('2025-12-29' AS DATE) AND covered_day <= CAST('2026-01-19' AS DATE) AND covered_day NOT IN ('2025-12-29', '2025-12-30', '2025-12-31', '2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05', '2026-01-06', '2026-01-07', '2026-01-08', '2026-01-09', '2026-01-10', '2026-01-10', '2026-01-10', '2026-01-10')
),
"covered_orders" AS (
  SELECT DISTINCT
    CAST(covered_day AS DATE) AS "date",
    TRUE AS is_covered
  FROM (
    SELECT
      CAST(UNNEST(GENERATE_SERIES(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS covered_day
    FROM (VALUES (DATE '2026-01-11', DATE '2026-02-12')) AS "sources"("first_day", "last_day")
  )
  WHERE covered_day >= CAST('2025-12-30' AS DATE) AND covered_day <= CAST('2026-01-20' AS DATE) AND covered_day NOT IN ('0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01')
),
"covered_orders_previous" AS (
  SELECT DISTINCT
    CAST(covered_day AS DATE) AS "date",
    TRUE AS is_covered
  FROM (
    SELECT
      CAST(UNNEST(GENERATE_SERIES(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS covered_day
    FROM (VALUES (DATE '2026-01-11', DATE '2026-02-12')) AS "sources"("first_day", "last_day")
  )
  WHERE covered_day >= CAST('2025-12-29' AS DATE) AND covered_day <= CAST('2026-01-19' AS DATE) AND covered_day NOT IN ('2025-12-29', '2025-12-30', '2025-12-31', '2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05', '2026-01-06', '2026-01-07', '2026-01-08', '2026-01-09', '2026-01-10', '2026-01-10', '2026-01-10', '2026-01-10')
),
"covered" AS (
  SELECT
    "filled".*,
    COALESCE("covered_sessions"."is_covered", FALSE) AS "covers_sessions",
    COALESCE("covered_sessions_previous"."is_covered", FALSE) AS "covers_sessions_previous",
    COALESCE("covered_ad_performance"."is_covered", FALSE) AS "covers_ad_performance",
    COALESCE("covered_ad_performance_previous"."is_covered", FALSE) AS "covers_ad_performance_previous",
    COALESCE("covered_orders"."is_covered", FALSE) AS "covers_orders",
    COALESCE("covered_orders_previous"."is_covered", FALSE) AS "covers_orders_previous"
  FROM "filled"
  LEFT JOIN "covered_sessions" ON "covered_sessions"."date" = "filled"."date"
  LEFT JOIN "covered_sessions_previous" ON "covered_sessions_previous"."date" = "filled"."date" - CAST(1 AS INTEGER)
  LEFT JOIN "covered_ad_performance" ON "covered_ad_performance"."date" = "filled"."date"
  LEFT JOIN "covered_ad_performance_previous" ON "covered_ad_performance_previous"."date" = "filled"."date" - CAST(1 AS INTEGER)
  LEFT JOIN "covered_orders" ON "covered_orders"."date" = "filled"."date"
  LEFT JOIN "covered_orders_previous" ON "covered_orders_previous"."date" = "filled"."date" - CAST(1 AS INTEGER)
)
SELECT
  "date",
  CASE WHEN "rows_of_sessions" > 0 THEN "attributed_revenue" WHEN "covers_sessions" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" WHEN "covers_ad_performance" THEN 0 END, 0) AS "roas",
  CASE WHEN "rows_of_sessions_previous" > 0 THEN "attributed_revenue_previous" WHEN "covers_sessions_previous" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" WHEN "covers_ad_performance_previous" THEN 0 END, 0) AS "roas_previous",
  (CASE WHEN "rows_of_sessions" > 0 THEN "attributed_revenue" WHEN "covers_sessions" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" WHEN "covers_ad_performance" THEN 0 END, 0)) - (CASE WHEN "rows_of_sessions_previous" > 0 THEN "attributed_revenue_previous" WHEN "covers_sessions_previous" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" WHEN "covers_ad_performance_previous" THEN 0 END, 0)) AS "roas_change",
  ((CASE WHEN "rows_of_sessions" > 0 THEN "attributed_revenue" WHEN "covers_sessions" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" WHEN "covers_ad_performance" THEN 0 END, 0)) - (CASE WHEN "rows_of_sessions_previous" > 0 THEN "attributed_revenue_previous" WHEN "covers_sessions_previous" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" WHEN "covers_ad_performance_previous" THEN 0 END, 0))) / NULLIF(ABS(CASE WHEN "rows_of_sessions_previous" > 0 THEN "attributed_revenue_previous" WHEN "covers_sessions_previous" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" WHEN "covers_ad_performance_previous" THEN 0 END, 0)), 0) AS "roas_change_ratio",
  CASE WHEN "rows_of_orders" > 0 THEN "order_revenue" WHEN "covers_orders" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" WHEN "covers_ad_performance" THEN 0 END, 0) AS "blended_roas",
  CASE WHEN "rows_of_orders_previous" > 0 THEN "order_revenue_previous" WHEN "covers_orders_previous" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" WHEN "covers_ad_performance_previous" THEN 0 END, 0) AS "blended_roas_previous",
  (CASE WHEN "rows_of_orders" > 0 THEN "order_revenue" WHEN "covers_orders" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" WHEN "covers_ad_performance" THEN 0 END, 0)) - (CASE WHEN "rows_of_orders_previous" > 0 THEN "order_revenue_previous" WHEN "covers_orders_previous" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" WHEN "covers_ad_performance_previous" THEN 0 END, 0)) AS "blended_roas_change",
  ((CASE WHEN "rows_of_orders" > 0 THEN "order_revenue" WHEN "covers_orders" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" WHEN "covers_ad_performance" THEN 0 END, 0)) - (CASE WHEN "rows_of_orders_previous" > 0 THEN "order_revenue_previous" WHEN "covers_orders_previous" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" WHEN "covers_ad_performance_previous" THEN 0 END, 0))) / NULLIF(ABS(CASE WHEN "rows_of_orders_previous" > 0 THEN "order_revenue_previous" WHEN "covers_orders_previous" THEN 0 END / NULLIF(CASE WHEN "rows_of_ad_performance_previous" > 0 THEN "spend_previous" WHEN "covers_ad_performance_previous" THEN 0 END, 0)), 0) AS "blended_roas_change_ratio"
FROM "covered"
ORDER BY "date" ASC NULLS LAST, "roas" DESC NULLS LAST
LIMIT 101 OFFSET 0
