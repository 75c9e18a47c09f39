-- core.orders: one row per order that exists at its source.
--
-- An order has the currency of its lines' products, the lowest code when they name several, the reporting currency when they
-- name none. Amounts in reporting currency (_rc) are converted at the last rate on or before the order day; without a rate
-- they are NULL: counted, never summed as 0 or 1 (docs: kpis 0.3).
--
-- The clock is asked by subqueries and not joined, nothing stands in a WITH, and lines are looked up for each order, so that the
-- planner sees through: the index on the time of the order gives the latest orders in their order, a few orders touch a few
-- lines, and sums that ask for no line touch none. Currencies are subqueries behind the one question whether any product
-- names another than the reporting one: until then amounts touch no line either. Status and payment method are folded as
-- the live flow folds them.
CREATE OR REPLACE VIEW core.orders AS
SELECT
  o.order_id,
  o.buyer_id,
  o.store_id,
  o.amount,
  coalesce(o.lines_gross, o.amount) AS gross,
  coalesce(o.units, 0) AS units,
  coalesce(o.n_lines, 0) AS n_lines,
  o.currency,
  o.mixed_currency,
  o.payment_method,
  o.class,
  o.is_sale,
  o.ordered_at,
  o.order_day,
  o.fx,
  -- An amount that no decimal(12,2) can hold counts as none, and so does one that is absurd after its conversion, as in
  -- core::money::convert. OFFSET keeps the rate from being looked up twice.
  CASE
    WHEN abs(round(o.amount, 2)) >= 10000000000 THEN NULL
    WHEN NOT (SELECT f.is_needed FROM core.foreign_currencies f) THEN round(o.amount, 2)
    ELSE (SELECT CASE WHEN abs(x.converted) < 10000000000000 THEN x.converted END
          FROM (SELECT round(round(o.amount, 2) * o.fx, 2) AS converted OFFSET 0) x)
  END AS amount_rc,
  round(coalesce(o.lines_gross, o.amount) * o.fx, 2) AS gross_rc
FROM (
  SELECT
    t.order_id, t.buyer_id, t.store_id, t.amount, t.payment_method, t.class, t.is_sale, t.ordered_at, t.order_day,
    l.gross AS lines_gross, l.units, l.n_lines,
    coalesce(CASE WHEN (SELECT f.is_needed FROM core.foreign_currencies f) THEN (
      SELECT min(n.currency) COLLATE "default" FROM core.line_currencies n WHERE n.order_id = t.order_id
    ) END, (SELECT c.currency FROM core.clock c)) AS currency,
    coalesce(CASE WHEN (SELECT f.is_needed FROM core.foreign_currencies f) THEN (
      SELECT min(n.currency) <> max(n.currency) FROM core.line_currencies n WHERE n.order_id = t.order_id
    ) END, false) AS mixed_currency,
    CASE WHEN (SELECT f.is_needed FROM core.foreign_currencies f) THEN (
      SELECT CASE WHEN m.currency IS NULL OR m.currency = (SELECT c.currency FROM core.clock c) THEN 1
        ELSE (SELECT r.to_reporting FROM ref.fx_rate r
              WHERE r.currency = m.currency AND r.rate_date <= t.order_day ORDER BY r.rate_date DESC LIMIT 1) END
      FROM (SELECT min(n.currency) COLLATE "default" AS currency FROM core.line_currencies n WHERE n.order_id = t.order_id) m
    ) ELSE 1 END AS fx
  FROM (
    SELECT
      t.transaction_id AS order_id,
      t.buyer_id,
      coalesce(nullif(t.customer_id, 0), -1) AS store_id,
      t.total_amount AS amount,
      coalesce(a.method, 'unknown') AS payment_method,
      coalesce(s.class, 'unmapped') AS class,
      coalesce(s.class IN ('recognised', 'reversed'), false) AS is_sale,
      t.transaction_date AT TIME ZONE 'UTC' AS ordered_at,
      -- No day without a year of four digits, in UTC and in the zone: counted apart, as in the live flow.
      CASE WHEN t.transaction_date >= TIMESTAMP '0001-01-01' AND t.transaction_date < TIMESTAMP '10000-01-01'
            AND t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c) >= TIMESTAMP '0001-01-01'
            AND t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c) < TIMESTAMP '10000-01-01'
           THEN (t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c))::date END AS order_day
    FROM staging.transaction t
    LEFT JOIN ref.payment_alias a ON a.raw = lower(btrim(t.payment_method))
    LEFT JOIN ref.order_status s ON s.status = lower(btrim(t.status))
    WHERE NOT t._deleted
  ) t
  LEFT JOIN LATERAL (
    SELECT sum(d.quantity * d.unit_price) AS gross, sum(d.quantity) AS units, count(*) AS n_lines
    FROM staging.transactiondetail d
    WHERE d.transaction_id = t.order_id AND NOT d._deleted
  ) l ON true
) o;
COMMENT ON VIEW core.orders IS 'grain: one row per order that exists at its source';
