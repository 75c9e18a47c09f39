-- What the sources say: every metric in plain SQL over copies of the source tables (source_<table>), without the views of the
-- warehouse. Only the maps of the configuration (ref) and the clock are shared. Rows as in stored.sql.

CREATE TEMP TABLE plain_clock ON COMMIT DROP AS
SELECT s.tz, s.currency, s.session_gap AS gap, s.buyer_identity, coalesce(s.now_override, now()) AS now_ts,
  (coalesce(s.now_override, now()) AT TIME ZONE s.tz)::date AS today
FROM ref.setting s;

-- Past sales keep the category of a product that was deleted since; a source does not know it any more.
CREATE TEMP TABLE plain_product ON COMMIT DROP AS
SELECT product_id, customer_id AS store_id, category, price, currency, status, false AS deleted FROM source_product
UNION ALL
SELECT p.product_id, p.customer_id, p.category, p.price, p.currency, p.status, true
FROM staging.product p WHERE p._deleted AND NOT EXISTS (SELECT 1 FROM source_product s WHERE s.product_id = p.product_id);

-- A currency's rates as spans, and the currencies of the products in an order.
CREATE TEMP TABLE plain_rate ON COMMIT DROP AS
SELECT currency, rate_date AS since, coalesce(lead(rate_date) OVER (PARTITION BY currency ORDER BY rate_date), 'infinity') AS until, to_reporting AS rate
FROM ref.fx_rate;
CREATE TEMP TABLE plain_currency ON COMMIT DROP AS
SELECT d.transaction_id AS id, min(upper(btrim(p.currency)) COLLATE "C") COLLATE "default" AS low,
  max(upper(btrim(p.currency)) COLLATE "C") COLLATE "default" AS high
FROM source_transactiondetail d JOIN plain_product p ON p.product_id = d.product_id
WHERE btrim(p.currency) <> '' GROUP BY d.transaction_id;
ANALYZE plain_currency;

CREATE TEMP TABLE plain_header ON COMMIT DROP AS
SELECT
  h.id, h.buyer, h.store, h.raw_amount, h.method, h.class, h.at, h.day, h.low, h.high, h.rate, h.class IN ('recognised', 'reversed') AS sale,
  CASE WHEN abs(round(h.raw_amount, 2)) < 1e10 AND abs(h.converted) < 1e13 THEN h.converted END AS amount
