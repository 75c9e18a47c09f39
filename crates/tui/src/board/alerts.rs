//! Alerts: what the rules find now, and what they could not judge. Acknowledging and silencing belong to a worker that this
//! product does not have yet.

use instashop_core::alerts::{Evaluation, Finding, Held, Measured, Rule, Severity, State};
use instashop_core::view::AlertFacts;

use super::{Context, Piece};
use crate::app::Tab;
use crate::format::{clock, seconds};
use crate::reading::{Higher, Measure, Value};
use crate::sheet::table::Target;
use crate::sheet::{Cell, Col, Content, Figure, Row, Sheet, Table};
use crate::theme::Role;

pub(super) fn sheet(of: &Context<'_>, _facts: &AlertFacts, piece: Piece) -> Sheet {
    let (data, now) = of.app.shown();
    let evaluation = data.alerts(now);
    match piece {
        Piece::AleCounts => of.sheet(piece, vec![], Content::Figures(counts(of, &evaluation))),
        Piece::AleTable => list(of, &evaluation),
        Piece::AleDetail => detail(of, &evaluation),
        Piece::AleRules => rules(of, &evaluation),
        _ => seen(of),
    }
}

fn counts(of: &Context<'_>, evaluation: &Evaluation) -> Vec<Figure> {
    let count = |wanted: State| {
        evaluation
            .findings
            .iter()
            .filter(|finding| finding.state == wanted)
            .count() as i64
    };
    let figure = |label, value: i64, note: &str| {
        Figure::new("service_state", label, Some(Value::Count(value)), Higher::Bad).note(note)
    };
    let held = evaluation
        .held
        .iter()
        .filter(|(_, why)| *why != Held::NotMeasured)
        .count() as i64;
    let blind = evaluation.held.len() as i64 - held;
    vec![
        figure(of.say("FIRING", "ACTIVAS"), count(State::Firing), ""),
        figure(of.say("PENDING", "EN ESPERA"), count(State::Pending), ""),
        figure(
            of.say("UNKNOWN", "SIN SABER"),
            held,
            of.say("not judged", "sin juzgar"),
        ),
        figure(
            of.say("NOT MEASURED", "SIN MEDIR"),
            blind,
            of.say("nobody measures", "nadie mide"),
        ),
        figure(
            of.say("RULES", "REGLAS"),
            Rule::ALL.len() as i64,
            of.say("read only", "solo lectura"),
        ),
    ]
}

/// A measured value in words.
fn measured(of: &Context<'_>, value: Measured) -> String {
    let marks = of.marks();
    match value {
        Measured::Units(units) => format!("{} {}", marks.count(units), of.say("units", "unid.")),
        Measured::Rows(rows) => format!("{} {}", marks.count(rows), of.say("rows", "filas")),
        Measured::Days(milli) => Measure::Days.short(marks, milli),
        Measured::Mille(mille) => marks.percent(mille, 1000, 1),
        Measured::InARow(times) => format!("{times} {}", of.say("in a row", "seguidos")),
        Measured::Seconds(time) => seconds(time),
        Measured::Messages(count) => format!("{} {}", marks.count(count), of.say("messages", "mensajes")),
        Measured::Bytes(bytes) => marks.bytes(bytes),
        Measured::Cents(cents) => of.look.short_amount(cents),
        Measured::Signs(signs) => format!("{signs} {}", of.say("signs", "señales")),
    }
}

fn severity(of: &Context<'_>, finding: &Finding) -> Cell {
    match finding.severity {
        Severity::Critical => Cell::Text(of.say("CRIT", "CRÍT").to_owned(), Role::Bad),
        Severity::Warning => Cell::Text(of.say("WARN", "AVISO").to_owned(), Role::Warn),
        Severity::Info => Cell::Text("INFO".to_owned(), Role::Info),
    }
}

