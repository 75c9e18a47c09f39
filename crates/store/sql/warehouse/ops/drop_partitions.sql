-- ops.drop_partitions: removes day partitions of raw.realtime_events that lie before a day; gives how many. Rows in the
-- default partition, which have absurd dates, stay.
CREATE OR REPLACE FUNCTION ops.drop_partitions(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text;
  dropped integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('instashop raw.realtime_events partitions', 0));
  FOR part IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'raw.realtime_events'::regclass AND c.relname ~ '^realtime_events_[0-9]{8}$'
      AND to_date(right(c.relname, 8), 'YYYYMMDD') < before
    ORDER BY c.relname
  LOOP
    EXECUTE format('DROP TABLE raw.%I', part);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END
$$;
COMMENT ON FUNCTION ops.drop_partitions(date) IS 'drops day partitions of raw.realtime_events before a day; gives how many';
REVOKE ALL ON FUNCTION ops.drop_partitions(date) FROM PUBLIC;
