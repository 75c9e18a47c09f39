-- ref: the maps that give meaning. instashop setup writes them from the configuration, which is the original.

CREATE TABLE ref.setting (
  one             boolean PRIMARY KEY DEFAULT true CHECK (one),
  tz              text NOT NULL,
  currency        text NOT NULL,
  session_gap     interval NOT NULL,
  buyer_identity  boolean NOT NULL,
  now_override    timestamptz,
  meaning_digest  text NOT NULL
);
COMMENT ON TABLE ref.setting IS 'grain: exactly one row. now_override is for tests and reports about a past moment';

CREATE TABLE ref.order_status (
  status  text PRIMARY KEY CHECK (status = lower(btrim(status))),
  class   text NOT NULL CHECK (class IN ('recognised', 'open', 'failed', 'cancelled', 'reversed'))
);
COMMENT ON TABLE ref.order_status IS 'grain: one row per order status, lower case and trimmed; a status not here is unmapped';

CREATE TABLE ref.payment_alias (
  raw     text PRIMARY KEY CHECK (raw = lower(btrim(raw))),
  method  text NOT NULL
);
COMMENT ON TABLE ref.payment_alias IS 'grain: one row per payment method as sources write it, lower case and trimmed';

CREATE TABLE ref.plan (
  raw            text PRIMARY KEY CHECK (raw = lower(btrim(raw))),
  tier           text NOT NULL,
  monthly_price  numeric NOT NULL
);
COMMENT ON TABLE ref.plan IS 'grain: one row per subscription plan as sources write it, lower case and trimmed';

CREATE TABLE ref.fx_rate (
  currency      text,
  rate_date     date,
  to_reporting  numeric NOT NULL CHECK (to_reporting > 0),
  PRIMARY KEY (currency, rate_date)
);
COMMENT ON TABLE ref.fx_rate IS 'grain: one row per currency and day; not used yet, amounts count as reporting currency';
