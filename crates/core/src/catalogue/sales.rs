//! Sales and money, second half: what is sold, when, where, to whom and how it is paid (docs: kpis 1.1).

metrics! { Sales;

sales_by_category "Sales by category", "Ventas por categoría" {
    terms { Readme "Ventas por categoría; Categorías Top", Scripts "product_sales, category_revenue", Warehouse "Tendencias por Categoría", Tiendi "Ventas por categoría" }
    unit Money also [Pieces, Orders] by [Category];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "Revenue, units and orders of each category of products.", "Ingresos, unidades y pedidos de cada categoría de productos.";
    words "sum of the line shares of paid orders by category; an order's amount is shared over its lines by value, to the cent", "suma por categoría de las partes de línea de los pedidos pagados; el monto del pedido se reparte entre sus líneas según su valor, al centavo";
    // docs: kpis 0.3 point 4, 0.7, D3
    know "Categories add up to revenue exactly. `unclassified` has no category, `unattributed` no lines; both are shown.", "Las categorías suman exactamente los ingresos. `unclassified` no tiene categoría, `unattributed` no tiene líneas; ambas se muestran.";
    know "An order with two categories counts in both, so orders cannot be added over categories. A product that changes its category takes its history along.", "Un pedido con dos categorías cuenta en ambas, así que los pedidos no se suman entre categorías. Un producto que cambia de categoría lleva su historia.";
}

payment_mix "Payment methods", "Métodos de pago" {
    terms { Readme "Métodos de Pago; Distribución de pagos" }
    unit Percent also [Orders, Money] by [PaymentMethod];
    adds Never; small Dim; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "How buyers pay: the share of each method.", "Cómo pagan los compradores: la parte de cada método.";
    part "paid orders with the method", "pedidos pagados con el método"; whole "paid orders", "pedidos pagados";
    // D2
    know "The share of revenue stands beside the share of orders; each adds up to 100 % with `unknown`, the methods that no alias knows.", "La parte de los ingresos va junto a la parte de los pedidos; cada una suma 100 % con `unknown`, los métodos que ningún alias conoce.";
}

payment_success "Payment success rate", "Tasa de éxito de pagos" {
    terms { Tiendi "Tasa de éxito de pagos" }
    unit Percent also [Orders] by [PaymentMethod];
    adds Never; small Dim; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "The share of decided payments that went through.", "La parte de los pagos resueltos que se concretaron.";
    part "paid orders", "pedidos pagados"; whole "paid orders + failed attempts", "pedidos pagados + intentos fallidos";
    know "Pending orders are on neither side of the division.", "Los pedidos pendientes no están en ningún lado de la división.";
    know "A second number, after retries, forgives a failure when the same buyer pays the same store the same amount within 24 hours.", "Un segundo número, tras reintentos, perdona una falla si el mismo comprador paga a la misma tienda el mismo monto en 24 horas.";
}

revenue_at_risk "Revenue at risk", "Ingresos en riesgo" {
    terms {}
    unit Money also [] by [PaymentMethod];
    adds Full; small Any; fresh Refresh; kept Warehouse; scope Both; better Lower; trust Exact;
    what "What failed payments cost after retries.", "Lo que costaron los pagos fallidos tras los reintentos.";
    words "sum of the amounts of failed attempts that were not paid within 24 hours", "suma de los montos de los intentos fallidos que no se pagaron en 24 horas";
    know "Falls for the last day while buyers still retry.", "Baja para el último día mientras los compradores aún reintentan.";
}

last_paid_age "Time since the last paid order", "Tiempo desde el último pedido pagado" {
    terms {}
    unit Seconds also [] by [PaymentMethod];
    adds Never; small Any; fresh Live; kept Live; scope Both; better Lower; trust Exact;
    what "How long ago a payment method last worked.", "Cuánto hace que un método de pago funcionó por última vez.";
    words "now − time of the last paid order with the method, to the minute", "ahora − hora del último pedido pagado con el método, al minuto";
    know "No paid order within the kept minutes (48 hours) gives no value, not a large one.", "Sin pedidos pagados en los minutos guardados (48 horas) no hay valor, en vez de uno grande.";
}

gmv_concentration "Concentration of sales", "Concentración de ventas" {
    terms {}
    unit Percent also [] by [];
    adds Never; small Hide(5 Stores); fresh Refresh; kept Warehouse; scope Platform; better Lower; trust Exact;
    what "How much the platform depends on its largest stores.", "Cuánto depende la plataforma de sus tiendas más grandes.";
    part "GMV of the largest 1, 5 and 20 stores", "GMV de las 1, 5 y 20 tiendas más grandes"; whole "GMV of all stores, last 30 days", "GMV de todas las tiendas, últimos 30 días";
    know "Beside it the Herfindahl index: the sum of the squared shares × 10,000; 10,000 is one store alone.", "Al lado va el índice de Herfindahl: la suma de las partes al cuadrado × 10.000; 10.000 es una sola tienda.";
}

sales_trend "Sales trend", "Tendencia de ventas" {
    terms { Readme "Gráfico de Tendencias; Ventas diarias; Análisis temporal", Architecture "Gráficos: histórico", Warehouse "fecha" }
    unit Money also [Orders] by [];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "Revenue and orders over time.", "Ingresos y pedidos a lo largo del tiempo.";
    words "revenue and orders by minute, hour, day, week or month of the reporting zone", "ingresos y pedidos por minuto, hora, día, semana o mes de la zona de reporte";
    // docs: kpis 0.4, point 3
    know "A period without orders is drawn as zero, one without data as a gap; the one that still runs is hatched. Weeks are ISO weeks.", "Un tramo sin pedidos se dibuja como cero, uno sin datos como hueco; el que sigue abierto va rayado. Las semanas son ISO.";
}

temporal_pattern "Hour-of-week pattern", "Patrón por hora y día" {
    terms { Warehouse "Patrones Temporales", Readme "Análisis temporal" }
    unit Orders also [] by [HourOfWeek];
    adds Never; small Any; fresh Refresh; kept Warehouse; scope Both; better Neither; trust Exact;
    what "When in the week buyers order.", "En qué momento de la semana compran.";
    part "paid orders of that weekday and hour in the last 8 full weeks", "pedidos pagados de ese día y hora en las últimas 8 semanas completas"; whole "8 weeks", "8 semanas";
    know "Hours are those of the reporting zone; the hour that a clock change repeats or skips is left as it is.", "Las horas son las de la zona de reporte; la hora que un cambio de horario repite u omite queda como está.";
}

sales_by_region "Sales by region", "Ventas por región" {
    terms { Readme "Análisis Geográfico; Ventas por región" }
    unit Money also [Percent] by [Region];
    adds Full; small Any; fresh Refresh; kept Warehouse; scope Both; better Higher; trust Exact;
    what "Revenue by the region the goods go to.", "Ingresos según la región a la que van los artículos.";
    words "sum of the amounts of paid orders by region", "suma de los montos de los pedidos pagados por región";
    // docs: kpis 0.9
    know "The region is read from the delivery address, else from the buyer's, by a list of names (`meaning.regions`); the share of orders whose region was recognised is shown, the rest is `unknown`.", "La región se lee de la dirección de entrega, o si no de la del comprador, con una lista de nombres (`meaning.regions`); se muestra la parte de los pedidos cuya región se reconoció, el resto es `unknown`.";
}

top_products "Best sellers", "Productos más vendidos" {
    terms { Tiendi "Productos más vendidos; Top productos por ventas", Readme "Productos más vendidos" }
    unit Money also [Pieces, Orders] by [Product];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "The products that sell most.", "Los productos que más se venden.";
    words "products ranked by the sum of their line shares (or by units) in 30 days; the first 100", "productos ordenados por la suma de sus partes de línea (o por unidades) en 30 días; los primeros 100";
    know "Equal values are ordered by product id. Add up first and rank after: the best of each day are not the best of the month.", "Los valores iguales se ordenan por id de producto. Primero se suma y después se ordena: los mejores de cada día no son los del mes.";
}

product_performance "Product performance", "Rendimiento del producto" {
    terms { Warehouse "veces_vendido, ingresos_generados, precio_promedio", Tiendi "product_metrics; Product performance" }
    unit Orders also [Money, Pieces] by [Product, Category];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "What one product brings: orders, revenue and mean price.", "Lo que aporta un producto: pedidos, ingresos y precio medio.";
    words "orders with the product; sum of its line shares; mean price = that revenue ÷ units", "pedidos con el producto; suma de sus partes de línea; precio medio = esos ingresos ÷ unidades";
    know "The mean price is weighted by units and cannot be added; orders cannot be added over products.", "El precio medio está ponderado por unidades y no se suma; los pedidos no se suman entre productos.";
    // D24
    know "A product's page follows the store that owns it; lines sold by another store are counted as data quality.", "La página de un producto sigue a la tienda dueña; las líneas vendidas por otra tienda se cuentan como calidad de datos.";
}

product_views "Most viewed products", "Productos con más vistas" {
    terms { Tiendi "Productos con más vistas", Readme "vistas" }
    unit Views also [Visits] by [Product];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "How often the page of a product was looked at.", "Cuántas veces se miró la página de un producto.";
    words "number of product views; distinct visits with one beside it", "número de vistas del producto; al lado, visitas distintas con alguna";
    know "Views of a product id that does not exist are counted too; the share that fits a known product is shown.", "También cuentan las vistas de un id que no existe; se muestra la parte que coincide con un producto conocido.";
}

product_conversion "Product conversion", "Conversión por producto" {
    terms { Tiendi "Tasa de conversión por producto" }
    unit Percent also [Visits] by [Product];
    adds Never; small Dim; fresh Refresh; kept Warehouse; scope Both; better Higher; trust NeedsBuyer;
    what "How often a visit that looked at a product ends in an order of it.", "Con qué frecuencia una visita que miró un producto termina en un pedido de él.";
    part "visits with an order of the product after viewing it", "visitas con un pedido del producto después de verlo"; whole "visits that viewed the product", "visitas que vieron el producto";
    know "Where visits cannot be linked to orders it is orders ÷ visits, at most 100 %, and marked as modelled.", "Donde las visitas no se pueden unir a pedidos es pedidos ÷ visitas, como máximo 100 %, y va marcada como modelada.";
}

stock_vs_sold "Available and sold", "Stock disponible y vendido" {
    terms { Tiendi "Stock disponible vs vendido" }
    unit Pieces also [Percent] by [Product, Category];
    adds OverStores; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "What is on hand against what was sold in 30 days.", "Lo que hay frente a lo vendido en 30 días.";
    words "units available now; units sold in 30 days; sell-through = sold ÷ (sold + available)", "unidades disponibles ahora; unidades vendidas en 30 días; salida = vendidas ÷ (vendidas + disponibles)";
    know "Negative stock is shown as it is and counts as 0 in the ratio. The ratio itself cannot be added.", "El stock negativo se muestra tal cual y cuenta como 0 en la razón. La razón no se suma.";
}

top_stores "Top stores", "Mejores tiendas" {
    terms { Readme "Top Customers (Mayores compradores)", Dashboards "Top 10 Customers por revenue" }
    unit Money also [] by [];
    adds OverStores; small Any; fresh Refresh; kept Warehouse; scope Platform; better Higher; trust Exact;
    what "The stores that sell most.", "Las tiendas que más venden.";
    words "stores ranked by net revenue of 30 complete days", "tiendas ordenadas por ingreso neto de 30 días completos";
    know "The source documents say Top Customers for stores and for buyers; there is a list of each.", "Los documentos dicen Top Customers tanto de tiendas como de compradores; hay una lista de cada uno.";
}

top_buyers "Top buyers", "Mayores compradores" {
    terms { Readme "Mayores compradores", Warehouse "gasto_total" }
    unit Money also [Orders] by [Buyer];
    adds OverStores; small Any; fresh Refresh; kept Warehouse; scope Both; better Higher; trust Exact;
    what "The buyers who spend most.", "Los compradores que más gastan.";
    words "buyers ranked by net revenue, all time or 365 days", "compradores ordenados por ingreso neto, desde el inicio o en 365 días";
    know "Names are masked unless a reader may see them.", "Los nombres van ocultos salvo para quien puede verlos.";
}

}
