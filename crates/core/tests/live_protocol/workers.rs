//! Workers of the live flow over the model: who owns what, what each believes, and all that can happen to them.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use instashop_core::batch::Batch;
use instashop_core::checkpoint::{Answer, Partition, Step as Stretch};
use instashop_core::config::Meaning;
use instashop_core::contribution::{Calendar, Cell};
use instashop_core::live::{BrokenState, Leave, Progress, Run, StateId, Step, Stored, Window, Writes};

use crate::batches::{Belief, next_batch};
use crate::model::{Model, Said};
use crate::shop::{Log, Shop};

/// A worker.
#[derive(Debug, Clone, Default)]
pub struct Worker {
    generation: u64,
    boundary: Option<NaiveDate>,
    pub owned: BTreeMap<Partition, Belief>,
}

/// A batch that was computed but not written yet.
#[derive(Debug)]
pub struct Pending {
    generation: u64,
    boundary: Option<NaiveDate>,
    batch: Batch,
    writes: Writes,
}

/// Three workers and the store.
#[derive(Debug)]
pub struct Fleet {
    pub model: Model,
    pub workers: Vec<Worker>,
    /// Older copies of the store.
    copies: Vec<Model>,
    /// What happened in the shop: rows written, connectors, compaction.
    pub operations: usize,
    pub conflicts: usize,
    pub duplicates: usize,
    pub fenced: usize,
    pub behind: usize,
    /// Changes of rows of sealed days.
    pub late: u64,
    /// Batches that were computed for another boundary.
    pub overtaken: usize,
}

impl Fleet {
    /// Workers that share the partitions of a shop.
    pub fn new(shop: &mut Shop, workers: usize) -> Self {
        let mut fleet = Self {
            model: Model::default(),
            workers: vec![Worker::default(); workers],
            copies: Vec::new(),
            operations: 0,
            conflicts: 0,
            duplicates: 0,
            fenced: 0,
            behind: 0,
            late: 0,
            overtaken: 0,
        };
        for log in &shop.logs {
            let to = shop.random.below(workers);
            fleet.assign(to, &log.partition);
        }
        fleet
    }

    /// Gives a partition to a worker. The one that had it is not told: it is a zombie until it is fenced.
    fn assign(&mut self, to: usize, partition: &Partition) {
        let owned = self.model.recover(std::slice::from_ref(partition))[0];
        let worker = &mut self.workers[to];
        worker.generation = self.model.generation;
        worker.boundary = self.model.boundary;
        worker.owned.insert(
            partition.clone(),
            Belief {
                epoch: owned.epoch,
                base: owned.checkpoint,
            },
        );
    }

    /// Something happens among the workers.
    pub fn happen(&mut self, shop: &mut Shop, meaning: &Meaning) {
        let count = self.workers.len();
        let who = shop.random.below(count);
        match shop.random.below(100) {
            0..70 => self.work(who, shop, meaning),
            70..82 => {
                // Two at once: both read before either writes.
                let other = shop.random.below(count);
                let pending: Vec<_> = [who, other]
                    .into_iter()
                    .filter_map(|who| Some((who, self.compute(who, shop, meaning)?)))
                    .collect();
                for (who, pending) in pending {
                    self.write(who, &pending);
                }
            }
            82..86 => {
                // The reply is lost; the same batch is sent again, perhaps after others have worked.
                if let Some(pending) = self.compute(who, shop, meaning) {
                    self.model.commit(
                        pending.generation,
                        pending.boundary,
                        &pending.batch.steps,
                        &pending.writes,
                    );
                    if shop.random.chance(50) {
                        self.work(shop.random.below(count), shop, meaning);
                    }
                    self.write(who, &pending);
                }
            }
            86..92 => {
                let partition = shop.random.pick(&shop.logs.clone()).partition.clone();
                self.assign(who, &partition);
            }
            92..95 => self.copies.push(self.model.clone()),
            95..97 if !self.copies.is_empty() => {
                let at = shop.random.below(self.copies.len());
                self.copies.truncate(at + 1);
                self.model = self.copies[at].clone();
            }
            97 => {
                self.copies.clear();
                self.model.flush();
            }
            98 => self.reprice(shop, meaning, false),
            99 if shop.seals => self.seal(shop, meaning),
            _ => self.idle_check(who),
        }
    }