FROM (
  SELECT r.*, round(round(r.raw_amount, 2) * r.rate, 2) AS converted FROM (
    SELECT t.*, k.low, k.high, CASE WHEN coalesce(k.low, t.reporting) = t.reporting THEN 1 ELSE x.rate END AS rate
    FROM (
      SELECT
        t.transaction_id AS id, t.buyer_id AS buyer, CASE WHEN coalesce(t.customer_id, 0) = 0 THEN -1 ELSE t.customer_id END AS store,
        t.total_amount AS raw_amount, c.currency AS reporting,
        coalesce((SELECT a.method FROM ref.payment_alias a WHERE a.raw = lower(btrim(t.payment_method))), 'unknown') AS method,
        coalesce((SELECT s.class FROM ref.order_status s WHERE s.status = lower(btrim(t.status))), 'unmapped') AS class,
        t.transaction_date AT TIME ZONE 'UTC' AS at,
        CASE WHEN t.transaction_date BETWEEN '0001-01-02' AND '9999-12-30' THEN (t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date END AS day
      FROM source_transaction t CROSS JOIN plain_clock c
    ) t
    LEFT JOIN plain_currency k ON k.id = t.id
    LEFT JOIN plain_rate x ON x.currency = k.low AND t.day >= x.since AND t.day < x.until
  ) r
) h;
ANALYZE plain_header;

CREATE TEMP TABLE plain_part ON COMMIT DROP AS
SELECT
  d.transaction_detail_id AS id, o.id AS order_id, o.store, o.buyer, o.sale, o.day, d.product_id AS product, coalesce(d.quantity, 0) AS quantity,
  round(abs(o.amount) * 100) AS cents, sign(o.amount) AS sign,
  greatest(coalesce(d.quantity * CASE WHEN abs(round(d.unit_price * 100)) < 1000000000000 THEN round(d.unit_price * 100) END, 0), 0) AS gross,
  d.quantity * d.unit_price AS value,
  coalesce(nullif(btrim(p.category), ''), 'unclassified') AS category
FROM source_transactiondetail d
JOIN plain_header o ON o.id = d.transaction_id
LEFT JOIN plain_product p ON p.product_id = d.product_id;
ANALYZE plain_part;

-- Largest remainder, told as a story: everybody gets the floor, the cents that are left go to the largest rests.
CREATE TEMP TABLE plain_line ON COMMIT DROP AS
SELECT
  y.id, y.order_id, y.store, y.buyer, y.sale, y.day, y.product, y.quantity, y.category,
  y.sign * (floor(y.exact) + CASE WHEN row_number() OVER (PARTITION BY y.order_id ORDER BY y.exact - floor(y.exact) DESC, y.id)
    <= y.cents - sum(floor(y.exact)) OVER (PARTITION BY y.order_id) THEN 1 ELSE 0 END) / 100 AS net
FROM (
  SELECT l.*, l.cents * CASE WHEN t.gross = 0 THEN 1 ELSE l.gross END / CASE WHEN t.gross = 0 THEN t.n ELSE t.gross END AS exact
  FROM plain_part l JOIN (SELECT order_id, sum(gross) AS gross, count(*)::numeric AS n FROM plain_part GROUP BY order_id) t USING (order_id)
) y;
ANALYZE plain_line;

CREATE TEMP TABLE plain_order ON COMMIT DROP AS
SELECT o.*, round(coalesce(l.value, o.raw_amount) * o.rate, 2) AS gross, coalesce(l.n, 0) AS n_lines
FROM plain_header o
LEFT JOIN (SELECT order_id, sum(value) AS value, count(*) AS n FROM plain_part GROUP BY order_id) l
  ON l.order_id = o.id;
CREATE INDEX ON plain_order (buyer);
ANALYZE plain_order;

-- What each sale earns the platform: all rules that could be meant, the most special and latest of them.
CREATE TEMP TABLE plain_commission ON COMMIT DROP AS
SELECT DISTINCT ON (o.id) o.id, o.store, o.day, o.class, round(o.amount * k.percent * 0.01 + k.fixed, 2) AS cut
FROM plain_order o
LEFT JOIN (
  SELECT c.customer_id AS store, coalesce(p.tier, lower(btrim(c.subscription_plan))) AS tier
  FROM (SELECT customer_id, subscription_plan FROM source_customer
        UNION ALL SELECT customer_id, subscription_plan FROM staging.customer g
        WHERE g._deleted AND NOT EXISTS (SELECT 1 FROM source_customer s WHERE s.customer_id = g.customer_id)) c
  LEFT JOIN ref.plan p ON p.raw = lower(btrim(c.subscription_plan))
) t ON t.store = o.store
JOIN ref.commission k ON o.day >= k.valid_from AND coalesce(k.store_id = o.store, true) AND (k.tier IS NULL OR k.tier = t.tier)
WHERE o.sale AND o.amount IS NOT NULL
ORDER BY o.id, CASE WHEN k.store_id IS NOT NULL THEN 1 WHEN k.tier IS NOT NULL THEN 2 ELSE 3 END, k.valid_from DESC;
INSERT INTO kpi_expected (metric, key, value)
SELECT 'commission', concat_ws('/', c.day, s.store_id, 'earned'), sum(c.cut) FROM plain_commission c CROSS JOIN LATERAL (VALUES (c.store), (0)) s(store_id)
GROUP BY c.day, s.store_id
UNION ALL
SELECT 'commission', s.store_id::text, sum(CASE WHEN c.class = 'recognised' THEN c.cut ELSE 0 END)
FROM plain_commission c CROSS JOIN LATERAL (VALUES (c.store), (0)) s(store_id) GROUP BY s.store_id;

-- Addresses told apart once: the names in their order, a country moved to the front, and the last name that is known.
CREATE TEMP TABLE plain_address ON COMMIT DROP AS
SELECT o.id, o.store, o.day, o.amount, coalesce(s.address, b.shipping_address) AS address
FROM plain_order o
LEFT JOIN (SELECT DISTINCT ON (transaction_id) transaction_id, delivery_address AS address FROM source_shipment
           WHERE trim(delivery_address) <> '' ORDER BY transaction_id, shipment_id) s ON s.transaction_id = o.id
LEFT JOIN (SELECT buyer_id, shipping_address FROM source_buyer
           UNION ALL SELECT buyer_id, shipping_address FROM staging.buyer g
           WHERE g._deleted AND NOT EXISTS (SELECT 1 FROM source_buyer s WHERE s.buyer_id = g.buyer_id)) b ON b.buyer_id = o.buyer
WHERE o.sale AND o.day IS NOT NULL;
CREATE TEMP TABLE plain_region ON COMMIT DROP AS
SELECT n.address, (SELECT a.region FROM unnest(n.names) WITH ORDINALITY k(name, place) JOIN ref.region_alias a ON a.alias = k.name AND a.region IS NOT NULL
                   ORDER BY k.place DESC LIMIT 1) AS region
FROM (
  SELECT m.address, CASE WHEN EXISTS (SELECT 1 FROM ref.region_alias a WHERE a.is_country AND a.alias = m.names[cardinality(m.names)])
    THEN m.names[cardinality(m.names)] || m.names[:cardinality(m.names) - 1] ELSE m.names END AS names
  FROM (SELECT d.address, ARRAY(SELECT core.place(p) FROM regexp_split_to_table(d.address, ',') WITH ORDINALITY s(p, i) WHERE trim(p) <> '' ORDER BY i) AS names
        FROM (SELECT DISTINCT address FROM plain_address WHERE address IS NOT NULL) d) m
) n;
INSERT INTO kpi_expected (metric, key, value)
SELECT 'sales_by_region', concat_ws('/', g.day, g.store, g.region, x.part), x.value
FROM (SELECT a.day, s.store, coalesce(r.region, 'unknown') AS region, sum(a.amount) AS amount, count(*) AS orders
      FROM plain_address a LEFT JOIN plain_region r ON r.address = a.address CROSS JOIN LATERAL (VALUES (a.store), (0)) s(store)
      GROUP BY a.day, s.store, coalesce(r.region, 'unknown')) g
CROSS JOIN LATERAL (VALUES (NULL, g.amount), ('orders', CASE WHEN g.store <> 0 THEN g.orders END)) x(part, value);

-- The first day of which anything is known: of an order, or of an event with somebody who acted.
CREATE TEMP TABLE plain_first ON COMMIT DROP AS
SELECT least((SELECT min(day) FROM plain_order), (
  SELECT min((u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date) FROM source_userbehavior u CROSS JOIN plain_clock c
  WHERE u."timestamp" BETWEEN '0001-01-02' AND '9999-12-30' AND (u.metadata ->> 'buyer_id' IS NOT NULL OR u.customer_id IS NOT NULL))) AS day;

-- Every order twice: for its store, and for the platform (0).
CREATE TEMP TABLE plain_sale ON COMMIT DROP AS
SELECT o.*, s.store_id FROM plain_order o CROSS JOIN LATERAL (VALUES (o.store), (0)) s(store_id) WHERE o.day IS NOT NULL;
ANALYZE plain_sale;

INSERT INTO kpi_expected (metric, key, value)
SELECT x.metric, x.key, x.value
FROM (SELECT store_id, sum(amount) FILTER (WHERE sale) AS revenue,
        sum(amount) FILTER (WHERE sale AND day = today) AS today,
        sum(amount) FILTER (WHERE sale AND day < today AND day >= today - 30) AS last,
        sum(amount) FILTER (WHERE sale AND day < today - 30 AND day >= today - 60) AS before,
        count(*) FILTER (WHERE sale AND day < today AND day >= today - 60) AS n,
        (SELECT day FROM plain_first) <= max(today) - 60 AS has_base
      FROM plain_sale CROSS JOIN plain_clock GROUP BY store_id) s
CROSS JOIN LATERAL (VALUES
  ('revenue_total', store_id::text, revenue), ('revenue_today', store_id::text, today), ('revenue_30d', store_id::text, last),
  ('growth_rate', store_id::text, CASE WHEN has_base THEN round(coalesce(last, 0) / nullif(before, 0) - 1, 9) END)) x(metric, key, value);

INSERT INTO kpi_expected (metric, key, value)
SELECT x.metric, concat_ws('/', day, store_id), x.value
FROM (SELECT day, store_id, count(*) AS attempts, count(*) FILTER (WHERE sale) AS orders, count(*) FILTER (WHERE class = 'open') AS pending,
        count(*) FILTER (WHERE class = 'failed') AS failed, sum(amount) FILTER (WHERE sale) AS revenue, sum(gross) FILTER (WHERE sale) AS gross,
        max(amount) FILTER (WHERE sale) AS most, min(amount) FILTER (WHERE sale) AS least
      FROM plain_sale GROUP BY day, store_id) s
CROSS JOIN LATERAL (VALUES
  ('attempts', attempts), ('orders', orders), ('pending', pending), ('failed', failed), ('gross_sales', gross),
  ('discounts', gross - coalesce(revenue, 0)), ('gmv', revenue), ('aov', round(revenue / nullif(orders, 0), 9)), ('max_order', most), ('min_order', least),
  ('sales_trend', CASE WHEN day >= DATE '2000-01-01' AND day <= (SELECT today FROM plain_clock) THEN revenue END)
) x(metric, value);

INSERT INTO kpi_expected (metric, key, value)
SELECT 'gmv_concentration', x.key, x.value
FROM (SELECT max(gmv) / sum(gmv) AS top, sum((gmv / total) ^ 2) * 10000 AS hhi, count(*) AS n
      FROM (SELECT store, sum(amount) AS gmv, sum(sum(amount)) OVER () AS total
            FROM plain_order CROSS JOIN plain_clock
            WHERE sale AND day < today AND day >= today - 30 AND store IN (SELECT customer_id FROM source_customer) GROUP BY store HAVING sum(amount) > 0) g) s
CROSS JOIN LATERAL (VALUES ('top 1', round(top, 9)), ('hhi', round(hhi, 6))) x(key, value)
WHERE n >= 5;

INSERT INTO kpi_expected (metric, key, value)
SELECT 'sales_by_category', concat_ws('/', day, store, category, x.part), x.value
FROM (SELECT day, store, category, sum(net) AS net, sum(quantity) AS units, count(DISTINCT order_id) AS orders FROM (
        SELECT day, store, category, net, quantity, order_id FROM plain_line WHERE sale
        UNION ALL SELECT day, store, 'unattributed', amount, 0, id FROM plain_order WHERE sale AND n_lines = 0) all_lines
      WHERE day IS NOT NULL GROUP BY day, store, category) s
CROSS JOIN LATERAL (VALUES (NULL, net), ('units', units), ('orders', orders)) x(part, value);

INSERT INTO kpi_expected (metric, key, value)
SELECT 'sales_by_category', concat_ws('/', day, 0, category, x.part), x.value
FROM (SELECT day, category, sum(net) AS net, sum(quantity) AS units FROM (
        SELECT day, category, net, quantity FROM plain_line WHERE sale
        UNION ALL SELECT day, 'unattributed', amount, 0 FROM plain_order WHERE sale AND n_lines = 0) all_lines
      WHERE day IS NOT NULL GROUP BY day, category) s
CROSS JOIN LATERAL (VALUES (NULL, net), ('units', units)) x(part, value)
UNION ALL
SELECT 'payment_mix', concat_ws('/', day, 0, method, 'revenue'), sum(amount) FROM plain_order WHERE sale AND day IS NOT NULL GROUP BY day, method
UNION ALL
SELECT 'payment_success', concat_ws('/', day, 0, method), round(count(*) FILTER (WHERE sale)::numeric / count(*), 9)
FROM plain_order WHERE day IS NOT NULL AND (sale OR class = 'failed') GROUP BY day, method;

INSERT INTO kpi_expected (metric, key, value)
SELECT x.metric, concat_ws('/', day, store, method, x.part), x.value
FROM (SELECT m.*, sum(paid) OVER (PARTITION BY day, store) AS all_paid FROM (
        SELECT o.day, o.store, o.method, count(*) FILTER (WHERE sale) AS paid, count(*) FILTER (WHERE class = 'failed') AS failed,
          count(*) FILTER (WHERE class = 'failed' AND r.yes) AS recovered, sum(amount) FILTER (WHERE sale) AS revenue,
          sum(amount) FILTER (WHERE class = 'failed' AND NOT r.yes) AS at_risk
        FROM plain_order o CROSS JOIN LATERAL (
          SELECT CASE WHEN o.class = 'failed' THEN EXISTS (SELECT 1 FROM plain_order p WHERE p.sale AND p.buyer = o.buyer AND p.store = o.store
            AND p.raw_amount = o.raw_amount AND p.at > o.at AND p.at <= o.at + INTERVAL '24 hours') END AS yes) r
        WHERE o.day IS NOT NULL GROUP BY o.day, o.store, o.method) m) s
CROSS JOIN LATERAL (VALUES
  ('payment_mix', NULL, round(paid / nullif(all_paid, 0), 9)), ('payment_mix', 'revenue', revenue),
  ('payment_success', NULL, round(paid::numeric / nullif(paid + failed, 0), 9)), ('payment_success', 'recovered', recovered),
  ('revenue_at_risk', NULL, at_risk)) x(metric, part, value);

INSERT INTO kpi_expected (metric, key, value)
SELECT 'temporal_pattern', concat_ws('/', o.store, extract(isodow FROM o.day), extract(hour FROM o.at AT TIME ZONE c.tz)),
  round(count(*)::numeric / nullif((c.monday - c.since) / 7, 0), 9)
FROM plain_order o
CROSS JOIN (SELECT tz, monday, greatest(monday - 56, first + (8 - extract(isodow FROM first)::int) % 7) AS since
            FROM (SELECT tz, today - (extract(isodow FROM today)::int - 1) AS monday, (SELECT day FROM plain_first) AS first FROM plain_clock) m) c
WHERE o.sale AND o.day >= c.since AND o.day < c.monday
GROUP BY o.store, o.day - (o.day - DATE '2001-01-01'), extract(isodow FROM o.day), extract(hour FROM o.at AT TIME ZONE c.tz), c.monday, c.since;

INSERT INTO kpi_expected (metric, key, value)
SELECT 'top_products', concat_ws('/', place, product), net
FROM (SELECT product, sum(net) AS net, row_number() OVER (ORDER BY coalesce(sum(net), 0) DESC, product) AS place
      FROM plain_line CROSS JOIN plain_clock WHERE sale AND product IS NOT NULL AND day < today AND day >= today - 30 GROUP BY product) p
WHERE place <= 100;

INSERT INTO kpi_expected (metric, key, value)
SELECT 'product_performance', concat_ws('/', day, product, x.part), x.value
FROM (SELECT day, product, count(DISTINCT order_id) AS orders, sum(net) AS net FROM plain_line WHERE sale AND product IS NOT NULL AND day IS NOT NULL
      GROUP BY day, product) s
CROSS JOIN LATERAL (VALUES (NULL, orders), ('revenue', net)) x(part, value);

INSERT INTO kpi_expected (metric, key, value)
SELECT 'stock_vs_sold', p.product_id::text, round(s.sold / nullif(s.sold + greatest(coalesce(a.n, 0), 0), 0), 9)
FROM plain_product p
JOIN (SELECT product, sum(quantity) AS sold FROM plain_line CROSS JOIN plain_clock WHERE sale AND day < today AND day >= today - 30 GROUP BY product) s
  ON s.product = p.product_id
LEFT JOIN (SELECT product_id, sum(available_quantity) AS n FROM source_stock GROUP BY product_id) a ON a.product_id = p.product_id;

-- Buyers ---------------------------------------------------------------------------------------------------------------

INSERT INTO kpi_expected (metric, key, value)
SELECT 'active_stores', '', count(DISTINCT store) FROM plain_order CROSS JOIN plain_clock WHERE sale AND store > 0 AND day < today AND day >= today - 30
UNION ALL SELECT 'active_stores', 'listed', count(DISTINCT customer_id) FROM source_product WHERE lower(btrim(status)) = 'active'
UNION ALL SELECT 'active_buyers', store_id::text, count(DISTINCT buyer) FROM plain_sale CROSS JOIN plain_clock
  WHERE sale AND day < today AND day >= today - 30 GROUP BY store_id
UNION ALL SELECT 'active_buyers', store_id || '/12 months', count(DISTINCT buyer) FROM plain_sale CROSS JOIN plain_clock
  WHERE sale AND day < today AND day >= (today - INTERVAL '12 months')::date GROUP BY store_id
UNION ALL SELECT 'unique_buyers_today', store_id::text, count(DISTINCT buyer) FROM plain_sale CROSS JOIN plain_clock WHERE sale AND day = today GROUP BY store_id;

INSERT INTO kpi_expected (metric, key, value)
SELECT 'new_buyers', concat_ws('/', f.day, f.store_id), count(*)
FROM (SELECT DISTINCT ON (store_id, buyer) store_id, buyer, day FROM plain_sale WHERE sale AND buyer IS NOT NULL ORDER BY store_id, buyer, at, id) f
GROUP BY f.day, f.store_id
UNION ALL
SELECT 'returning_buyers', concat_ws('/', s.day, s.store_id), count(DISTINCT s.buyer)
FROM plain_sale s
WHERE s.sale AND EXISTS (SELECT 1 FROM plain_order e WHERE e.buyer = s.buyer AND e.sale AND e.day IS NOT NULL AND (e.at, e.id) < (s.at, s.id)
                         AND (s.store_id = 0 OR e.store = s.store_id))
GROUP BY s.day, s.store_id;

CREATE TEMP TABLE plain_month ON COMMIT DROP AS
SELECT DISTINCT buyer, (date_trunc('month', day::timestamp))::date AS month FROM plain_order WHERE sale AND buyer IS NOT NULL AND day IS NOT NULL;
INSERT INTO kpi_expected (metric, key, value)
SELECT 'retention_rate', ((m.month + INTERVAL '1 month')::date)::text,
  round(avg(CASE WHEN EXISTS (SELECT 1 FROM plain_month n WHERE n.buyer = m.buyer AND n.month = m.month + INTERVAL '1 month') THEN 1 ELSE 0 END), 9)
FROM plain_month m CROSS JOIN plain_clock c WHERE m.month + INTERVAL '2 months' <= c.today GROUP BY m.month;
INSERT INTO kpi_expected (metric, key, value)
SELECT 'cohorts', concat_ws('/', c.cohort, c.i), round(count(*)::numeric / c.size, 9)
FROM (SELECT m.buyer, f.cohort, f.size, ((extract(year FROM m.month) - extract(year FROM f.cohort)) * 12 + extract(month FROM m.month) - extract(month FROM f.cohort))::int AS i,
        m.month
      FROM plain_month m
      JOIN (SELECT buyer, min(month) AS cohort, count(*) OVER (PARTITION BY min(month)) AS size FROM plain_month GROUP BY buyer) f USING (buyer)) c
CROSS JOIN plain_clock k
WHERE c.i = 0 OR (c.i <= 240 AND c.month + INTERVAL '1 month' <= k.today)
GROUP BY c.cohort, c.i, c.size;

CREATE TEMP TABLE plain_buyer ON COMMIT DROP AS
SELECT buyer, count(*)::numeric AS n, sum(amount) AS spent, sum(CASE WHEN class = 'reversed' THEN 0 ELSE amount END) AS net,
  min(day) AS first, max(day) AS last, avg(amount) AS mean, greatest(max(today) - min(day), 1) AS tenure
FROM plain_order CROSS JOIN plain_clock WHERE sale AND buyer IS NOT NULL AND day IS NOT NULL GROUP BY buyer;
INSERT INTO kpi_expected (metric, key, value)
SELECT x.metric, buyer::text, x.value FROM plain_buyer CROSS JOIN LATERAL (VALUES ('top_buyers', net), ('clv_historic', net)) x(metric, value)
UNION ALL
SELECT 'churn_buyers', '', round(avg(CASE WHEN last < today - 180 THEN 1 ELSE 0 END), 9) FROM plain_buyer CROSS JOIN plain_clock
UNION ALL
-- Twice, since the two ways round half a unit of the last place differently.
SELECT 'clv_12m', b.buyer::text, round(round(365 * b.n / (b.tenure + 1 / nullif(g.rate, 0)) * ((b.mean * b.n + g.mean * 3) / (b.n + 3)), 9), 4)
FROM plain_buyer b CROSS JOIN (SELECT sum(n - 1) / nullif(sum(tenure), 0) AS rate, sum(mean * n) / sum(n) AS mean FROM plain_buyer) g;

-- Scores by counting who is worse, instead of by a rank function.
CREATE TEMP TABLE plain_score ON COMMIT DROP AS
SELECT buyer, max(today) - max(day) AS recency, count(*) AS frequency, coalesce(sum(amount), 0) AS monetary
FROM plain_order CROSS JOIN plain_clock WHERE sale AND buyer IS NOT NULL AND day > today - 365 GROUP BY buyer;
INSERT INTO kpi_expected (metric, key, value)
SELECT 'rfm', CASE WHEN r = 5 AND f >= 4 AND m >= 4 THEN 'champions' WHEN r >= 3 AND f >= 4 THEN 'loyal' WHEN r = 5 AND f = 1 THEN 'new'
  WHEN r >= 4 AND f <= 2 THEN 'promising' WHEN r >= 3 THEN 'active' WHEN f >= 4 AND m >= 4 THEN 'previously_loyal' WHEN f >= 3 THEN 'at_risk'
  WHEN r = 2 THEN 'almost_lost' ELSE 'dormant' END, count(*)
FROM (
  SELECT s.buyer, CASE WHEN k.n < 50 THEN 1 + 2 * least((3 * w.r) / d, 2) ELSE 1 + least((5 * w.r) / d, 4) END AS r,
    CASE WHEN k.n < 50 THEN 1 + 2 * least((3 * w.f) / d, 2) ELSE 1 + least((5 * w.f) / d, 4) END AS f,
    CASE WHEN k.n < 50 THEN 1 + 2 * least((3 * w.m) / d, 2) ELSE 1 + least((5 * w.m) / d, 4) END AS m
  FROM plain_score s
  CROSS JOIN (SELECT count(*) AS n, greatest(count(*) - 1, 1) AS d FROM plain_score) k
  CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE o.recency > s.recency) AS r, count(*) FILTER (WHERE o.frequency < s.frequency) AS f,
    count(*) FILTER (WHERE o.monetary < s.monetary) AS m FROM plain_score o) w
) scored
GROUP BY 2;

