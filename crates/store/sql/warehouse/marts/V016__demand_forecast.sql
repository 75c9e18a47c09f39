-- marts, the forecast of demand (docs: kpis 6.1): what the daily run expects of the 28 days after the last complete one.

CREATE TABLE marts.demand_forecast (
  product_id         bigint UNIQUE,
  category           text NOT NULL,
  store_id           bigint NOT NULL,
  last_day           date NOT NULL,
  days               integer NOT NULL,
  days_known         integer NOT NULL,
  method             text NOT NULL,
  units_14           numeric NOT NULL,
  low_80_14          numeric,
  high_80_14         numeric,
  low_95_14          numeric,
  high_95_14         numeric,
  units_28           numeric NOT NULL,
  low_80_28          numeric,
  high_80_28         numeric,
  low_95_28          numeric,
  high_95_28         numeric,
  until              real[] NOT NULL,
  until_low_80       real[] NOT NULL,
  until_high_80      real[] NOT NULL,
  error              numeric,
  baseline_error     numeric,
  mase               numeric,
  baseline_mase      numeric,
  wape               numeric,
  baseline_wape      numeric,
  bias               numeric,
  pinball            numeric,
  coverage_80        numeric,
  coverage_95        numeric,
  tried              jsonb NOT NULL,
  available          bigint,
  used_up_day        date,
  used_up_early_day  date,
  reorder_point      bigint,
  own_reorder_point  bigint
);
CREATE UNIQUE INDEX demand_forecast_category ON marts.demand_forecast (category) WHERE product_id IS NULL;
CREATE INDEX demand_forecast_store ON marts.demand_forecast (store_id);
COMMENT ON TABLE marts.demand_forecast IS
  'grain: one row per product with a sale in 365 days, and one per category (product_id NULL, store_id 0), of the last run; units, not money';
COMMENT ON COLUMN marts.demand_forecast.days_known IS 'days without those on which the product was out of stock';
COMMENT ON COLUMN marts.demand_forecast.until IS 'units expected until each of the 28 days; the intervals beside it hold NULL where there are too few past errors';
COMMENT ON COLUMN marts.demand_forecast.error IS
  'mean absolute error of the units until the first, second, .. fourteenth day, of the method; baseline_* is the same of repeating the week';
COMMENT ON COLUMN marts.demand_forecast.tried IS 'the error of every method that was tried';
COMMENT ON COLUMN marts.demand_forecast.used_up_day IS 'the day on which the units available at the run are expected to be used up, NULL beyond 28 days';
COMMENT ON COLUMN marts.demand_forecast.own_reorder_point IS 'the sum of the reorder points of its stock rows';

-- Stock rows with nothing left, without reading every level there ever was.
CREATE INDEX stock_level_out ON history.stock_level (stock_id) WHERE available_quantity <= 0;