fn state(of: &Context<'_>, finding: &Finding) -> Cell {
    match finding.state {
        State::Firing => Cell::text(of.say("firing", "activa")),
        State::Pending => Cell::muted(of.say("pending", "en espera")),
    }
}

/// The tab that shows what a rule is about.
pub(crate) const fn tab_of(rule: Rule) -> Tab {
    match rule {
        Rule::OutOfStock | Rule::StockCritical | Rule::StockoutAhead => Tab::Inventory,
        Rule::PaymentFailures | Rule::MethodDown | Rule::SuspiciousOrder => Tab::Payments,
        Rule::SalesSilence | Rule::RevenueAnomaly => Tab::Sales,
        Rule::Overdue => Tab::Logistics,
        Rule::ConversionDrop => Tab::Behaviour,
        _ => Tab::System,
    }
}

fn list(of: &Context<'_>, evaluation: &Evaluation) -> Sheet {
    let columns = vec![
        Col::left("state", of.say("STATE", "ESTADO"), 9),
        Col::left("severity", "SEV", 5),
        Col::left("rule", of.say("RULE", "REGLA"), 16),
        Col::right("value", of.say("VALUE", "VALOR"), 11),
        Col::right("limit", of.say("LIMIT", "LÍMITE"), 11).optional(2),
        Col::right("count", of.say("COUNT", "CASOS"), 5),
        Col::right("since", of.say("SINCE", "DESDE"), 5),
        Col::left("scope", of.say("SCOPE", "SOBRE"), 12).grow(1),
        Col::left("tab", of.say("SEE", "VER"), 12).optional(1),
    ];
    let rows = evaluation.findings.iter().map(|finding| {
        let critical = finding.severity == Severity::Critical && finding.state == State::Firing;
        let tab = tab_of(finding.rule);
        Row::new(vec![
            state(of, finding),
            severity(of, finding),
            Cell::Text(finding.rule.name().to_owned(), Role::Strong),
            Cell::text(measured(of, finding.value)),
            Cell::muted(measured(of, finding.limit)),
            Cell::Count(finding.count),
            Cell::or_dash(finding.since, Cell::Ago),
            Cell::text(of.spoken(&finding.scope)),
            Cell::muted(format!("{} {}", tab.key(), of.look.texts().tab(tab))),
        ])
        .mark(if critical { "!!" } else { "" })
        .to(Target::Alert(finding.fingerprint()))
    });
    let empty = of.say("no rule finds anything", "ninguna regla encuentra nada");
    let table = Table::new(columns, rows.collect(), empty)
        .list(&[(1, true), (6, false), (2, true)])
        .marked();
    let note = format!(
        "{} {}",
        of.say("evaluated", "evaluado"),
        of.marks().age(of.now - of.board.read_at)
    );
    of.table(Piece::AleTable, vec![note], table)
}

