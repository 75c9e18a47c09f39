-- The buyer marts M5, M6 and M7 (docs: kpis 4.3), as of today.

-- M5. An unfinished month is NULL, not 0; month 0 is the cohort itself and 100 % by definition.
CREATE OR REPLACE VIEW marts.cohort_retention_v AS
WITH bought AS (
  SELECT o.buyer_id, date_trunc('month', o.order_day)::date AS month, o.amount_rc
  FROM marts.order_facts o
  WHERE o.is_sale AND o.buyer_id IS NOT NULL AND o.order_day IS NOT NULL
),
firsts AS (SELECT b.buyer_id, min(b.month) AS cohort_month FROM bought b GROUP BY b.buyer_id),
sizes AS (SELECT f.cohort_month, count(*) AS cohort_size FROM firsts f GROUP BY f.cohort_month),
active AS (
  SELECT
    f.cohort_month,
    ((extract(year FROM b.month) - extract(year FROM f.cohort_month)) * 12
      + extract(month FROM b.month) - extract(month FROM f.cohort_month))::int AS month_index,
    count(DISTINCT b.buyer_id) AS buyers, coalesce(sum(b.amount_rc), 0) AS revenue
  FROM bought b JOIN firsts f USING (buyer_id)
  GROUP BY 1, 2
),
-- A date of the far past or future is a cohort like others, but no reason for a grid of a million months.
grid AS (
  SELECT s.cohort_month, s.cohort_size, i AS month_index, (s.cohort_month + make_interval(months => i + 1))::date <= c.today AS complete
  FROM sizes s
  CROSS JOIN core.clock c
  CROSS JOIN LATERAL generate_series(0, least(greatest(
    ((extract(year FROM c.today) - extract(year FROM s.cohort_month)) * 12
      + extract(month FROM c.today) - extract(month FROM s.cohort_month))::int, 0), 240)) i
)
SELECT
  g.cohort_month, g.month_index, g.cohort_size, g.complete,
  coalesce(a.buyers, 0) AS buyers, coalesce(a.revenue, 0) AS revenue,
  CASE WHEN g.complete OR g.month_index = 0 THEN coalesce(a.buyers, 0)::numeric / g.cohort_size END AS retention,
  sum(coalesce(a.revenue, 0)) OVER (PARTITION BY g.cohort_month ORDER BY g.month_index) / g.cohort_size AS revenue_per_buyer_to_date
FROM grid g
LEFT JOIN active a USING (cohort_month, month_index);
COMMENT ON VIEW marts.cohort_retention_v IS 'grain: cohort month x month since';

-- M6, the value so far, and an estimate for twelve months: shrunk repeat rate x shrunk order value, without dropout.
CREATE OR REPLACE VIEW marts.buyer_clv_v AS
WITH buyers AS (
  SELECT
    o.buyer_id, count(*) AS orders,
    coalesce(sum(o.amount_rc), 0) - coalesce(sum(o.amount_rc) FILTER (WHERE o.class = 'reversed'), 0) AS clv_historic,
    min(o.order_day) AS first_day, max(o.order_day) AS last_day,
    greatest((SELECT c.today FROM core.clock c) - min(o.order_day), 1) AS tenure_days,
    avg(o.amount_rc) AS aov
  FROM marts.order_facts o
  WHERE o.is_sale AND o.buyer_id IS NOT NULL AND o.order_day IS NOT NULL
  GROUP BY o.buyer_id
),
everybody AS (
  SELECT sum(b.orders - 1)::numeric / nullif(sum(b.tenure_days), 0) AS repeat_rate, sum(b.aov * b.orders) / nullif(sum(b.orders), 0) AS aov
  FROM buyers b
),
-- One repeat more at everybody's rate, three orders more at everybody's value: little data stays near the mean.
shrunk AS (
  SELECT
    b.*,
    b.orders / (b.tenure_days + 1 / nullif(e.repeat_rate, 0)) AS daily_repeat_rate,
    (b.aov * b.orders + e.aov * 3) / (b.orders + 3) AS expected_order_value
  FROM buyers b CROSS JOIN everybody e
)
SELECT s.*, 365 * s.daily_repeat_rate * s.expected_order_value AS clv_next_12m FROM shrunk s;
COMMENT ON VIEW marts.buyer_clv_v IS 'grain: buyer with a sale';

-- M7, rank-based fifths (thirds below 50 buyers), so that equal values get equal scores.
CREATE OR REPLACE VIEW marts.rfm_v AS
WITH buyers AS (
  SELECT
    o.buyer_id, (SELECT c.today FROM core.clock c) - max(o.order_day) AS recency_days, count(*) AS frequency,
    coalesce(sum(o.amount_rc), 0) AS monetary
  FROM marts.order_facts o
  WHERE o.is_sale AND o.buyer_id IS NOT NULL AND o.order_day > (SELECT c.today - 365 FROM core.clock c)
  GROUP BY o.buyer_id
),
steps AS (SELECT CASE WHEN count(*) < 50 THEN 3 ELSE 5 END AS n FROM buyers),
ranked AS (
  SELECT
    b.*,
    percent_rank() OVER (ORDER BY b.recency_days DESC) AS recency_rank,
    percent_rank() OVER (ORDER BY b.frequency) AS frequency_rank,
    percent_rank() OVER (ORDER BY b.monetary) AS monetary_rank
  FROM buyers b
),
-- Thirds are written as 1, 3 and 5, so that the names below mean the same.
scored AS (
  SELECT
    k.buyer_id, k.recency_days, k.frequency, k.monetary,
    CASE WHEN s.n = 3 THEN 1 + 2 * least(floor(3 * k.recency_rank), 2)::int ELSE 1 + least(floor(5 * k.recency_rank), 4)::int END AS r,
    CASE WHEN s.n = 3 THEN 1 + 2 * least(floor(3 * k.frequency_rank), 2)::int ELSE 1 + least(floor(5 * k.frequency_rank), 4)::int END AS f,
    CASE WHEN s.n = 3 THEN 1 + 2 * least(floor(3 * k.monetary_rank), 2)::int ELSE 1 + least(floor(5 * k.monetary_rank), 4)::int END AS m
  FROM ranked k CROSS JOIN steps s
)
SELECT
  s.*,
  CASE
    WHEN s.r = 5 AND s.f >= 4 AND s.m >= 4 THEN 'champions'
    WHEN s.r >= 3 AND s.f >= 4 THEN 'loyal'
    WHEN s.r = 5 AND s.f = 1 THEN 'new'
    WHEN s.r >= 4 AND s.f <= 2 THEN 'promising'
    WHEN s.r >= 3 THEN 'active'
    WHEN s.r <= 2 AND s.f >= 4 AND s.m >= 4 THEN 'previously_loyal'
    WHEN s.r <= 2 AND s.f >= 3 THEN 'at_risk'
    WHEN s.r = 2 THEN 'almost_lost'
    ELSE 'dormant'
  END AS segment
FROM scored s;
COMMENT ON VIEW marts.rfm_v IS 'grain: buyer with a sale in 365 days';
