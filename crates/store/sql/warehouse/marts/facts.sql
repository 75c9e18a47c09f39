-- The definitions of the facts: marts.<name> holds the rows of marts.<name>_v. Every window is cut by the key the refresher
-- asks for (buyer, order, actor), so that the condition reaches below it and a few keys cost a few rows.

CREATE OR REPLACE VIEW marts.order_facts_v AS
SELECT
  o.order_id,
  o.store_id,
  o.buyer_id,
  coalesce(o.buyer_id, -o.order_id) AS buyer_key,
  -- On whose timeline of visits the order lies (D5).
  CASE WHEN (SELECT s.buyer_identity FROM ref.setting s) THEN 'b' || o.buyer_id::text ELSE 'c' || o.store_id::text END AS actor,
  o.class,
  o.is_sale,
  o.payment_method,
  o.amount_rc,
  o.gross_rc,
  o.units,
  o.n_lines,
  o.currency,
  o.mixed_currency,
  o.ordered_at,
  o.order_day,
  -- The first change into a reversed status that was seen as a change; read by a snapshot alone it takes the order day.
  CASE WHEN o.class = 'reversed' THEN coalesce((r.at AT TIME ZONE (SELECT c.tz FROM core.clock c))::date, o.order_day)
  END AS reversal_day,
  CASE WHEN o.is_sale AND o.order_day IS NOT NULL AND o.buyer_id IS NOT NULL
    THEN row_number() OVER (PARTITION BY coalesce(o.buyer_id, -o.order_id), o.buyer_id, o.is_sale AND o.order_day IS NOT NULL ORDER BY o.ordered_at, o.order_id)
  END AS buyer_order_no,
  CASE WHEN o.is_sale AND o.order_day IS NOT NULL AND o.buyer_id IS NOT NULL
    THEN row_number() OVER (PARTITION BY coalesce(o.buyer_id, -o.order_id), o.buyer_id, o.store_id, o.is_sale AND o.order_day IS NOT NULL ORDER BY o.ordered_at, o.order_id)
  END AS store_buyer_order_no,
  -- A failed attempt is recovered when the same buyer pays the same store the same amount within 24 hours.
  coalesce(o.class = 'failed' AND o.buyer_id IS NOT NULL AND o.amount IS NOT NULL
    AND min(o.ordered_at) FILTER (WHERE o.is_sale) OVER (
      PARTITION BY coalesce(o.buyer_id, -o.order_id), o.buyer_id, o.store_id, o.amount ORDER BY o.ordered_at
      RANGE BETWEEN CURRENT ROW AND INTERVAL '24 hours' FOLLOWING) > o.ordered_at, false) AS recovered,
  o.amount,
  o.fx,
  -- By the rule of the store, else of its tier, else for all; of each kind the latest that is valid on the order day. Rounded
  -- order by order, as core::config::Meaning::commission_cents does.
  CASE WHEN o.is_sale AND o.amount_rc IS NOT NULL THEN coalesce((
    SELECT round(o.amount_rc * k.percent * 0.01 + k.fixed, 2)
    FROM ref.commission k
    WHERE (k.store_id = o.store_id OR (k.store_id IS NULL AND (k.tier IS NULL OR k.tier = s.commission_tier))) AND k.valid_from <= o.order_day
    ORDER BY k.store_id NULLS LAST, k.tier NULLS LAST, k.valid_from DESC LIMIT 1), 0)
  END AS commission,
  s.commission_tier,
  (SELECT g.region FROM core.order_regions g WHERE g.order_id = o.order_id) AS region
FROM core.orders o
LEFT JOIN core.stores s ON s.store_id = o.store_id
LEFT JOIN LATERAL (
  SELECT min(h.valid_from) AS at
  FROM history.order_status h
  JOIN ref.order_status s ON s.status = lower(btrim(h.status))
  WHERE o.class = 'reversed' AND h.transaction_id = o.order_id AND s.class = 'reversed' AND NOT h.from_snapshot
) r ON true;
COMMENT ON VIEW marts.order_facts_v IS 'grain: order';

