//! Buyers: do they grow, do they come back?

use chrono::Datelike;
use instashop_core::view::{BuyersView, Range};

use super::{Context, Piece};
use crate::reading::{Higher, Value};
use crate::sheet::table::Target;
use crate::sheet::{Cell, Col, Content, Course, Figure, Form, Line, Row, Sheet, Table, Unit};
use crate::theme::Role;

pub(super) fn sheet(of: &Context<'_>, view: &BuyersView, piece: Piece) -> Sheet {
    match piece {
        Piece::BuyFigures => of.sheet(piece, vec![], Content::Figures(figures(of, view))),
        Piece::BuyDays => days(of, view),
        // Marts of the whole platform, see the query.
        _ if of.app.ask().store.is_some() => of.platform_only(piece),
        Piece::BuySegments => segments(of, view),
        Piece::BuyCohorts => cohorts(of, view),
        Piece::BuyTop => top(of, view),
        Piece::BuyValues => values(of, view),
        _ => grid(of, view),
    }
}

fn figures(of: &Context<'_>, view: &BuyersView) -> Vec<Figure> {
    let days = |value: fn(&instashop_core::view::BuyerDay) -> i64| -> Vec<Option<f64>> {
        view.days.iter().map(|day| Some(value(day) as f64)).collect()
    };
    let is_today = of.app.ask().range == Range::Today;
    vec![
        of.pair(
            if is_today {
                "unique_buyers_today"
            } else {
                "active_buyers"
            },
            of.say("ACTIVE", "ACTIVOS"),
            view.active,
            Value::Count,
            Higher::Good,
        )
        .or_live(
            of.live("unique_buyers_today")
                .map(|live| Value::Count(live.buyers)),
        ),
        of.pair(
            "new_buyers",
            of.say("NEW", "NUEVOS"),
            view.new,
            Value::Count,
            Higher::Good,
        )
        .or_live(of.live("new_buyers").map(|live| Value::Count(live.new_buyers)))
        .trend(days(|day| day.new)),
        of.ratio(
            "returning_buyers",
            of.say("RETURNING", "RECURRENTES"),
            view.returning,
            view.active,
            Higher::Good,
        )
        .or_live(
            of.live("returning_buyers")
                .map(|live| Value::Share(live.returning_buyers, live.buyers)),
        )
        .trend(days(|day| day.returning)),
        Figure::new(
            "retention_rate",
            of.say("RETAINED M/M", "RETENIDOS M/M"),
            (view.retained.0 > 0).then_some(Value::Share(view.retained.1, view.retained.0)),
            Higher::Good,
        )
        .against(
            (view.retained_before.0 > 0)
                .then_some(Value::Share(view.retained_before.1, view.retained_before.0)),
        )
        .note(of.say("last full month", "último mes completo")),
        Figure::new(
            "clv_historic",
            of.say("LTV MEDIAN", "VALOR MEDIANO"),
            view.median_cents.map(Value::Money),
            Higher::Good,
        )
        .note(of.say("a buyer, so far", "por comprador")),
    ]
}

fn days(of: &Context<'_>, view: &BuyersView) -> Sheet {
    if view.days.iter().all(|day| day.new + day.returning == 0) {
        let words = of.say("no paid orders in the range", "sin pedidos pagados en el período");
        return of.sheet(
            Piece::BuyDays,
            vec![of.range()],
            Content::Nothing(words.to_owned()),
        );
    }
    let points = |value: fn(&instashop_core::view::BuyerDay) -> i64| -> Vec<Option<f64>> {
        view.days.iter().map(|day| Some(value(day) as f64)).collect()
    };
    let step = if view.days.len() > 45 { 28 } else { 7 };
    let course = Course {
        buckets: of.day_buckets(view.days.iter().map(|day| day.day)),
        lines: vec![
            Line::dotted(of.say("new", "nuevos"), points(|day| day.new), Role::S2),
            Line::solid(
                of.say("returning", "recurrentes"),
                points(|day| day.returning),
                Role::Accent,
            ),
        ],
        unit: Unit::Count,
        form: Form::Curve(0.0),
        labels: (0..view.days.len()).step_by(step).collect(),
        open: None,
    };
    let note = format!(
        "— {} ┄ {}",
        of.say("returning", "recurrentes"),
        of.say("new", "nuevos")
    );
    of.sheet(Piece::BuyDays, vec![note], Content::Course(course))
}

