-- What the warehouse says, as rows (metric, key, value), from the semantic views alone. Zero and NULL are the same as no row.
-- Ratios are rounded to nine places: their two sums are compared exactly elsewhere.
INSERT INTO kpi_stored (metric, key, value)
SELECT 'revenue_total', store_id::text, revenue_total FROM semantic.kpi_revenue_total
UNION ALL SELECT 'revenue_today', store_id::text, revenue_today FROM semantic.kpi_revenue_today
UNION ALL SELECT 'revenue_30d', store_id::text, revenue_30d FROM semantic.kpi_revenue_30d
UNION ALL SELECT 'gross_sales', concat_ws('/', day, store_id), gross_sales FROM semantic.kpi_gross_sales
UNION ALL SELECT 'discounts', concat_ws('/', day, store_id), discounts FROM semantic.kpi_discounts
UNION ALL SELECT 'aov', concat_ws('/', day, store_id), round(aov, 9) FROM semantic.kpi_aov
UNION ALL SELECT 'orders', concat_ws('/', day, store_id), orders FROM semantic.kpi_orders
UNION ALL SELECT 'attempts', concat_ws('/', day, store_id), attempts FROM semantic.kpi_attempts
UNION ALL SELECT 'pending', concat_ws('/', day, store_id), pending FROM semantic.kpi_pending
UNION ALL SELECT 'failed', concat_ws('/', day, store_id), failed FROM semantic.kpi_failed
UNION ALL SELECT 'max_order', concat_ws('/', day, store_id), max_order FROM semantic.kpi_max_order
UNION ALL SELECT 'min_order', concat_ws('/', day, store_id), min_order FROM semantic.kpi_min_order
UNION ALL SELECT 'growth_rate', store_id::text, round(growth_rate, 9) FROM semantic.kpi_growth_rate
UNION ALL SELECT 'gmv', concat_ws('/', day, store_id), gmv FROM semantic.kpi_gmv
UNION ALL SELECT 'commission', concat_ws('/', day, store_id, 'earned'), commission_earned FROM semantic.kpi_commission
-- The day of a reversal is no source's; over all days only the order counts.
UNION ALL SELECT 'commission', store_id::text, sum(commission) FROM semantic.kpi_commission GROUP BY store_id
UNION ALL SELECT 'gmv_concentration', 'top 1', round(gmv_concentration, 9) FROM semantic.kpi_gmv_concentration
UNION ALL SELECT 'gmv_concentration', 'hhi', round(hhi, 6) FROM semantic.kpi_gmv_concentration
UNION ALL SELECT 'sales_by_category', concat_ws('/', day, store_id, category), sales_by_category FROM semantic.kpi_sales_by_category
UNION ALL SELECT 'sales_by_category', concat_ws('/', day, store_id, category, 'units'), units FROM semantic.kpi_sales_by_category
UNION ALL SELECT 'sales_by_category', concat_ws('/', day, store_id, category, 'orders'), orders FROM semantic.kpi_sales_by_category
UNION ALL SELECT 'sales_by_category', concat_ws('/', day, 0, category), sum(sales_by_category) FROM semantic.kpi_sales_by_category GROUP BY day, category
UNION ALL SELECT 'sales_by_category', concat_ws('/', day, 0, category, 'units'), sum(units) FROM semantic.kpi_sales_by_category GROUP BY day, category
UNION ALL SELECT 'sales_by_region', concat_ws('/', day, store_id, region), sales_by_region FROM semantic.kpi_sales_by_region
UNION ALL SELECT 'sales_by_region', concat_ws('/', day, store_id, region, 'orders'), orders FROM semantic.kpi_sales_by_region
UNION ALL SELECT 'sales_by_region', concat_ws('/', day, 0, region), sum(sales_by_region) FROM semantic.kpi_sales_by_region GROUP BY day, region
UNION ALL SELECT 'payment_mix', concat_ws('/', day, 0, payment_method, 'revenue'), sum(revenue) FROM semantic.kpi_payment_mix GROUP BY day, payment_method
UNION ALL SELECT 'payment_success', concat_ws('/', day, 0, payment_method), round(sum(paid) / nullif(sum(paid) + sum(failed), 0), 9)
  FROM semantic.kpi_payment_success GROUP BY day, payment_method
