-- core.median: the middle value, or the mean of the two in the middle; exact, unlike percentile_cont. NULL for no values.
CREATE OR REPLACE FUNCTION core.median(numbers numeric[]) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT avg(n) FROM (
    SELECT n, row_number() OVER (ORDER BY n) AS place, count(*) OVER () AS size FROM unnest(numbers) n
  ) ranked
  WHERE place IN ((size + 1) / 2, size / 2 + 1)
$$;
