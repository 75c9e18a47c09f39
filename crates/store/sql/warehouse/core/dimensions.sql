-- core dimensions: the current row of products, stores and buyers under the names screens use. Deleted rows stay, marked:
-- past sales keep their product and store (docs: kpis 0.6). Contact data stays in staging.

CREATE OR REPLACE VIEW core.products AS
SELECT
  p.product_id,
  p.customer_id AS store_id,
  p.name,
  coalesce(nullif(btrim(p.category), ''), 'unclassified') AS category,
  p.price,
  -- As it is compared: core::config::currency_code.
  upper(nullif(btrim(p.currency), '')) AS currency,
  p.status,
  p._deleted AS deleted
FROM staging.product p;
COMMENT ON VIEW core.products IS 'grain: one row per product, deleted ones included';

CREATE OR REPLACE VIEW core.foreign_currencies AS
SELECT
  -- The first and the last by the index on them.
  coalesce((SELECT min(p.currency COLLATE "C") FROM core.products p) <> c.currency
    OR (SELECT max(p.currency COLLATE "C") FROM core.products p) <> c.currency, false) AS is_needed
FROM core.clock c;
COMMENT ON VIEW core.foreign_currencies IS
  'grain: exactly one row; is_needed when a product names another currency than the reporting one, so that orders have to be looked at';

CREATE OR REPLACE VIEW core.stores AS
SELECT
  s.*,
  -- The tier as far as commission goes by it: NULL when no rule is for it.
  CASE WHEN s.tier IN (SELECT k.tier FROM ref.commission k) THEN s.tier END AS commission_tier
FROM (
  SELECT
    c.customer_id AS store_id,
    coalesce(nullif(btrim(c.business_name), ''), nullif(btrim(c.name), ''), c.customer_id::text) AS name,
    coalesce(p.tier, nullif(lower(btrim(c.subscription_plan)), ''), 'unknown') AS tier,
    c._deleted AS deleted
  FROM staging.customer c
  LEFT JOIN ref.plan p ON p.raw = lower(btrim(c.subscription_plan))
) s;
COMMENT ON VIEW core.stores IS 'grain: one row per store, deleted ones included';

CREATE OR REPLACE VIEW core.buyers AS
SELECT
  b.buyer_id,
  -- A person is known by number; two letters tell one row of a list from the next (docs: kpis top_buyers).
  (SELECT string_agg(upper(left(w.word, 1)) || '.', ' ' ORDER BY w.place)
   FROM regexp_split_to_table(nullif(btrim(b.name), ''), '\s+') WITH ORDINALITY AS w(word, place)
   WHERE w.place <= 2) AS initials,
  b._deleted AS deleted
FROM staging.buyer b;
COMMENT ON VIEW core.buyers IS 'grain: one row per buyer, deleted ones included; initials alone: names, mail and addresses stay in staging';

CREATE OR REPLACE VIEW core.lines AS
SELECT
  d.transaction_detail_id AS line_id,
  d.transaction_id AS order_id,
  d.product_id,
  d.quantity,
  d.unit_price
FROM staging.transactiondetail d
WHERE NOT d._deleted;
COMMENT ON VIEW core.lines IS 'grain: one row per order line; its order may not have come yet';

CREATE OR REPLACE VIEW core.line_currencies AS
SELECT
  d.transaction_id AS order_id,
  -- Codes are ordered by their bytes, whatever the database is set to.
  p.currency COLLATE "C" AS currency
FROM staging.transactiondetail d
JOIN core.products p ON p.product_id = d.product_id
WHERE NOT d._deleted;
COMMENT ON VIEW core.line_currencies IS 'grain: one row per order line with a known product; its order may not have come yet';
