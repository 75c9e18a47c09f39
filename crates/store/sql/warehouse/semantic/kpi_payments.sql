-- KPIs payment_mix and payment_success (docs: kpis 1.1).

CREATE OR REPLACE VIEW semantic.kpi_payment_mix AS
SELECT
  o.order_day AS day,
  o.payment_method,
  count(*) AS paid,
  coalesce(sum(o.amount_rc), 0) AS revenue
FROM core.orders o
WHERE o.is_sale
GROUP BY o.order_day, o.payment_method;
COMMENT ON VIEW semantic.kpi_payment_mix IS 'grain: one row per business day and payment method, unknown included';

CREATE OR REPLACE VIEW semantic.kpi_payment_success AS
SELECT
  o.order_day AS day,
  o.payment_method,
  count(*) FILTER (WHERE o.is_sale) AS paid,
  count(*) FILTER (WHERE o.class = 'failed') AS failed,
  count(*) FILTER (WHERE o.is_sale)::numeric
    / nullif(count(*) FILTER (WHERE o.is_sale OR o.class = 'failed'), 0) AS payment_success
FROM core.orders o
GROUP BY o.order_day, o.payment_method;
COMMENT ON VIEW semantic.kpi_payment_success IS 'grain: one row per business day and payment method; open orders count on neither side';
