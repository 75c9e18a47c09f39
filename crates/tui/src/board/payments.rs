//! Payments: is a method broken, is money stuck?

use instashop_core::view::{MethodAttempts, Pair, PaymentsView};

use super::{Context, Piece, shares};
use crate::format::{hour_minute, seconds};
use crate::reading::{Higher, SMALL_SAMPLE, Value};
use crate::sheet::table::Target;
use crate::sheet::{Bucket, Cell, Col, Content, Course, Figure, Form, Line, Row, Sheet, Table, Unit};
use crate::theme::Role;

/// Success under its own week by more than this many per mille is marked.
const WEAK_PER_MILLE: i64 = 50;

pub(super) fn sheet(of: &Context<'_>, view: &PaymentsView, piece: Piece) -> Sheet {
    match piece {
        Piece::PayFigures => of.sheet(piece, vec![], Content::Figures(figures(of, view))),
        Piece::PayMethods => methods(of, view),
        Piece::PayHours => hours(of, view),
        Piece::PayPending => pending(of, view),
        Piece::PayShare => mix(of, view),
        Piece::PayRisk => risk(of, view),
        Piece::PayHeat => heat(of, view),
        Piece::PayLadder => ladder(of, view),
        Piece::PayList => list(of, view),
        _ => stores(of, view),
    }
}

fn sum(view: &PaymentsView, of: fn(&MethodAttempts) -> Pair) -> Pair {
    view.methods
        .iter()
        .map(of)
        .fold(Pair::default(), |sum, pair| Pair {
            now: sum.now + pair.now,
            before: sum.before + pair.before,
        })
}

const fn plus(a: Pair, b: Pair) -> Pair {
    Pair {
        now: a.now + b.now,
        before: a.before + b.before,
    }
}

const fn minus(a: Pair, b: Pair) -> Pair {
    Pair {
        now: a.now - b.now,
        before: a.before - b.before,
    }
}

fn figures(of: &Context<'_>, view: &PaymentsView) -> Vec<Figure> {
    let (paid, failed) = (sum(view, |row| row.paid), sum(view, |row| row.failed));
    let attempts = plus(paid, failed);
    let recovered = sum(view, |row| row.recovered);
    let (orders, cents) = view
        .ages
        .iter()
        .fold((0, 0), |sum, age| (sum.0 + age.orders, sum.1 + age.cents));
    let hours = shares(
        view.hours
            .iter()
            .map(|hour| (hour.now.0, hour.now.0 + hour.now.1)),
    );
    let live = of.live("payment_success").map(|live| &live.totals);
    let live = live.map(|totals| (totals.orders, totals.orders + totals.failed));
    vec![
        of.ratio(
            "payment_success",
            of.say("SUCCESS", "ÉXITO"),
            paid,
            attempts,
            Higher::Good,
        )
        .or_live(live.map(|(paid, attempts)| Value::Share(paid, attempts)))
        .note(format!(
            "n={}",
            of.marks()
                .count(live.map_or(attempts.now, |(_, attempts)| attempts))
        ))
        .trend(hours),
        of.ratio(
            "payment_success",
            of.say("AFTER RETRIES", "TRAS REINTENTOS"),
            paid,
            minus(attempts, recovered),
            Higher::Good,
        ),
        Figure::new(
            "pending",
            of.say("PENDING", "PENDIENTE"),
            Some(Value::Money(cents)),
            Higher::Bad,
        )
        .note(format!(
            "{} {}",
            of.marks().count(orders),
            of.say("orders", "pedidos")
        )),
        of.pair(
            "revenue_at_risk",
            of.say("AT RISK", "EN RIESGO"),
            sum(view, |row| row.at_risk_cents),
            Value::Money,
            Higher::Bad,
        ),
    ]
}

/// True when a method does much worse than in its own week.
fn is_weak(row: &MethodAttempts) -> bool {
    let (now, week) = (row.paid.now + row.failed.now, row.week.0 + row.week.1);
    now >= SMALL_SAMPLE
        && week >= SMALL_SAMPLE
        && i128::from(row.paid.now) * i128::from(week) * 1000
            < (i128::from(row.week.0) * 1000 - i128::from(WEAK_PER_MILLE) * i128::from(week))
                * i128::from(now)
}

