//! Products: which to push, fix, drop, bundle?

use instashop_core::view::{ProductRow, ProductsView};

use super::{Context, Piece, selected};
use crate::reading::{Higher, Measure, SMALL_SAMPLE, Value};
use crate::sheet::table::Target;
use crate::sheet::{Cell, Col, Content, Figure, Row, Sheet, Table};
use crate::theme::Role;

pub(super) fn sheet(of: &Context<'_>, view: &ProductsView, piece: Piece) -> Sheet {
    match piece {
        Piece::ProFigures => of.sheet(piece, vec![], Content::Figures(figures(of, view))),
        Piece::ProRanking => ranking(of, view),
        Piece::ProPairs => pairs(of, view),
        Piece::ProAbc => abc(of, view),
        Piece::ProUnbought => unbought(of, view),
        Piece::ProSteps => steps(of, view),
        Piece::ProMovers => movers(of, view),
        _ => fields(of, view),
    }
}

/// Orders over visits with a view, at most one.
fn conversion(row: &ProductRow) -> (i64, i64) {
    (row.orders.min(row.visits.0), row.visits.0)
}

fn name(row: &ProductRow) -> String {
    if row.name.is_empty() {
        format!("#{}", row.product_id)
    } else {
        row.name.clone()
    }
}

fn figures(of: &Context<'_>, view: &ProductsView) -> Vec<Figure> {
    let [views, orders] = view.converted;
    vec![
        of.pair(
            "product_performance",
            of.say("UNITS", "UNIDADES"),
            view.units,
            Value::Count,
            Higher::Good,
        )
        .or_live(
            of.live("product_performance")
                .map(|live| Value::Count(live.units)),
        ),
        of.pair(
            "top_products",
            of.say("PRODUCTS SOLD", "PROD. VENDIDOS"),
            view.sold,
            Value::Count,
            Higher::Good,
        )
        .note(format!(
            "{} {}",
            of.say("of", "de"),
            of.marks().count(view.listed)
        )),
        of.ratio(
            "product_conversion",
            of.say("VIEW→ORDER ~", "VISTA→PEDIDO ~"),
            orders,
            views,
            Higher::Good,
        )
        .note(of.say("modelled", "modelado")),
    ]
}

fn ranking(of: &Context<'_>, view: &ProductsView) -> Sheet {
    let columns = vec![
        Col::right("place", "#", 3),
        Col::left("product", of.say("PRODUCT", "PRODUCTO"), 16).grow(3),
        Col::left("category", of.say("CATEGORY", "CATEGORÍA"), 11)
            .grow(1)
            .optional(2),
        Col::right("revenue", of.say("REVENUE", "INGRESOS"), 8),
        Col::right("change", "Δ", 7).optional(1),
        Col::right("units", of.say("UNITS", "UNID."), 6),
        Col::right("orders", of.say("ORDERS", "PEDIDOS"), 7).optional(6),
        Col::right("views", of.say("VIEWS", "VISTAS"), 6).optional(3),
        Col::right("conversion", "CONV ~", 6),
        Col::left("class", "A", 1),
        Col::drawn(of.say("TREND", "CURSO"), 6).optional(4),
        Col::right("price", of.say("AVG PRICE", "PRECIO"), 9).optional(5),
    ];
    let rows = view.rows.iter().zip(1..).map(|(row, place)| {
        let (orders, visits) = conversion(row);
        Row::new(vec![
            Cell::Count(place),
            Cell::text(name(row)),
            Cell::muted(row.category.clone()),
            Cell::Money(row.cents.now),
            Cell::Change(
                Value::Money(row.cents.now),
                of.base(Value::Money(row.cents.before)),
                Higher::Good,
            ),
            Cell::Count(row.units.now),
            Cell::Count(row.orders),
            Cell::Count(row.views),
            Cell::Share(orders, visits, 1),
            Cell::text(row.class.clone()),
            Cell::Trend(row.trend.iter().map(|cents| Some(*cents as f64)).collect()),
            if row.units.now > 0 {
                Cell::Cents(row.cents.now / row.units.now)
            } else {
                Cell::Dash
            },
        ])
        .to(Target::Product(row.product_id))
    });
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("nothing sold or viewed", "nada vendido ni visto"),
    )
    .list(&[
        (3, false),
        (5, false),
        (7, false),
        (8, false),
        (4, false),
        (1, true),
    ]);
    of.table(Piece::ProRanking, vec![of.range()], table)
}

