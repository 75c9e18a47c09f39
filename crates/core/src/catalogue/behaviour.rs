//! Behaviour and conversion: events, visits and what comes of them (docs: kpis 1.3).
//!
//! A visit is one actor at one store, ended by 30 minutes without an event and not cut at midnight (D6). Event names
//! follow docs: kpis 1.3a.

metrics! { Behaviour;

events_by_type "Behaviour events", "Eventos de comportamiento" {
    terms { Readme "búsquedas, vistas, carrito", Architecture "comportamiento", Warehouse "Métricas de Comportamiento" }
    unit Events also [Visits] by [EventType];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "What people do in the shops, event by event.", "Lo que la gente hace en las tiendas, evento por evento.";
    words "number of behaviour events by type", "número de eventos de comportamiento por tipo";
    know "The distinct sessions beside it cannot be added. A missing type is `unknown`.", "Las sesiones distintas de al lado no se suman. Un tipo ausente es `unknown`.";
}

total_events "Events in the warehouse", "Eventos en el almacén de datos" {
    terms { Scripts "Total de Eventos" }
    unit Events also [PerSecond] by [Table];
    adds OverTime; small Any; fresh Live; kept Both; scope Platform; better Neither; trust Exact;
    what "How many changes the warehouse has kept.", "Cuántos cambios guardó el almacén de datos.";
    words "number of rows of realtime_events", "número de filas de realtime_events";
    // D14
    know "A change that arrives twice is kept once.", "Un cambio que llega dos veces se guarda una vez.";
}

visits "Store visits", "Visitas a la tienda" {
    terms { Tiendi "Visitas a la tienda; Sessionizer", Warehouse "total_sesiones" }
    unit Visits also [] by [];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust NeedsBuyer;
    what "How often somebody came to a store.", "Cuántas veces alguien vino a una tienda.";
    words "number of visits with at least one behaviour event, by the day they began", "número de visitas con al menos un evento de comportamiento, según el día en que empezaron";
    // D5, D6
    know "A visit ends after 30 minutes without an event and is not cut at midnight. A late event can join two visits into one.", "Una visita termina tras 30 minutos sin eventos y no se corta a medianoche. Un evento tardío puede unir dos visitas en una.";
}

visitors "Visitors", "Visitantes" {
    terms { Tiendi "visitors; Usuarios activos" }
    unit Visitors also [] by [];
    adds Never; small Any; fresh Live; kept Both; scope Both; better Higher; trust NeedsBuyer;
    what "How many different people came.", "Cuántas personas distintas vinieron.";
    words "distinct actors with an event, by day, week or month", "actores distintos con algún evento, por día, semana o mes";
    know "Very many visitors may be counted approximately; the number then carries ≈.", "Con muchísimos visitantes la cuenta puede ser aproximada; el número lleva entonces ≈.";
}

visitors_now "Visitors right now", "Visitantes ahora" {
    terms {}
    unit Visitors also [] by [];
    adds Never; small Any; fresh Live; kept Live; scope Both; better Higher; trust NeedsBuyer;
    what "How many people are in the shops at this moment.", "Cuántas personas hay en las tiendas en este momento.";
    words "distinct actors with an event in the last 5 minutes", "actores distintos con un evento en los últimos 5 minutos";
    know "The five minutes are those of the data's clock; while the flow catches up the number is held back.", "Los cinco minutos son los del reloj de los datos; mientras el flujo se pone al día el número se retiene.";
}

page_views "Page views", "Páginas vistas" {
    terms { Tiendi "Páginas vistas" }
    unit Views also [] by [];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "How many pages were looked at.", "Cuántas páginas se miraron.";
    words "number of page views and product views", "número de vistas de página y de producto";
    know "The page of a product counts as a page.", "La página de un producto cuenta como página.";
}

bounce_rate "Bounce rate", "Tasa de rebote" {
    terms { Tiendi "Tasa de rebote", Warehouse "bounce" }
    unit Percent also [Visits] by [];
    adds Never; small Dim; fresh VisitEnd; kept Both; scope Both; better Lower; trust NeedsBuyer;
    what "The share of visits that left at once.", "La parte de las visitas que se fue enseguida.";
    part "ended visits with under 2 views, under 10 seconds and no cart, checkout or order", "visitas terminadas con menos de 2 vistas, menos de 10 segundos y sin carrito, pago ni pedido"; whole "ended visits", "visitas terminadas";
    // D6
    know "Sources that give each event a session of its own would show 100 %; visits are therefore built from pauses, not from such ids.", "Una fuente que da a cada evento su propia sesión mostraría 100 %; por eso las visitas se arman con las pausas y no con esos ids.";
}

avg_time "Time on site", "Tiempo en el sitio" {
    terms { Tiendi "Tiempo promedio en sitio", Warehouse "duracion_promedio" }
    unit Seconds also [] by [Outcome];
    adds Never; small Dim; fresh VisitEnd; kept Both; scope Both; better Higher; trust NeedsBuyer;
    what "How long a visit lasts.", "Cuánto dura una visita.";
    part "sum of last event − first event of the ended visits", "suma de último evento − primer evento de las visitas terminadas"; whole "ended visits", "visitas terminadas";
    // D8
    know "The median stands beside the mean. A visit of one event lasts 0 seconds; the numbers are also shown without such visits. Time on the last page cannot be seen.", "La mediana va junto a la media. Una visita de un solo evento dura 0 segundos; también se muestra sin esas visitas. El tiempo en la última página no se puede ver.";
}

outcomes "Visit outcomes", "Resultados de las visitas" {
    terms { Warehouse "outcome (conversion, cart_abandonment, bounce); Análisis de Sesiones" }
    unit Percent also [Visits] by [Outcome];
    adds Never; small Dim; fresh VisitEnd; kept Both; scope Both; better Neither; trust NeedsBuyer;
    what "How visits end: order, still open, cart left behind, bounce, or just a look around.", "Cómo terminan las visitas: pedido, aún abierta, carrito abandonado, rebote o solo una mirada.";
    part "visits with the outcome", "visitas con el resultado"; whole "visits", "visitas";
    // D7
    know "Each visit has exactly one outcome, the first that fits in the order conversion, in_progress, cart_abandonment, bounce, browse.", "Cada visita tiene un solo resultado, el primero que corresponda en el orden conversion, in_progress, cart_abandonment, bounce, browse.";
}

conversion_rate "Conversion rate", "Tasa de conversión" {
    terms { Tiendi "Tasa de conversión general; conversion_rate" }
    unit Percent also [Visits] by [];
    adds Never; small Dim; fresh VisitEnd; kept Both; scope Both; better Higher; trust NeedsBuyer;
    what "The share of visits that end in an order.", "La parte de las visitas que termina en un pedido.";
    part "visits with at least one placed order that did not fail", "visitas con al menos un pedido hecho que no falló"; whole "visits", "visitas";
    // D19, docs: kpis 4.5 (M8 and M9)
    know "A pending order counts as placed. Orders outside any visit are not in it; the share of orders that lie in a visit is shown beside it.", "Un pedido pendiente cuenta como hecho. Los pedidos fuera de toda visita no entran; al lado se muestra la parte de pedidos que cae en una visita.";
}

events_ratio "Event ratio", "Razón de eventos" {
    terms { Tiendi "conversion_rate" }
    unit Percent also [Events] by [];
    adds Never; small Dim; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "Purchases against views, counted as raw events.", "Compras frente a vistas, contadas como eventos sueltos.";
    part "purchase events", "eventos de compra"; whole "product view events", "eventos de vista de producto";
    // D19
    know "Kept only to compare with older reports: one visit with ten views weighs ten times. Use conversion_rate.", "Se mantiene solo para comparar con informes anteriores: una visita con diez vistas pesa diez veces. Use conversion_rate.";
}

funnel "Conversion funnel", "Embudo de conversión" {
    terms { Tiendi "Embudo de conversión" }
    unit Visits also [Percent] by [Step];
    adds Full; small Any; fresh VisitEnd; kept Both; scope Both; better Higher; trust NeedsBuyer;
    what "How far visits come on the way to an order.", "Hasta dónde llegan las visitas en el camino a un pedido.";
    words "visits that reached each step: visit, viewed, product viewed, added to cart, checkout, purchase; share of the step before and of all visits", "visitas que llegaron a cada paso: visita, vista, producto visto, añadido al carrito, pago, compra; parte del paso anterior y de todas las visitas";
    know "A step counts only after the step before it in the same visit; a purchase implies the checkout. The counts add up, the shares do not.", "Un paso cuenta solo después del anterior en la misma visita; una compra implica el pago. Las cuentas se suman, las partes no.";
}

add_to_cart_rate "Add-to-cart rate", "Tasa de añadido al carrito" {
    terms { Tiendi "add_to_cart_rate" }
    unit Percent also [Visits] by [];
    adds Never; small Dim; fresh VisitEnd; kept Both; scope Both; better Higher; trust NeedsBuyer;
    what "The share of visits that saw a product and put something into the cart.", "La parte de las visitas que vio un producto y puso algo en el carrito.";
    part "visits with an add to cart", "visitas con algo añadido al carrito"; whole "visits with a product view", "visitas con una vista de producto";
    know "Counted in visits, not in events.", "Se cuenta en visitas, no en eventos.";
}

cart_abandonment "Cart abandonment", "Abandono de carrito" {
    terms { Tiendi "Abandono de carrito", Warehouse "cart_abandonment" }
    unit Percent also [Visits] by [];
    adds Never; small Dim; fresh VisitEnd; kept Both; scope Both; better Lower; trust NeedsBuyer;
    what "The share of visits with a cart that left it behind.", "La parte de las visitas con carrito que lo dejó.";
    part "ended visits with something in the cart and no order", "visitas terminadas con algo en el carrito y sin pedido"; whole "visits with an add to cart", "visitas con algo añadido al carrito";
    // D7
    know "A cart that was emptied again is not abandoned. A checkout that was begun and not completed is another number: checkout_completion.", "Un carrito que se vació no está abandonado. Un pago empezado y no terminado es otro número: checkout_completion.";
}

checkout_completion "Checkout completion", "Tasa de checkout completado" {
    terms { Tiendi "Tasa de checkout completado" }
    unit Percent also [Visits] by [];
    adds Never; small Dim; fresh VisitEnd; kept Both; scope Both; better Higher; trust NeedsBuyer;
    what "The share of visits that began to pay and ended with an order.", "La parte de las visitas que empezó a pagar y terminó con un pedido.";
    part "visits with an order", "visitas con un pedido"; whole "visits with a begun checkout or an order", "visitas con un pago empezado o un pedido";
    // D5
    know "Hidden for a source that never sends the begin of a checkout: it would be 100 % by construction.", "Se oculta si la fuente nunca envía el inicio del pago: sería 100 % por construcción.";
}

search "Search", "Búsquedas" {
    terms { Readme "búsquedas", Architecture "searches", Warehouse "search" }
    unit Events also [Percent] by [SearchTerm];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "What people look for, and what they do not find.", "Lo que la gente busca, y lo que no encuentra.";
    words "number of searches; most used terms; share with no result; share followed by an add to cart", "número de búsquedas; términos más usados; parte sin resultados; parte seguida de un añadido al carrito";
    know "Terms are folded (case, accents) and what looks like personal data is masked. The shares are dim for fewer than 30 searches and cannot be added.", "Los términos se unifican (mayúsculas, acentos) y lo que parece dato personal se oculta. Las partes van tenues con menos de 30 búsquedas y no se suman.";
}

store_funnel "Conversion by store", "Conversión por tienda" {
    terms { Tiendi "Tasa de conversión por tienda" }
    unit Percent also [Visits] by [Step];
    // D20
    adds Never; small Hide(100 Visits); fresh VisitEnd; kept Both; scope Platform; better Higher; trust NeedsBuyer;
    what "The conversion of each store beside the others.", "La conversión de cada tienda junto a las demás.";
    part "visits of the store with a placed order", "visitas de la tienda con un pedido hecho"; whole "visits of the store", "visitas de la tienda";
    know "The limit of 100 visits is a setting (`min_visits`). A store is credited only with its own visits.", "El límite de 100 visitas es un ajuste (`min_visits`). A una tienda solo le cuentan sus propias visitas.";
}

live_carts "Carts, checkouts and purchases now", "Carritos, pagos y compras ahora" {
    terms {}
    unit Visits also [] by [Step];
    adds OverStores; small Any; fresh Live; kept Live; scope Both; better Higher; trust NeedsBuyer;
    what "How many people have a cart, pay or have just bought.", "Cuántas personas tienen un carrito, pagan o acaban de comprar.";
    words "distinct visits with a cart event, a checkout and an order in the last 10 minutes", "visitas distintas con un evento de carrito, un pago y un pedido en los últimos 10 minutos";
    know "A visit counts once for each of the three.", "Una visita cuenta una vez para cada uno de los tres.";
}

journey "Journey", "Recorrido del comprador" {
    terms { Readme "Customer Journey (Ruta del cliente)" }
    unit Visits also [Percent] by [];
    adds Never; small Any; fresh Refresh; kept Warehouse; scope Both; better Neither; trust NeedsBuyer;
    what "The ways people take through a store, and where they leave.", "Los caminos que la gente toma en una tienda, y dónde se va.";
    words "visits by their first five steps, with their share and their end; the last event before leaving beside it", "visitas según sus primeros cinco pasos, con su parte y su final; al lado, el último evento antes de irse";
    know "Repeats of a step are one step. The 50 most frequent paths are kept, the rest is `other`; the live totals hold only the steps from one event to the next.", "Un paso repetido es un solo paso. Se guardan los 50 caminos más frecuentes, el resto es `other`; los totales en vivo solo tienen los pasos de un evento al siguiente.";
}

}
