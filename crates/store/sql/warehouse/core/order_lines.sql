-- core.order_lines: one row per order line with its share of the order total, to the cent.
--
-- Largest remainder, the four steps of docs/reliability 5.7 and of core::money::allocate: (1) weight = gross value in
-- cents, not below 0, and 1 each if all are 0; (2) share = floor(|total| x weight / sum of weights); (3) the missing
-- cents go one each to the largest remainders, ties by smallest line id; (4) a negative total is shared by its absolute
-- value and negated. So the lines of an order add up to the order, and categories add up to revenue. An order without
-- lines has one line of the category unattributed.
--
-- A function of the range, because a condition on the day does not reach below a window function. One on is_sale does,
-- because the windows are cut by it too.
CREATE OR REPLACE FUNCTION core.order_lines_between(since timestamptz, until timestamptz)
RETURNS TABLE (
  order_id bigint, store_id bigint, buyer_id bigint, class text, is_sale boolean, ordered_at timestamptz,
  order_day date, line_id bigint, product_id bigint, quantity bigint, category text, net_rc numeric
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  WITH orders AS (
    SELECT o.order_id, o.store_id, o.buyer_id, o.class, o.is_sale, o.ordered_at, o.order_day, o.amount_rc
    FROM core.orders o
    WHERE o.ordered_at >= since AND o.ordered_at <= until
  ),
  lines AS (
    SELECT
      o.*, d.line_id, d.product_id, d.quantity,
      abs(o.amount_rc) * 100 AS cents,
      greatest(coalesce(
        CASE WHEN abs(round(d.unit_price * 100)) < 1000000000000 THEN d.quantity * round(d.unit_price * 100) END, 0), 0) AS gross
    FROM orders o
    LEFT JOIN core.lines d ON d.order_id = o.order_id
  ),
  summed AS (
    SELECT l.*, sum(l.gross) OVER w AS gross_sum, count(*) OVER w AS n
    FROM lines l
    WINDOW w AS (PARTITION BY l.order_id, l.is_sale)
  ),
  weighed AS (
    SELECT
      s.*,
      CASE WHEN s.gross_sum = 0 THEN 1 ELSE s.gross END AS weight,
      CASE WHEN s.gross_sum = 0 THEN s.n ELSE s.gross_sum END AS weights
    FROM summed s
  ),
  shared AS (
    SELECT w.*, div(w.cents * w.weight, w.weights) AS share, mod(w.cents * w.weight, w.weights) AS rest
    FROM weighed w
  ),
  ranked AS (
    SELECT
      s.*,
      row_number() OVER (PARTITION BY s.order_id, s.is_sale ORDER BY s.rest DESC, s.line_id) AS place,
      s.cents - sum(s.share) OVER (PARTITION BY s.order_id, s.is_sale) AS left_over
    FROM shared s
  )
  SELECT
    r.order_id, r.store_id, r.buyer_id, r.class, r.is_sale, r.ordered_at, r.order_day, r.line_id, r.product_id,
    coalesce(r.quantity, 0),
    CASE WHEN r.line_id IS NULL THEN 'unattributed' ELSE coalesce(p.category, 'unclassified') END,
    round(sign(r.amount_rc) * (r.share + CASE WHEN r.place <= r.left_over THEN 1 ELSE 0 END) / 100, 2)
  FROM ranked r
  LEFT JOIN core.products p ON p.product_id = r.product_id
$$;
COMMENT ON FUNCTION core.order_lines_between(timestamptz, timestamptz) IS
  'grain: one row per line of the orders from since to until, both included';

CREATE OR REPLACE VIEW core.order_lines AS
SELECT * FROM core.order_lines_between('-infinity', 'infinity');
COMMENT ON VIEW core.order_lines IS 'grain: one row per order line; an order without lines has one line without id';
