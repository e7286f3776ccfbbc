WITH "current_ad_performance" AS (
  SELECT
    *
  FROM (
    SELECT
      SUM("t0"."spend") AS "spend",
      COUNT(*) AS "rows_seen"
    FROM "fct_shop__ad_performance" AS "t0"
  ) AS "t1"
),
"current" AS (
  SELECT
    CASE WHEN COALESCE("current_ad_performance"."rows_seen", 0) = 0 THEN 0 ELSE "current_ad_performance"."spend" END AS "spend",
    COALESCE("current_ad_performance"."rows_seen", 0) AS "rows_seen"
  FROM "current_ad_performance"
)
SELECT
  "spend" AS "spend"
FROM "current"
ORDER BY "spend" DESC NULLS LAST
LIMIT 101 OFFSET 0
