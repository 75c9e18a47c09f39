//! Stores: which thrive, which hurt buyers, is the platform healthy? Thirty complete days, whatever the range of the board.

use instashop_core::view::{StoreScore, StoresView};

use super::{Context, Piece};
use crate::reading::{Higher, Value};
use crate::sheet::table::Target;
use crate::sheet::{Cell, Col, Content, Figure, Row, Sheet, Table};
use crate::theme::Role;

/// Limits of a scorecard (docs: kpis 5.1): failed payments, cancelled orders, critical stock, in thousandths; complaints in
/// tenths on 100 orders; visits below which a conversion says little.
const LIMITS: (i64, i64, i64, i64, i64) = (80, 25, 80, 30, 100);

pub(super) fn sheet(of: &Context<'_>, view: &StoresView, piece: Piece) -> Sheet {
    match piece {
        Piece::StoFigures => of.sheet(piece, vec![], Content::Figures(figures(of, view))),
        Piece::StoScore => score(of, view),
        Piece::StoPlans => plans(of, view),
        Piece::StoMrr => movements(of, view),
        Piece::StoMovers => movers(of, view),
        _ if of.app.ask().store.is_some() => of.platform_only(piece),
        Piece::StoChurn => churn(of, view),
        _ => concentration(of, view),
    }
}

fn figures(of: &Context<'_>, view: &StoresView) -> Vec<Figure> {
    let mrr: i64 = view.plans.iter().map(|plan| plan.mrr_cents).sum();
    let days = (0..30)
        .map(|day| Some(view.rows.iter().filter_map(|row| row.trend.get(day)).sum::<i64>() as f64))
        .collect();
    vec![
        Figure::new(
            "gmv",
            "GMV 30D",
            Some(Value::Money(view.gmv_cents.0)),
            Higher::Good,
        )
        .against((view.gmv_cents.1 > 0).then_some(Value::Money(view.gmv_cents.1)))
        .trend(days),
        Figure::new(
            "commission",
            of.say("COMMISSION", "COMISIÓN"),
            view.commission_cents.map(Value::Money),
            Higher::Good,
        )
        .note(view.commission_cents.map_or_else(String::new, |cents| {
            of.marks().percent(cents, view.gmv_cents.0, 1)
        })),
        Figure::new(
            "active_stores",
            of.say("ACTIVE", "ACTIVAS"),
            Some(Value::Count(view.active.0)),
            Higher::Good,
        )
        .note(format!(
            "{} {}",
            of.say("of", "de"),
            of.marks().count(view.active.1)
        )),
        Figure::new("mrr", "MRR", Some(Value::Money(mrr)), Higher::Good)
            .or_live(of.live("mrr").and_then(|live| live.mrr_cents).map(Value::Money))
            .against((view.opening_cents > 0).then_some(Value::Money(view.opening_cents))),
    ]
}

fn score(of: &Context<'_>, view: &StoresView) -> Sheet {
    let columns = vec![
        Col::left("store", of.say("STORE", "TIENDA"), 13).grow(2),
        Col::left("plan", "PLAN", 7).optional(5),
        Col::right("gmv", "GMV", 8),
        Col::right("change", "Δ", 7).optional(1),
        Col::right("orders", of.say("ORDERS", "PEDIDOS"), 7),
        Col::right("failed", of.say("FAIL", "FALLO"), 6),
        Col::right("cancelled", of.say("CANC", "CANC"), 6).optional(2),
        Col::right("conversion", "CONV", 6),
        Col::right("critical", of.say("CRIT", "CRÍT"), 6).optional(3),
        Col::right("complaints", of.say("C/100", "Q/100"), 6).optional(4),
        Col::right("rank", of.say("RANK", "PUESTO"), 6),
        Col::drawn(of.say("30 DAYS", "30 DÍAS"), 15).grow(1).optional(6),
    ];
    let rows = view.rows.iter().zip(1..).map(|(row, rank)| {
        let limited = |value: Option<i64>, limit: i64| {
            Cell::or_dash(value, |mille| Cell::Mille(mille).alarm_if(mille > limit))
        };
        let conversion = match row.conversion_mille {
            Some(_) if row.visits < LIMITS.4 => Cell::muted(format!("n={}", row.visits)),
            mille => Cell::or_dash(mille, Cell::Mille),
        };
        let complaints = row.complaints_tenths;
        Row::new(vec![
            Cell::text(row.store.clone()),
            Cell::muted(row.plan.clone()),
            Cell::Money(row.gmv_cents),
            Cell::Change(
                Value::Money(row.gmv_cents),
                row.before_cents.map(Value::Money),
                Higher::Good,
            ),
            Cell::Count(row.orders),
            limited(row.failed_mille, LIMITS.0),
            limited(row.cancelled_mille, LIMITS.1),
            conversion,
            limited(row.critical_mille, LIMITS.2),
            Cell::or_dash(complaints, |tenths| {
                Cell::Measure(tenths * 100, crate::reading::Measure::Plain).alarm_if(tenths > LIMITS.3)
            }),
            Cell::Count(rank),
            Cell::Trend(row.trend.iter().map(|cents| Some(*cents as f64)).collect()),
        ])
        .mark(if hurts(row) { "!" } else { "" })
        .to(Target::Store(row.store_id))
    });
    let table = Table::new(columns, rows.collect(), of.say("no store", "sin tiendas"))
        .list(&[
            (2, false),
            (3, false),
            (4, false),
            (5, false),
            (7, true),
            (0, true),
        ])
        .marked();
    of.table(Piece::StoScore, vec![], table)
}

