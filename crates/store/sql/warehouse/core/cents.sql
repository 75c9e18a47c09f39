-- core.cents: an amount in cents, rounded half away from zero; what does not fit into 64 bits becomes the nearest that does,
-- so that one absurd amount cannot break every query over it.
CREATE OR REPLACE FUNCTION core.cents(amount numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  -- least and greatest pass over NULL, which must stay NULL.
  SELECT CASE WHEN amount IS NOT NULL
    THEN least(greatest(round(amount * 100), -9223372036854775807), 9223372036854775807)::bigint END
$$;