fn pairs(of: &Context<'_>, view: &ProductsView) -> Sheet {
    let chosen = match selected(of.app, Piece::ProRanking) {
        Some(Target::Product(id)) => id,
        _ => view.rows.first().map_or(0, |row| row.product_id),
    };
    let columns = vec![
        Col::left("product", of.say("PRODUCT", "PRODUCTO"), 14).grow(1),
        Col::right("both", of.say("BOTH", "AMBOS"), 6),
        Col::right("share", of.say("OF IT", "DE ÉL"), 6),
        Col::right("lift", "LIFT", 6),
        Col::right("test", "TEST", 4),
    ];
    let rows = view
        .pairs
        .iter()
        .filter(|pair| pair.product_id == chosen)
        .map(|pair| {
            Row::new(vec![
                Cell::text(pair.other.clone()),
                Cell::Count(pair.both),
                Cell::Share(pair.both, pair.orders.0, 1),
                Cell::or_dash(pair.lift_percent(), |lift| {
                    Cell::Measure(lift * 10, Measure::Plain)
                }),
                if pair.is_more_than_chance() {
                    Cell::Text("ok".into(), Role::Good)
                } else {
                    Cell::Dash
                },
            ])
        });
    let mut table = of.table(
        Piece::ProPairs,
        vec![of.say("180 d", "180 d").to_owned()],
        Table::new(
            columns,
            rows.collect(),
            of.say("no pair of the last 180 days", "sin pares en 180 días"),
        ),
    );
    if let Some(row) = view.rows.iter().find(|row| row.product_id == chosen) {
        table.title = format!("{}: {}", table.title, name(row));
    }
    table
}

fn abc(of: &Context<'_>, view: &ProductsView) -> Sheet {
    let all: i64 = view.classes.iter().map(|class| class.cents).sum();
    let unsold: i64 = view.classes.iter().map(|class| class.unsold).sum();
    let rows = view.classes.iter().map(|class| {
        Row::new(vec![
            Cell::text(class.class.clone()),
            Cell::Bar(class.cents, all, Role::Accent),
            Cell::Share(class.cents, all, 0),
            Cell::Count(class.products),
        ])
    });
    let columns = vec![
        Col::left("class", "", 1),
        Col::drawn("", 6).grow(1),
        Col::right("share", "", 5),
        Col::right("products", "", 7),
    ];
    let foot = format!(
        "{}: {}",
        of.say("not sold in 90 d", "sin venta en 90 d"),
        of.marks().count(unsold)
    );
    let table =
        Table::new(columns, rows.collect(), of.say("no product", "sin productos")).foot(foot, Role::Muted);
    let note = of.say("share of revenue · products", "parte de ingresos · productos");
    of.table(Piece::ProAbc, vec![note.to_owned()], table)
}

/// Products that many look at and few buy: under a third of the mean conversion, most viewed first.
fn unbought(of: &Context<'_>, view: &ProductsView) -> Sheet {
    let [views, orders] = view.converted;
    let mut rows: Vec<&ProductRow> = view
        .rows
        .iter()
        .filter(|row| {
            let (bought, visits) = conversion(row);
            visits >= SMALL_SAMPLE
                && i128::from(bought) * i128::from(views.now) * 3
                    < i128::from(orders.now) * i128::from(visits)
        })
        .collect();
    rows.sort_by(|a, b| {
        b.views
            .cmp(&a.views)
            .then_with(|| a.product_id.cmp(&b.product_id))
    });
    let rows = rows.into_iter().map(|row| {
        let (bought, visits) = conversion(row);
        Row::new(vec![
            Cell::text(name(row)),
            Cell::muted(row.category.clone()),
            Cell::Count(row.views),
            Cell::Share(bought, visits, 1).alarm_if(true),
            Cell::Count(row.visits.1),
        ])
        .to(Target::Product(row.product_id))
    });
    let columns = vec![
        Col::left("product", of.say("PRODUCT", "PRODUCTO"), 16).grow(2),
        Col::left("category", of.say("CATEGORY", "CATEGORÍA"), 11)
            .grow(1)
            .optional(1),
        Col::right("views", of.say("VIEWS", "VISTAS"), 7),
        Col::right("conversion", "CONV ~", 7),
        Col::right("added", of.say("IN CART", "AL CARRO"), 8),
    ];
    let note = of.say("to fix: price, photo, stock", "revisar: precio, foto, stock");
    let empty = of.say(
        "none under a third of the mean conversion",
        "ninguno bajo un tercio de la conversión media",
    );
    let mut sheet = of.table(
        Piece::ProUnbought,
        vec![note.to_owned()],
        Table::new(columns, rows.collect(), empty),
    );
    sheet.marks = "◆~";
    sheet
}

