//! The rules of alerts over one look at the data (docs: kpis 5.1): what they find, read only and without a memory of their own.
//!
//! A rule that may not be judged is *held* and says why: stale data is unknown, never fine. How long a condition has held is
//! the caller's to remember (`seen`); a condition younger than its rule asks for is pending.
//!
//! - `rules`: the rules, their limits and what each finds
//! - `chance`: the bounds and probabilities they use

mod chance;
mod rules;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::view::{AlertFacts, FlowHealth};

pub use rules::Rule;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Act now.
    Critical,
    /// Look soon.
    Warning,
    /// Good to know.
    Info,
}

/// State of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The condition has held long enough.
    Firing,
    /// It holds, not long enough yet.
    Pending,
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// Pieces of goods.
    Units(i64),
    /// Rows or orders.
    Rows(i64),
    /// Days, in thousandths.
    Days(i64),
    /// A share, in thousandths.
    Mille(i64),
    /// Attempts in a row.
    InARow(i64),
    /// Seconds.
    Seconds(i64),
    /// Messages.
    Messages(i64),
    /// Bytes.
    Bytes(i64),
    /// Cents.
    Cents(i64),
    /// Signs of an odd order.
    Signs(i64),
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Firing or pending.
    pub state: State,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about: a method, a product, a topic; the first of several.
    pub scope: String,
    /// The value.
    pub value: Measured,
    /// Its limit.
    pub limit: Measured,
    /// How many things it is about.
    pub count: i64,
    /// Since when, as the data or this observer know it.
    pub since: Option<DateTime<Utc>>,
    /// What it is about, one by one, the worst first.
    pub items: Vec<String>,
}

impl Finding {
    /// What identifies it: value and text are not part of it (docs: kpis 5.2).
    pub fn fingerprint(&self) -> String {
        format!(
            "{}:{}",
            self.rule.name(),
            if self.rule.is_grouped() { "" } else { &self.scope }
        )
    }
}

/// Why a rule was not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Its data have not come.
    NoData,
    /// Its data are more than two minutes behind: a silent pipeline looks like no sales (docs: kpis 5.2).
    Stale,
    /// Nothing publishes what it looks at.
    NotMeasured,
    /// Too little history.
    TooYoung,
}

/// What one look gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evaluation {
    /// Findings, worst first.
    pub findings: Vec<Finding>,
    /// Rules that were not judged, and why.
    pub held: Vec<(Rule, Held)>,
}

/// What the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Facts of the warehouse, with the cut they stand for.
    pub facts: Option<(&'a AlertFacts, Option<DateTime<Utc>>)>,
    /// The live flow and the warehouse flow.
    pub flows: [Option<&'a FlowHealth>; 2],
    /// When this observer first saw each fingerprint without a break.
    pub seen: &'a BTreeMap<String, DateTime<Utc>>,
}

/// Data further behind hold the rules of the business.
pub const STALE: TimeDelta = TimeDelta::minutes(2);

/// Judges every rule at a moment.
pub fn evaluate(inputs: &Inputs<'_>, now: DateTime<Utc>) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for rule in Rule::ALL {
        let hold = match (rule.is_business(), inputs.facts) {
            (true, None) => Some(Held::NoData),
            (true, Some((_, as_of))) if as_of.is_none_or(|at| now - at > STALE) => Some(Held::Stale),
            (false, _) if rule.needs_flows() && inputs.flows.iter().all(Option::is_none) => {
                Some(Held::NoData)
            }
            _ => None,
        };
        let judged = match hold {
            Some(held) => Err(held),
            None => rules::judge(rule, inputs, now),
        };
        match judged {
            Ok(findings) => evaluation.findings.extend(findings),
            Err(held) => evaluation.held.push((rule, held)),
        }
    }
    for finding in &mut evaluation.findings {
        let first = inputs.seen.get(&finding.fingerprint()).copied();
        finding.since = match (finding.since, first) {
            (Some(data), Some(seen)) => Some(data.min(seen)),
            (data, seen) => data.or(seen),
        };
        let held_for = finding.since.map_or(TimeDelta::zero(), |since| now - since);
        if held_for < finding.rule.hold() {
            finding.state = State::Pending;
        }
    }
    mute(&mut evaluation.findings);
    evaluation.findings.sort_by(|a, b| {
        (a.state, a.severity, a.rule)
            .cmp(&(b.state, b.severity, b.rule))
            .then_with(|| a.scope.cmp(&b.scope))
    });
    evaluation
}

/// A method that is down explains its failures (docs: kpis 5.2, inhibition).
fn mute(findings: &mut Vec<Finding>) {
    let down: Vec<String> = findings
        .iter()
        .filter(|finding| finding.rule == Rule::MethodDown)
        .map(|finding| finding.scope.clone())
        .collect();
    findings.retain(|finding| finding.rule != Rule::PaymentFailures || !down.contains(&finding.scope));
}

#[cfg(test)]
mod tests;