/// The segment in the language of the screen; one that is not known stays as it is.
fn segment(of: &Context<'_>, name: &str) -> String {
    let (en, es) = match name {
        "champions" => ("champions", "campeones"),
        "loyal" => ("loyal", "leales"),
        "active" => ("active", "activos"),
        "promising" => ("promising", "prometedores"),
        "new" => ("new", "nuevos"),
        "at_risk" | "at risk" => ("at risk", "en riesgo"),
        "hibernating" => ("hibernating", "dormidos"),
        "lost" => ("lost", "perdidos"),
        "" => ("none", "ninguno"),
        other => return of.spoken(other),
    };
    of.say(en, es).to_owned()
}

fn segments(of: &Context<'_>, view: &BuyersView) -> Sheet {
    let most = view.segments.iter().map(|row| row.buyers).max().unwrap_or(0);
    let buyers: i64 = view.segments.iter().map(|row| row.buyers).sum();
    let rows = view.segments.iter().map(|row| {
        let risk = row.segment.contains("risk");
        let name = segment(of, &row.segment);
        Row::new(vec![
            if risk {
                Cell::Text(format!("{name} !"), Role::Warn)
            } else {
                Cell::text(name)
            },
            Cell::Bar(row.buyers, most, if risk { Role::Warn } else { Role::Accent }),
            Cell::Count(row.buyers),
            Cell::Money(row.cents),
            Cell::Share(row.buyers, buyers, 0),
        ])
    });
    let columns = vec![
        Col::left("segment", "", 13),
        Col::drawn("", 6).grow(1),
        Col::right("buyers", "", 7),
        Col::right("revenue", "", 7),
        Col::right("share", "", 5).optional(1),
    ];
    let note = of.say("buyers · revenue", "compradores · ingresos").to_owned();
    let empty = of.say("not computed yet", "aún no calculado");
    of.table(
        Piece::BuySegments,
        vec![note],
        Table::new(columns, rows.collect(), empty),
    )
}

/// `2026-03`.
fn month(day: chrono::NaiveDate) -> String {
    format!("{}-{:02}", day.year(), day.month())
}

fn cohorts(of: &Context<'_>, view: &BuyersView) -> Sheet {
    let most = view
        .cohorts
        .iter()
        .map(|cohort| cohort.months.len())
        .max()
        .unwrap_or(0)
        .min(12);
    let mut columns = vec![
        Col::left("month", of.say("FIRST ORDER", "PRIMER PED."), 11),
        Col::right("size", of.say("SIZE", "TAMAÑO"), 7),
    ];
    columns.extend((0..most).map(|index| {
        Col::right(MONTHS[index].1, MONTHS[index].0, 4).optional(index.saturating_sub(3) as u8)
    }));
    columns.push(Col::drawn(of.say("SHAPE", "FORMA"), 8).grow(1));
    let rows = view.cohorts.iter().map(|cohort| {
        let mut cells = vec![Cell::text(month(cohort.month)), Cell::Count(cohort.size)];
        for index in 0..most {
            cells.push(match cohort.months.get(index) {
                Some(Some(buyers)) => {
                    let percent = of.marks().percent(*buyers, cohort.size, 0);
                    Cell::Heat(
                        *buyers * 100 / cohort.size.max(1),
                        if index == 0 { 100 } else { 60 },
                        percent,
                    )
                }
                Some(None) => Cell::Open,
                None => Cell::Blank,
            });
        }
        let shape = cohort
            .months
            .iter()
            .skip(1)
            .map(|month| month.map(|buyers| buyers as f64))
            .collect();
        cells.push(Cell::Trend(shape));
        Row::new(cells)
    });
    let note = of.say(
        "% of the cohort that buys again · ··· month open",
        "% que vuelve a comprar · ··· mes abierto",
    );
    let empty = of.say("no cohort yet", "aún sin cohortes");
    of.table(
        Piece::BuyCohorts,
        vec![note.to_owned()],
        Table::new(columns, rows.collect(), empty),
    )
}

/// Headings and names of the months since the first order.
const MONTHS: [(&str, &str); 12] = [
    ("M0", "m0"),
    ("M1", "m1"),
    ("M2", "m2"),
    ("M3", "m3"),
    ("M4", "m4"),
    ("M5", "m5"),
    ("M6", "m6"),
    ("M7", "m7"),
    ("M8", "m8"),
    ("M9", "m9"),
    ("M10", "m10"),
    ("M11", "m11"),
];

