//! Inventory: what runs out first, what sleeps? As of now, whatever the range of the board.

use instashop_core::forecast::FORTNIGHT;
use instashop_core::view::{InventoryView, STOCK_DAYS, StockForecast, StockRow, StockState};

use super::{Context, Piece};
use crate::reading::{Higher, Measure, Value};
use crate::sheet::{Cell, Col, Content, Course, Figure, Form, Line, Row, Share, Sheet, Table, Unit};
use crate::theme::Role;

/// Days that are drawn.
const SHOWN: usize = FORTNIGHT;

pub(super) fn sheet(of: &Context<'_>, view: &InventoryView, piece: Piece) -> Sheet {
    match piece {
        Piece::InvFigures => of.sheet(piece, vec![], Content::Figures(figures(of, view))),
        Piece::InvStates => states(of, view),
        Piece::InvPlaces => places(of, view),
        Piece::InvRows => rows(of, view),
        Piece::InvForecast => forecast(of, view),
        Piece::InvDead => dead(of, view),
        Piece::InvMoves => moves(of, view),
        Piece::InvHistogram => histogram(of, view),
        _ => map(of, view),
    }
}

fn state_name(of: &Context<'_>, state: StockState) -> &'static str {
    match state {
        StockState::Optimal => of.say("optimal", "óptimo"),
        StockState::Low => of.say("low", "bajo"),
        StockState::Critical => of.say("critical", "crítico"),
        StockState::OutOfStock => of.say("out", "agotado"),
        StockState::Unknown => of.say("unknown", "desconocido"),
    }
}

const fn state_role(state: StockState) -> Role {
    match state {
        StockState::Optimal => Role::Good,
        StockState::Low => Role::Info,
        StockState::Critical => Role::Warn,
        StockState::OutOfStock => Role::Bad,
        StockState::Unknown => Role::Muted,
    }
}

fn count(view: &InventoryView, state: StockState) -> i64 {
    StockState::ALL
        .iter()
        .position(|known| *known == state)
        .map_or(0, |place| view.states[place])
}

fn figures(of: &Context<'_>, view: &InventoryView) -> Vec<Figure> {
    let total: i64 = view.states.iter().sum();
    let (sold, held) = view.turnover;
    let turnover = (held > 0).then(|| {
        Value::Measure(
            (i128::from(sold) * 1000 / i128::from(held)) as i64,
            Measure::PerYear,
        )
    });
    vec![
        Figure::new(
            "warehouses",
            of.say("RETAIL VALUE ~", "VALOR VENTA ~"),
            Some(Value::Money(view.cents)),
            Higher::Neutral,
        )
        .note(of.say("cost is unknown", "costo desconocido")),
        Figure::new(
            "stock_status",
            of.say("ROWS", "FILAS"),
            Some(Value::Count(total)),
            Higher::Neutral,
        ),
        Figure::new(
            "stock_status",
            of.say("OUT", "AGOTADO"),
            Some(Value::Count(count(view, StockState::OutOfStock))),
            Higher::Bad,
        ),
        Figure::new(
            "critical_products",
            of.say("CRITICAL", "CRÍTICO"),
            Some(Value::Count(count(view, StockState::Critical))),
            Higher::Bad,
        )
        .note(format!(
            "{} {}",
            of.marks().count(view.critical_products),
            of.say("products", "productos")
        )),
        Figure::new(
            "turnover",
            of.say("TURNOVER / YR", "ROTACIÓN / AÑO"),
            turnover,
            Higher::Good,
        )
        .note(of.say("units, 28 d", "unidades, 28 d")),
    ]
}

fn states(of: &Context<'_>, view: &InventoryView) -> Sheet {
    let order = [
        (StockState::Optimal, 4),
        (StockState::Low, 3),
        (StockState::Critical, 2),
        (StockState::OutOfStock, 1),
        (StockState::Unknown, 0),
    ];
    let shares = order.map(|(state, step)| Share {
        name: state_name(of, state).to_owned(),
        value: count(view, state),
        step,
        role: state_role(state),
    });
    of.sheet(Piece::InvStates, vec![], Content::Stack(shares.to_vec()))
}

fn places(of: &Context<'_>, view: &InventoryView) -> Sheet {
    let most = view.places.iter().map(|place| place.units).max().unwrap_or(0);
    let rows = view.places.iter().map(|place| {
        Row::new(vec![
            Cell::text(of.spoken(&place.place)),
            Cell::Bar(place.units, most, Role::Accent),
            Cell::Count(place.units),
            Cell::Money(place.cents),
            Cell::Count(place.critical).alarm_if(place.critical > 0),
            Cell::Count(place.rows),
        ])
    });
    let columns = vec![
        Col::left("warehouse", of.say("WAREHOUSE", "ALMACÉN"), 10).grow(1),
        Col::drawn("", 8).grow(3),
        Col::right("units", of.say("UNITS", "UNID."), 8),
        Col::right("value", of.say("VALUE ~", "VALOR ~"), 8),
        Col::right("critical", of.say("CRIT", "CRÍT"), 6),
        Col::right("rows", of.say("ROWS", "FILAS"), 7).optional(1),
    ];
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("no stock row", "sin filas de stock"),
    )
    .list(&[(2, false), (3, false), (4, false), (0, true)]);
    of.table(Piece::InvPlaces, vec![], table)
}