CREATE OR REPLACE VIEW marts.order_line_facts_v AS
SELECT
  l.order_id, l.line_id, l.store_id, l.buyer_id, l.is_sale, l.order_day, l.product_id, l.quantity, l.category,
  (SELECT p.currency FROM core.products p WHERE p.product_id = l.product_id) AS currency,
  l.net_rc
FROM core.order_lines l;
COMMENT ON VIEW marts.order_line_facts_v IS 'grain: order line, or order without lines';

CREATE OR REPLACE VIEW marts.visit_event_facts_v AS
WITH events AS (
  SELECT
    0 AS src,
    u.behavior_id AS id,
    coalesce('b' || (u.metadata ->> 'buyer_id'), 'c' || u.customer_id::text) AS actor,
    coalesce(nullif(u.customer_id, 0), -1) AS store_id,
    u."timestamp" AT TIME ZONE 'UTC' AS at,
    CASE WHEN u."timestamp" >= TIMESTAMP '0001-01-01' AND u."timestamp" < TIMESTAMP '10000-01-01'
          AND u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c) >= TIMESTAMP '0001-01-01'
          AND u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c) < TIMESTAMP '10000-01-01'
         THEN (u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c))::date END AS day,
    -- Money and placed orders come from the orders alone; the event of a purchase only links it (docs: kpis 1.3a).
    CASE WHEN u.event_type = 'purchase' THEN 'purchase_link' ELSE coalesce(u.event_type, 'unknown') END AS kind,
    u.product_id
  FROM staging.userbehavior u
  WHERE NOT u._deleted
  UNION ALL
  SELECT 1, o.order_id, o.actor, o.store_id, o.ordered_at, o.order_day, 'purchase', NULL
  FROM marts.order_facts o
  WHERE o.is_sale OR o.class = 'open'
),
dated AS (
  SELECT e.*, lag(e.at) OVER (PARTITION BY e.actor, e.store_id ORDER BY e.at, e.src, e.id) AS before
  FROM events e
  WHERE e.actor IS NOT NULL AND e.day IS NOT NULL
),
numbered AS (
  SELECT
    d.*,
    sum(CASE WHEN d.before IS NULL OR d.at - d.before > (SELECT c.session_gap FROM core.clock c) THEN 1 ELSE 0 END)
      OVER (PARTITION BY d.actor, d.store_id ORDER BY d.at, d.src, d.id) AS number
  FROM dated d
)
SELECT
  n.src, n.id,
  -- Named after its first event, so that a late event renames one visit at most, not all later ones.
  n.actor || '@' || n.store_id || ':' || first_value(n.src || '.' || n.id)
    OVER (PARTITION BY n.actor, n.store_id, n.number ORDER BY n.at, n.src, n.id) AS visit,
  n.actor, n.store_id, n.at, n.day, n.kind, n.product_id
FROM numbered n;
COMMENT ON VIEW marts.visit_event_facts_v IS 'grain: behaviour event or placed order';

