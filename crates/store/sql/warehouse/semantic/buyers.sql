-- KPIs of buyers, stores and subscriptions (docs: kpis 1.2).

CREATE OR REPLACE VIEW semantic.kpi_active_stores AS
SELECT count(DISTINCT m.store_id) AS active_stores,
  (SELECT count(DISTINCT p.store_id) FROM core.products p WHERE NOT p.deleted AND lower(btrim(p.status)) = 'active') AS listed_stores
FROM core.clock c
LEFT JOIN marts.daily_metrics m ON m.day BETWEEN c.today - 30 AND c.today - 1 AND m.store_id > 0 AND m.orders > 0;
COMMENT ON VIEW semantic.kpi_active_stores IS 'grain: exactly one row; 30 complete days; listed stores have an active product';

CREATE OR REPLACE VIEW semantic.kpi_active_buyers AS
SELECT
  s.store_id,
  count(DISTINCT o.buyer_id) FILTER (WHERE o.order_day >= c.today - 30) AS active_buyers,
  count(DISTINCT o.buyer_id) AS active_buyers_12m
FROM core.clock c
CROSS JOIN LATERAL (
  SELECT o.buyer_id, o.order_day, o.store_id FROM marts.order_facts o
  WHERE o.is_sale AND o.order_day < c.today AND o.order_day >= (c.today - INTERVAL '12 months')::date
) o
CROSS JOIN LATERAL (VALUES (0::bigint), (o.store_id)) AS s(store_id)
GROUP BY s.store_id;
COMMENT ON VIEW semantic.kpi_active_buyers IS 'grain: store, 0 is the platform; distinct over 30 complete days, and over 12 months';

CREATE OR REPLACE VIEW semantic.kpi_unique_buyers_today AS
SELECT c.today AS day, m.store_id, m.buyers AS unique_buyers_today
FROM core.clock c JOIN marts.daily_metrics m ON m.day = c.today;
COMMENT ON VIEW semantic.kpi_unique_buyers_today IS 'grain: store; distinct buyers do not add up over stores or days';

CREATE OR REPLACE VIEW semantic.kpi_totals AS
SELECT 'stores' AS what, count(*) AS totals FROM staging.customer WHERE NOT _deleted
UNION ALL SELECT 'buyers', count(*) FROM staging.buyer WHERE NOT _deleted
UNION ALL SELECT 'products', count(*) FROM staging.product WHERE NOT _deleted
UNION ALL SELECT 'orders', count(*) FROM staging.transaction WHERE NOT _deleted
UNION ALL SELECT 'order lines', count(*) FROM staging.transactiondetail WHERE NOT _deleted
UNION ALL SELECT 'behaviour events', count(*) FROM staging.userbehavior WHERE NOT _deleted
UNION ALL SELECT 'stock rows', count(*) FROM staging.stock WHERE NOT _deleted
UNION ALL SELECT 'stock movements', count(*) FROM staging.inventorymovement WHERE NOT _deleted
UNION ALL SELECT 'shipments', count(*) FROM staging.shipment WHERE NOT _deleted
UNION ALL SELECT 'carriers', count(*) FROM staging.carrier WHERE NOT _deleted
UNION ALL SELECT 'contacts', count(*) FROM staging.interaction WHERE NOT _deleted
UNION ALL SELECT 'segments', count(*) FROM staging.segment WHERE NOT _deleted
UNION ALL SELECT 'segment members', count(*) FROM staging.customersegment WHERE NOT _deleted;
COMMENT ON VIEW semantic.kpi_totals IS 'grain: table; rows that exist at their source';

CREATE OR REPLACE VIEW semantic.kpi_new_buyers AS
SELECT m.day, m.store_id, m.new_buyers FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_new_buyers IS 'grain: business day x store; first order anywhere for the platform, first there for a store';

CREATE OR REPLACE VIEW semantic.kpi_returning_buyers AS
SELECT m.day, m.store_id, m.returning_buyers, m.buyers AS active_buyers FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_returning_buyers IS 'grain: business day x store; distinct, so days do not add up';

CREATE OR REPLACE VIEW semantic.kpi_retention_rate AS
WITH active AS (
  SELECT DISTINCT o.buyer_id, date_trunc('month', o.order_day::timestamp)::date AS month
  FROM marts.order_facts o WHERE o.is_sale AND o.buyer_id IS NOT NULL AND o.order_day IS NOT NULL
)
SELECT
  (a.month + INTERVAL '1 month')::date AS month, count(*) AS active_before, count(b.buyer_id) AS retained,
  count(b.buyer_id)::numeric / nullif(count(*), 0) AS retention_rate
FROM active a
CROSS JOIN core.clock c
LEFT JOIN active b ON b.buyer_id = a.buyer_id AND b.month = a.month + INTERVAL '1 month'
-- A month counts once it is complete.
WHERE a.month + INTERVAL '2 months' <= c.today
GROUP BY a.month;
COMMENT ON VIEW semantic.kpi_retention_rate IS 'grain: complete month; month over month, not the retention of a cohort';

