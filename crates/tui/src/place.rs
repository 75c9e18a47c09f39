//! What a board shows, as text: the words of flags, of the command prompt and of links are the same, and read here alone.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use instashop_core::view::{Ask, Basis, Range};

use crate::app::Tab;
use crate::snapshot::today::to_utc;

/// Beginning of a link.
const SCHEME: &str = "instashop://";

/// Most days of a range: as many as the warehouse answers for without haste.
const MOST_DAYS: u16 = 400;

/// What a text could not be read as; the language says what to give instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// A tab.
    Tab,
    /// A range.
    Range,
    /// A comparison.
    Basis,
    /// A store.
    Store,
    /// A moment.
    Moment,
    /// A moment that is still to come.
    Future,
    /// A form of export.
    Form,
    /// A language.
    Language,
    /// A theme.
    Theme,
    /// A link.
    Link,
    /// A preset.
    Preset,
    /// An action that takes no more words.
    NoArgument,
}

/// A tab by its name.
pub fn tab(text: &str) -> Result<Tab, Wrong> {
    let found = Tab::ALL.into_iter().find(|tab| tab.name() == text);
    found.ok_or(Wrong::Tab)
}

/// `today`, `yesterday`, `30d`.
pub fn range(text: &str) -> Result<Range, Wrong> {
    match text {
        "today" => Ok(Range::Today),
        "yesterday" => Ok(Range::Yesterday),
        days => {
            let days = days.strip_suffix('d').and_then(|days| days.parse().ok());
            let days = days.filter(|days| (1..=MOST_DAYS).contains(days));
            days.map(Range::Days).ok_or(Wrong::Range)
        }
    }
}

/// The text of [`range`].
pub fn range_text(range: Range) -> String {
    match range {
        Range::Today => "today".into(),
        Range::Yesterday => "yesterday".into(),
        Range::Days(days) => format!("{days}d"),
    }
}

/// `previous`, `weekday`, `year`, or the first day: `2026-08-03`.
pub fn basis(text: &str) -> Result<Basis, Wrong> {
    match text {
        "previous" => Ok(Basis::Previous),
        "weekday" => Ok(Basis::Weekday),
        "year" => Ok(Basis::Year),
        day => day.parse().map(Basis::From).map_err(|_| Wrong::Basis),
    }
}

/// The text of [`basis`].
pub fn basis_text(basis: Basis) -> String {
    match basis {
        Basis::Previous => "previous".into(),
        Basis::Weekday => "weekday".into(),
        Basis::Year => "year".into(),
        Basis::From(day) => day.to_string(),
    }
}

/// `all` or the number of a store.
pub fn store(text: &str) -> Result<Option<i64>, Wrong> {
    match text {
        "all" => Ok(None),
        number => number.parse().map(Some).map_err(|_| Wrong::Store),
    }
}

/// `now`; a clock time of today, `09:00`; a date with one, `2026-08-21 09:00`, both in the reporting zone; or ISO with an
/// offset. A date alone is its end, so that it stands for the whole day.
pub fn moment(text: &str, now: DateTime<Utc>, zone: Tz) -> Result<Option<DateTime<Utc>>, Wrong> {
    if text == "now" {
        return Ok(None);
    }
    let today = now.with_timezone(&zone).date_naive();
    let time = |text: &str| {
        let forms = ["%H:%M:%S", "%H:%M"];
        forms
            .into_iter()
            .find_map(|form| NaiveTime::parse_from_str(text, form).ok())
    };
    let local = |text: &str| -> Option<NaiveDateTime> {
        let (date, clock) = text.split_once([' ', 'T'])?;
        Some(date.parse::<NaiveDate>().ok()?.and_time(time(clock)?))
    };
    let at = if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        at.with_timezone(&Utc)
    } else if let Some(local) = local(text) {
        to_utc(local, zone)
    } else if let Some(clock) = time(text) {
        to_utc(today.and_time(clock), zone)
    } else {
        let day: NaiveDate = text.parse().map_err(|_| Wrong::Moment)?;
        let next = day.succ_opt().ok_or(Wrong::Moment)?;
        let end = to_utc(next.and_time(NaiveTime::MIN), zone);
        return Ok((end <= now).then_some(end));
    };
    if at > now {
        return Err(Wrong::Future);
    }
    Ok(Some(at))
}

/// What a board shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Tab.
    pub tab: Tab,
    /// Range, comparison and store.
    pub ask: Ask,
    /// The moment it is as of; `None` is the present.
    pub at: Option<DateTime<Utc>>,
}

impl Place {
    /// The link that leads here.
    pub fn link(&self) -> String {
        let store = self.ask.store.map(|store| format!("&store={store}"));
        let at = self.at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        let at = at.map(|at| format!("&at={at}"));
        format!(
            "{SCHEME}{}?range={}&compare={}{}{}",
            self.tab.name(),
            range_text(self.ask.range),
            basis_text(self.ask.basis),
            store.unwrap_or_default(),
            at.unwrap_or_default()
        )
    }