CREATE OR REPLACE VIEW marts.visit_facts_v AS
WITH viewed AS (
  SELECT e.*, min(e.at) FILTER (WHERE e.kind = 'product_view') OVER (PARTITION BY e.actor, e.visit) AS product_at
  FROM marts.visit_event_facts e
),
carted AS (
  SELECT v.*, min(v.at) FILTER (WHERE v.kind = 'add_to_cart' AND v.at >= v.product_at) OVER (PARTITION BY v.actor, v.visit) AS cart_at
  FROM viewed v
),
checking AS (
  SELECT
    c.*,
    -- A purchase implies the checkout before it.
    min(c.at) FILTER (WHERE c.kind IN ('begin_checkout', 'purchase') AND c.at >= c.cart_at)
      OVER (PARTITION BY c.actor, c.visit) AS checkout_at
  FROM carted c
),
visits AS (
  SELECT
    c.visit, c.actor, c.store_id,
    min(c.at) AS started_at,
    max(c.at) AS ended_at,
    (array_agg(c.day ORDER BY c.at, c.src, c.id))[1] AS day,
    round(extract(epoch FROM max(c.at) - min(c.at)), 6) AS duration_s,
    count(*) FILTER (WHERE c.kind IN ('page_view', 'product_view')) AS views,
    count(*) FILTER (WHERE c.kind = 'search') AS searches,
    count(*) FILTER (WHERE c.kind = 'add_to_cart') AS adds,
    count(*) FILTER (WHERE c.kind = 'remove_from_cart') AS removes,
    count(*) FILTER (WHERE c.kind = 'begin_checkout') AS checkouts,
    count(*) FILTER (WHERE c.kind = 'purchase') AS purchases,
    CASE
      WHEN bool_or(c.kind = 'purchase' AND c.at >= c.checkout_at) THEN 5
      WHEN bool_or(c.checkout_at IS NOT NULL) THEN 4
      WHEN bool_or(c.cart_at IS NOT NULL) THEN 3
      WHEN bool_or(c.product_at IS NOT NULL) THEN 2
      WHEN bool_or(c.kind IN ('page_view', 'product_view', 'search')) THEN 1
      ELSE 0
    END AS reached,
    array_agg(c.kind || coalesce(':' || c.product_id::text, '') ORDER BY c.at, c.src, c.id) AS pages
  FROM checking c
  GROUP BY c.visit, c.actor, c.store_id
  -- Orders alone never make a visit.
  HAVING bool_or(c.src = 0)
)
SELECT
  v.*,
  -- D7, exclusive and exhaustive, first that holds.
  CASE
    WHEN v.purchases > 0 THEN 'conversion'
    WHEN v.ended_at >= (SELECT c.now_ts - c.session_gap FROM core.clock c) THEN 'in_progress'
    WHEN v.adds > v.removes THEN 'cart_abandonment'
    WHEN v.duration_s < 10 AND v.views < 2 AND v.adds = 0 AND v.checkouts = 0 THEN 'bounce'
    ELSE 'browse'
  END AS outcome
FROM visits v;
COMMENT ON VIEW marts.visit_facts_v IS 'grain: store visit';

CREATE OR REPLACE VIEW marts.shipment_facts_v AS
WITH dated AS (
  SELECT
    s.shipment_id,
    coalesce(nullif(btrim(s.shipping_method), ''), 'unknown') AS shipping_method,
    CASE WHEN s.estimated_delivery_date >= TIMESTAMP '0001-01-01' AND s.estimated_delivery_date < TIMESTAMP '10000-01-01'
          AND s.estimated_delivery_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c) >= TIMESTAMP '0001-01-01'
          AND s.estimated_delivery_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c) < TIMESTAMP '10000-01-01'
         THEN (s.estimated_delivery_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c))::date END AS due_day,
    s.status,
    f.shipped_at,
    f.delivered_at,
    s.transaction_id AS order_id
  FROM staging.shipment s
  LEFT JOIN LATERAL (
    SELECT
      min(h.valid_from) FILTER (WHERE h.status = 'in_transit') AS shipped_at,
      min(h.valid_from) FILTER (WHERE h.status = 'delivered') AS delivered_at
    FROM history.shipment_status h
    WHERE h.shipment_id = s.shipment_id AND NOT h.from_snapshot
  ) f ON true
  WHERE NOT s._deleted
)
SELECT
  d.shipment_id, d.shipping_method, d.due_day, d.status, d.shipped_at, d.delivered_at,
  CASE
    WHEN (d.delivered_at AT TIME ZONE (SELECT c.tz FROM core.clock c))::date <= d.due_day THEN 'on_time'
    WHEN d.delivered_at IS NOT NULL AND d.due_day IS NOT NULL THEN 'late'
    WHEN d.status = 'delivered' OR d.due_day IS NULL THEN 'unknown'
    WHEN d.due_day < (SELECT c.today FROM core.clock c) THEN 'overdue'
    ELSE 'in_progress'
  END AS result,
  d.order_id
FROM dated d;
COMMENT ON VIEW marts.shipment_facts_v IS 'grain: shipment';