CREATE OR REPLACE VIEW semantic.kpi_cohorts AS
SELECT r.cohort_month, r.month_index, r.cohort_size, r.buyers, r.revenue, r.retention AS cohorts, r.revenue_per_buyer_to_date, r.complete
FROM marts.cohort_retention r;
COMMENT ON VIEW semantic.kpi_cohorts IS 'grain: month of the first order x months since; NULL while the month runs';

CREATE OR REPLACE VIEW semantic.kpi_plan_mix AS
SELECT s.tier, count(*) AS plan_mix, coalesce(sum(k.gmv), 0) AS revenue_30d
FROM core.stores s
LEFT JOIN marts.store_scorecard k ON k.store_id = s.store_id
WHERE NOT s.deleted
GROUP BY s.tier;
COMMENT ON VIEW semantic.kpi_plan_mix IS 'grain: tier of the present plan; a plan that ref.plan does not know is its own tier';

CREATE OR REPLACE VIEW semantic.kpi_mrr AS
SELECT coalesce(sum(p.monthly_price), 0) AS mrr, count(*) FILTER (WHERE p.monthly_price > 0) AS paying_stores
FROM staging.customer c
LEFT JOIN ref.plan p ON p.raw = lower(btrim(c.subscription_plan))
WHERE NOT c._deleted;
COMMENT ON VIEW semantic.kpi_mrr IS 'grain: exactly one row; the present plans';

CREATE OR REPLACE VIEW semantic.kpi_mrr_movements AS
SELECT m.month, m.movement, count(*) AS stores, sum(m.delta) AS mrr_movements FROM marts.mrr_movements m GROUP BY m.month, m.movement;
COMMENT ON VIEW semantic.kpi_mrr_movements IS 'grain: month x kind of movement; opening + movements = closing';

CREATE OR REPLACE VIEW semantic.kpi_churn_stores AS
SELECT
  m.month, count(*) FILTER (WHERE m.mrr_prev > 0) AS paying_before, count(*) FILTER (WHERE m.movement = 'churn') AS churned,
  count(*) FILTER (WHERE m.movement = 'churn')::numeric / nullif(count(*) FILTER (WHERE m.mrr_prev > 0), 0) AS churn_stores,
  -coalesce(sum(m.delta) FILTER (WHERE m.movement IN ('churn', 'contraction')), 0) / nullif(sum(m.mrr_prev), 0) AS gross_mrr_churn,
  -coalesce(sum(m.delta) FILTER (WHERE m.movement IN ('churn', 'contraction', 'expansion', 'reactivation')), 0)
    / nullif(sum(m.mrr_prev), 0) AS net_mrr_churn
FROM marts.mrr_movements m
GROUP BY m.month;
COMMENT ON VIEW semantic.kpi_churn_stores IS 'grain: month; NULL when nobody paid at its start; the running month is not final';

CREATE OR REPLACE VIEW semantic.kpi_ltv_store AS
SELECT m.mrr / nullif(m.paying_stores, 0) AS arpa, c.churn_stores, c.paying_before AS stores,
  CASE WHEN c.paying_before >= 30 THEN m.mrr / nullif(m.paying_stores, 0) / nullif(c.churn_stores, 0) END AS ltv_store
FROM semantic.kpi_mrr m
LEFT JOIN LATERAL (
  -- The last complete month.
  SELECT k.churn_stores, k.paying_before FROM semantic.kpi_churn_stores k CROSS JOIN core.clock c
  WHERE k.month < date_trunc('month', c.today::timestamp) ORDER BY k.month DESC LIMIT 1
) c ON true;
COMMENT ON VIEW semantic.kpi_ltv_store IS 'grain: exactly one row; NULL without churn or below 30 paying stores';

CREATE OR REPLACE VIEW semantic.kpi_churn_buyers AS
SELECT count(*) AS buyers, count(*) FILTER (WHERE b.last_day < c.today - 180) AS inactive, count(*) FILTER (WHERE b.last_day < c.today - 90) AS at_risk,
  count(*) FILTER (WHERE b.last_day < c.today - 180)::numeric / nullif(count(*), 0) AS churn_buyers
FROM marts.buyer_clv b CROSS JOIN core.clock c;
COMMENT ON VIEW semantic.kpi_churn_buyers IS 'grain: exactly one row; inactive = no order in 180 days';

-- The first change of a row that was not read by a snapshot; rows that were there before capture have no known age.
CREATE OR REPLACE VIEW semantic.kpi_new_stores AS
SELECT (e.committed_at AT TIME ZONE c.tz)::date AS day, count(DISTINCT e.source_key) AS new_stores
FROM raw.realtime_events e CROSS JOIN core.clock c
WHERE e.source_table = 'customer' AND e.op = 'c'
GROUP BY 1;
COMMENT ON VIEW semantic.kpi_new_stores IS 'grain: business day of the insert';

CREATE OR REPLACE VIEW semantic.kpi_new_users AS
SELECT (e.committed_at AT TIME ZONE c.tz)::date AS day, count(DISTINCT e.source_key) AS new_users
FROM raw.realtime_events e CROSS JOIN core.clock c
WHERE e.source_table = 'buyer' AND e.op = 'c'
GROUP BY 1;
COMMENT ON VIEW semantic.kpi_new_users IS 'grain: business day of the insert';