INSERT INTO kpi_expected (metric, key, value)
SELECT 'totals', what, n FROM (VALUES
  ('stores', (SELECT count(*) FROM source_customer)), ('buyers', (SELECT count(*) FROM source_buyer)), ('products', (SELECT count(*) FROM source_product)),
  ('orders', (SELECT count(*) FROM source_transaction)), ('order lines', (SELECT count(*) FROM source_transactiondetail)),
  ('behaviour events', (SELECT count(*) FROM source_userbehavior)), ('stock rows', (SELECT count(*) FROM source_stock)),
  ('stock movements', (SELECT count(*) FROM source_inventorymovement)), ('shipments', (SELECT count(*) FROM source_shipment)),
  ('carriers', (SELECT count(*) FROM source_carrier)), ('contacts', (SELECT count(*) FROM source_interaction)),
  ('segments', (SELECT count(*) FROM source_segment)), ('segment members', (SELECT count(*) FROM source_customersegment))) v(what, n)
UNION ALL
SELECT 'plan_mix', coalesce(p.tier, nullif(lower(btrim(c.subscription_plan)), ''), 'unknown'), count(*)
FROM source_customer c LEFT JOIN ref.plan p ON p.raw = lower(btrim(c.subscription_plan)) GROUP BY 2
UNION ALL
SELECT 'mrr', '', sum(p.monthly_price) FROM source_customer c JOIN ref.plan p ON p.raw = lower(btrim(c.subscription_plan))
UNION ALL
SELECT 'segments_crm', m.segment_id::text, count(DISTINCT m.customer_id) FROM source_customersegment m JOIN source_segment s USING (segment_id) GROUP BY m.segment_id
UNION ALL
SELECT 'crm_interactions', concat_ws('/', (i.interaction_date AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date, i.customer_id, lower(btrim(i.interaction_type)),
  lower(btrim(i.channel)), lower(btrim(i.status))), count(*)
FROM source_interaction i CROSS JOIN plain_clock c
WHERE i.interaction_date >= '1900-01-01' AND i.interaction_date < '9999-01-01'
  AND coalesce(lower(btrim(i.interaction_type)), '') NOT IN ('website_visit', 'product_inquiry', 'cart_event', 'purchase_intent', 'search_query')
GROUP BY 2;

-- Behaviour: visits as islands of a timeline ------------------------------------------------------------------------------

CREATE TEMP TABLE plain_event ON COMMIT DROP AS
SELECT actor, store, at, day, kind, product, src, id,
  -- A visit begins where nothing lies in the gap before.
  sum(starts) OVER (PARTITION BY actor, store ORDER BY at, src, id) AS number
FROM (
  SELECT e.*, CASE WHEN e.at - max(e.at) OVER (PARTITION BY actor, store ORDER BY at, src, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) <= c.gap
    THEN 0 ELSE 1 END AS starts
  FROM (
    SELECT CASE WHEN u.metadata ->> 'buyer_id' IS NOT NULL THEN 'b' || (u.metadata ->> 'buyer_id') WHEN u.customer_id IS NOT NULL THEN 'c' || u.customer_id::text END AS actor,
      CASE WHEN coalesce(u.customer_id, 0) = 0 THEN -1 ELSE u.customer_id END AS store, u."timestamp" AT TIME ZONE 'UTC' AS at,
      CASE WHEN u."timestamp" BETWEEN '0001-01-02' AND '9999-12-30' THEN (u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date END AS day,
      CASE u.event_type WHEN 'purchase' THEN 'purchase_link' ELSE coalesce(u.event_type, 'unknown') END AS kind, u.product_id AS product, 0 AS src, u.behavior_id AS id
    FROM source_userbehavior u CROSS JOIN plain_clock c
    UNION ALL
    SELECT CASE WHEN c.buyer_identity THEN 'b' || o.buyer::text ELSE 'c' || o.store::text END, o.store, o.at, o.day, 'purchase', NULL, 1, o.id
    FROM plain_order o CROSS JOIN plain_clock c WHERE o.class IN ('recognised', 'reversed', 'open')
  ) e CROSS JOIN plain_clock c
  WHERE e.actor IS NOT NULL AND e.day IS NOT NULL
) started;
CREATE INDEX ON plain_event (actor, store, number);
ANALYZE plain_event;

CREATE TEMP TABLE plain_visit ON COMMIT DROP AS
SELECT v.*, x.step,
  CASE WHEN v.bought > 0 THEN 'conversion' WHEN v.until >= c.now_ts - c.gap THEN 'in_progress' WHEN v.adds > v.removes THEN 'cart_abandonment'
    WHEN v.seconds < 10 AND v.views < 2 AND v.adds = 0 AND v.checkouts = 0 THEN 'bounce' ELSE 'browse' END AS outcome
FROM (
  SELECT actor, store, number, min(at) AS since, max(at) AS until, (min(at) AT TIME ZONE max(c.tz))::date AS day, extract(epoch FROM max(at) - min(at)) AS seconds,
    count(*) FILTER (WHERE kind IN ('page_view', 'product_view')) AS views, count(*) FILTER (WHERE kind = 'add_to_cart') AS adds,
    count(*) FILTER (WHERE kind = 'remove_from_cart') AS removes, count(*) FILTER (WHERE kind = 'begin_checkout') AS checkouts,
    count(*) FILTER (WHERE kind = 'purchase') AS bought, count(*) FILTER (WHERE src = 0) AS seen
  FROM plain_event CROSS JOIN plain_clock c GROUP BY actor, store, number
) v
CROSS JOIN plain_clock c
-- The closed funnel, walked step by step.
CROSS JOIN LATERAL (SELECT min(e.at) AS at FROM plain_event e WHERE (e.actor, e.store, e.number) = (v.actor, v.store, v.number) AND e.kind IN ('page_view', 'product_view', 'search')) s1
CROSS JOIN LATERAL (SELECT min(e.at) AS at FROM plain_event e WHERE (e.actor, e.store, e.number) = (v.actor, v.store, v.number) AND e.kind = 'product_view' AND e.at >= s1.at) s2
CROSS JOIN LATERAL (SELECT min(e.at) AS at FROM plain_event e WHERE (e.actor, e.store, e.number) = (v.actor, v.store, v.number) AND e.kind = 'add_to_cart' AND e.at >= s2.at) s3
CROSS JOIN LATERAL (SELECT min(e.at) AS at FROM plain_event e WHERE (e.actor, e.store, e.number) = (v.actor, v.store, v.number) AND e.kind IN ('begin_checkout', 'purchase') AND e.at >= s3.at) s4
CROSS JOIN LATERAL (SELECT min(e.at) AS at FROM plain_event e WHERE (e.actor, e.store, e.number) = (v.actor, v.store, v.number) AND e.kind = 'purchase' AND e.at >= s4.at) s5
CROSS JOIN LATERAL (SELECT CASE WHEN s5.at IS NOT NULL THEN 5 WHEN s4.at IS NOT NULL THEN 4 WHEN s3.at IS NOT NULL THEN 3 WHEN s2.at IS NOT NULL THEN 2
  WHEN s1.at IS NOT NULL THEN 1 ELSE 0 END AS step) x
WHERE v.seen > 0;

INSERT INTO kpi_expected (metric, key, value)
SELECT x.metric, concat_ws('/', day, store_id), x.value
FROM (SELECT v.day, s.store_id, count(*) AS visits, count(DISTINCT v.actor) AS visitors, count(*) FILTER (WHERE v.bought > 0) AS bought
      FROM plain_visit v CROSS JOIN LATERAL (VALUES (v.store), (0)) s(store_id) GROUP BY v.day, s.store_id) d
CROSS JOIN LATERAL (VALUES ('visits', visits), ('visitors', visitors), ('conversion_rate', round(bought::numeric / visits, 9))) x(metric, value);
INSERT INTO kpi_expected (metric, key, value)
SELECT x.metric, concat_ws('/', day, store, x.part), x.value
FROM (SELECT day, store, count(*) FILTER (WHERE outcome = 'bounce')::numeric AS bounced, count(*) FILTER (WHERE outcome <> 'in_progress') AS ended,
        sum(views) AS views, avg(seconds) FILTER (WHERE outcome <> 'in_progress') AS mean,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds::float8) FILTER (WHERE outcome <> 'in_progress') AS median,
        count(*) FILTER (WHERE outcome = 'cart_abandonment')::numeric AS abandoned, count(*) FILTER (WHERE adds > 0 AND outcome <> 'in_progress') AS carts,
        count(*) FILTER (WHERE bought > 0)::numeric AS bought, count(*) FILTER (WHERE bought > 0 OR checkouts > 0) AS begun, sum(checkouts) AS checkouts,
        count(*) FILTER (WHERE step >= 3)::numeric AS added, count(*) FILTER (WHERE step >= 2) AS viewed
      FROM plain_visit GROUP BY day, store) d
CROSS JOIN LATERAL (VALUES
  ('page_views', NULL, views), ('bounce_rate', NULL, round(bounced / nullif(ended, 0), 9)), ('avg_time', NULL, round(mean, 6)),
  ('avg_time', 'median', round(median::numeric, 6)), ('cart_abandonment', NULL, round(abandoned / nullif(carts, 0), 9)),
  ('checkout_completion', NULL, CASE WHEN checkouts > 0 THEN round(bought / nullif(begun, 0), 9) END),
  ('add_to_cart_rate', NULL, round(added / nullif(viewed, 0), 9))) x(metric, part, value)
UNION ALL
SELECT 'outcomes', concat_ws('/', day, store, outcome), count(*) FROM plain_visit GROUP BY day, store, outcome
UNION ALL
SELECT 'funnel', concat_ws('/', v.day, v.store, s), count(*) FROM plain_visit v CROSS JOIN generate_series(0, 5) s WHERE v.step >= s GROUP BY v.day, v.store, s
UNION ALL
SELECT 'store_funnel', v.store::text, CASE WHEN count(*) >= 100 THEN round(count(*) FILTER (WHERE v.step = 5)::numeric / count(*), 9) END
FROM plain_visit v CROSS JOIN plain_clock c WHERE v.day < c.today AND v.day >= c.today - 30 GROUP BY v.store
UNION ALL
SELECT 'events_by_type', concat_ws('/', e.day, s.store, e.kind), count(*)
FROM (SELECT CASE WHEN coalesce(u.customer_id, 0) = 0 THEN -1 ELSE u.customer_id END AS store, coalesce(u.event_type, 'unknown') AS kind,
        CASE WHEN u."timestamp" BETWEEN '0001-01-02' AND '9999-12-30' THEN (u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date END AS day
      FROM source_userbehavior u CROSS JOIN plain_clock c) e
CROSS JOIN LATERAL (VALUES (e.store), (0)) s(store)
WHERE e.day IS NOT NULL GROUP BY e.day, s.store, e.kind
UNION ALL
SELECT 'events_ratio', concat_ws('/', day, store), round(count(*) FILTER (WHERE kind = 'purchase_link')::numeric / nullif(count(*) FILTER (WHERE kind = 'product_view'), 0), 9)
FROM plain_event WHERE src = 0 GROUP BY day, store
UNION ALL
SELECT 'search', concat_ws('/', e.day, e.store, lower(btrim(u.metadata ->> 'search_term'))), count(*)
FROM plain_event e JOIN source_userbehavior u ON u.behavior_id = e.id WHERE e.src = 0 AND e.kind = 'search' GROUP BY 2
UNION ALL
SELECT 'product_views', concat_ws('/', day, product), count(*) FROM plain_event WHERE src = 0 AND kind = 'product_view' AND product IS NOT NULL GROUP BY day, product
UNION ALL
SELECT 'product_conversion', concat_ws('/', e.day, e.product), round(least(o.n::numeric / e.n, 1), 9)
FROM (SELECT day, product, count(DISTINCT (actor, store, number)) AS n FROM plain_event WHERE kind = 'product_view' AND product IS NOT NULL GROUP BY day, product) e
JOIN (SELECT day, product, count(DISTINCT order_id) AS n FROM plain_line WHERE sale GROUP BY day, product) o USING (day, product)
UNION ALL
SELECT 'buyer_profile', b.buyer::text, count(*) FROM plain_buyer b JOIN plain_event e ON e.actor = 'b' || b.buyer::text AND e.src = 0 GROUP BY b.buyer;
-- Right now: what happened in the last minutes, up to this one.
INSERT INTO kpi_expected (metric, key, value)
SELECT 'visitors_now', s.store_id::text, count(DISTINCT e.actor)
FROM plain_event e CROSS JOIN plain_clock c CROSS JOIN LATERAL (VALUES (e.store), (0)) s(store_id)
WHERE e.at <= c.now_ts AND e.at > c.now_ts - INTERVAL '5 minutes' GROUP BY s.store_id
UNION ALL
SELECT 'live_carts', concat_ws('/', s.store_id, d.what), count(DISTINCT (e.actor, e.store))
FROM plain_event e CROSS JOIN plain_clock c CROSS JOIN LATERAL (VALUES (e.store), (0)) s(store_id)
JOIN (VALUES ('add_to_cart', 'carts'), ('remove_from_cart', 'carts'), ('begin_checkout', 'checkouts'), ('purchase', 'purchases')) d(kind, what) USING (kind)
WHERE e.at <= c.now_ts AND e.at > c.now_ts - INTERVAL '10 minutes' GROUP BY s.store_id, d.what
UNION ALL
-- Minutes begun since the minute of the last paid order.
SELECT 'last_paid_age', concat_ws('/', store_id, method),
  min(floor(extract(epoch FROM c.now_ts) / 60) - floor(extract(epoch FROM o.at) / 60)) + 1
FROM plain_sale o CROSS JOIN plain_clock c
WHERE o.sale AND floor(extract(epoch FROM o.at) / 60) <= floor(extract(epoch FROM c.now_ts) / 60)
  AND floor(extract(epoch FROM c.now_ts) / 60) - floor(extract(epoch FROM o.at) / 60) < 48 * 60
GROUP BY store_id, method;

INSERT INTO kpi_expected (metric, key, value)
SELECT 'journey', path, n FROM (
  SELECT path, count(*) AS n, row_number() OVER (ORDER BY count(*) DESC, path) AS place FROM (
    SELECT (SELECT string_agg(kind, ' > ' ORDER BY number) FROM (
      SELECT kind, row_number() OVER (ORDER BY at, src, id) AS number FROM (
        SELECT e.kind, e.at, e.src, e.id, lag(e.kind) OVER (ORDER BY e.at, e.src, e.id) AS before
        FROM plain_event e WHERE (e.actor, e.store, e.number) = (v.actor, v.store, v.number)) k
      WHERE k.kind IS DISTINCT FROM k.before) n WHERE n.number <= 5) AS path
    FROM plain_visit v CROSS JOIN plain_clock c WHERE v.day < c.today AND v.day >= c.today - 30) p
  GROUP BY path) j
WHERE place <= 50;

-- Stock and shipments -------------------------------------------------------------------------------------------------------

CREATE TEMP TABLE plain_stock ON COMMIT DROP AS
SELECT s.stock_id AS id, s.product_id AS product, p.store_id AS store, p.status, s.available_quantity AS available, s.reorder_point AS reorder,
  coalesce(nullif(btrim(s.warehouse_location), ''), 'unknown') AS place,
  round(greatest(s.available_quantity, 0) * p.price * CASE WHEN coalesce(upper(nullif(btrim(p.currency), '')), c.currency) = c.currency THEN 1 ELSE x.rate END, 2) AS worth,
  coalesce(d.sold, 0) / 28 * CASE WHEN t.held > 0 THEN greatest(s.available_quantity, 0) / t.held ELSE 1 END AS daily
FROM source_stock s
CROSS JOIN plain_clock c
LEFT JOIN plain_product p ON p.product_id = s.product_id
LEFT JOIN plain_rate x ON x.currency = upper(btrim(p.currency)) AND c.today >= x.since AND c.today < x.until
LEFT JOIN (SELECT product_id, sum(greatest(available_quantity, 0))::numeric AS held FROM source_stock GROUP BY product_id) t ON t.product_id = s.product_id
LEFT JOIN (SELECT product, sum(quantity)::numeric AS sold FROM plain_line CROSS JOIN plain_clock WHERE sale AND day > today - 28 GROUP BY product) d ON d.product = s.product_id;
INSERT INTO kpi_expected (metric, key, value)
SELECT 'stock_status', concat_ws('/', store, CASE WHEN reorder IS NULL OR available IS NULL THEN 'unknown' WHEN available <= 0 THEN 'out_of_stock'
  WHEN available <= reorder THEN 'critical' WHEN 2 * available <= 3 * reorder THEN 'low' ELSE 'optimal' END), count(*) FROM plain_stock GROUP BY 2
UNION ALL SELECT 'critical_products', concat_ws('/', store), count(DISTINCT product) FROM plain_stock
  WHERE reorder IS NOT NULL AND (available <= 0 OR available <= reorder) AND lower(btrim(coalesce(status, ''))) <> 'inactive' GROUP BY store
UNION ALL SELECT 'days_of_stock', id::text, round(greatest(available, 0) / nullif(daily, 0), 6) FROM plain_stock
UNION ALL SELECT 'dead_stock', concat_ws('/', store), count(*) FROM plain_stock WHERE daily = 0 AND available > 0 GROUP BY store
UNION ALL SELECT 'dead_stock', concat_ws('/', store, 'value'), sum(worth) FROM plain_stock WHERE daily = 0 AND available > 0 GROUP BY store
UNION ALL SELECT 'warehouses', concat_ws('/', place, store), sum(available) FROM plain_stock GROUP BY place, store
UNION ALL SELECT 'warehouses', concat_ws('/', place, store, 'value'), sum(worth) FROM plain_stock GROUP BY place, store
UNION ALL SELECT 'movements', concat_ws('/', (m.movement_date AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date, p.store_id, coalesce(lower(btrim(m.reason)), 'unknown')),
  sum(CASE lower(btrim(m.movement_type)) WHEN 'in' THEN m.quantity WHEN 'out' THEN -m.quantity ELSE 0 END)
FROM source_inventorymovement m CROSS JOIN plain_clock c LEFT JOIN plain_product p ON p.product_id = m.product_id
WHERE m.movement_date >= '1900-01-01' AND m.movement_date < '9999-01-01' GROUP BY 2
UNION ALL SELECT 'abc', concat_ws('/', product, class), 1 FROM (
  SELECT a.product, CASE WHEN coalesce(sum(b.net) FILTER (WHERE (b.net, -b.product) > (a.net, -a.product)), 0) < sum(b.net) * 0.80 THEN 'A'
    WHEN coalesce(sum(b.net) FILTER (WHERE (b.net, -b.product) > (a.net, -a.product)), 0) < sum(b.net) * 0.95 THEN 'B' ELSE 'C' END AS class, sum(b.net) AS total
  FROM (SELECT p.product_id AS product, greatest(coalesce(sum(l.net), 0), 0) AS net FROM source_product p CROSS JOIN plain_clock c
        LEFT JOIN plain_line l ON l.product = p.product_id AND l.sale AND l.day < c.today AND l.day >= c.today - 90 GROUP BY p.product_id) a
  CROSS JOIN (SELECT p.product_id AS product, greatest(coalesce(sum(l.net), 0), 0) AS net FROM source_product p CROSS JOIN plain_clock c
        LEFT JOIN plain_line l ON l.product = p.product_id AND l.sale AND l.day < c.today AND l.day >= c.today - 90 GROUP BY p.product_id) b
  GROUP BY a.product, a.net) k
UNION ALL SELECT 'shipments', concat_ws('/', CASE WHEN s.estimated_delivery_date BETWEEN '0001-01-02' AND '9999-12-30'
    THEN (s.estimated_delivery_date AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date END, coalesce(nullif(btrim(s.shipping_method), ''), 'unknown'), s.status), count(*)
  FROM source_shipment s CROSS JOIN plain_clock c GROUP BY 2;

INSERT INTO kpi_expected (metric, key, value)
SELECT 'data_quality', concat_ws('/', day, x.issue), x.n
FROM (SELECT day, count(*) FILTER (WHERE class = 'unmapped') AS unmapped, count(*) FILTER (WHERE sale AND amount IS NULL AND rate IS NOT NULL) AS no_amount,
        count(*) FILTER (WHERE sale AND rate IS NULL) AS no_fx, count(*) FILTER (WHERE sale AND n_lines = 0) AS no_lines, count(*) FILTER (WHERE low <> high) AS mixed,
        count(*) FILTER (WHERE coalesce(low, c.currency) <> c.currency) AS other, count(*) FILTER (WHERE method = 'unknown') AS no_method,
        count(*) FILTER (WHERE store = -1) AS no_store, count(*) FILTER (WHERE buyer IS NULL) AS no_buyer, count(*) FILTER (WHERE amount < 0) AS negative,
        count(*) FILTER (WHERE n_lines > 0 AND gross < amount) AS mismatch
      FROM plain_order CROSS JOIN plain_clock c WHERE day IS NOT NULL GROUP BY day) d
CROSS JOIN LATERAL (VALUES ('unmapped_status', unmapped), ('sale_without_amount', no_amount), ('sale_without_lines', no_lines), ('orders_without_fx', no_fx),
  ('mixed_currency', mixed),
  ('other_currency', other), ('unknown_payment_method', no_method), ('order_without_store', no_store), ('order_without_buyer', no_buyer),
  ('negative_amount', negative), ('lines_below_total', mismatch)) x(issue, n)
UNION ALL SELECT 'data_quality', 'lines_without_order', count(*) FROM source_transactiondetail d WHERE NOT EXISTS (SELECT 1 FROM source_transaction t WHERE t.transaction_id = d.transaction_id)
UNION ALL SELECT 'data_quality', 'orders_without_day', count(*) FROM plain_order WHERE day IS NULL;

DELETE FROM kpi_expected WHERE value IS NULL OR value = 0;
