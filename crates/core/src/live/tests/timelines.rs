//! Timelines in stretches against the same stops in one piece.

use super::*;
use crate::contribution::of_timelines;
use crate::live::chain::Chain;
use crate::live::timeline::{Cut, Entry};
use crate::live::work::{Slots, Work, open};
use crate::live::{Stretch, StretchKey, Timelines};
use crate::visits::{Stop, StopKind};

const MINUTE: i64 = 60_000_000;

fn meaning() -> Meaning {
    Meaning {
        zone: "UTC".into(),
        ..Meaning::default()
    }
}

/// Midnight of the boundary, or of the first day where there is none.
fn midnight() -> i64 {
    at("2026-08-20T00:00:00Z").timestamp_micros()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn below(seed: &mut u64, most: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % most
}

/// Any stop of one actor at one store, up to some minutes after a moment.
fn any(seed: &mut u64, since: i64, minutes: u64, id: i64) -> Entry {
    const KINDS: [StopKind; 7] = [
        StopKind::PageView,
        StopKind::ProductView,
        StopKind::Search,
        StopKind::AddToCart,
        StopKind::RemoveFromCart,
        StopKind::BeginCheckout,
        StopKind::Order,
    ];
    let kind = KINDS[below(seed, 7) as usize];
    // Whole minutes, so that moments coincide, and gaps and ends of stretches are met exactly.
    let at = since + below(seed, minutes) as i64 * MINUTE;
    Entry {
        key: StretchKey {
            actor: "b1".into(),
            store: 3,
            start: Cut::of(&meaning()).start(at),
        },
        stop: Stop {
            at,
            is_order: kind == StopKind::Order,
            id,
            kind,
            product: (kind == StopKind::ProductView).then_some(1 + below(seed, 2) as i64),
        },
    }
}

/// The stored states, and all stops as they are.
#[derive(Default)]
struct Held {
    stored: BTreeMap<StateId, Stored>,
    stops: Vec<Stop>,
    /// Most states that one change asked for.
    most: usize,
}

impl Held {
    fn change(&mut self, taken: &[Entry], put: &[Entry], window: Window) {
        let keep = window.keep(&meaning());
        let live = |entries: &[Entry]| -> Vec<Entry> {
            let entries = entries.iter().filter(|entry| !keep.is_past(Some(entry.stop.at)));
            entries.cloned().collect()
        };
        for entry in taken {
            let index = self.stops.binary_search(&entry.stop).unwrap();
            self.stops.remove(index);
        }
        self.stops.extend(put.iter().map(|entry| entry.stop));
        self.stops.sort_unstable();
        let (taken, put) = (live(taken), live(put));
        let cut = Cut::of(&meaning());
        let chain = Chain::of(taken.iter().chain(&put), cut);
        let mut read = BTreeMap::new();
        loop {
            let mut wanted = chain.wanted(&read, keep).unwrap();
            wanted.retain(|id| !read.contains_key(id));
            if wanted.is_empty() {
                break;
            }
            let of = |id: StateId| (id, self.stored.get(&id).cloned().unwrap_or_default());
            read.extend(wanted.into_iter().map(of));
        }
        self.most = self.most.max(read.len());
        let mut slots: Slots<Timelines> = Slots::default();
        for entry in &taken {
            let slot = open(&mut slots, &read, entry.key.holder()).unwrap();
            slot.new.remove(entry).unwrap();
        }
        for entry in &put {
            open(&mut slots, &read, entry.key.holder())
                .unwrap()
                .new
                .add(entry);
        }
        chain.settle(&mut slots, &read, keep).unwrap();
        let work = Work {
            timelines: slots,
            ..Work::default()
        };
        self.stored
            .extend(work.writes().into_iter().map(|write| (write.id, write.new)));
    }

    fn leave(&mut self, window: Window) {
        let ids: Vec<StateId> = self.stored.keys().copied().collect();
        let meaning = meaning();
        let Progress::Done(done) = Leave::new(&ids, window, &meaning).go_on(&self.stored).unwrap() else {
            panic!("nothing else is needed");
        };
        let writes = done.writes.states.into_iter();
        self.stored.extend(writes.map(|write| (write.id, write.new)));
    }

    /// All totals as booked, of the stretches and of the stops in one piece.
    fn totals(&self, window: Window) -> [BTreeMap<Cell, i64>; 2] {
        let whole = Timelines(vec![Stretch {
            key: StretchKey {
                actor: "b1".into(),
                store: 3,
                start: 0,
            },
            carried: None,
            goes_on: false,
            stops: self.stops.clone(),
        }]);
        let held = self
            .stored
            .iter()
            .filter_map(|(id, stored)| stored.read(*id).unwrap());
        [held.collect(), vec![whole]].map(|states: Vec<Timelines>| {
            let calendar = Calendar::new(chrono_tz::UTC);
            let mut cells: BTreeMap<Cell, i64> = BTreeMap::new();
            for state in &states {
                of_timelines(state, calendar, 30 * MINUTE, &mut |cell, value| {
                    if let Some(cell) = window.booked(cell, calendar) {
                        *cells.entry(cell).or_default() += value;
                    }
                });
            }
            cells.retain(|_, value| *value != 0);
            cells
        })
    }

    fn check(&self, window: Window) {
        let [stretches, whole] = self.totals(window);
        assert_eq!(stretches, whole, "{:?}", self.stops);
    }
}

/// Stops come in any order, move and go, several at once: each total is that of the stops in one piece.
#[test]
fn stretches_say_what_the_whole_says() {
    let mut seed = 3;
    let (mut longest, mut lone) = (0, 0);
    for round in 0..150 {
        let window = Window::open(at("2026-08-20T12:00:00Z"));
        // From a stop an hour to one each five minutes: from lone visits to one that lasts over all stretches.
        let minutes = 60 + below(&mut seed, 1400);
        let mut held = Held::default();
        let mut there: Vec<Entry> = Vec::new();
        for id in 0..30 {
            let mut taken = Vec::new();
            for _ in 0..below(&mut seed, 3) {
                if !there.is_empty() && below(&mut seed, 3) == 0 {
                    let index = below(&mut seed, there.len() as u64) as usize;
                    taken.push(there.swap_remove(index));
                }
            }
            let put: Vec<Entry> = (0..=below(&mut seed, 3))
                .map(|more| {
                    any(
                        &mut seed,
                        midnight() - 300 * MINUTE,
                        minutes,
                        id * 10 + more as i64,
                    )
                })
                .collect();
            held.change(&taken, &put, window);
            there.extend(put);
            if round % 10 == 0 {
                held.check(window);
            }
        }
        held.check(window);
        longest = longest.max(held.most);
        lone += usize::from(held.most <= 4);
        while let Some(entry) = there.pop() {
            held.change(&[entry], &[], window);
        }
        held.check(window);
        assert!(
            held.stored.values().all(|stored| *stored == Stored::default()),
            "nothing is left"
        );
    }
    assert!(longest > 8 && lone > 10, "{longest} {lone}");
}

/// Whatever leaves, and whatever happens afterwards, on sealed days too: every live total is the same.
#[test]
fn no_live_total_misses_the_stretches_that_leave() {
    let mut seed = 11;
    let now = at("2026-08-30T12:00:00Z");
    let sealed = Window {
        now,
        boundary: Some("2026-08-20".parse().unwrap()),
    };
    let mut shorter = 0;
    for _ in 0..150 {
        let mut held = Held::default();
        let mut there = Vec::new();
        for id in 0..12 {
            let put = any(&mut seed, midnight() - 400 * MINUTE, 600, id);
            held.change(&[], std::slice::from_ref(&put), Window::open(now));
            there.push(put);
        }
        held.check(sealed);
        let live = |held: &Held| {
            held.stored
                .values()
                .filter(|stored| **stored != Stored::default())
                .count()
        };
        let before = live(&held);
        if below(&mut seed, 4) > 0 {
            held.leave(sealed);
            shorter += usize::from(live(&held) < before);
        }
        held.check(sealed);
        for id in 20..26 {
            let taken: Vec<Entry> = (below(&mut seed, 3) == 0)
                .then(|| there.swap_remove(0))
                .into_iter()
                .collect();
            let put = any(&mut seed, midnight() - 200 * MINUTE, 400, id);
            held.change(&taken, std::slice::from_ref(&put), sealed);
            there.push(put);
            held.check(sealed);
        }
    }
    assert!(shorter > 70, "{shorter} lost something");
}

/// A change in the middle of a visit that never ends is carried through in few steps.
#[test]
fn an_endless_visit_is_followed_in_few_steps() {
    let mut held = Held::default();
    let window = Window::open(at("2026-08-20T12:00:00Z"));
    let mut seed = 5;
    let stretches = 200;
    for hour in 0..stretches * 2 {
        for half in 0..2 {
            let mut entry = any(
                &mut seed,
                midnight() + (hour * 60 + half * 30) * MINUTE,
                1,
                hour * 2 + half,
            );
            entry.stop.kind = StopKind::PageView;
            entry.stop.is_order = false;
            entry.stop.product = None;
            held.change(&[], &[entry], window);
        }
    }
    assert!(held.most <= 3, "appending reads {} states", held.most);
    let cut = Cut::of(&meaning());
    let early = any(&mut seed, midnight() + 5 * MINUTE, 1, 10_000);
    let chain = Chain::of(std::iter::once(&early), cut);
    let (mut read, mut steps) = (BTreeMap::new(), 0);
    loop {
        let mut wanted = chain.wanted(&read, window.keep(&meaning())).unwrap();
        wanted.retain(|id| !read.contains_key(id));
        if wanted.is_empty() {
            break;
        }
        steps += 1;
        read.extend(
            wanted
                .into_iter()
                .map(|id| (id, held.stored.get(&id).cloned().unwrap_or_default())),
        );
    }
    assert!(steps <= 10, "{steps} steps");
    held.change(&[], &[early], window);
    held.check(window);
}