fn product(row: &StockRow) -> String {
    if row.product.is_empty() {
        format!("#{}", row.product_id)
    } else {
        row.product.clone()
    }
}

fn rows(of: &Context<'_>, view: &InventoryView) -> Sheet {
    let columns = vec![
        Col::left("product", of.say("PRODUCT", "PRODUCTO"), 16).grow(2),
        Col::left("warehouse", of.say("WH", "ALM"), 8),
        Col::left("state", of.say("STATE", "ESTADO"), 8).optional(3),
        Col::right("available", of.say("AVAILABLE", "DISPON."), 9),
        Col::right("reorder", of.say("REORDER", "PEDIR EN"), 8),
        Col::right("days", of.say("DAYS", "DÍAS"), 7),
        Col::right("per_day", of.say("UNITS/D", "UNID/D"), 7).optional(1),
        Col::drawn(of.say("SOLD 28D", "VENTA 28D"), 9).optional(2),
        Col::right("value", of.say("VALUE ~", "VALOR ~"), 8).optional(4),
    ];
    let list = view.rows.iter().map(|row| {
        let days = match (row.state, row.days_milli) {
            (StockState::OutOfStock, _) => Cell::Measure(0, Measure::Plain),
            (_, Some(milli)) => Cell::Measure(milli, Measure::Plain),
            (_, None) => Cell::muted(of.say("no sales", "sin venta")),
        };
        Row::new(vec![
            Cell::text(product(row)),
            Cell::muted(of.spoken(&row.place)),
            Cell::Text(state_name(of, row.state).to_owned(), state_role(row.state)),
            Cell::or_dash(row.available, Cell::Count),
            Cell::or_dash(row.reorder, Cell::Count),
            days,
            Cell::Measure(row.per_day_milli, Measure::Plain),
            Cell::Trend(
                row.sold
                    .iter()
                    .rev()
                    .take(28)
                    .rev()
                    .map(|units| Some(*units as f64))
                    .collect(),
            ),
            Cell::Money(row.cents),
        ])
        .mark(match row.state {
            StockState::OutOfStock => "!!",
            StockState::Critical => "!",
            _ => "",
        })
        .to(crate::sheet::table::Target::Stock(row.stock_id))
    });
    let table = Table::new(
        columns,
        list.collect(),
        of.say("nothing runs out", "nada se acaba"),
    )
    .list(&[(5, true), (6, false), (3, true), (8, false), (0, true)])
    .marked();
    of.table(Piece::InvRows, vec![], table)
}

/// The stock row that is selected, else the first with sales.
fn chosen<'v>(of: &Context<'_>, view: &'v InventoryView) -> Option<&'v StockRow> {
    let wanted = match super::selected(of.app, Piece::InvRows) {
        Some(crate::sheet::table::Target::Stock(id)) => Some(id),
        _ => None,
    };
    view.rows
        .iter()
        .find(|row| Some(row.stock_id) == wanted)
        .or_else(|| view.rows.first())
}

