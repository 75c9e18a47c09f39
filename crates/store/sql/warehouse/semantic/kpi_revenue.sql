-- KPIs revenue_total, revenue_today, revenue_30d, orders and aov (docs: kpis 1.1), one view each, in reporting currency.

CREATE OR REPLACE VIEW semantic.kpi_revenue_total AS
SELECT coalesce(sum(o.amount_rc), 0) AS revenue_total FROM core.orders o WHERE o.is_sale;
COMMENT ON VIEW semantic.kpi_revenue_total IS 'grain: exactly one row; before returns';

CREATE OR REPLACE VIEW semantic.kpi_revenue_today AS
SELECT c.today AS day, coalesce(sum(o.amount_rc), 0) AS revenue_today
FROM core.clock c
LEFT JOIN core.orders o ON o.is_sale AND o.order_day = c.today
GROUP BY c.today;
COMMENT ON VIEW semantic.kpi_revenue_today IS 'grain: exactly one row; the running business day';

CREATE OR REPLACE VIEW semantic.kpi_revenue_30d AS
SELECT c.today - 30 AS since, c.today - 1 AS until, coalesce(sum(o.amount_rc), 0) AS revenue_30d
FROM core.clock c
LEFT JOIN core.orders o ON o.is_sale AND o.order_day BETWEEN c.today - 30 AND c.today - 1
GROUP BY c.today;
COMMENT ON VIEW semantic.kpi_revenue_30d IS 'grain: exactly one row; the 30 complete days before today';

CREATE OR REPLACE VIEW semantic.kpi_orders AS
SELECT
  o.order_day AS day,
  o.store_id,
  count(*) FILTER (WHERE o.is_sale) AS orders,
  count(*) AS attempts,
  count(*) FILTER (WHERE o.class = 'open') AS pending,
  count(*) FILTER (WHERE o.class = 'failed') AS failed,
  count(*) FILTER (WHERE o.class = 'unmapped') AS unmapped
FROM core.orders o
GROUP BY o.order_day, o.store_id;
COMMENT ON VIEW semantic.kpi_orders IS 'grain: one row per business day and store';

CREATE OR REPLACE VIEW semantic.kpi_aov AS
SELECT
  o.order_day AS day,
  o.store_id,
  sum(o.amount_rc) AS revenue,
  count(*) AS orders,
  sum(o.amount_rc) / nullif(count(*), 0) AS aov
FROM core.orders o
WHERE o.is_sale
GROUP BY o.order_day, o.store_id;
COMMENT ON VIEW semantic.kpi_aov IS 'grain: one row per business day and store; over several rows divide the sums, never average aov';
