-- KPIs sales_by_category and top_products (docs: kpis 1.1).

CREATE OR REPLACE VIEW semantic.kpi_sales_by_category AS
SELECT
  l.order_day AS day,
  l.store_id,
  l.category,
  coalesce(sum(l.net_rc), 0) AS revenue,
  sum(l.quantity) AS units,
  count(DISTINCT l.order_id) AS orders
FROM core.order_lines l
WHERE l.is_sale
GROUP BY l.order_day, l.store_id, l.category;
COMMENT ON VIEW semantic.kpi_sales_by_category IS
  'grain: one row per business day, store and category; revenue adds up to all revenue, orders do not add up';

CREATE OR REPLACE VIEW semantic.kpi_top_products AS
SELECT
  l.order_day AS day,
  l.product_id,
  coalesce(sum(l.net_rc), 0) AS revenue,
  sum(l.quantity) AS units
FROM core.order_lines l
WHERE l.is_sale AND l.product_id IS NOT NULL
GROUP BY l.order_day, l.product_id;
COMMENT ON VIEW semantic.kpi_top_products IS 'grain: one row per business day and product';
