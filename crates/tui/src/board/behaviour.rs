//! Behaviour: where do they go, where are they lost?

use instashop_core::view::{BehaviourView, FUNNEL_STEPS, Pair};

use super::{Context, Piece};
use crate::reading::{Higher, Measure, Source, Value};
use crate::sheet::{Cell, Col, Row, Sheet, Table};
use crate::theme::Role;

/// Share of searches without a result that is marked, in per cent.
const ZERO_LIMIT: i64 = 20;

pub(super) fn sheet(of: &Context<'_>, view: &BehaviourView, piece: Piece) -> Sheet {
    match piece {
        Piece::BehFunnel => funnel(of, view),
        Piece::BehOutcomes => outcomes(of, view),
        Piece::BehSearch => searches(of, view),
        Piece::BehPaths if of.app.ask().store.is_some() => of.platform_only(piece),
        Piece::BehPaths => paths(of, view),
        Piece::BehEvents => events(of, view),
        Piece::BehCarts => carts(of, view),
        Piece::BehStores => stores(of, view),
        Piece::BehExits => exits(of, view),
        Piece::BehHours => hours(of, view, piece, |(visits, _)| visits),
        _ => hours(of, view, piece, |(_, left)| left),
    }
}

const fn step_name(of: &Context<'_>, step: usize) -> &'static str {
    match step {
        0 => of.say("visits", "visitas"),
        1 => of.say("viewed", "vieron algo"),
        2 => of.say("product viewed", "vieron producto"),
        3 => of.say("added to cart", "al carrito"),
        4 => of.say("checkout", "a pagar"),
        _ => of.say("purchase", "compraron"),
    }
}

fn funnel(of: &Context<'_>, view: &BehaviourView) -> Sheet {
    let live = of.live("funnel");
    let mut funnel = view.funnel;
    if let Some(live) = live {
        for (step, reached) in funnel.iter_mut().zip(live.funnel) {
            step.now = reached;
        }
    }
    let all = funnel[0];
    let steps: Vec<usize> = (0..FUNNEL_STEPS)
        .filter(|step| *step != 4 || view.has_checkout)
        .collect();
    let mut before: Option<Pair> = None;
    let mut rows = Vec::new();
    for step in steps {
        let reached = funnel[step];
        let (share, change) = before.map_or((Cell::Blank, Cell::Blank), |before| {
            let base = of.base(Value::Share(reached.before, before.before));
            (
                Cell::Share(reached.now, before.now, 1),
                Cell::Change(Value::Share(reached.now, before.now), base, Higher::Good),
            )
        });
        rows.push(Row::new(vec![
            Cell::text(step_name(of, step)),
            Cell::Bar(reached.now, all.now, Role::Accent),
            Cell::Count(reached.now),
            Cell::Share(reached.now, all.now, 1),
            share,
            change,
        ]));
        before = Some(reached);
    }
    let columns = vec![
        Col::left("step", "", 14),
        Col::drawn("", 5).grow(1),
        Col::right("visits", of.say("VISITS", "VISITAS"), 7),
        Col::right("of_all", of.say("OF ALL", "DE TODO"), 7),
        Col::right("of_step", of.say("OF STEP", "DE PASO"), 7).optional(1),
        Col::right("change", "Δ", 8).optional(2),
    ];
    let empty = of.say("no visits", "sin visitas");
    let rows = if all.now == 0 { vec![] } else { rows };
    let mut sheet = of.table(
        Piece::BehFunnel,
        vec![of.range()],
        Table::new(columns, rows, empty),
    );
    if live.is_some() {
        sheet.marks = Source::Live.mark();
    }
    sheet
}

fn outcome_name(of: &Context<'_>, outcome: &str) -> String {
    let (en, es) = match outcome {
        "conversion" => ("conversion", "conversión"),
        "cart_abandonment" => ("cart left", "carrito dejado"),
        "browse" => ("browse", "paseo"),
        "bounce" => ("bounce", "rebote"),
        "in_progress" => ("in progress", "en curso"),
        other => return of.spoken(other),
    };
    of.say(en, es).to_owned()
}

fn outcomes(of: &Context<'_>, view: &BehaviourView) -> Sheet {
    let all = view.outcomes.iter().fold(Pair::default(), |sum, row| Pair {
        now: sum.now + row.visits.now,
        before: sum.before + row.visits.before,
    });
    let mut rows: Vec<Row> = view
        .outcomes
        .iter()
        .map(|row| {
            let higher = match row.outcome.as_str() {
                "conversion" => Higher::Good,
                "cart_abandonment" | "bounce" => Higher::Bad,
                _ => Higher::Neutral,
            };
            let base = of.base(Value::Share(row.visits.before, all.before));
            Row::new(vec![
                Cell::text(outcome_name(of, &row.outcome)),
                Cell::Bar(row.visits.now, all.now, Role::Accent),
                Cell::Share(row.visits.now, all.now, 1),
                Cell::Change(Value::Share(row.visits.now, all.now), base, higher),
            ])
        })
        .collect();
    let line =
        |name: &str, cell: Cell, change: Cell| Row::new(vec![Cell::muted(name), Cell::Blank, cell, change]);
    let share = |name: &str, part: Pair, whole: Pair, higher: Higher| {
        let base = of.base(Value::Share(part.before, whole.before));
        line(
            name,
            Cell::Share(part.now, whole.now, 1),
            Cell::Change(Value::Share(part.now, whole.now), base, higher),
        )
    };
    let time = |milli: i64| Value::Measure(milli, Measure::Seconds);
    if all.now > 0 {
        rows.push(line(
            of.say("median time", "tiempo mediano"),
            Cell::or_dash(view.median_ms[0], |milli| Cell::Measure(milli, Measure::Seconds)),
            Cell::or_dash(view.median_ms[0], |milli| {
                Cell::Change(
                    time(milli),
                    view.median_ms[1].and_then(|base| of.base(time(base))),
                    Higher::Good,
                )
            }),
        ));
        rows.push(share(
            of.say("one event (0 s)", "un evento (0 s)"),
            view.single,
            view.ended,
            Higher::Neutral,
        ));
        rows.push(share(
            of.say("add to cart", "al carrito"),
            view.funnel[3],
            view.funnel[2],
            Higher::Good,
        ));
        rows.push(share(
            of.say("abandonment", "abandono"),
            view.abandoned,
            view.with_cart,
            Higher::Bad,
        ));
        rows.push(share(
            of.say("tracked orders", "ped. seguidos"),
            view.tracked,
            view.orders,
            Higher::Good,
        ));
    }
    let columns = vec![
        Col::left("outcome", "", 15),
        Col::drawn("", 4).grow(1).optional(1),
        Col::right("share", "", 7),
        Col::right("change", "", 8).optional(2),
    ];
    let rows = if all.now == 0 { vec![] } else { rows };
    of.table(
        Piece::BehOutcomes,
        vec![of.range()],
        Table::new(columns, rows, of.say("no visits", "sin visitas")),
    )
}

fn searches(of: &Context<'_>, view: &BehaviourView) -> Sheet {
    let (all, nothing) = view.searches;
    let most = view.terms.first().map_or(0, |term| term.searches);
    let rows = view.terms.iter().map(|term| {
        let bad = term.searches >= 10 && term.without_result * 100 > term.searches * ZERO_LIMIT;
        let name = if term.term.is_empty() {
            of.say("(no term)", "(sin término)").to_owned()
        } else {
            term.term.clone()
        };
        Row::new(vec![
            Cell::text(name),
            Cell::Bar(term.searches, most, super::role_if(bad)),
            Cell::Count(term.searches),
            Cell::Mille(term.without_result * 1000 / term.searches.max(1)).alarm_if(bad),
        ])
    });
    let columns = vec![
        Col::left("term", of.say("TERM", "TÉRMINO"), 14).grow(2),
        Col::drawn("", 6).grow(1),
        Col::right("searches", of.say("COUNT", "VECES"), 7),
        Col::right("without_result", of.say("ZERO", "SIN RES."), 8),
    ];
    let note = format!(
        "{} {}",
        of.say("zero-result", "sin resultado"),
        of.marks().percent(nothing, all, 1)
    );
    let table = Table::new(columns, rows.collect(), of.say("no searches", "sin búsquedas")).list(&[
        (2, false),
        (3, false),
        (0, true),
    ]);
    of.table(Piece::BehSearch, vec![note], table)
}

/// A page of a path in the words of the screen.
fn page(of: &Context<'_>, name: &str) -> String {
    let (en, es) = match name {
        "page_view" => ("page", "página"),
        "product_view" => ("product", "producto"),
        "search" => ("search", "busca"),
        "add_to_cart" => ("cart", "carrito"),
        "remove_from_cart" => ("remove", "quita"),
        "begin_checkout" => ("checkout", "pagar"),
        "purchase" | "purchase_link" => ("buy", "compra"),
        other => return of.spoken(other),
    };
    of.say(en, es).to_owned()
}

fn paths(of: &Context<'_>, view: &BehaviourView) -> Sheet {
    let all: i64 = view.paths.iter().map(|path| path.visits).sum();
    let rows = view.paths.iter().map(|path| {
        let steps: Vec<String> = path.path.split(" > ").map(|step| page(of, step)).collect();
        Row::new(vec![
            Cell::text(steps.join(" › ")),
            Cell::Count(path.visits),
            Cell::Share(path.visits, all, 1),
        ])
    });
    let columns = vec![
        Col::left("path", "", 20).grow(1),
        Col::right("visits", "", 7),
        Col::right("share", "", 6),
    ];
    let note = of.look.texts().full_days(30);
    let table = Table::new(columns, rows.collect(), of.say("no visits", "sin visitas"))
        .list(&[(1, false), (0, true)]);
    of.table(Piece::BehPaths, vec![note], table)
}

fn events(of: &Context<'_>, view: &BehaviourView) -> Sheet {
    let most = view.events.first().map_or(0, |(_, pair)| pair.now);
    let rows = view.events.iter().map(|(kind, pair)| {
        Row::new(vec![
            Cell::text(of.spoken(kind)),
            Cell::Bar(pair.now, most, Role::Accent),
            Cell::Count(pair.now),
            Cell::Change(
                Value::Count(pair.now),
                of.base(Value::Count(pair.before)),
                Higher::Neutral,
            ),
        ])
    });
    let columns = vec![
        Col::left("type", "", 16).grow(1),
        Col::drawn("", 6).grow(1),
        Col::right("events", "", 8),
        Col::right("change", "", 8),
    ];
    of.table(
        Piece::BehEvents,
        vec![of.range()],
        Table::new(columns, rows.collect(), of.say("no events", "sin eventos")),
    )
}

fn carts(of: &Context<'_>, view: &BehaviourView) -> Sheet {
    let line = |name: &str, cell: Cell, change: Cell| Row::new(vec![Cell::text(name), cell, change]);
    let pair = |name: &str, pair: Pair, higher: Higher| {
        line(
            name,
            Cell::Count(pair.now),
            Cell::Change(Value::Count(pair.now), of.base(Value::Count(pair.before)), higher),
        )
    };
    let rows = vec![
        line(
            of.say("open now", "abiertos ahora"),
            Cell::Count(view.open_carts),
            Cell::Blank,
        ),
        pair(
            of.say("visits with a cart", "visitas con carrito"),
            view.with_cart,
            Higher::Good,
        ),
        pair(of.say("left", "dejados"), view.abandoned, Higher::Bad),
        pair(
            of.say("orders placed", "pedidos hechos"),
            view.orders,
            Higher::Good,
        ),
    ];
    let columns = vec![
        Col::left("what", "", 20).grow(1),
        Col::right("count", "", 8),
        Col::right("change", "", 8),
    ];
    of.table(Piece::BehCarts, vec![of.range()], Table::new(columns, rows, ""))
}

fn stores(of: &Context<'_>, view: &BehaviourView) -> Sheet {
    let mut columns = vec![Col::left("store", of.say("STORE", "TIENDA"), 14).grow(2)];
    let heads = [
        of.say("VISITS", "VISITAS"),
        of.say("VIEWED", "VIERON"),
        of.say("PRODUCT", "PRODUCTO"),
        of.say("CART", "CARRITO"),
        of.say("CHECKOUT", "A PAGAR"),
        of.say("BOUGHT", "COMPRA"),
    ];
    columns.extend(
        heads
            .into_iter()
            .zip(["visits", "viewed", "product", "cart", "checkout", "bought"])
            .map(|(head, name)| Col::right(name, head, 8)),
    );
    let rows = view.stores.iter().map(|row| {
        let mut cells = vec![Cell::text(row.store.clone()), Cell::Count(row.steps[0])];
        cells.extend((1..FUNNEL_STEPS).map(|step| Cell::Share(row.steps[step], row.steps[0], 1)));
        Row::new(cells)
    });
    let table = Table::new(columns, rows.collect(), of.say("no visits", "sin visitas")).list(&[
        (1, false),
        (6, false),
        (6, true),
        (0, true),
    ]);
    of.table(Piece::BehStores, vec![of.range()], table)
}

fn exits(of: &Context<'_>, view: &BehaviourView) -> Sheet {
    let all: i64 = view.exits.iter().map(|(_, visits)| visits).sum();
    let rows = view.exits.iter().map(|(name, visits)| {
        Row::new(vec![
            Cell::text(page(of, name)),
            Cell::Bar(*visits, all, Role::Accent),
            Cell::Count(*visits),
            Cell::Share(*visits, all, 0),
        ])
    });
    let columns = vec![
        Col::left("page", "", 14).grow(1),
        Col::drawn("", 6).grow(1),
        Col::right("visits", "", 8),
        Col::right("share", "", 5),
    ];
    of.table(
        Piece::BehExits,
        vec![of.range()],
        Table::new(columns, rows.collect(), of.say("nobody left", "nadie se fue")),
    )
}

fn hours(of: &Context<'_>, view: &BehaviourView, piece: Piece, value: fn((i64, i64)) -> i64) -> Sheet {
    let most = view
        .hours
        .iter()
        .flatten()
        .map(|cell| value(*cell))
        .max()
        .unwrap_or(0);
    let mut columns = vec![Col::left("weekday", "", 3)];
    columns.extend((0..24_usize).map(|hour| {
        Col::left(
            "hour",
            if hour.is_multiple_of(3) {
                EVERY_THIRD[hour / 3]
            } else {
                ""
            },
            2,
        )
        .grow(1)
    }));
    let rows = view
        .hours
        .iter()
        .zip(of.look.texts().weekdays_two)
        .map(|(day, name)| {
            let mut cells = vec![Cell::text(name)];
            cells.extend(
                day.iter()
                    .map(|cell| Cell::Heat(value(*cell), most, String::new())),
            );
            Row::new(cells)
        });
    let rows = if most == 0 { vec![] } else { rows.collect() };
    let note = of.say("░ few █ many", "░ pocas █ muchas");
    of.table(
        piece,
        vec![note.to_owned(), of.range()],
        Table::new(columns, rows, of.say("no visits", "sin visitas")),
    )
}

/// Every third hour, as a heading.
const EVERY_THIRD: [&str; 8] = ["00", "03", "06", "09", "12", "15", "18", "21"];