/// What a rule says in a sentence, and what to do next.
fn sentence(of: &Context<'_>, finding: &Finding) -> (String, &'static str) {
    let (value, limit) = (measured(of, finding.value), measured(of, finding.limit));
    let scope = of.spoken(&finding.scope);
    let count = of.marks().count(finding.count);
    let (en, es, next_en, next_es) = match finding.rule {
        Rule::OutOfStock => (
            format!("{count} active products have nothing left; first {scope}"),
            format!("{count} productos activos sin unidades; primero {scope}"),
            "order, or take them off sale",
            "pedir, o retirarlos de la venta",
        ),
        Rule::StockCritical => (
            format!("{count} rows at or below their reorder point; first {scope}"),
            format!("{count} filas en su punto de pedido o debajo; primero {scope}"),
            "order the rows of tab 6, days of stock first",
            "pedir las filas de la pestaña 6, por días de stock",
        ),
        Rule::StockoutAhead => (
            format!("{scope} lasts {value}, a delivery takes {limit}; {count} rows"),
            format!("{scope} dura {value}, una entrega tarda {limit}; {count} filas"),
            "order before the day in the forecast of tab 6",
            "pedir antes del día del pronóstico de la pestaña 6",
        ),
        Rule::PaymentFailures => (
            format!("{value} of the attempts with {scope} fail; limit {limit}"),
            format!("falla el {value} de los intentos con {scope}; límite {limit}"),
            "ask the provider of the method; compare tab 3",
            "preguntar al proveedor del método; ver pestaña 3",
        ),
        Rule::MethodDown => (
            format!("{scope} failed {value}; nothing was paid with it since"),
            format!("{scope} falló {value}; nada se pagó con él desde entonces"),
            "switch the method off in the shop; ask its provider",
            "apagar el método en la tienda; preguntar a su proveedor",
        ),
        Rule::SalesSilence => (
            format!("no order for {value} where some are usual"),
            format!("ningún pedido en {value} cuando suele haber"),
            "open the shop; look at tab 0",
            "abrir la tienda; mirar la pestaña 0",
        ),
        Rule::RevenueAnomaly => (
            format!("the last hour brought {value}, usual is {limit}"),
            format!("la última hora trajo {value}, lo usual es {limit}"),
            "compare categories and methods of today",
            "comparar categorías y métodos de hoy",
        ),
        Rule::SuspiciousOrder => (
            format!("{count} orders of a day show several odd signs; newest {scope}"),
            format!("{count} pedidos de un día con señales raras; el último {scope}"),
            "review them before they are sent",
            "revisarlos antes de enviarlos",
        ),
        Rule::DataQuality => (
            format!("{value} broke the rule {scope}"),
            format!("{value} rompieron la regla {scope}"),
            "tab 0 lists them; dead letters can be replayed",
            "la pestaña 0 las lista; las cartas muertas se pueden repetir",
        ),
        Rule::Overdue => (
            format!("{value} of the deliveries by {scope} were late in seven days; limit {limit}"),
            format!("{value} de las entregas por {scope} llegaron tarde en siete días; límite {limit}"),
            "tab 8 lists what is late",
            "la pestaña 8 lista lo atrasado",
        ),
        Rule::ConversionDrop => (
            format!("yesterday {value} of the visits ordered; below {limit} is not chance"),
            format!("ayer pidió el {value} de las visitas; menos de {limit} no es azar"),
            "compare the funnel of tab 7 with a week ago",
            "comparar el embudo de la pestaña 7 con hace una semana",
        ),
        _ => (
            format!("{scope}: {value}, limit {limit}"),
            format!("{scope}: {value}, límite {limit}"),
            "tab 0 shows each part of the pipeline",
            "la pestaña 0 muestra cada parte",
        ),
    };
    let text = match of.look.language {
        crate::lang::Language::English => en,
        crate::lang::Language::Spanish => es,
    };
    (text, of.say(next_en, next_es))
}

fn detail(of: &Context<'_>, evaluation: &Evaluation) -> Sheet {
    let wanted = match super::selected(of.app, Piece::AleTable) {
        Some(Target::Alert(fingerprint)) => Some(fingerprint),
        _ => None,
    };
    let found = evaluation
        .findings
        .iter()
        .find(|finding| Some(finding.fingerprint()) == wanted)
        .or_else(|| evaluation.findings.first());
    let Some(finding) = found else {
        let words = of.say(
            "nothing is selected: no rule finds anything",
            "nada seleccionado: ninguna regla encuentra nada",
        );
        return of.sheet(Piece::AleDetail, vec![], Content::Nothing(words.to_owned()));
    };
    let (text, next) = sentence(of, finding);
    let line = |label: &str, text: String| Row::new(vec![Cell::muted(label), Cell::text(text)]);
    let mut rows = vec![
        line(of.say("what", "qué"), text),
        line(
            of.say("limit", "límite"),
            format!(
                "{} · {} {}",
                measured(of, finding.limit),
                of.say("must hold for", "debe durar"),
                seconds(finding.rule.hold().num_seconds())
            ),
        ),
        line(
            of.say("since", "desde"),
            finding.since.map_or_else(
                || "—".to_owned(),
                |at| format!("{} ({})", clock(at, of.look.zone), of.marks().age(of.now - at)),
            ),
        ),
        line(of.say("next", "sigue"), next.to_owned()),
        line(
            of.say("ack", "visto"),
            of.say(
                "needs the alert worker, which is not there yet",
                "necesita el proceso de alertas, que aún no está",
            )
            .to_owned(),
        ),
    ];
    for (index, item) in finding.items.iter().take(50).enumerate() {
        rows.push(line(
            if index == 0 { of.say("about", "sobre") } else { "" },
            item.clone(),
        ));
    }
    let columns = vec![Col::left("label", "", 8), Col::left("text", "", 20).grow(1)];
    let mut sheet = of.table(Piece::AleDetail, vec![], Table::new(columns, rows, ""));
    sheet.title = format!("{} · {}", finding.rule.name(), of.spoken(&finding.scope));
    sheet
}

