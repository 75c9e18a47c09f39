-- marts, what the daily run adds: one snapshot of the headline numbers per day, what was not clean, and what the notifier
-- sends: a summary for each store, and values that are far from the usual.

CREATE TABLE marts.kpi_daily (
  day     date NOT NULL,
  metric  text NOT NULL,
  value   numeric,
  PRIMARY KEY (day, metric)
);
COMMENT ON TABLE marts.kpi_daily IS
  'grain: one row per business day and metric id of the catalogue: the headline numbers of the platform, as the run saw them';

CREATE TABLE marts.data_quality (
  day    date NOT NULL,
  issue  text NOT NULL,
  rows   bigint NOT NULL,
  PRIMARY KEY (day, issue)
);
COMMENT ON TABLE marts.data_quality IS 'grain: one row per business day and kind of issue, zero included';

CREATE TABLE marts.store_summaries (
  day       date NOT NULL,
  store_id  bigint NOT NULL,
  body      jsonb NOT NULL,
  PRIMARY KEY (day, store_id)
);
COMMENT ON TABLE marts.store_summaries IS 'grain: one row per business day and store: what its owner is told about the day';

CREATE TABLE marts.anomalies (
  day       date NOT NULL,
  store_id  bigint NOT NULL,
  metric    text NOT NULL,
  value     numeric NOT NULL,
  usual     numeric NOT NULL,
  spread    numeric NOT NULL,
  score     numeric NOT NULL,
  PRIMARY KEY (day, store_id, metric)
);
COMMENT ON TABLE marts.anomalies IS
  'grain: one row per business day, store (0 is the platform) and metric that is far from the median of the same weekday of '
  'the eight weeks before; score is the distance in robust standard deviations';
