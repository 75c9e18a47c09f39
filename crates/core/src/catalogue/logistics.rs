//! Logistics: shipments and how well they keep their day (docs: kpis 1.4).

metrics! { Logistics;

shipments "Shipments by status", "Envíos por estado" {
    terms { Scripts "carrier, shipment" }
    unit Shipments also [] by [Status, ShippingMethod];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "How many shipments wait, travel and have arrived.", "Cuántos envíos esperan, viajan y llegaron.";
    words "number of shipments by status, method and due day", "número de envíos por estado, método y día previsto";
    // docs: kpis 0.9
    know "The source does not say which carrier has a shipment; the shipping method stands in for it until it does.", "La fuente no dice qué transportista lleva un envío; el método de envío lo suple mientras tanto.";
}

on_time_rate "On-time delivery", "Entregas a tiempo" {
    terms {}
    unit Percent also [Shipments] by [ShippingMethod];
    adds Never; small Dim; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "The share of due shipments that arrived by their day.", "La parte de los envíos previstos que llegó en su día.";
    part "shipments delivered by the due day", "envíos entregados hasta el día previsto"; whole "delivered on time + delivered late + overdue", "entregados a tiempo + tarde + atrasados";
    know "If the due day was moved, the one in force at delivery counts. Shipments delivered before capture began are unknown and left out.", "Si el día previsto cambió, vale el vigente al entregar. Los envíos entregados antes de empezar la captura son desconocidos y quedan fuera.";
}

transit_time "Transit time", "Tiempo en tránsito" {
    terms {}
    unit Hours also [] by [ShippingMethod];
    adds Never; small Dim; fresh Refresh; kept Warehouse; scope Both; better Lower; trust Exact;
    what "How long a shipment travels: half are faster than the first number, nine in ten faster than the second.", "Cuánto viaja un envío: la mitad es más rápida que el primer número, nueve de cada diez más que el segundo.";
    words "median and 90th percentile of delivered − handed over, over delivered shipments", "mediana y percentil 90 de entregado − despachado, de los envíos entregados";
    know "Both moments are those at which the change was seen. The live value is within 1 %; the sample is the number of deliveries.", "Ambos momentos son aquellos en que se vio el cambio. El valor en vivo tiene un error de hasta 1 %; la muestra es el número de entregas.";
}

}
