-- ops.ensure_partitions: gives each of these days a partition of raw.realtime_events. The one piece of DDL at run time,
-- so it belongs to the owner and its callers need no right to make tables.
--
-- Safe to call again and by several callers at once. Rows of such a day that wait in the default partition move over.
-- Call it in a transaction of its own: attaching locks the default partition.
CREATE OR REPLACE FUNCTION ops.ensure_partitions(days date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted date;
  part text;
  made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('instashop raw.realtime_events partitions', 0));
  FOR wanted IN
    SELECT DISTINCT d FROM unnest(days) AS d WHERE d BETWEEN DATE '1990-01-01' AND DATE '2100-01-01' ORDER BY d
  LOOP
    part := 'realtime_events_' || to_char(wanted, 'YYYYMMDD');
    IF to_regclass('raw.' || part) IS NOT NULL THEN
      CONTINUE;
    END IF;
    EXECUTE format('CREATE TABLE raw.%I (LIKE raw.realtime_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    -- With this check attaching need not read the rows again.
    EXECUTE format('ALTER TABLE raw.%I ADD CONSTRAINT one_day CHECK ("timestamp" >= %L AND "timestamp" < %L)',
                   part, wanted, wanted + 1);
    EXECUTE format(
      'WITH moved AS (DELETE FROM raw.realtime_events_default WHERE "timestamp" >= %L AND "timestamp" < %L RETURNING *)'
      ' INSERT INTO raw.%I SELECT * FROM moved', wanted, wanted + 1, part);
    EXECUTE format('ALTER TABLE raw.realtime_events ATTACH PARTITION raw.%I FOR VALUES FROM (%L) TO (%L)',
                   part, wanted, wanted + 1);
    EXECUTE format('ALTER TABLE raw.%I DROP CONSTRAINT one_day', part);
    made := made + 1;
  END LOOP;
  RETURN made;
END
$$;
COMMENT ON FUNCTION ops.ensure_partitions(date[]) IS 'makes missing day partitions of raw.realtime_events; gives how many';
REVOKE ALL ON FUNCTION ops.ensure_partitions(date[]) FROM PUBLIC;
