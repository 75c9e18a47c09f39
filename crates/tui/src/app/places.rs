//! Where the board is, and the ways to another place: links, views of the configuration, marked days.

use chrono::{Datelike, NaiveDate};
use instashop_core::view::{Basis, DifferenceView, PartsBy, Range};

use super::{App, BASES, Command, Overlay};
use crate::place::{Place, Wrong};
use crate::snapshot::today::midnight;

impl App {
    /// Where the board is.
    pub fn place(&self) -> Place {
        Place {
            tab: self.tab,
            ask: self.ask,
            at: self.past.as_ref().map(|past| past.at),
        }
    }

    /// Where a link leads.
    pub fn read_link(&self, link: &str) -> Result<Place, Wrong> {
        Place::read(link, self.place(), self.now, self.look.zone)
    }

    /// Goes to a place.
    pub fn visit(&mut self, place: Place) -> Vec<Command> {
        if place.tab != self.tab {
            self.go(place.tab);
        }
        self.ask = place.ask;
        let mut commands = vec![Command::Poll];
        commands.extend(self.travel(place.at));
        commands.dedup();
        commands
    }

    /// Goes to the next view of the configuration, the first after the last.
    pub(super) fn next_preset(&mut self) -> Vec<Command> {
        let here = self.place();
        let at = self.presets.iter().position(|(_, place)| *place == here);
        let next = at.map_or(0, |at| (at + 1) % self.presets.len());
        let Some((name, place)) = self.presets.get(next).cloned() else {
            self.told = Some(self.look.texts().no_presets.to_owned());
            return vec![];
        };
        let commands = self.visit(place);
        self.told = Some(format!("{} {name}", self.look.texts().at_preset));
        commands
    }

    /// Comparisons, in the order of their key; the marked day last.
    pub(super) fn bases(&self) -> Vec<Basis> {
        let marked = self.marks[0].map(Basis::From);
        BASES.into_iter().chain(marked).collect()
    }

    /// `Sun 9 Aug`.
    pub(super) fn day_words(&self, day: NaiveDate) -> String {
        let texts = self.look.texts();
        format!("{} {}", texts.weekday_short(day.weekday()), texts.day_month(day))
    }

    /// Marks the day under the cursor: the first mark is A, the next one B, a third begins anew.
    pub(super) fn mark(&mut self) {
        let texts = self.look.texts();
        let Some(moment) = self.cursor else {
            self.told = Some(texts.mark_needs_cursor.to_owned());
            return;
        };
        let day = moment.with_timezone(&self.look.zone).date_naive();
        let (letter, next) = if let [Some(_), None] = self.marks {
            self.marks[1] = Some(day);
            ('B', texts.d_shows)
        } else {
            self.marks = [Some(day), None];
            ('A', texts.mark_again)
        };
        self.told = Some(format!(
            "{} {letter} {}; {next}",
            texts.marked,
            self.day_words(day)
        ));
    }

    /// Shows what lies between the range and its base. With A marked the base begins there; with B marked the range does, as
    /// long as it is, so the board is as of its end.
    pub(super) fn open_difference(&mut self) -> Vec<Command> {
        let mut place = self.place();
        if let [Some(base), _] = self.marks {
            place.ask.basis = Basis::From(base);
        }
        if let [Some(_), Some(first)] = self.marks {
            let today = self.now.with_timezone(&self.look.zone).date_naive();
            let complete = u16::try_from((today - first).num_days()).unwrap_or(0);
            let days = place.ask.range.days().min(complete);
            if days == 0 {
                place.ask.range = Range::Today;
                place.at = None;
            } else {
                place.ask.range = Range::Days(days);
                let end = first + chrono::Days::new(u64::from(days));
                place.at = (end < today).then(|| midnight(end, self.look.zone));
            }
        }
        let commands = self.visit(place);
        self.overlay = Some(Overlay::Difference(PartsBy::Category, 0));
        commands
    }

    /// The difference that was asked for, once it has come.
    pub fn shown_difference(&self) -> Option<&DifferenceView> {
        let (data, _) = self.shown();
        let part = data.difference.as_ref().filter(|part| part.ask == self.ask)?;
        part.part.get()
    }
}