/// True when a store is beyond two limits at least.
fn hurts(row: &StoreScore) -> bool {
    let beyond = [
        row.failed_mille.is_some_and(|mille| mille > LIMITS.0),
        row.cancelled_mille.is_some_and(|mille| mille > LIMITS.1),
        row.critical_mille.is_some_and(|mille| mille > LIMITS.2),
        row.complaints_tenths.is_some_and(|tenths| tenths > LIMITS.3),
    ];
    beyond.into_iter().filter(|beyond| *beyond).count() >= 2
}

fn plans(of: &Context<'_>, view: &StoresView) -> Sheet {
    let most = view.plans.iter().map(|plan| plan.stores).max().unwrap_or(0);
    let rows = view.plans.iter().map(|plan| {
        Row::new(vec![
            Cell::text(of.spoken(&plan.plan)),
            Cell::Bar(plan.stores, most, Role::Accent),
            Cell::Count(plan.stores),
            Cell::Money(plan.mrr_cents),
        ])
    });
    let columns = vec![
        Col::left("plan", "", 10),
        Col::drawn("", 6).grow(1),
        Col::right("stores", "", 6),
        Col::right("mrr", "", 9),
    ];
    let note = of.say("stores · MRR", "tiendas · MRR").to_owned();
    of.table(
        Piece::StoPlans,
        vec![note],
        Table::new(columns, rows.collect(), of.say("no store", "sin tiendas")),
    )
}

fn movements(of: &Context<'_>, view: &StoresView) -> Sheet {
    let name = |movement: &str| match movement {
        "new" => of.say("new", "nuevas"),
        "expansion" => of.say("expansion", "suben"),
        "reactivation" => of.say("reactivation", "vuelven"),
        "contraction" => of.say("contraction", "bajan"),
        "churn" => of.say("churn", "se van"),
        _ => of.say("opening", "apertura"),
    };
    let most = view
        .movements
        .iter()
        .map(|row| row.cents.abs())
        .max()
        .unwrap_or(0);
    let moved: i64 = view.movements.iter().map(|row| row.cents).sum();
    let mut rows: Vec<Row> = view
        .movements
        .iter()
        .map(|row| {
            let sign = if row.cents < 0 { "" } else { "+" };
            Row::new(vec![
                Cell::text(name(&row.movement)),
                Cell::Bar(
                    row.cents.abs(),
                    most,
                    if row.cents < 0 { Role::Bad } else { Role::Good },
                ),
                Cell::Count(row.stores),
                Cell::Text(format!("{sign}{}", of.look.short_amount(row.cents)), Role::Strong),
            ])
        })
        .collect();
    rows.push(Row::new(vec![
        Cell::muted(of.say("closing", "cierre")),
        Cell::Blank,
        Cell::Blank,
        Cell::Text(of.look.short_amount(view.opening_cents + moved), Role::Strong),
    ]));
    let columns = vec![
        Col::left("movement", "", 13),
        Col::drawn("", 6).grow(1),
        Col::right("stores", "", 5),
        Col::right("change", "", 10),
    ];
    let note = format!(
        "{} {}",
        of.say("opening", "apertura"),
        of.look.short_amount(view.opening_cents)
    );
    of.table(Piece::StoMrr, vec![note], Table::new(columns, rows, ""))
}