fn methods(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let columns = vec![
        Col::left("method", of.say("METHOD", "MÉTODO"), 13).grow(2),
        Col::right("paid", of.say("PAID", "PAGADOS"), 7),
        Col::right("failed", of.say("FAILED", "FALLIDOS"), 8),
        Col::right("success", of.say("SUCCESS", "ÉXITO"), 8),
        Col::drawn("", 10).grow(2).optional(4),
        Col::right("week", of.say("7D BASE", "BASE 7D"), 8).optional(2),
        Col::right("last_paid", of.say("LAST PAID", "ÚLT. PAGO"), 9).optional(1),
        Col::drawn(of.say("TREND 24H", "CURSO 24H"), 12)
            .grow(1)
            .optional(3),
        Col::right("revenue", of.say("REVENUE", "INGRESOS"), 8).optional(5),
        Col::right("pending_change", "Δ", 9).optional(6),
    ];
    let mut rows: Vec<&MethodAttempts> = view.methods.iter().collect();
    rows.sort_by(|a, b| {
        let share = |row: &MethodAttempts| (row.paid.now as f64) / ((row.paid.now + row.failed.now) as f64);
        match (a.paid.now + a.failed.now, b.paid.now + b.failed.now) {
            (0, 0) => a.method.cmp(&b.method),
            (0, _) => std::cmp::Ordering::Greater,
            (_, 0) => std::cmp::Ordering::Less,
            _ => share(a)
                .total_cmp(&share(b))
                .then_with(|| a.method.cmp(&b.method)),
        }
    });
    let rows = rows.into_iter().map(|row| {
        let attempts = row.paid.now + row.failed.now;
        let weak = is_weak(row);
        let success = Cell::Share(row.paid.now, attempts, 1);
        let base = of.base(Value::Share(row.paid.before, row.paid.before + row.failed.before));
        Row::new(vec![
            Cell::text(of.spoken(&row.method)),
            Cell::Count(row.paid.now),
            Cell::Count(row.failed.now),
            if weak {
                Cell::Alarm(Box::new(success), Role::Bad)
            } else {
                success
            },
            Cell::Bar(row.paid.now, attempts, super::role_if(weak)),
            Cell::Share(row.week.0, row.week.0 + row.week.1, 1),
            Cell::or_dash(row.last_paid_at, Cell::Ago),
            Cell::Trend(shares(
                row.hours.iter().map(|(paid, failed)| (*paid, paid + failed)),
            )),
            Cell::Money(row.revenue_cents),
            Cell::Change(Value::Share(row.paid.now, attempts), base, Higher::Good),
        ])
        .mark(if weak { "!!" } else { "" })
        .to(Target::Method(row.method.clone()))
    });
    let empty = of.say("no payment attempts", "sin intentos de pago");
    let table = Table::new(columns, rows.collect(), empty)
        .list(&[(3, true), (1, false), (2, false), (8, false), (0, true)])
        .marked();
    of.table(Piece::PayMethods, vec![of.range()], table)
}

fn hours(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let now = shares(
        view.hours
            .iter()
            .map(|hour| (hour.now.0, hour.now.0 + hour.now.1)),
    );
    let week = shares(
        view.hours
            .iter()
            .map(|hour| (hour.week.0, hour.week.0 + hour.week.1)),
    );
    if now.iter().all(Option::is_none) {
        let words = of.say("no payment attempts in 24 h", "sin intentos de pago en 24 h");
        return of.sheet(Piece::PayHours, vec![], Content::Nothing(words.to_owned()));
    }
    let lowest = now.iter().chain(&week).flatten().copied().fold(1.0, f64::min);
    let base = of.say("7-day base", "base 7 días");
    let bucket = |hour: &instashop_core::view::AttemptHour| Bucket {
        since: hour.start,
        until: hour.start + chrono::TimeDelta::hours(1),
        label: hour_minute(hour.start, of.look.zone),
    };
    let course = Course {
        buckets: view.hours.iter().map(bucket).collect(),
        lines: vec![
            Line::dotted(base, week, Role::Prev),
            Line::solid(of.say("now", "ahora"), now, Role::Accent),
        ],
        unit: Unit::Percent,
        form: Form::Curve(((lowest * 10.0).floor() / 10.0).min(0.9)),
        labels: (0..view.hours.len()).step_by(6).collect(),
        open: None,
    };
    of.sheet(
        Piece::PayHours,
        vec![format!("┄ {base}")],
        Content::Course(course),
    )
}