fn forecast(of: &Context<'_>, view: &InventoryView) -> Sheet {
    let nothing = |words: &str| of.sheet(Piece::InvForecast, vec![], Content::Nothing(words.to_owned()));
    let Some(row) = chosen(of, view) else {
        return nothing(of.say("no stock row", "sin filas de stock"));
    };
    let Some(forecast) = &row.forecast else {
        return nothing(of.say(
            "no forecast: no sale in a year, or no daily run yet",
            "sin pronóstico: sin ventas en un año, o aún sin corrida diaria",
        ));
    };
    let available = row.available.unwrap_or(0).max(0);
    let own = row.reorder.unwrap_or(0).max(0);
    let today = of.board.read_at.with_timezone(&of.look.zone).date_naive();
    let date = |day: usize| {
        let date = today.checked_add_days(chrono::Days::new(day as u64));
        of.day(date.unwrap_or(today))
    };
    let days = (0..=SHOWN).map(|day| today + chrono::Days::new(day as u64));
    let course = Course {
        buckets: of.day_buckets(days),
        lines: curves(of, forecast, available, own),
        unit: Unit::Count,
        form: Form::Curve(0.0),
        labels: vec![0, 7, 14],
        open: None,
    };
    let mut sheet = of.sheet(
        Piece::InvForecast,
        forecast_notes(of, forecast, available, own, date),
        Content::Course(course),
    );
    sheet.title = format!("{}: {}", sheet.title, product(row));
    sheet.marks = "◆~";
    sheet
}

/// What is left of a stock: expected, and at both ends of the interval; and the reorder point of the row.
fn curves(of: &Context<'_>, forecast: &StockForecast, available: i64, own: i64) -> Vec<Line> {
    let now = Some(available as f64);
    let left = |sum: i64| (available as f64 - sum as f64 / 1000.0).max(0.0);
    let after = |ends: fn((i64, i64)) -> i64| {
        let days = forecast.within_milli.iter().take(SHOWN);
        let mut level = vec![now];
        level.extend(days.map(|within| within.map(|within| left(ends(within)))));
        level
    };
    let mut stock = vec![now];
    stock.extend(
        forecast
            .until_milli
            .iter()
            .take(SHOWN)
            .map(|sum| Some(left(*sum))),
    );
    let mut series = vec![Line::dotted(
        of.say("reorder point", "punto de pedido"),
        vec![Some(own as f64); SHOWN + 1],
        Role::Warn,
    )];
    if forecast.within_milli.iter().any(Option::is_some) {
        let band = |name: &str, level| Line::dotted(name, level, Role::Muted);
        series.push(band(
            of.say("80% at most", "80% como mucho"),
            after(|(low, _)| low),
        ));
        series.push(band(
            of.say("80% at least", "80% al menos"),
            after(|(_, high)| high),
        ));
    }
    series.push(Line::solid(of.say("stock", "stock"), stock, Role::Accent));
    series
}

/// When the stock is used up, what to order, and what the forecast is worth.
fn forecast_notes(
    of: &Context<'_>,
    forecast: &StockForecast,
    available: i64,
    own: i64,
    date: impl Fn(usize) -> String,
) -> Vec<String> {
    let (used_up, early, late) = forecast.used_up(available);
    let mut notes = vec![match (used_up, early, late) {
        (Some(day), Some(early), Some(late)) if early < late => format!(
            "{} {} (80%: {}–{})",
            of.say("out", "se agota"),
            date(day),
            date(early),
            date(late)
        ),
        (Some(day), ..) => format!("{} {}", of.say("out", "se agota"), date(day)),
        (None, ..) => format!("{} {} d", of.say("lasts", "dura"), forecast.until_milli.len()),
    }];
    if let Some(point) = forecast.reorder {
        let fortnight = forecast.until_milli.get(SHOWN - 1).copied().unwrap_or(0);
        if available <= point {
            // To the point again, and a fortnight on.
            let need = point - available + fortnight / 1000;
            notes.push(format!(
                "{} {}",
                of.say("order", "pedir"),
                of.marks().list_count(need)
            ));
        }
        notes.push(format!(
            "{} {} ({} {})",
            of.say("order at", "pedir en"),
            of.marks().list_count(point),
            of.say("row", "fila"),
            of.marks().list_count(own)
        ));
    }
    notes.push(match forecast.errors_milli {
        Some((error, week)) if error < week => format!(
            "{} {}",
            of.say("error vs plain week", "error frente a la semana simple"),
            of.marks().percent(error - week, week, 0)
        ),
        Some(_) => of
            .say("no better than the plain week", "no mejor que la semana simple")
            .to_owned(),
        None => of
            .say("too few days to compare", "pocos días para comparar")
            .to_owned(),
    });
    notes
}