fn churn(of: &Context<'_>, view: &StoresView) -> Sheet {
    let columns = vec![Col::left("what", "", 14).grow(1), Col::right("value", "", 12)];
    let Some(churn) = &view.churn else {
        let words = of.say("no complete month yet", "aún sin mes completo");
        return of.table(Piece::StoChurn, vec![], Table::new(columns, vec![], words));
    };
    let percent = |mille: Option<i64>| Cell::or_dash(mille, Cell::Mille);
    let rows = vec![
        Row::new(vec![
            Cell::text(of.say("stores", "tiendas")),
            if churn.paying == 0 {
                Cell::Dash
            } else {
                Cell::Mille(churn.churned * 1000 / churn.paying)
            },
        ]),
        Row::new(vec![
            Cell::text(of.say("stopped · paid", "dejaron · pagaban")),
            Cell::text(format!("{} · {}", churn.churned, churn.paying)),
        ]),
        Row::new(vec![
            Cell::text(of.say("MRR gross", "MRR bruto")),
            percent(churn.gross_mille),
        ]),
        Row::new(vec![
            Cell::text(of.say("MRR net", "MRR neto")),
            percent(churn.net_mille),
        ]),
    ];
    let note = format!("{} {}", of.day(churn.month), of.say("month", "mes"));
    of.table(Piece::StoChurn, vec![note], Table::new(columns, rows, ""))
}

fn concentration(of: &Context<'_>, view: &StoresView) -> Sheet {
    let columns = vec![
        Col::left("top", "", 8),
        Col::drawn("", 6).grow(1),
        Col::right("share", "", 7),
    ];
    let Some(shares) = view.concentration_mille else {
        let words = of.say("fewer than five stores", "menos de cinco tiendas");
        return of.table(Piece::StoShare, vec![], Table::new(columns, vec![], words));
    };
    let rows = shares
        .into_iter()
        .zip(["top 1", "top 5", "top 20"])
        .map(|(mille, name)| {
            Row::new(vec![
                Cell::text(name),
                Cell::Bar(mille, 1000, Role::Accent),
                Cell::Mille(mille),
            ])
        });
    let mut table = Table::new(columns, rows.collect(), "");
    if let Some(hhi) = view.hhi {
        let word = match hhi {
            0..1500 => of.say("low", "baja"),
            1500..2500 => of.say("moderate", "moderada"),
            _ => of.say("high", "alta"),
        };
        table = table.foot(format!("HHI {hhi} ({word})"), Role::Muted);
    }
    of.table(Piece::StoShare, vec![], table)
}

fn movers(of: &Context<'_>, view: &StoresView) -> Sheet {
    let mut rows: Vec<(&StoreScore, i64)> = view
        .rows
        .iter()
        .map(|row| (row, row.gmv_cents - row.before_cents.unwrap_or(0)))
        .filter(|(_, moved)| *moved != 0)
        .collect();
    rows.sort_by_key(|(row, moved)| (std::cmp::Reverse(moved.abs()), row.store_id));
    let most = rows.first().map_or(0, |(_, moved)| moved.abs());
    let rows = rows.into_iter().map(|(row, moved)| {
        let sign = if moved < 0 { "" } else { "+" };
        Row::new(vec![
            Cell::text(row.store.clone()),
            Cell::Bar(moved.abs(), most, if moved < 0 { Role::Bad } else { Role::Good }),
            Cell::Text(format!("{sign}{}", of.look.short_amount(moved)), Role::Strong),
            Cell::Change(
                Value::Money(row.gmv_cents),
                row.before_cents.map(Value::Money),
                Higher::Good,
            ),
        ])
        .to(Target::Store(row.store_id))
    });
    let columns = vec![
        Col::left("store", "", 14).grow(1),
        Col::drawn("", 8).grow(1),
        Col::right("moved", "", 10),
        Col::right("change", "", 8),
    ];
    let table = Table::new(columns, rows.collect(), of.say("nothing moved", "nada cambió"))
        .list(&[(1, false), (0, true)]);
    of.table(Piece::StoMovers, vec![], table)
}