    /// Where a link leads; what it does not name is that of `from`, but for store and moment: those are none. The scheme may be
    /// left out.
    pub fn read(link: &str, from: Self, now: DateTime<Utc>, zone: Tz) -> Result<Self, Wrong> {
        let link = link.strip_prefix(SCHEME).unwrap_or(link);
        let (name, rest) = link.split_once('?').unwrap_or((link, ""));
        let mut place = Self {
            tab: tab(name.trim_end_matches('/'))?,
            ask: Ask {
                store: None,
                ..from.ask
            },
            at: None,
        };
        for pair in rest.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').ok_or(Wrong::Link)? {
                ("range", value) => place.ask.range = range(value)?,
                ("compare", value) => place.ask.basis = basis(value)?,
                ("store", value) => place.ask.store = store(value)?,
                ("at", value) => place.at = moment(value, now, zone)?,
                _ => return Err(Wrong::Link),
            }
        }
        Ok(place)
    }
}

/// The name among some that is least edits away; `None` when all are far.
pub fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let far = text.chars().count().max(3) / 2 + 1;
    let near = names.map(|name| (edits(text, name), name)).min();
    near.filter(|(edits, _)| *edits < far).map(|(_, name)| name)
}

/// Letters to insert, delete or change to make one text of another.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, b) in to.chars().enumerate() {
            let changed = corner + usize::from(a != b);
            corner = row[column + 1];
            row[column + 1] = changed.min(corner + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZONE: Tz = chrono_tz::America::Argentina::Buenos_Aires;

    fn now() -> DateTime<Utc> {
        "2026-08-21T17:05:02Z".parse().unwrap()
    }

    #[test]
    fn moments() {
        for (text, expected) in [
            ("now", Ok(None)),
            ("09:00", Ok(Some("2026-08-21T12:00:00Z"))),
            ("2026-08-20 09:00", Ok(Some("2026-08-20T12:00:00Z"))),
            ("2026-08-20T09:00:30", Ok(Some("2026-08-20T12:00:30Z"))),
            ("2026-08-20T09:00:00Z", Ok(Some("2026-08-20T09:00:00Z"))),
            ("2026-08-20", Ok(Some("2026-08-21T03:00:00Z"))),
            ("2026-08-21", Ok(None)),
            ("15:00", Err(Wrong::Future)),
            ("2027-01-01 00:00", Err(Wrong::Future)),
            ("soon", Err(Wrong::Moment)),
            ("2026-02-30", Err(Wrong::Moment)),
            ("", Err(Wrong::Moment)),
        ] {
            let expected = expected.map(|at| at.map(|at| at.parse::<DateTime<Utc>>().unwrap()));
            assert_eq!(moment(text, now(), ZONE), expected, "{text}");
        }
    }

    #[test]
    fn links_that_lead_nowhere() {
        let from = Place {
            tab: Tab::Live,
            ask: Ask {
                range: Range::Days(30),
                basis: Basis::Previous,
                store: Some(3),
            },
            at: None,
        };
        let read = |link| Place::read(link, from, now(), ZONE);
        let sales = read("sales").unwrap();
        assert_eq!((sales.tab, sales.ask.store), (Tab::Sales, None));
        for (link, wrong) in [
            ("instashop://carts", Wrong::Tab),
            ("", Wrong::Tab),
            ("sales?range=0d", Wrong::Range),
            ("sales?range=401d", Wrong::Range),
            ("sales?range=7", Wrong::Range),
            ("sales?store=x", Wrong::Store),
            ("sales?compare=never", Wrong::Basis),
            ("sales?at=2030-01-01 00:00", Wrong::Future),
            ("sales?color=red", Wrong::Link),
            ("sales?range", Wrong::Link),
        ] {
            assert_eq!(read(link), Err(wrong), "{link}");
        }
    }

    #[test]
    fn the_nearest_name() {
        let names = || ["range", "store", "help", "zoom"].into_iter();
        for (text, expected) in [
            ("rnage", Some("range")),
            ("sotre", Some("store")),
            ("hlep", Some("help")),
            ("range", Some("range")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, names()), expected, "{text}");
        }
    }

    proptest! {
        /// A link leads back to the place it was made of.
        #[test]
        fn a_link_leads_back(
            tab in prop::sample::select(Tab::ALL.to_vec()),
            range in prop_oneof![Just(Range::Today), Just(Range::Yesterday), (1..=MOST_DAYS).prop_map(Range::Days)],
            basis in prop_oneof![
                Just(Basis::Previous), Just(Basis::Weekday), Just(Basis::Year),
                (0..9000_u64).prop_map(|day| Basis::From(NaiveDate::default() + chrono::Days::new(day))),
            ],
            store in prop::option::of(any::<i64>()),
            at in prop::option::of(0..1_780_000_000_i64),
        ) {
            let at = at.map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap());
            let place = Place { tab, ask: Ask { range, basis, store }, at };
            let from = Place { tab: Tab::Live, ask: Ask { range: Range::Days(30), basis: Basis::Previous, store: Some(1) }, at: None };
            prop_assert_eq!(Place::read(&place.link(), from, now(), ZONE), Ok(place));
        }
    }
}