UNION ALL SELECT 'payment_mix', concat_ws('/', day, store_id, payment_method), round(payment_mix, 9) FROM semantic.kpi_payment_mix
UNION ALL SELECT 'payment_mix', concat_ws('/', day, store_id, payment_method, 'revenue'), revenue FROM semantic.kpi_payment_mix
UNION ALL SELECT 'payment_success', concat_ws('/', day, store_id, payment_method), round(payment_success, 9) FROM semantic.kpi_payment_success
UNION ALL SELECT 'payment_success', concat_ws('/', day, store_id, payment_method, 'recovered'), failed_recovered FROM semantic.kpi_payment_success
UNION ALL SELECT 'revenue_at_risk', concat_ws('/', day, store_id, payment_method), revenue_at_risk FROM semantic.kpi_revenue_at_risk
UNION ALL SELECT 'sales_trend', concat_ws('/', day, store_id), sales_trend FROM semantic.kpi_sales_trend
UNION ALL SELECT 'temporal_pattern', concat_ws('/', store_id, weekday, hour), round(temporal_pattern, 9) FROM semantic.kpi_temporal_pattern
UNION ALL SELECT 'top_products', concat_ws('/', place, product_id), top_products FROM semantic.kpi_top_products
UNION ALL SELECT 'product_performance', concat_ws('/', day, product_id), product_performance FROM semantic.kpi_product_performance
UNION ALL SELECT 'product_performance', concat_ws('/', day, product_id, 'revenue'), revenue FROM semantic.kpi_product_performance
UNION ALL SELECT 'product_views', concat_ws('/', day, product_id), product_views FROM semantic.kpi_product_views
UNION ALL SELECT 'product_conversion', concat_ws('/', day, product_id), round(product_conversion, 9) FROM semantic.kpi_product_conversion
UNION ALL SELECT 'stock_vs_sold', product_id::text, round(stock_vs_sold, 9) FROM semantic.kpi_stock_vs_sold
UNION ALL SELECT 'top_buyers', buyer_id::text, top_buyers FROM semantic.kpi_top_buyers
UNION ALL SELECT 'active_stores', '', active_stores FROM semantic.kpi_active_stores
UNION ALL SELECT 'active_stores', 'listed', listed_stores FROM semantic.kpi_active_stores
UNION ALL SELECT 'active_buyers', store_id::text, active_buyers FROM semantic.kpi_active_buyers
UNION ALL SELECT 'active_buyers', concat_ws('/', store_id, '12 months'), active_buyers_12m FROM semantic.kpi_active_buyers
UNION ALL SELECT 'unique_buyers_today', store_id::text, unique_buyers_today FROM semantic.kpi_unique_buyers_today
UNION ALL SELECT 'totals', what, totals FROM semantic.kpi_totals
UNION ALL SELECT 'new_buyers', concat_ws('/', day, store_id), new_buyers FROM semantic.kpi_new_buyers
UNION ALL SELECT 'returning_buyers', concat_ws('/', day, store_id), returning_buyers FROM semantic.kpi_returning_buyers
UNION ALL SELECT 'retention_rate', month::text, round(retention_rate, 9) FROM semantic.kpi_retention_rate
UNION ALL SELECT 'cohorts', concat_ws('/', cohort_month, month_index), round(cohorts, 9) FROM semantic.kpi_cohorts
UNION ALL SELECT 'plan_mix', tier, plan_mix FROM semantic.kpi_plan_mix
UNION ALL SELECT 'mrr', '', mrr FROM semantic.kpi_mrr
UNION ALL SELECT 'churn_buyers', '', round(churn_buyers, 9) FROM semantic.kpi_churn_buyers
UNION ALL SELECT 'clv_historic', buyer_id::text, clv_historic FROM semantic.kpi_clv_historic
UNION ALL SELECT 'clv_12m', buyer_id::text, round(round(clv_12m, 9), 4) FROM semantic.kpi_clv_12m
UNION ALL SELECT 'segments_crm', segment_id::text, segments_crm FROM semantic.kpi_segments_crm
UNION ALL SELECT 'rfm', segment, rfm FROM semantic.kpi_rfm
UNION ALL SELECT 'buyer_profile', buyer_id::text, buyer_profile FROM semantic.kpi_buyer_profile
UNION ALL SELECT 'crm_interactions', concat_ws('/', day, store_id, interaction_type, channel, status), crm_interactions FROM semantic.kpi_crm_interactions
UNION ALL SELECT 'events_by_type', concat_ws('/', day, store_id, event_type), events_by_type FROM semantic.kpi_events_by_type
UNION ALL SELECT 'events_by_type', concat_ws('/', day, 0, event_type), sum(events_by_type) FROM semantic.kpi_events_by_type GROUP BY day, event_type
UNION ALL SELECT 'visits', concat_ws('/', day, store_id), visits FROM semantic.kpi_visits
UNION ALL SELECT 'visitors', concat_ws('/', day, store_id), visitors FROM semantic.kpi_visitors
UNION ALL SELECT 'page_views', concat_ws('/', day, store_id), page_views FROM semantic.kpi_page_views
UNION ALL SELECT 'bounce_rate', concat_ws('/', day, store_id), round(bounce_rate, 9) FROM semantic.kpi_bounce_rate
UNION ALL SELECT 'avg_time', concat_ws('/', day, store_id), round(avg_time, 6) FROM semantic.kpi_avg_time
UNION ALL SELECT 'avg_time', concat_ws('/', day, store_id, 'median'), round(median_time, 6) FROM semantic.kpi_avg_time
UNION ALL SELECT 'outcomes', concat_ws('/', day, store_id, outcome), visits FROM semantic.kpi_outcomes
UNION ALL SELECT 'conversion_rate', concat_ws('/', day, store_id), round(conversion_rate, 9) FROM semantic.kpi_conversion_rate
UNION ALL SELECT 'events_ratio', concat_ws('/', day, store_id), round(events_ratio, 9) FROM semantic.kpi_events_ratio
UNION ALL SELECT 'funnel', concat_ws('/', day, store_id, step), funnel FROM semantic.kpi_funnel
UNION ALL SELECT 'add_to_cart_rate', concat_ws('/', day, store_id), round(add_to_cart_rate, 9) FROM semantic.kpi_add_to_cart_rate
UNION ALL SELECT 'cart_abandonment', concat_ws('/', day, store_id), round(cart_abandonment, 9) FROM semantic.kpi_cart_abandonment
UNION ALL SELECT 'checkout_completion', concat_ws('/', day, store_id), round(checkout_completion, 9) FROM semantic.kpi_checkout_completion
UNION ALL SELECT 'search', concat_ws('/', day, store_id, term), search FROM semantic.kpi_search
UNION ALL SELECT 'store_funnel', store_id::text, round(store_funnel, 9) FROM semantic.kpi_store_funnel
UNION ALL SELECT 'journey', path, journey FROM semantic.kpi_journey
UNION ALL SELECT 'stock_status', concat_ws('/', store_id, status), stock_status FROM semantic.kpi_stock_status
UNION ALL SELECT 'critical_products', concat_ws('/', store_id), critical_products FROM semantic.kpi_critical_products
UNION ALL SELECT 'days_of_stock', stock_id::text, round(days_of_stock, 6) FROM semantic.kpi_days_of_stock
UNION ALL SELECT 'dead_stock', concat_ws('/', store_id), dead_stock FROM semantic.kpi_dead_stock
UNION ALL SELECT 'dead_stock', concat_ws('/', store_id, 'value'), retail_value FROM semantic.kpi_dead_stock
UNION ALL SELECT 'movements', concat_ws('/', day, store_id, reason), movements FROM semantic.kpi_movements
UNION ALL SELECT 'warehouses', concat_ws('/', warehouse_location, store_id), warehouses FROM semantic.kpi_warehouses
UNION ALL SELECT 'warehouses', concat_ws('/', warehouse_location, store_id, 'value'), retail_value FROM semantic.kpi_warehouses
UNION ALL SELECT 'abc', concat_ws('/', product_id, abc), 1 FROM semantic.kpi_abc
UNION ALL SELECT 'shipments', concat_ws('/', due_day, shipping_method, status), shipments FROM semantic.kpi_shipments
UNION ALL SELECT 'data_quality', concat_ws('/', day, issue), data_quality FROM semantic.kpi_data_quality WHERE issue <> 'dead_letters';
DELETE FROM kpi_stored WHERE value IS NULL OR value = 0;
