WITH "current_ad_performance" AS (
  SELECT
    *
  FROM (
    SELECT
      SUM("t0"."spend") AS "spend",
      COUNT(*) AS "rows_of_ad_performance"
    FROM "fct_shop__ad_performance" AS "t0"
  ) AS "t1"
)
SELECT
  CASE WHEN "rows_of_ad_performance" > 0 THEN "spend" ELSE 0 END AS "spend"
FROM "current_ad_performance"
ORDER BY "spend" DESC NULLS LAST
LIMIT 101 OFFSET 0