    fn work(&mut self, who: usize, shop: &mut Shop, meaning: &Meaning) {
        if let Some(pending) = self.compute(who, shop, meaning) {
            self.write(who, &pending);
        }
    }

    fn compute(&mut self, who: usize, shop: &mut Shop, meaning: &Meaning) -> Option<Pending> {
        let worker = &self.workers[who];
        let batch = next_batch(&worker.owned, &shop.logs, &mut shop.random, 8);
        if batch.steps.is_empty() {
            return None;
        }
        let window = Window {
            now: shop.now,
            boundary: worker.boundary,
        };
        let writes = self.compute_batch(&batch, window, meaning);
        let worker = &self.workers[who];
        Some(Pending {
            generation: worker.generation,
            boundary: worker.boundary,
            batch,
            writes,
        })
    }

    fn compute_batch(&mut self, batch: &Batch, window: Window, meaning: &Meaning) -> Writes {
        let done = self.compute_run(Run::new(batch, window, meaning));
        let tally = done.tally;
        self.late += tally.late;
        assert_eq!(
            tally.total(),
            batch.records.len() as u64,
            "every record has one fate (I6)"
        );
        // A correction of a bucket past its life would bring it back with nothing but the correction in it.
        let calendar = Calendar::new(meaning.tz());
        for cell in done.writes.deltas.keys() {
            assert!(
                window.booked(cell.clone(), calendar).as_ref() == Some(cell),
                "{cell:?} is past its life or sealed"
            );
        }
        done.writes
    }

    /// Orders of products whose currency turned out to be another are computed again, some of them or all; a product is done
    /// when all its orders are. A conflict leaves the rest for later.
    pub fn reprice(&mut self, shop: &mut Shop, meaning: &Meaning, all: bool) {
        let marked: BTreeMap<i64, i64> = self.model.repricing();
        if marked.is_empty() {
            return;
        }
        let orders = self.model.orders_with(|product| marked.contains_key(&product));
        for order in orders {
            if !all && shop.random.chance(30) {
                return;
            }
            let batch = Batch::default();
            let writes = self.compute_run(Run::again(&batch, &[order], self.window(shop), meaning));
            let said = self
                .model
                .commit(self.model.generation, self.model.boundary, &[], &writes.writes);
            assert_eq!(said, Said::Done, "nobody writes in between");
        }
        let deltas = marked
            .into_iter()
            .map(|(product, times)| (Cell::Repricing { product }, -times));
        let done = Writes {
            deltas: deltas.collect(),
            ..Writes::default()
        };
        let said = self
            .model
            .commit(self.model.generation, self.model.boundary, &[], &done);
        assert_eq!(said, Said::Done, "nobody writes in between");
    }

    fn compute_run(&self, mut run: Run<'_>) -> Step {
        self.steps(|read| run.go_on(read))
    }

    fn steps(
        &self,
        mut go_on: impl FnMut(&BTreeMap<StateId, Stored>) -> Result<Progress, BrokenState>,
    ) -> Step {
        let mut read = BTreeMap::new();
        loop {
            match go_on(&read).unwrap() {
                Progress::Read(ids) => read.extend(ids.into_iter().map(|id| (id, self.model.read(id)))),
                Progress::Done(done) => return *done,
            }
        }
    }

    fn window(&self, shop: &Shop) -> Window {
        Window {
            now: shop.now,
            boundary: self.model.boundary,
        }
    }

    /// The boundary moves on, and states of sealed days leave, a few of them or all that may.
    fn seal(&mut self, shop: &mut Shop, meaning: &Meaning) {
        let today = Calendar::new(meaning.tz()).day(shop.now);
        let boundary = today - Days::new(shop.random.between(2, 45) as u64);
        if shop.boundary.is_none_or(|before| before < boundary) && shop.random.chance(50) {
            shop.boundary = Some(boundary);
            self.model.boundary = Some(boundary);
        }
        // An older copy of the store has an older boundary.
        if shop.random.chance(50) {
            self.model.boundary = self.model.boundary.max(shop.boundary);
        }
        if shop.random.chance(50) {
            // States leave when everything was read: what is still to come of a sealed day is late.
            self.drain(shop, meaning);
            let all = shop.random.chance(50);
            self.leave(shop, meaning, all);
        }
    }