fn pending(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let names = [
        of.say("under 5 m", "menos de 5 m"),
        "5–30 m",
        "30 m–2 h",
        "2–24 h",
        of.say("over 24 h", "más de 24 h"),
    ];
    let most = view.ages.iter().map(|age| age.orders).max().unwrap_or(0);
    let total = view
        .ages
        .iter()
        .fold((0, 0), |sum, age| (sum.0 + age.orders, sum.1 + age.cents));
    let rows = view.ages.iter().zip(names).map(|(age, name)| {
        let old = age.up_to_s.is_none() && age.orders > 0;
        Row::new(vec![
            if old {
                Cell::Alarm(Box::new(Cell::text(format!("{name} "))), Role::Bad)
            } else {
                Cell::text(name)
            },
            Cell::Bar(age.orders, most, super::role_if(old)),
            Cell::Count(age.orders),
            Cell::Money(age.cents),
        ])
    });
    let columns = vec![
        Col::left("age", "", 12),
        Col::drawn("", 6).grow(1),
        Col::right("orders", "", 6),
        Col::right("amount", "", 8),
    ];
    let mut table = Table::new(columns, rows.collect(), of.say("nothing waits", "nada espera"));
    if let Some(oldest) = view.pending.first() {
        let age = seconds((of.now - oldest.ordered_at).num_seconds());
        let text = format!(
            "{} {age}: {} {}  {}",
            of.say("oldest", "el más viejo"),
            of.say("order", "pedido"),
            oldest.order_id,
            of.spoken(&oldest.method)
        );
        table = table.foot(text, Role::Muted);
    }
    let note = format!(
        "{} · {}",
        of.marks().count(total.0),
        of.look.short_amount(total.1)
    );
    of.table(Piece::PayPending, vec![note], table)
}

fn mix(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let (paid, cents) = view.methods.iter().fold((0, 0), |sum, row| {
        (sum.0 + row.paid.now, sum.1 + row.revenue_cents)
    });
    let mut rows: Vec<&MethodAttempts> = view.methods.iter().filter(|row| row.paid.now > 0).collect();
    rows.sort_by(|a, b| {
        b.revenue_cents
            .cmp(&a.revenue_cents)
            .then_with(|| a.method.cmp(&b.method))
    });
    let rows = rows.into_iter().map(|row| {
        Row::new(vec![
            Cell::text(of.spoken(&row.method)),
            Cell::Bar(row.paid.now, paid, Role::Accent),
            Cell::Share(row.paid.now, paid, 0),
            Cell::Bar(row.revenue_cents, cents, Role::S2),
            Cell::Share(row.revenue_cents, cents, 0),
        ])
    });
    let columns = vec![
        Col::left("method", "", 10).grow(1),
        Col::drawn("", 6).grow(1),
        Col::right("orders", "", 5),
        Col::drawn("", 6).grow(1),
        Col::right("money", "", 5),
    ];
    let note = of.say("orders · money", "pedidos · dinero").to_owned();
    let table = Table::new(columns, rows.collect(), of.say("nothing paid", "nada pagado"));
    of.table(Piece::PayShare, vec![note], table)
}

fn risk(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let total = sum(view, |row| row.at_risk_cents);
    let mut rows: Vec<&MethodAttempts> = view
        .methods
        .iter()
        .filter(|row| row.at_risk_cents.now > 0)
        .collect();
    rows.sort_by(|a, b| {
        b.at_risk_cents
            .now
            .cmp(&a.at_risk_cents.now)
            .then_with(|| a.method.cmp(&b.method))
    });
    let most = rows.first().map_or(0, |row| row.at_risk_cents.now);
    let rows = rows.into_iter().map(|row| {
        let base = of.base(Value::Money(row.at_risk_cents.before));
        Row::new(vec![
            Cell::text(of.spoken(&row.method)),
            Cell::Bar(row.at_risk_cents.now, most, Role::Warn),
            Cell::Money(row.at_risk_cents.now),
            Cell::Change(Value::Money(row.at_risk_cents.now), base, Higher::Bad),
        ])
        .to(Target::Method(row.method.clone()))
    });
    let columns = vec![
        Col::left("method", "", 11).grow(1),
        Col::drawn("", 6).grow(1),
        Col::right("at_risk", "", 7),
        Col::right("change", "", 7).optional(1),
    ];
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("every failure was paid later", "todo fallo se pagó después"),
    );
    of.table(
        Piece::PayRisk,
        vec![of.look.short_amount(total.now), of.range()],
        table,
    )
}