fn held(of: &Context<'_>, why: Held) -> (&'static str, Role) {
    match why {
        Held::NoData => (
            of.say("unknown: no data yet", "sin saber: aún sin datos"),
            Role::Warn,
        ),
        Held::Stale => (
            of.say("unknown: data too old", "sin saber: datos viejos"),
            Role::Warn,
        ),
        Held::NotMeasured => (of.say("nobody measures it", "nadie lo mide"), Role::Muted),
        Held::TooYoung => (
            of.say("unknown: little history", "sin saber: poca historia"),
            Role::Muted,
        ),
    }
}

fn rules(of: &Context<'_>, evaluation: &Evaluation) -> Sheet {
    let rows = Rule::ALL.into_iter().map(|rule| {
        let why = evaluation.held.iter().find(|(known, _)| *known == rule);
        let findings: Vec<&Finding> = evaluation
            .findings
            .iter()
            .filter(|finding| finding.rule == rule)
            .collect();
        let (text, role) = match (why, findings.first()) {
            (Some((_, why)), _) => held(of, *why),
            (None, None) => (of.say("ok", "bien"), Role::Good),
            (None, Some(finding)) if finding.state == State::Firing => {
                (of.say("firing", "activa"), Role::Bad)
            }
            (None, Some(_)) => (of.say("pending", "en espera"), Role::Warn),
        };
        Row::new(vec![
            Cell::text(rule.name()),
            Cell::Text(text.to_owned(), role),
            Cell::muted(seconds(rule.hold().num_seconds())),
        ])
    });
    let columns = vec![
        Col::left("rule", of.say("RULE", "REGLA"), 16),
        Col::left("state", of.say("STATE", "ESTADO"), 22).grow(1),
        Col::right("holds", of.say("FOR", "DURA"), 6),
    ];
    let table = Table::new(columns, rows.collect(), "").list(&[(0, true), (1, true)]);
    of.table(Piece::AleRules, vec![], table)
}

fn seen(of: &Context<'_>) -> Sheet {
    let (data, _) = of.app.shown();
    let rows = data.alert_log.iter().rev().map(|(at, fingerprint, cleared)| {
        Row::new(vec![
            Cell::muted(clock(*at, of.look.zone)),
            if *cleared {
                Cell::Text(of.say("cleared", "cesó").to_owned(), Role::Good)
            } else {
                Cell::Text(of.say("seen", "vista").to_owned(), Role::Bad)
            },
            Cell::text(fingerprint.trim_end_matches(':').replace(':', " · ")),
        ])
    });
    let columns = vec![
        Col::left("at", "", 9),
        Col::left("what", "", 8),
        Col::left("alert", "", 16).grow(1),
    ];
    let table = Table::new(columns, rows.collect(), of.say("nothing yet", "nada aún")).list(&[(0, false)]);
    of.table(Piece::AleSeen, vec![], table)
}