fn steps(of: &Context<'_>, view: &ProductsView) -> Sheet {
    let chosen = match selected(of.app, Piece::ProRanking) {
        Some(Target::Product(id)) => id,
        _ => view.rows.first().map_or(0, |row| row.product_id),
    };
    let row = view.rows.iter().find(|row| row.product_id == chosen);
    let rows = row.map_or_else(Vec::new, |row| {
        let (orders, visits) = conversion(row);
        [
            (of.say("visits that saw it", "visitas que lo vieron"), visits),
            (
                of.say("visits that added it", "visitas que lo añadieron"),
                row.visits.1,
            ),
            (of.say("orders with it ~", "pedidos con él ~"), orders),
        ]
        .into_iter()
        .map(|(step, count)| {
            Row::new(vec![
                Cell::text(step),
                Cell::Bar(count, visits, Role::Accent),
                Cell::Count(count),
                Cell::Share(count, visits, 1),
            ])
        })
        .collect()
    });
    let columns = vec![
        Col::left("step", "", 24),
        Col::drawn("", 6).grow(1),
        Col::right("count", "", 7),
        Col::right("share", "", 6),
    ];
    let mut sheet = of.table(
        Piece::ProSteps,
        vec![of.range()],
        Table::new(columns, rows, of.say("no product", "sin productos")),
    );
    if let Some(row) = row {
        sheet.title = format!("{}: {}", sheet.title, name(row));
    }
    sheet.marks = "◆~";
    sheet
}

fn movers(of: &Context<'_>, view: &ProductsView) -> Sheet {
    let mut rows: Vec<&ProductRow> = view
        .rows
        .iter()
        .filter(|row| row.cents.now != row.cents.before)
        .collect();
    rows.sort_by_key(|row| {
        (
            std::cmp::Reverse((row.cents.now - row.cents.before).abs()),
            row.product_id,
        )
    });
    let most = rows
        .first()
        .map_or(0, |row| (row.cents.now - row.cents.before).abs());
    let rows = rows.into_iter().filter(|_| of.board.has_base()).map(|row| {
        let moved = row.cents.now - row.cents.before;
        Row::new(vec![
            Cell::text(name(row)),
            Cell::Bar(moved.abs(), most, if moved < 0 { Role::Bad } else { Role::Good }),
            Cell::Text(
                format!(
                    "{}{}",
                    if moved < 0 { "" } else { "+" },
                    of.look.short_amount(moved)
                ),
                Role::Strong,
            ),
            Cell::Change(
                Value::Money(row.cents.now),
                Some(Value::Money(row.cents.before)),
                Higher::Good,
            ),
        ])
        .to(Target::Product(row.product_id))
    });
    let columns = vec![
        Col::left("product", "", 16).grow(1),
        Col::drawn("", 8).grow(1),
        Col::right("moved", "", 9),
        Col::right("change", "", 8),
    ];
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("no base to compare with", "sin base para comparar"),
    )
    .list(&[(1, false), (0, true)]);
    of.table(Piece::ProMovers, vec![of.range()], table)
}

/// Products in four fields by views and conversion, each split at the mean.
fn fields(of: &Context<'_>, view: &ProductsView) -> Sheet {
    let [views, orders] = view.converted;
    let seen: Vec<&ProductRow> = view
        .rows
        .iter()
        .filter(|row| row.visits.0 >= SMALL_SAMPLE)
        .collect();
    let mean = seen.iter().map(|row| row.visits.0).sum::<i64>() / (seen.len() as i64).max(1);
    let mut fields = [
        (0_i64, 0_i64, String::new()),
        (0, 0, String::new()),
        (0, 0, String::new()),
        (0, 0, String::new()),
    ];
    for row in seen {
        let (bought, visits) = conversion(row);
        let good = i128::from(bought) * i128::from(views.now) >= i128::from(orders.now) * i128::from(visits);
        let at = match (visits >= mean, good) {
            (true, true) => 0,
            (false, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
        };
        fields[at].0 += 1;
        fields[at].1 += row.cents.now;
        if fields[at].2.is_empty() {
            fields[at].2 = name(row);
        }
    }
    let names = [
        (
            of.say("keep", "mantener"),
            of.say("seen and bought", "visto y comprado"),
        ),
        (
            of.say("push", "impulsar"),
            of.say("bought, seldom seen", "comprado, poco visto"),
        ),
        (
            of.say("fix", "arreglar"),
            of.say("seen, seldom bought", "visto, poco comprado"),
        ),
        (of.say("drop", "dejar"), of.say("neither", "ni lo uno ni lo otro")),
    ];
    let all: i64 = fields.iter().map(|field| field.0).sum();
    let rows = fields
        .into_iter()
        .zip(names)
        .map(|((products, cents, best), (name, why))| {
            Row::new(vec![
                Cell::Text(name.to_owned(), Role::Strong),
                Cell::muted(why),
                Cell::Bar(products, all, Role::Accent),
                Cell::Count(products),
                Cell::Money(cents),
                Cell::text(best),
            ])
        });
    let columns = vec![
        Col::left("field", "", 9),
        Col::left("why", "", 20),
        Col::drawn("", 6).grow(1),
        Col::right("products", "", 6),
        Col::right("revenue", "", 8),
        Col::left("best", "", 16).grow(1),
    ];
    let mut sheet = of.table(
        Piece::ProFields,
        vec![of.range()],
        Table::new(columns, rows.collect(), ""),
    );
    sheet.marks = "◆~";
    sheet
}
