-- KPIs of sales and money, first half (docs: kpis 1.1). One view per id, its value in the column of that name. Grain: business
-- day x store where nothing else is said; store_id 0 is the platform. In reporting currency.

CREATE OR REPLACE VIEW semantic.kpi_revenue_total AS
SELECT m.store_id, sum(m.revenue) AS revenue_total FROM marts.daily_metrics m GROUP BY m.store_id;
COMMENT ON VIEW semantic.kpi_revenue_total IS 'grain: store; all time, before returns';

CREATE OR REPLACE VIEW semantic.kpi_revenue_today AS
SELECT c.today AS day, m.store_id, m.revenue AS revenue_today
FROM core.clock c JOIN marts.daily_metrics m ON m.day = c.today;
COMMENT ON VIEW semantic.kpi_revenue_today IS 'grain: store; the running business day; a store without a row had nothing';

CREATE OR REPLACE VIEW semantic.kpi_revenue_30d AS
SELECT c.today - 30 AS since, c.today - 1 AS until, m.store_id, sum(m.revenue) AS revenue_30d
FROM core.clock c JOIN marts.daily_metrics m ON m.day BETWEEN c.today - 30 AND c.today - 1
GROUP BY c.today, m.store_id;
COMMENT ON VIEW semantic.kpi_revenue_30d IS 'grain: store; the 30 complete days before today';

CREATE OR REPLACE VIEW semantic.kpi_net_revenue AS
SELECT m.day, m.store_id, m.revenue, m.returns, m.net_revenue FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_net_revenue IS 'grain: business day x store; a reversal counts on its own day';

CREATE OR REPLACE VIEW semantic.kpi_gross_sales AS
SELECT m.day, m.store_id, m.gross_sales FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_gross_sales IS 'grain: business day x store';

CREATE OR REPLACE VIEW semantic.kpi_discounts AS
SELECT m.day, m.store_id, m.discounts FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_discounts IS 'grain: business day x store; below 0 the lines do not explain the total';

CREATE OR REPLACE VIEW semantic.kpi_aov AS
SELECT m.day, m.store_id, m.revenue, m.orders, m.aov FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_aov IS 'grain: business day x store; over several rows divide the sums, never average aov';

CREATE OR REPLACE VIEW semantic.kpi_orders AS
SELECT m.day, m.store_id, m.orders FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_orders IS 'grain: business day x store';

CREATE OR REPLACE VIEW semantic.kpi_attempts AS
SELECT m.day, m.store_id, m.attempts FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_attempts IS 'grain: business day x store; orders of every class';

CREATE OR REPLACE VIEW semantic.kpi_pending AS
SELECT m.day, m.store_id, m.orders_pending AS pending FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_pending IS 'grain: business day x store';

CREATE OR REPLACE VIEW semantic.kpi_failed AS
SELECT m.day, m.store_id, m.orders_failed AS failed FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_failed IS 'grain: business day x store';

CREATE OR REPLACE VIEW semantic.kpi_max_order AS
SELECT m.day, m.store_id, m.max_order FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_max_order IS 'grain: business day x store; the largest of several rows is their maximum';

CREATE OR REPLACE VIEW semantic.kpi_min_order AS
SELECT m.day, m.store_id, m.min_order FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_min_order IS 'grain: business day x store; the smallest of several rows is their minimum';

CREATE OR REPLACE VIEW semantic.kpi_growth_rate AS
SELECT
  w.store_id, w.revenue, w.revenue_before,
  -- A base that reaches back before the first captured day is none.
  CASE WHEN w.first_day <= c.today - 60 THEN w.revenue / nullif(w.revenue_before, 0) - 1 END AS growth_rate
FROM core.clock c
CROSS JOIN LATERAL (
  SELECT
    m.store_id,
    coalesce(sum(m.revenue) FILTER (WHERE m.day >= c.today - 30), 0) AS revenue,
    coalesce(sum(m.revenue) FILTER (WHERE m.day < c.today - 30), 0) AS revenue_before,
    (SELECT min(d.day) FROM marts.daily_metrics d) AS first_day
  FROM marts.daily_metrics m
  WHERE m.day >= c.today - 60 AND m.day < c.today
  GROUP BY m.store_id
) w;
COMMENT ON VIEW semantic.kpi_growth_rate IS 'grain: store; 30 complete days against the 30 before; NULL without a base';

CREATE OR REPLACE VIEW semantic.kpi_gmv AS
SELECT m.day, m.store_id, m.revenue AS gmv FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_gmv IS 'grain: business day x store';

CREATE OR REPLACE VIEW semantic.kpi_commission AS
SELECT
  m.day, m.store_id, m.commission, m.commission_earned, m.commission_returned, m.revenue AS gmv,
  m.commission_earned / nullif(m.revenue, 0) AS take_rate
FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_commission IS
  'grain: business day x store; earned on the day of the order, returned on the day of a reversal; over several rows divide the sums';

CREATE OR REPLACE VIEW semantic.kpi_gmv_concentration AS
WITH ranked AS (
  SELECT s.gmv, row_number() OVER (ORDER BY s.gmv DESC, s.store_id) AS place, sum(s.gmv) OVER () AS total, count(*) OVER () AS stores
  FROM marts.store_scorecard s WHERE s.gmv > 0
)
SELECT
  max(r.stores) AS stores,
  CASE WHEN max(r.stores) >= 5 THEN sum(r.gmv) FILTER (WHERE r.place <= 1) / max(r.total) END AS gmv_concentration,
  CASE WHEN max(r.stores) >= 5 THEN sum(r.gmv) FILTER (WHERE r.place <= 5) / max(r.total) END AS top_5,
  CASE WHEN max(r.stores) >= 5 THEN sum(r.gmv) FILTER (WHERE r.place <= 20) / max(r.total) END AS top_20,
  CASE WHEN max(r.stores) >= 5 THEN sum((r.gmv / r.total) ^ 2) * 10000 END AS hhi
FROM ranked r;
COMMENT ON VIEW semantic.kpi_gmv_concentration IS 'grain: exactly one row; 30 complete days; NULL for fewer than five stores';
