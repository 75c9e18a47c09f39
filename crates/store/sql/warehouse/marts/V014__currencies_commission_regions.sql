-- Currencies, commission and regions: the maps they need, and what facts and marts hold of them.

COMMENT ON TABLE ref.fx_rate IS
  'grain: one row per currency and first day of validity; units of the reporting currency that one unit is worth until the next row';

CREATE TABLE ref.commission (
  store_id    bigint,
  tier        text,
  percent     numeric NOT NULL,
  fixed       numeric NOT NULL,
  valid_from  date NOT NULL,
  CHECK (store_id IS NULL OR tier IS NULL)
);
CREATE UNIQUE INDEX commission_key ON ref.commission (coalesce(store_id, 0), coalesce(tier, ''), valid_from);
COMMENT ON TABLE ref.commission IS
  'grain: one row per store, tier or neither (all others) and first order day; percent of the amount plus fixed, in reporting currency';

CREATE TABLE ref.region_alias (
  alias       text PRIMARY KEY,
  region      text,
  is_country  boolean NOT NULL
);
COMMENT ON TABLE ref.region_alias IS
  'grain: one row per name of a place as core.place writes it; region is NULL for a country that is no region itself';

-- The currencies that products name, so that a shop with one currency is known at once.
CREATE INDEX product_currency ON staging.product ((upper(nullif(btrim(currency), '')) COLLATE "C"));
CREATE INDEX shipment_order ON staging.shipment (transaction_id);

ALTER TABLE marts.order_facts
  ADD COLUMN amount numeric,
  ADD COLUMN fx numeric,
  ADD COLUMN commission numeric,
  ADD COLUMN commission_tier text,
  ADD COLUMN region text;
COMMENT ON COLUMN marts.order_facts.amount IS 'in the currency of the order; amount_rc is the same in reporting currency, NULL without a rate';
COMMENT ON COLUMN marts.order_facts.commission_tier IS 'the tier of the store, when a rule of commission is for it';

ALTER TABLE marts.shipment_facts ADD COLUMN order_id bigint;

ALTER TABLE marts.daily_metrics
  ADD COLUMN commission_earned numeric,
  ADD COLUMN commission_returned numeric,
  ADD COLUMN commission numeric;

CREATE TABLE marts.sales_by_region (
  day       date NOT NULL,
  store_id  bigint NOT NULL,
  region    text NOT NULL,
  revenue   numeric,
  orders    bigint,
  PRIMARY KEY (day, store_id, region)
);
COMMENT ON TABLE marts.sales_by_region IS 'grain: one row per business day, store and region the goods go to, unknown included';
