-- core.place: the name of a place as it is compared, as core::config::place writes it: without accents and blanks at the ends,
-- in lower case.
CREATE OR REPLACE FUNCTION core.place(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT lower(translate(btrim(name, ' '),
    'áàâãäéèêëíìîïóòôõöúùûüñçÁÀÂÃÄÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÑÇ',
    'aaaaaeeeeiiiiooooouuuuncaaaaaeeeeiiiiooooouuuunc'))
$$;

-- core.order_regions: where the goods of an order go (docs: kpis 0.9). The address is that of its first shipment that has one,
-- else that of its buyer; its parts stand between commas and are looked up from the right, a country at the end last.
CREATE OR REPLACE VIEW core.order_regions AS
SELECT
  o.order_id,
  (
    SELECT a.region
    FROM (
      SELECT btrim(p.part, ' ') AS part, p.place, p.place = max(p.place) OVER () AS is_last
      FROM unnest(string_to_array(core.place(o.address), ',')) WITH ORDINALITY AS p(part, place)
      WHERE btrim(p.part, ' ') <> ''
    ) q
    JOIN ref.region_alias a ON a.alias = q.part
    WHERE a.region IS NOT NULL
    ORDER BY q.is_last AND a.is_country, q.place DESC
    LIMIT 1
  ) AS region
FROM (
  SELECT
    t.transaction_id AS order_id,
    coalesce(
      (SELECT s.delivery_address FROM staging.shipment s
       WHERE s.transaction_id = t.transaction_id AND NOT s._deleted AND btrim(s.delivery_address, ' ') <> ''
       ORDER BY s.shipment_id LIMIT 1),
      (SELECT b.shipping_address FROM staging.buyer b WHERE b.buyer_id = t.buyer_id)) AS address
  FROM staging.transaction t
  WHERE NOT t._deleted
) o;
COMMENT ON VIEW core.order_regions IS 'grain: one row per order that exists at its source; region is NULL where it is not known';
