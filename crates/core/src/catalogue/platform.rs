//! The platform and its pipeline: whether the numbers can be trusted now (docs: kpis 1.5).
//!
//! Each flow publishes what it knows of itself into its own store and no other (docs: architecture 6), so `Both` means
//! here one number for each flow.

metrics! { Platform;

throughput "Event rate", "Caudal de eventos" {
    terms { Scripts "~10 eventos por segundo; Progreso" }
    unit PerSecond also [] by [Table, Part];
    adds Never; small Any; fresh Live; kept Both; scope Platform; better Neither; trust Exact;
    what "How many changes come in and are applied.", "Cuántos cambios entran y se aplican.";
    words "events a second, in and out, by table, over 1 and 15 minutes", "eventos por segundo, de entrada y de salida, por tabla, en 1 y 15 minutos";
    know "Rates of tables may be added, rates of minutes may not.", "Los caudales de las tablas se pueden sumar, los de los minutos no.";
}

e2e_latency "End-to-end latency", "Latencia de extremo a extremo" {
    terms { Readme "sub-segundo", Warehouse "sub-segundo" }
    unit Millis also [] by [Part];
    adds Never; small Any; fresh Live; kept Both; scope Platform; better Lower; trust Exact;
    what "How long a change takes from its source to where the screen reads it.", "Cuánto tarda un cambio desde su fuente hasta donde lo lee la pantalla.";
    words "median, 95th and 99th percentile of commit in the source → visible in the live totals", "mediana, percentiles 95 y 99 de commit en la fuente → visible en los totales en vivo";
    know "Clocks of two machines differ: a negative latency counts as 0 and is counted apart. The warehouse flow has the same number up to its own commit.", "Los relojes de dos máquinas difieren: una latencia negativa cuenta como 0 y se cuenta aparte. El flujo del almacén de datos tiene el mismo número hasta su propio commit.";
}

lag "Consumer lag", "Atraso del consumo" {
    terms { Readme "Capacidad" }
    unit Messages also [Seconds] by [Part];
    adds Never; small Any; fresh Live; kept Both; scope Platform; better Lower; trust Exact;
    what "How far a flow is behind the stream.", "Cuánto va un flujo detrás de la corriente.";
    words "newest offset − processed offset of each partition, and the age of the oldest change not yet applied", "último offset − offset procesado de cada partición, y la edad del cambio más viejo sin aplicar";
    know "Partitions may be added up. Falling lag is recovery, and a partition whose end is unknown is not zero.", "Las particiones se pueden sumar. Un atraso que baja es recuperación, y una partición de final desconocido no es cero.";
}

service_state "System state", "Estado del sistema" {
    terms { Scripts "Redis: Conectado, Spark: Procesando datos, Kafka: Datos fluyendo", Readme "Health Checks", Dashboards "Estado del Sistema" }
    unit State also [Seconds] by [Part];
    adds Never; small Any; fresh Probe; kept Both; scope Platform; better Neither; trust Exact;
    what "Whether each part answers.", "Si cada parte responde.";
    words "answer of each part to its own probe: Redis, warehouse, connector, replication slot, age of the last event", "respuesta de cada parte a su propio sondeo: Redis, almacén de datos, conector, slot de replicación, edad del último evento";
    know "The state of one part is never guessed from another. No answer is unknown, not up.", "El estado de una parte nunca se deduce de otra. Sin respuesta es desconocido, no activo.";
}

uptime "Uptime", "Disponibilidad" {
    terms { Tiendi "Uptime" }
    unit Percent also [] by [Part];
    adds Never; small Dim; fresh Probe; kept Live; scope Platform; better Higher; trust Exact;
    what "The share of time in which a part answered.", "La parte del tiempo en que una parte respondió.";
    part "minutes with a good probe", "minutos con un sondeo bueno"; whole "minutes with a probe, last 30 days", "minutos con un sondeo, últimos 30 días";
    know "A minute without a probe is unknown and on neither side; how many there were is shown.", "Un minuto sin sondeo es desconocido y no está en ningún lado; se muestra cuántos hubo.";
}

api_latency "API latency", "Latencia de la API" {
    terms { Tiendi "Latencia de APIs" }
    unit Millis also [] by [Part];
    adds Never; small Any; fresh Live; kept Live; scope Platform; better Lower; trust Exact;
    what "How fast the metrics API answers.", "Cuán rápido responde la API de métricas.";
    words "median, 95th and 99th percentile of the time of a request", "mediana, percentiles 95 y 99 del tiempo de una solicitud";
    know "That of this product's own API; the shops have APIs that it cannot see.", "La de la API de este producto; las tiendas tienen APIs que no puede ver.";
}

error_rate "Error rate", "Tasa de errores" {
    terms { Tiendi "Error rate" }
    unit Percent also [] by [Part];
    adds Never; small Dim; fresh Live; kept Live; scope Platform; better Lower; trust Exact;
    what "The share of requests and of changes that failed.", "La parte de las solicitudes y de los cambios que falló.";
    part "requests answered with an error; for a flow, changes set aside as dead letters", "solicitudes respondidas con error; en un flujo, cambios apartados como no procesables"; whole "requests; for a flow, changes read", "solicitudes; en un flujo, cambios leídos";
    know "Two numbers, one for the API and one for the flows.", "Dos números, uno de la API y otro de los flujos.";
}

slow_queries "Slow queries", "Consultas lentas" {
    terms { Readme "Performance: Consultas lentas" }
    unit Millis also [] by [Part];
    adds Never; small Any; fresh Probe; kept Live; scope Platform; better Lower; trust Exact;
    what "Queries that take too long, and sessions that hang.", "Consultas que tardan demasiado, y sesiones colgadas.";
    // docs: kpis 5.1, A3a and A3b
    words "mean time of a query between two probes, when it was called at least 5 times; age of sessions that run or wait", "tiempo medio de una consulta entre dos sondeos, si se llamó al menos 5 veces; edad de las sesiones que corren o esperan";
    know "By default over 500 ms is slow, over 30 s active or 5 minutes idle in a transaction is stuck.", "Por defecto más de 500 ms es lento; más de 30 s activa o 5 minutos inactiva en una transacción es colgada.";
}

capacity "Resource use", "Uso de recursos" {
    terms { Readme "Capacidad: Uso de recursos" }
    unit Percent also [] by [Part];
    adds Never; small Any; fresh Probe; kept Live; scope Platform; better Lower; trust Exact;
    what "How full the machines and servers are.", "Cuán llenas están las máquinas y los servidores.";
    part "used disk, memory, connections, Redis memory, log kept by a slot", "disco, memoria, conexiones, memoria de Redis y log retenido por un slot en uso"; whole "what there is of each", "lo que hay de cada uno";
    know "Each resource for itself; they are not averaged.", "Cada recurso por separado; no se promedian.";
}

data_quality "Data quality", "Calidad de datos" {
    terms { Tiendi "Event Validator; Limpiar datos" }
    unit Rows also [] by [Part];
    adds Never; small Any; fresh Live; kept Both; scope Platform; better Lower; trust Exact;
    what "How many rows broke a rule, rule by rule.", "Cuántas filas rompieron una regla, regla por regla.";
    words "number of rows by check: unmapped status, no exchange rate, no lines after 5 minutes, mixed currency, bad JSON, duplicates, orphan keys, not decoded", "número de filas por control: estado sin mapa, sin tipo de cambio, sin líneas tras 5 minutos, moneda mixta, JSON inválido, duplicados, claves huérfanas, sin decodificar";
    // docs: kpis 4.5
    know "Some checks count since the start, some the state of now, so they are never added up.", "Algunos controles cuentan desde el inicio y otros el estado de ahora, por eso nunca se suman.";
}

drift "Drift", "Diferencia" {
    terms {}
    unit Rows also [] by [Table, Part];
    adds Never; small Any; fresh Daily; kept Warehouse; scope Platform; better Lower; trust Exact;
    what "Whether source, warehouse and live totals are equal.", "Si la fuente, el almacén de datos y los totales en vivo son iguales.";
    words "rows and totals that differ between them at one common cut", "filas y totales que difieren entre ellos en un mismo corte";
    // docs: kpis 2.3
    know "0 is proven for the moment of the check and not longer; without a check it is unknown. `instashop verify` runs it on demand.", "0 está probado para el momento del control y no más; sin control es desconocido. `instashop verify` lo ejecuta a pedido.";
}

}