fn heat(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let mut columns = vec![Col::left("method", "", 13)];
    let hours: Vec<u32> = view
        .hours
        .iter()
        .map(|hour| chrono::Timelike::hour(&hour.start.with_timezone(&of.look.zone)))
        .collect();
    columns.extend((0..24).map(|index| {
        let hour = hours.get(index).copied().unwrap_or(0) as usize;
        Col::left(
            "hour",
            if hour.is_multiple_of(3) {
                HOURS[hour / 3]
            } else {
                ""
            },
            3,
        )
        .grow(1)
    }));
    let rows = view.methods.iter().map(|row| {
        let mut cells = vec![Cell::text(of.spoken(&row.method))];
        cells.extend(row.hours.iter().map(|(paid, failed)| match paid + failed {
            0 => Cell::Heat(0, 100, String::new()),
            all => Cell::Heat((failed * 400 / all).clamp(1, 100), 100, String::new()),
        }));
        Row::new(cells)
    });
    let note = of.say(
        "░ few failures █ a quarter and more",
        "░ pocos fallos █ un cuarto o más",
    );
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("no payment attempts", "sin intentos de pago"),
    );
    of.table(Piece::PayHeat, vec![note.to_owned()], table)
}

/// Every third hour, as a heading.
const HOURS: [&str; 8] = ["00", "03", "06", "09", "12", "15", "18", "21"];

fn ladder(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let failed = sum(view, |row| row.failed).now;
    let recovered = sum(view, |row| row.recovered).now;
    let cents = sum(view, |row| row.at_risk_cents).now;
    let rows = [
        (of.say("failed attempts", "intentos fallidos"), failed, Role::Warn),
        (
            of.say("paid within 24 h", "pagados en 24 h"),
            recovered,
            Role::Good,
        ),
        (
            of.say("lost or still open", "perdidos o abiertos"),
            failed - recovered,
            Role::Bad,
        ),
    ];
    let rows = rows.into_iter().map(|(name, count, role)| {
        Row::new(vec![
            Cell::text(name),
            Cell::Bar(count, failed, role),
            Cell::Count(count),
            Cell::Share(count, failed, 0),
        ])
    });
    let columns = vec![
        Col::left("step", "", 20),
        Col::drawn("", 8).grow(1),
        Col::right("attempts", "", 7),
        Col::right("share", "", 6),
    ];
    let table = Table::new(columns, rows.collect(), "").foot(
        format!(
            "{} {}",
            of.say("not recovered:", "no recuperado:"),
            of.look.amount(cents)
        ),
        Role::Muted,
    );
    of.table(Piece::PayLadder, vec![of.range()], table)
}

fn list(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let columns = vec![
        Col::right("order", of.say("ORDER", "PEDIDO"), 9),
        Col::left("store", of.say("STORE", "TIENDA"), 12).grow(2),
        Col::left("method", of.say("METHOD", "MÉTODO"), 12).grow(1),
        Col::right("amount", of.say("AMOUNT", "IMPORTE"), 11),
        Col::right("since", of.say("AGE", "EDAD"), 6),
    ];
    let rows = view.pending.iter().map(|order| {
        Row::new(vec![
            Cell::Id(order.order_id),
            Cell::text(order.store.clone()),
            Cell::muted(of.spoken(&order.method)),
            Cell::Cents(order.cents),
            Cell::Ago(order.ordered_at),
        ])
        .to(Target::Order(order.order_id))
    });
    let table = Table::new(columns, rows.collect(), of.say("nothing waits", "nada espera")).list(&[
        (4, false),
        (3, false),
        (1, true),
    ]);
    of.table(Piece::PayList, vec![], table)
}

fn stores(of: &Context<'_>, view: &PaymentsView) -> Sheet {
    let columns = vec![
        Col::left("store", of.say("STORE", "TIENDA"), 14).grow(2),
        Col::right("paid", of.say("PAID", "PAGADOS"), 7),
        Col::right("failed", of.say("FAILED", "FALLIDOS"), 8),
        Col::right("success", of.say("SUCCESS", "ÉXITO"), 8),
        Col::drawn("", 8).grow(1),
    ];
    let rows = view.stores.iter().map(|row| {
        let attempts = row.paid + row.failed;
        Row::new(vec![
            Cell::text(row.store.clone()),
            Cell::Count(row.paid),
            Cell::Count(row.failed),
            Cell::Share(row.paid, attempts, 1),
            Cell::Bar(row.paid, attempts, Role::Accent),
        ])
        .to(Target::Store(row.store_id))
    });
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("no payment attempts", "sin intentos de pago"),
    )
    .list(&[(3, true), (2, false), (0, true)]);
    of.table(Piece::PayStores, vec![of.range()], table)
}
