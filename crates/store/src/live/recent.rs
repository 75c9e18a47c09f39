//! What visitors do right now, followed from one reading to the next.
//!
//! Redis keeps each event and order of the last day by its time. A reader wants those of ten minutes, and reading them all
//! every second would cost more than everything else on the screen. So it keeps them, and asks each time for the newest, and
//! for one more slice of the rest: an event that comes late or is taken back is noticed when its slice comes round, after
//! about a minute.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{DateTime, Utc};
use instashop_core::contribution::{Cell, Doing};
use instashop_core::view::DoingNow;
use redis::Pipeline;

use super::answers::Answers;
use super::keys::{self, Keys};
use crate::StoreError;

const SECOND: i64 = 1_000_000;
/// How long something counts as recent (KPI live_carts).
const SPAN: i64 = 600 * SECOND;
/// How long a visitor is here after an event (KPI visitors_now).
const HERE: i64 = 300 * SECOND;
/// Events that come later than this are noticed in their slice only.
const LATE: i64 = 10 * SECOND;
/// Length of a slice.
const SLICE: i64 = 10 * SECOND;
/// After an answer that was cut off nothing is asked for so long.
const PATIENCE: i64 = 60 * SECOND;
/// Buckets of the course.
const BUCKETS: i64 = 20;
/// Most entries of one answer. With more in ten minutes the figures are left out instead of being wrong.
const MOST: usize = 50_000;

/// Store and actor by the moment and the member they stand in.
type Events = BTreeMap<(i64, String), (i64, String)>;

/// The events and orders of the last ten minutes.
#[derive(Debug, Default)]
pub(super) struct Recent {
    generation: String,
    sets: [Events; Doing::ALL.len()],
    /// When it was read last, microseconds.
    read_at: Option<i64>,
    /// Where the slice that is read next begins.
    slice: i64,
    /// True when an answer was cut off at [`MOST`].
    is_cut_off: bool,
}

/// Spans of time, half open, that are read in one reading.
pub(super) type Spans = Vec<Range<i64>>;

impl Recent {
    /// What has to be read at a moment: everything at first and after a pause, later the newest and one slice.
    pub(super) fn spans(&self, generation: &str, now: i64) -> Spans {
        let whole = now - SPAN..i64::MAX;
        let Some(read_at) = self.read_at.filter(|_| self.generation == generation) else {
            return vec![whole];
        };
        let newest = read_at.min(now) - LATE;
        if self.is_cut_off && now - read_at < PATIENCE {
            return Vec::new();
        }
        if newest <= now - SPAN || self.is_cut_off {
            return vec![whole];
        }
        let from = self.slice.max(now - SPAN);
        let slice = from..(from + SLICE).min(newest);
        let newest = newest..i64::MAX;
        if slice.is_empty() {
            vec![newest]
        } else {
            vec![slice, newest]
        }
    }

    /// Asks for the spans.
    pub(super) fn ask(spans: &Spans, keys: &Keys, pipeline: &mut Pipeline) {
        for doing in Doing::ALL {
            for span in spans {
                pipeline.cmd("ZRANGE").arg(keys.now(doing)).arg(span.start);
                if span.end == i64::MAX {
                    pipeline.arg("+inf");
                } else {
                    pipeline.arg(format!("({}", span.end));
                }
                pipeline.arg("BYSCORE").arg("LIMIT").arg(0).arg(MOST);
            }
        }
    }

    /// Takes in the answers to [`Recent::ask`].
    pub(super) fn take(
        &mut self,
        spans: &Spans,
        generation: &str,
        now: i64,
        answers: &mut Answers,
    ) -> Result<(), StoreError> {
        let mut read = Vec::new();
        for _ in Doing::ALL {
            for _ in spans {
                read.push(answers.take::<Vec<String>>()?);
            }
        }
        self.put(spans, generation, now, read);
        Ok(())
    }

    /// Members by what was done and by span replace what was known of the spans.
    fn put(&mut self, spans: &Spans, generation: &str, now: i64, read: Vec<Vec<String>>) {
        if spans.is_empty() {
            return;
        }
        let mut read = read.into_iter();
        self.is_cut_off = false;
        for (doing, events) in Doing::ALL.into_iter().zip(&mut self.sets) {
            events.retain(|(at, _), _| *at >= now - SPAN && !spans.iter().any(|span| span.contains(at)));
            for members in read.by_ref().take(spans.len()) {
                self.is_cut_off |= members.len() >= MOST;
                for member in members {
                    if let Some(Cell::Now { at, store, actor, .. }) = keys::just_done(doing, &member) {
                        events.insert((at, member), (store, actor));
                    }
                }
            }
        }
        generation.clone_into(&mut self.generation);
        self.read_at = Some(now);
        // The slice after this one; after the last one the first.
        self.slice = match spans.as_slice() {
            [slice, _] => slice.end,
            _ => now - SPAN,
        };
    }