fn top(of: &Context<'_>, view: &BuyersView) -> Sheet {
    let columns = vec![
        Col::right("place", "#", 3),
        Col::left("buyer", of.say("BUYER", "COMPRADOR"), 9).grow(1),
        Col::left("initials", of.say("NAME", "NOMBRE"), 6).optional(4),
        Col::right("orders", of.say("ORDERS", "PEDIDOS"), 7),
        Col::right("net", of.say("NET SPEND", "NETO"), 12),
        Col::right("next_12m", of.say("NEXT 12M ~", "12 MESES ~"), 10).optional(2),
        Col::left("last", of.say("LAST", "ÚLTIMO"), 7).optional(1),
        Col::left("segment", of.say("SEGMENT", "SEGMENTO"), 13).grow(1),
        Col::drawn(of.say("12 WEEKS", "12 SEMANAS"), 12).optional(3),
    ];
    let rows = view.top.iter().zip(1..).map(|(buyer, place)| {
        Row::new(vec![
            Cell::Count(place),
            Cell::Id(buyer.buyer_id),
            Cell::text(buyer.initials.clone()),
            Cell::Count(buyer.orders),
            Cell::Cents(buyer.cents),
            Cell::Money(buyer.next_cents),
            Cell::or_dash(buyer.last_day, Cell::Day),
            Cell::text(segment(of, &buyer.segment)),
            Cell::Trend(buyer.weeks.iter().map(|orders| Some(*orders as f64)).collect()),
        ])
        .to(Target::Buyer(buyer.buyer_id))
    });
    let note = of.say(
        "initials, no names · ~ estimate",
        "iniciales, sin nombres · ~ estimado",
    );
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("no buyer yet", "aún sin compradores"),
    )
    .list(&[(4, false), (3, false), (5, false), (6, false)]);
    of.table(Piece::BuyTop, vec![note.to_owned()], table)
}

fn values(of: &Context<'_>, view: &BuyersView) -> Sheet {
    let most = view.values.iter().map(|(_, buyers)| *buyers).max().unwrap_or(0);
    let all: i64 = view.values.iter().map(|(_, buyers)| *buyers).sum();
    let mut from = 0;
    let rows = view.values.iter().map(|(limit, buyers)| {
        let name = match limit {
            Some(limit) => format!("{}–{}", of.look.short_amount(from), of.look.short_amount(*limit)),
            None => format!("{} {}", of.say("over", "más de"), of.look.short_amount(from)),
        };
        from = limit.unwrap_or(from);
        Row::new(vec![
            Cell::text(name),
            Cell::Bar(*buyers, most, Role::Accent),
            Cell::Count(*buyers),
            Cell::Share(*buyers, all, 0),
        ])
    });
    let columns = vec![
        Col::left("value", "", 14),
        Col::drawn("", 6).grow(1),
        Col::right("buyers", "", 7),
        Col::right("share", "", 5),
    ];
    let (ever, quiet, gone) = view.quiet;
    let foot = format!(
        "{}: {} · {}: {}",
        of.say("quiet for 90 d", "callados 90 d"),
        of.marks().percent(quiet, ever, 0),
        of.say("for 180 d", "180 d"),
        of.marks().percent(gone, ever, 0)
    );
    let table = Table::new(columns, rows.collect(), "").foot(foot, Role::Muted);
    of.table(
        Piece::BuyValues,
        vec![of.say("buyers", "compradores").to_owned()],
        table,
    )
}

fn grid(of: &Context<'_>, view: &BuyersView) -> Sheet {
    let most = view.grid.iter().flatten().copied().max().unwrap_or(0);
    let mut columns = vec![Col::left("recency", of.say("RECENCY", "RECENCIA"), 10)];
    columns.extend((0..5).map(|index| Col::right(FM[index].1, FM[index].0, 8).grow(1)));
    let rows = view.grid.iter().enumerate().rev().map(|(score, row)| {
        let mut cells = vec![Cell::text(format!("R{}", score + 1))];
        cells.extend(
            row.iter()
                .map(|buyers| Cell::Heat(*buyers, most, of.marks().list_count(*buyers))),
        );
        Row::new(cells)
    });
    let note = of.say("5 is best · buyers", "5 es lo mejor · compradores");
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("not computed yet", "aún no calculado"),
    );
    of.table(Piece::BuyGrid, vec![note.to_owned()], table)
}

/// Headings and names of the scores of frequency and money.
const FM: [(&str, &str); 5] = [
    ("FM1", "fm1"),
    ("FM2", "fm2"),
    ("FM3", "fm3"),
    ("FM4", "fm4"),
    ("FM5", "fm5"),
];