fn dead(of: &Context<'_>, view: &InventoryView) -> Sheet {
    let columns = vec![
        Col::left("product", "", 14).grow(2),
        Col::left("warehouse", "", 7).optional(1),
        Col::right("units", "", 7),
        Col::right("value", "", 8),
    ];
    let rows = view.dead.iter().map(|row| {
        Row::new(vec![
            Cell::text(product(row)),
            Cell::muted(of.spoken(&row.place)),
            Cell::Count(row.available.unwrap_or(0)),
            Cell::Money(row.cents),
        ])
    });
    let (asleep, cents) = view.asleep;
    let foot = format!(
        "{} {}: {}",
        of.marks().count(asleep),
        of.say("rows asleep", "filas dormidas"),
        of.look.short_amount(cents)
    );
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("everything sells", "todo se vende"),
    )
    .list(&[(3, false), (2, false), (0, true)])
    .foot(foot, Role::Muted);
    of.table(
        Piece::InvDead,
        vec![of.say("no sale in 28 d", "sin venta en 28 d").to_owned()],
        table,
    )
}

fn moves(of: &Context<'_>, view: &InventoryView) -> Sheet {
    let rows = view.movements.iter().map(|row| {
        Row::new(vec![
            Cell::text(of.spoken(&row.reason)),
            Cell::Count(row.came),
            Cell::Count(row.went),
            Cell::Count(row.came - row.went),
        ])
    });
    let columns = vec![
        Col::left("reason", "", 14).grow(1),
        Col::right("in", of.say("IN", "ENTRAN"), 8),
        Col::right("out", of.say("OUT", "SALEN"), 8),
        Col::right("net", of.say("NET", "NETO"), 8),
    ];
    of.table(
        Piece::InvMoves,
        vec![],
        Table::new(
            columns,
            rows.collect(),
            of.say("no movement today", "sin movimientos hoy"),
        ),
    )
}

fn histogram(of: &Context<'_>, view: &InventoryView) -> Sheet {
    let most = view.histogram.iter().map(|(_, rows)| *rows).max().unwrap_or(0);
    let mut from = 0;
    let rows = view.histogram.iter().map(|(limit, count)| {
        let name = match limit {
            Some(limit) => format!("{from}–{limit} d"),
            None => format!("{} {from} d", of.say("over", "más de")),
        };
        let soon = limit.is_some_and(|limit| limit <= STOCK_DAYS[2]);
        from = limit.unwrap_or(from);
        Row::new(vec![
            Cell::text(name),
            Cell::Bar(*count, most, if soon { Role::Warn } else { Role::Accent }),
            Cell::Count(*count),
        ])
    });
    let columns = vec![
        Col::left("days", "", 12),
        Col::drawn("", 6).grow(1),
        Col::right("rows", "", 7),
    ];
    of.table(
        Piece::InvHistogram,
        vec![],
        Table::new(columns, rows.collect(), ""),
    )
}

fn map(of: &Context<'_>, view: &InventoryView) -> Sheet {
    let mut categories: Vec<&str> = view.map.iter().map(|cell| cell.category.as_str()).collect();
    categories.sort_unstable();
    categories.dedup();
    let mut columns = vec![Col::left("category", "", 12).grow(1)];
    let places: Vec<&str> = view
        .places
        .iter()
        .take(PLACES.len())
        .map(|place| place.place.as_str())
        .collect();
    columns.extend((0..places.len()).map(|index| Col::right("share", PLACES[index], 8).grow(1)));
    let rows = categories.into_iter().map(|category| {
        let mut cells = vec![Cell::text(category)];
        cells.extend(places.iter().map(|place| {
            let found = view
                .map
                .iter()
                .find(|cell| cell.category == category && cell.place == *place);
            found.map_or(Cell::Dash, |cell| {
                let (all, critical) = cell.rows;
                Cell::Heat(
                    critical * 100 / all.max(1),
                    60,
                    of.marks().percent(critical, all, 0),
                )
            })
        }));
        Row::new(cells)
    });
    let rows: Vec<Row> = rows.collect();
    let names = places
        .iter()
        .enumerate()
        .map(|(index, place)| format!("{} {}", PLACES[index], place))
        .collect::<Vec<_>>()
        .join("  ");
    let table =
        Table::new(columns, rows, of.say("no stock row", "sin filas de stock")).foot(names, Role::Muted);
    of.table(Piece::InvMap, vec![], table)
}

/// Headings of warehouses, explained below the map.
const PLACES: [&str; 8] = ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8"];
