-- ops.analyze_facts: statistics of the facts after they were computed as a whole; only the owner of a table may gather them.
CREATE OR REPLACE FUNCTION ops.analyze_facts() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  ANALYZE marts.order_facts, marts.order_line_facts, marts.visit_event_facts, marts.visit_facts, marts.shipment_facts
$$;
COMMENT ON FUNCTION ops.analyze_facts() IS 'gathers the statistics of the facts';
REVOKE ALL ON FUNCTION ops.analyze_facts() FROM PUBLIC;
