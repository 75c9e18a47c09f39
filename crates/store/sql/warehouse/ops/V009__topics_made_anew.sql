-- A topic that was deleted and made again has offsets that mean other records: events below first_event came from an
-- earlier topic of that name, and their offsets say nothing about its checkpoints.
ALTER TABLE ops.offsets ADD COLUMN first_event bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN ops.offsets.first_event IS
  'raw.realtime_events with a lower id came from an earlier topic of that name; set by instashop rebuild warehouse';
