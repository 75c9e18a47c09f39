//! Inventory: what there is, how long it lasts and what sleeps (docs: kpis 1.4).

metrics! { Inventory;

stock_status "Stock status", "Estado del stock" {
    terms { Readme "Stock Status: Crítico, Bajo, Óptimo" }
    unit Rows also [] by [Status, Category];
    adds OverStores; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "How many stock rows are out, critical, low and fine.", "Cuántas filas de stock están agotadas, críticas, bajas y bien.";
    words "out of stock: 0 or less; critical: up to the reorder point; low: up to 1.5 × the reorder point; optimal: above", "agotado: 0 o menos; crítico: hasta el punto de reorden; bajo: hasta 1,5 × el punto de reorden; óptimo: más";
    // D9
    know "Without a reorder point a row is `unknown`; a product without a row is `untracked`. A product has the state of its worst row.", "Sin punto de reorden una fila es `unknown`; un producto sin fila es `untracked`. Un producto tiene el estado de su peor fila.";
}

critical_products "Critical products", "Productos críticos" {
    terms { Readme "Productos Críticos" }
    unit Products also [Days] by [Category];
    adds OverStores; small Any; fresh Live; kept Both; scope Both; better Lower; trust Exact;
    what "Products that have to be reordered now.", "Productos que hay que reponer ya.";
    words "distinct products with a critical or out-of-stock row, listed by days of stock", "productos distintos con una fila crítica o agotada, en orden de días de stock";
    know "Inactive products are hidden.", "Los productos inactivos se ocultan.";
}

turnover "Inventory turnover", "Rotación de inventario" {
    terms { Readme "Rotación de Inventario: Velocidad de movimiento" }
    unit PerYear also [] by [Product, Category, Location];
    adds Never; small Any; fresh Refresh; kept Warehouse; scope Both; better Higher; trust Exact;
    what "How often the stock is sold and renewed in a year.", "Cuántas veces al año se vende y se renueva el stock.";
    part "units sold in 28 days × 365 ÷ 28", "unidades vendidas en 28 días × 365 ÷ 28"; whole "mean units on hand, weighted by time", "unidades medias disponibles, ponderadas por tiempo";
    know "The mean comes from the course of the stock, not from its first and last value; nothing on hand gives no value. In units: the source has no cost.", "La media sale del curso del stock, no de su primer y último valor; sin existencias no hay valor. En unidades: la fuente no tiene costos.";
}

days_of_stock "Days of stock", "Días de stock" {
    terms { Readme "Optimización de Inventario" }
    unit Days also [] by [Product, Location];
    adds Never; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "How long the stock lasts at the present pace.", "Cuánto dura el stock al ritmo actual.";
    part "units available", "unidades disponibles"; whole "mean units sold a day in 28 days, or the forecast mean", "media de unidades vendidas por día en 28 días, o la media prevista";
    know "Without sales it says no sales, not infinity. A product's demand is shared over its locations by what they hold.", "Sin ventas dice sin ventas, no infinito. La demanda de un producto se reparte entre sus ubicaciones según lo que tienen.";
}

dead_stock "Dead stock", "Stock inmovilizado" {
    terms {}
    unit Rows also [Money] by [Product, Category, Location];
    adds OverStores; small Any; fresh Refresh; kept Warehouse; scope Both; better Lower; trust Exact;
    what "Stock that nobody buys, and what it would sell for.", "Stock que nadie compra, y por cuánto se vendería.";
    words "stock rows with units available and no sale in 28 days; their retail value", "filas de stock con unidades disponibles y sin ventas en 28 días; su valor de venta";
    know "The value is at the selling price, not at cost.", "El valor es a precio de venta, no de costo.";
}

movements "Inventory movements", "Movimientos de inventario" {
    terms { Readme "Velocidad de movimiento" }
    unit Pieces also [] by [Kind, Product];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "What came into stock and what left it, and why.", "Qué entró al stock y qué salió, y por qué.";
    words "units in, units out and their difference, by reason and day", "unidades de entrada, de salida y su diferencia, por motivo y día";
    know "The type says in or out, the reason says why; pairs that contradict each other, such as in and sale, are counted as data quality.", "El tipo dice entrada o salida, el motivo dice por qué; los pares que se contradicen, como entrada y venta, se cuentan como calidad de datos.";
}

shrinkage_check "Ledger check", "Control del inventario" {
    terms {}
    unit Pieces also [] by [Product, Location];
    adds Full; small Any; fresh Refresh; kept Warehouse; scope Both; better Neither; trust Exact;
    what "Whether stock, movements and sales tell the same story.", "Si el stock, los movimientos y las ventas cuentan la misma historia.";
    words "change of stock − movements; change of stock + units sold", "cambio del stock − movimientos; cambio del stock + unidades vendidas";
    know "A source whose stock never follows its sales is reported as not integrated, not as a loss.", "Una fuente cuyo stock nunca sigue a sus ventas se informa como no integrada, no como pérdida.";
}

warehouses "Warehouses", "Almacenes" {
    terms { Readme "Almacenes: Distribución por ubicación" }
    unit Pieces also [Money, Rows] by [Location];
    adds OverStores; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "Where the stock lies.", "Dónde está el stock.";
    words "units, retail value and critical rows by location", "unidades, valor de venta y filas críticas por ubicación";
    know "A blank location is `unknown`.", "Una ubicación en blanco es `unknown`.";
}

abc "ABC classes", "Clases ABC" {
    terms { Readme "Optimización de Inventario" }
    unit Products also [Money] by [Product];
    adds Never; small Any; fresh Daily; kept Warehouse; scope Both; better Neither; trust Exact;
    what "Which products earn most of the money.", "Qué productos generan la mayor parte del dinero.";
    words "products by revenue of 90 days: A up to 80 % of it, B up to 95 %, C the rest", "productos por ingresos de 90 días: A hasta 80 %, B hasta 95 %, C el resto";
    know "A class is relative to the store or platform it is computed for.", "Una clase es relativa a la tienda o plataforma para la que se calcula.";
}

demand_forecast "Demand forecast", "Pronóstico de demanda" {
    terms { Readme "Predicción de Demanda", Tiendi "ML" }
    unit Pieces also [Days] by [Product, Category];
    adds Never; small Hide(14 Days); fresh Daily; kept Warehouse; scope Both; better Neither; trust Estimate;
    what "How many units will be asked for in the next 14 and 28 days.", "Cuántas unidades se pedirán en los próximos 14 y 28 días.";
    words "the method that was best on past days, for each series on its own; the last week repeated where nothing is 5 % better", "el método que fue mejor en días pasados, para cada serie; la última semana repetida donde nada es un 5 % mejor";
    // docs: kpis 6.1
    know "Shown with its error and that of the simplest method. Under 14 days of history only a mean is given instead of a forecast, under 28 days no interval (36 days for that of fourteen days, 50 for that of 28). Days out of stock are missing, not zero.", "Se muestra con su error y el del método más simple. Con menos de 14 días de historia solo se da una media en vez del pronóstico, con menos de 28 no hay intervalo (36 días para el de catorce días, 50 para el de 28). Los días sin stock faltan, no son cero.";
}

}