    /// States of sealed days leave.
    pub fn leave(&mut self, shop: &mut Shop, meaning: &Meaning, all: bool) {
        for id in self.model.passing() {
            if !all && shop.random.chance(50) {
                continue;
            }
            let ids = [id];
            let leave = Leave::new(&ids, self.window(shop), meaning);
            let done = self.steps(|read| leave.go_on(read));
            assert!(done.writes.deltas.is_empty(), "leaving changes no total");
            let said = self
                .model
                .commit(self.model.generation, self.model.boundary, &[], &done.writes);
            assert_eq!(said, Said::Done, "nobody writes in between");
        }
    }

    fn write(&mut self, who: usize, pending: &Pending) {
        let said = self.model.commit(
            pending.generation,
            pending.boundary,
            &pending.batch.steps,
            &pending.writes,
        );
        match said {
            Said::Done => {
                for step in &pending.batch.steps {
                    self.believe(who, &step.partition, step.next);
                }
            }
            Said::Conflict => self.conflicts += 1,
            Said::Boundary => {
                self.overtaken += 1;
                self.workers[who].boundary = self.model.boundary;
            }
            Said::Refused(refused) => self.refused(who, refused),
        }
    }

    fn idle_check(&mut self, who: usize) {
        let worker = &self.workers[who];
        let steps: Vec<_> = worker
            .owned
            .iter()
            .map(|(partition, belief)| Stretch {
                partition: partition.clone(),
                epoch: belief.epoch,
                base: belief.base,
                next: belief.base,
            })
            .collect();
        let said = self
            .model
            .commit(worker.generation, worker.boundary, &steps, &Writes::default());
        if let Said::Refused(refused) = said {
            self.refused(who, refused);
        }
    }

    fn refused(&mut self, who: usize, refused: Vec<(Partition, Answer)>) {
        for (partition, answer) in refused {
            match answer {
                Answer::Duplicate(at) => {
                    self.duplicates += 1;
                    self.believe(who, &partition, at);
                }
                Answer::Behind(at) => {
                    self.behind += 1;
                    self.believe(who, &partition, at);
                }
                Answer::Overlap(at) => self.believe(who, &partition, at),
                Answer::Fenced(_) => {
                    self.fenced += 1;
                    self.workers[who].owned.remove(&partition);
                }
                // An owner of the new generation takes the partition; the others give it up or are fenced.
                Answer::Empty => {
                    if self.workers[who].owned.contains_key(&partition) {
                        let all: Vec<_> = self.workers[who].owned.keys().cloned().collect();
                        for partition in all {
                            self.assign(who, &partition);
                        }
                    }
                }
                Answer::Clean => unreachable!(),
            }
        }
    }

    fn believe(&mut self, who: usize, partition: &Partition, base: i64) {
        if let Some(belief) = self.workers[who].owned.get_mut(partition) {
            belief.base = base;
        }
    }

    /// One topic after the other is read to its end, by one worker alone.
    pub fn drain_in_order(&mut self, shop: &mut Shop, topics: &[&str], meaning: &Meaning) {
        for topic in topics {
            self.workers[0].owned.clear();
            self.drain_topics(shop, |of| of == *topic, meaning);
        }
    }

    /// Everything is read to its end, by one worker alone.
    pub fn drain(&mut self, shop: &mut Shop, meaning: &Meaning) {
        self.drain_topics(shop, |_| true, meaning);
    }

    fn drain_topics(&mut self, shop: &mut Shop, is_read: impl Fn(&str) -> bool, meaning: &Meaning) {
        for log in shop.logs.clone() {
            if is_read(&log.partition.topic) {
                self.assign(0, &log.partition);
            }
        }
        loop {
            let owned = &self.workers[0].owned;
            let is_left = |log: &Log| {
                owned
                    .get(&log.partition)
                    .is_some_and(|belief| belief.base < log.end)
            };
            let left = shop.logs.iter().any(is_left);
            if !left {
                self.reprice(shop, meaning, true);
                return;
            }
            let most = shop.random.below(30) + 1;
            let batch = next_batch(&owned.clone(), &shop.logs, &mut shop.random, most);
            let window = self.window(shop);
            let writes = self.compute_batch(&batch, window, meaning);
            let pending = Pending {
                generation: self.model.generation,
                boundary: self.model.boundary,
                batch,
                writes,
            };
            self.write(0, &pending);
        }
    }
}
