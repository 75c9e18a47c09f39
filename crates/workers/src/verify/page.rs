//! The proof as a table for people.

use instashop_core::view::{SealedDays, TableDrift};

/// One thing that was compared: a table or a total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Name as the proof gives it.
    pub(super) name: String,
    /// What the source says; `None` when this line does not ask it.
    pub(super) source: Option<String>,
    /// What the warehouse says at the same cut.
    pub(super) warehouse: String,
    /// What Redis says at the same cut; `None` when it does not hold it.
    pub(super) live: Option<String>,
    /// Differing keys.
    pub(super) drift: i64,
    /// The first of them.
    pub(super) named: Vec<String>,
}

impl Line {
    /// The line as the dashboard keeps it.
    pub(super) fn of_proof(&self) -> TableDrift {
        TableDrift {
            name: self.name.clone(),
            source: self.source.clone().unwrap_or_default(),
            warehouse: self.warehouse.clone(),
            live: self.live.clone().unwrap_or_default(),
            drift: self.drift,
        }
    }
}

/// Cents as an amount.
pub(super) fn cents(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:02}", value / 100, value % 100)
}

/// The table: one line per comparison, the differing keys below their line, `drift N` at the end.
pub(super) fn text(lines: &[Line], sealed: Option<SealedDays>, faults: &[String], drift: i64) -> String {
    let mut text = table(lines);
    text.extend(sealed.map(of_sealed));
    text.extend(
        faults
            .iter()
            .map(|fault| format!("redis contradicts itself: {fault}")),
    );
    text.push(format!("drift {drift}"));
    text.join("\n") + "\n"
}

/// What is to be said of sealed days.
fn of_sealed(sealed: SealedDays) -> String {
    let again = "so their totals are not compared; `instashop etl` writes them again";
    let said = match (sealed.written_at, sealed.late) {
        (Some(_), 0) => "their totals are compared".to_owned(),
        (Some(_), 1) => format!("1 change came late, {again}"),
        (Some(_), late) => format!("{late} changes came late, {again}"),
        (None, _) => "their totals are not written yet; `instashop etl` does it".to_owned(),
    };
    format!("days before {} are sealed: {said}", sealed.boundary)
}

/// The rows of the table.
pub(super) fn table(lines: &[Line]) -> Vec<String> {
    let rows: Vec<[String; 5]> = lines
        .iter()
        .map(|line| {
            let held = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".into());
            [
                line.name.clone(),
                held(&line.source),
                line.warehouse.clone(),
                held(&line.live),
                line.drift.to_string(),
            ]
        })
        .collect();
    let head = ["", "source", "warehouse", "redis", "drift"].map(str::to_owned);
    let mut widths = [0; 5];
    for row in rows.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let row = |cells: &[String; 5]| {
        let [name, rest @ ..] = cells;
        let rest = rest.iter().zip(&widths[1..]);
        let rest: Vec<String> = rest.map(|(cell, width)| format!("  {cell:>width$}")).collect();
        format!("{name:<width$}{}", rest.concat(), width = widths[0])
    };
    let mut text = vec![row(&head)];
    for (line, cells) in lines.iter().zip(&rows) {
        text.push(row(cells));
        text.extend(line.named.iter().map(|named| format!("    {named}")));
        let more = line.drift - line.named.len() as i64;
        if more > 0 {
            text.push(format!("    and {more} more"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_both_kinds_of_lines() {
        let lines = vec![
            Line {
                name: "transaction".into(),
                source: Some("12034".into()),
                warehouse: "12034".into(),
                live: Some("12034".into()),
                drift: 0,
                named: vec![],
            },
            Line {
                name: "revenue by day".into(),
                source: Some(cents(1_234_567)),
                warehouse: cents(1_234_467),
                live: None,
                drift: 12,
                named: vec!["2026-11-21 revenue_cents: source 10000, warehouse nothing".into()],
            },
        ];
        let faults = ["2026-11-21: 3 buyers are counted, 2 are there".to_owned()];
        let sealed = SealedDays {
            boundary: "2026-10-17".parse().unwrap(),
            has_left: true,
            late: 3,
            written_at: Some("2026-11-22T10:00:00Z".parse().unwrap()),
        };
        insta::assert_snapshot!(text(&lines, Some(sealed), &faults, 13));
    }

    #[test]
    fn amounts_keep_their_sign_and_their_cents() {
        assert_eq!(cents(5), "0.05");
        assert_eq!(cents(-123), "-1.23");
        assert_eq!(cents(i128::from(i64::MAX)), "92233720368547758.07");
    }
}
