-- core.sales_ledger: signed facts. A sale is dated on the order day, a reversal on the day it happened: the first change
-- into a reversed status that was seen as a change. One seen by a snapshot alone has no known day and takes the order day.
CREATE OR REPLACE VIEW core.sales_ledger AS
WITH reversed AS (
  SELECT h.transaction_id AS order_id, min(h.valid_from) AS at
  FROM history.order_status h
  JOIN ref.order_status s ON s.status = lower(btrim(h.status))
  WHERE s.class = 'reversed' AND NOT h.from_snapshot
  GROUP BY h.transaction_id
)
SELECT o.order_id, o.store_id, o.buyer_id, o.order_day AS day, 'sale'::text AS kind, 1 AS sign, o.amount_rc
FROM core.orders o
WHERE o.is_sale
UNION ALL
SELECT
  o.order_id, o.store_id, o.buyer_id,
  coalesce((r.at AT TIME ZONE c.tz)::date, o.order_day), 'reversal', -1, -o.amount_rc
FROM core.orders o
CROSS JOIN core.clock c
LEFT JOIN reversed r ON r.order_id = o.order_id
WHERE o.class = 'reversed';
COMMENT ON VIEW core.sales_ledger IS 'grain: one row per sale and one per reversal';
