-- core dimensions: the current row of products, stores and buyers under the names screens use. Deleted rows stay, marked:
-- past sales keep their product and store (docs: kpis 0.6). Contact data stays in staging.

CREATE OR REPLACE VIEW core.products AS
SELECT
  p.product_id,
  p.customer_id AS store_id,
  p.name,
  coalesce(nullif(btrim(p.category), ''), 'unclassified') AS category,
  p.price,
  p.currency,
  p.status,
  p._deleted AS deleted
FROM staging.product p;
COMMENT ON VIEW core.products IS 'grain: one row per product, deleted ones included';

CREATE OR REPLACE VIEW core.stores AS
SELECT
  c.customer_id AS store_id,
  coalesce(nullif(btrim(c.business_name), ''), nullif(btrim(c.name), ''), c.customer_id::text) AS name,
  coalesce(p.tier, nullif(lower(btrim(c.subscription_plan)), ''), 'unknown') AS tier,
  c._deleted AS deleted
FROM staging.customer c
LEFT JOIN ref.plan p ON p.raw = lower(btrim(c.subscription_plan));
COMMENT ON VIEW core.stores IS 'grain: one row per store, deleted ones included';

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