    /// The figures at a moment; `None` when more happened than is read.
    pub(super) fn figures(&self, now: i64) -> Option<DoingNow> {
        if self.is_cut_off {
            return None;
        }
        let since = |events: &Events, from: i64| -> BTreeSet<(i64, String)> {
            let lately = events.iter().filter(|((at, _), _)| *at > from && *at <= now);
            lately.map(|(_, who)| who.clone()).collect()
        };
        let [visiting, shopping, checking_out, purchasing] = &self.sets;
        let actors = |from: i64, until: i64| {
            let here = visiting.iter().filter(|((at, _), _)| *at > from && *at <= until);
            let actors: BTreeSet<&str> = here.map(|(_, (_, actor))| actor.as_str()).collect();
            actors.len() as i64
        };
        let steps = [shopping, checking_out, purchasing].map(|events| since(events, now - SPAN));
        let all = since(visiting, now - SPAN);
        let browsing = all
            .iter()
            .filter(|who| !steps.iter().any(|step| step.contains(*who)));
        let bucket = SPAN / BUCKETS;
        Some(DoingNow {
            visitors: actors(now - HERE, now),
            browsing: browsing.count() as i64,
            carts: steps[0].len() as i64,
            checkouts: steps[1].len() as i64,
            purchases: steps[2].len() as i64,
            course: (0..BUCKETS)
                .rev()
                .map(|back| actors(now - (back + 1) * bucket, now - back * bucket))
                .collect(),
        })
    }
}

/// A moment as the sorted sets have it.
pub(super) const fn moment(now: DateTime<Utc>) -> i64 {
    now.timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000 * SECOND;

    /// Redis, as far as it is asked.
    fn answer(stored: &[(Doing, i64, i64, &str)], spans: &Spans) -> Vec<Vec<String>> {
        let of = |doing: Doing, span: &Range<i64>| {
            let fit = stored
                .iter()
                .filter(|(what, at, ..)| *what == doing && span.contains(at));
            fit.map(|(_, at, store, actor)| format!("{store}|{at}|0|{at}|{actor}"))
                .collect()
        };
        Doing::ALL
            .into_iter()
            .flat_map(|doing| spans.iter().map(move |span| (doing, span)))
            .map(|(doing, span)| of(doing, span))
            .collect()
    }

    fn read(recent: &mut Recent, stored: &[(Doing, i64, i64, &str)], generation: &str, now: i64) -> DoingNow {
        let spans = recent.spans(generation, now);
        let found = answer(stored, &spans);
        recent.put(&spans, generation, now, found);
        recent.figures(now).unwrap()
    }

    #[test]
    fn counts_are_of_five_and_ten_minutes_and_of_distinct_actors() {
        use Doing::{CheckingOut, Purchasing, Shopping, Visiting};
        let ago = |seconds: i64| START - seconds * SECOND;
        let stored = [
            (Visiting, ago(1), 1, "b1"),
            (Visiting, ago(2), 2, "b1"),
            (Visiting, ago(299), 1, "b2"),
            (Visiting, ago(300), 1, "b3"),
            (Visiting, ago(599), 1, "b4"),
            (Visiting, ago(600), 1, "b5"),
            (Visiting, ago(-1), 1, "b6"),
            (Shopping, ago(2), 2, "b1"),
            (Shopping, ago(3), 2, "b1"),
            (CheckingOut, ago(599), 1, "b4"),
            (Purchasing, ago(600), 1, "b5"),
        ];
        let now = read(&mut Recent::default(), &stored, "1", START);
        assert_eq!(
            (now.visitors, now.carts, now.checkouts, now.purchases),
            (2, 1, 1, 0)
        );
        assert_eq!(now.browsing, 3, "b1 at store 1, b2 and b3");
        assert_eq!((now.course.len(), now.course[19], now.course[0]), (20, 1, 1));
    }

    #[test]
    fn what_comes_late_or_goes_is_noticed_within_a_round() {
        use Doing::Visiting;
        let mut stored = vec![(Visiting, START - 200 * SECOND, 1, "b1")];
        let mut recent = Recent::default();
        assert_eq!(read(&mut recent, &stored, "1", START).visitors, 1);
        stored.push((Visiting, START - 100 * SECOND, 1, "b2"));
        stored.push((Visiting, START + SECOND / 2, 1, "b3"));
        stored.remove(0);
        let soon = read(&mut recent, &stored, "1", START + SECOND);
        assert_eq!(soon.visitors, 2, "the newest is seen at once, the rest not yet");
        let mut later = soon;
        for second in 2..=70 {
            later = read(&mut recent, &stored, "1", START + second * SECOND);
        }
        assert_eq!(later.visitors, 2, "b2 and b3, without b1");
        assert_eq!(later, {
            let mut fresh = Recent::default();
            read(&mut fresh, &stored, "1", START + 70 * SECOND)
        });
        let other = read(&mut recent, &[], "2", START + 71 * SECOND);
        assert_eq!(
            other,
            DoingNow {
                course: vec![0; 20],
                ..DoingNow::default()
            },
            "another generation begins anew"
        );
    }

    #[test]
    fn a_reading_asks_for_little_once_it_knows_the_rest() {
        let mut recent = Recent::default();
        read(&mut recent, &[], "1", START);
        let mut next = None;
        for second in 1..=70 {
            let now = START + second * SECOND;
            let spans = recent.spans("1", now);
            let asked: i64 = spans.iter().map(|span| span.end.min(now) - span.start).sum();
            assert!(asked <= LATE + SLICE + SECOND, "{spans:?}");
            if let ([slice, _], Some(next)) = (spans.as_slice(), next) {
                assert!(
                    slice.start <= next,
                    "nothing is left out between slices: {slice:?}"
                );
            }
            next = spans.first().map(|span| span.end);
            recent.put(&spans, "1", now, vec![Vec::new(); spans.len() * 4]);
        }
        let pause = recent.spans("1", START + 3 * SPAN);
        assert_eq!(
            pause,
            vec![START + 2 * SPAN..i64::MAX],
            "after a pause everything is read"
        );
    }
}
