-- The current rows under the columns of realtime_events, so that the queries of the source documents give recognised orders
-- and revenue: write current_events where they write realtime_events. A sale is a transaction, a line of a sale a
-- transaction_item with its share of the order; what failed, waits or was deleted is not here.
CREATE OR REPLACE VIEW marts.current_events AS
SELECT
  o.order_id AS id, 'transaction'::text AS event_type, o.ordered_at AT TIME ZONE 'UTC' AS "timestamp",
  nullif(o.store_id, -1) AS customer_id, s.name AS customer_name, NULL::bigint AS product_id, NULL::text AS product_name, NULL::text AS category,
  o.amount_rc AS amount, NULL::text AS session_id,
  jsonb_build_object('transaction_id', o.order_id, 'buyer_id', o.buyer_id, 'payment_method', o.payment_method, 'class', o.class) AS raw_data,
  t._committed_at AS processed_at, 'current_rows'::text AS source
FROM marts.order_facts o
JOIN staging.transaction t ON t.transaction_id = o.order_id
LEFT JOIN core.stores s ON s.store_id = o.store_id
WHERE o.is_sale AND o.order_day IS NOT NULL
UNION ALL
SELECT
  l.line_id, 'transaction_item', o.ordered_at AT TIME ZONE 'UTC', nullif(o.store_id, -1), s.name, l.product_id, p.name, l.category,
  l.net_rc, NULL, jsonb_build_object('transaction_detail_id', l.line_id, 'transaction_id', l.order_id, 'quantity', l.quantity),
  d._committed_at, 'current_rows'
FROM marts.order_line_facts l
JOIN marts.order_facts o ON o.order_id = l.order_id
JOIN staging.transactiondetail d ON d.transaction_detail_id = l.line_id
LEFT JOIN core.stores s ON s.store_id = o.store_id
LEFT JOIN core.products p ON p.product_id = l.product_id
WHERE l.is_sale AND l.order_day IS NOT NULL
UNION ALL
SELECT
  u.behavior_id,
  CASE WHEN lower(btrim(u.event_type)) = 'search' THEN 'search'
       WHEN 'cart' = ANY (string_to_array(lower(btrim(u.event_type)), '_')) THEN 'cart_event'
       ELSE 'user_behavior' END,
  u."timestamp", u.customer_id, s.name, u.product_id, p.name, p.category, NULL, u.session_id,
  jsonb_build_object('behavior_id', u.behavior_id, 'event_type', u.event_type, 'metadata', u.metadata), u._committed_at, 'current_rows'
FROM staging.userbehavior u
LEFT JOIN core.stores s ON s.store_id = u.customer_id
LEFT JOIN core.products p ON p.product_id = u.product_id
WHERE NOT u._deleted;
COMMENT ON VIEW marts.current_events IS 'grain: one row per sale, line of a sale and behaviour event that exists at its source';
