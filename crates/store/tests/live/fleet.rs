//! Workers of the live flow over the real sink, and all that can happen to them and to Redis.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use instashop_core::batch::{Batch, Outcome};
use instashop_core::checkpoint::{Answer, Partition, Step};
use instashop_core::config::{Meaning, Redis};
use instashop_store::Sink;
use instashop_store::live::LiveSink;
use redis::aio::MultiplexedConnection;

use crate::batches::{Belief, next_batch};
use crate::server::{Copy, Server, copy, restore};
use crate::shop::Shop;

/// A worker.
pub struct Worker {
    pub sink: LiveSink,
    pub owned: BTreeMap<Partition, Belief>,
}

/// What was met on the way.
#[derive(Debug, Default, Clone, Copy)]
pub struct Met {
    pub conflicts: usize,
    pub duplicates: usize,
    pub fenced: usize,
    pub behind: usize,
    pub empty: usize,
    /// Changes of rows of sealed days.
    pub late: u64,
}

/// Workers and their Redis.
pub struct Fleet {
    pub workers: Vec<Worker>,
    admin: MultiplexedConnection,
    copies: Vec<Copy>,
    pub met: Met,
}

impl Fleet {
    /// Workers that share the partitions of a shop.
    pub async fn new(
        server: &Server,
        config: &Redis,
        meaning: &Meaning,
        shop: &mut Shop,
        workers: usize,
    ) -> Self {
        let workers = (0..workers)
            .map(|_| Worker {
                sink: LiveSink::new(config, meaning),
                owned: BTreeMap::new(),
            })
            .collect::<Vec<_>>();
        let mut fleet = Self {
            workers,
            admin: server.admin().await,
            copies: Vec::new(),
            met: Met::default(),
        };
        for log in shop.logs.clone() {
            let to = shop.random.below(fleet.workers.len());
            fleet.assign(to, &[log.partition], shop.now).await;
        }
        fleet
    }

    /// Gives partitions to a worker. The one that had them is not told: it is a zombie until it is fenced.
    async fn assign(&mut self, to: usize, partitions: &[Partition], now: DateTime<Utc>) {
        let worker = &mut self.workers[to];
        let owned = worker.sink.recover(partitions, now).await.unwrap();
        for (partition, owned) in partitions.iter().zip(owned) {
            worker.owned.insert(
                partition.clone(),
                Belief {
                    epoch: owned.epoch,
                    base: owned.checkpoint,
                },
            );
        }
    }

    /// Something happens among the workers, or to Redis.
    pub async fn happen(&mut self, shop: &mut Shop) {
        let count = self.workers.len();
        let who = shop.random.below(count);
        match shop.random.below(100) {
            0..60 => self.work(who, shop).await,
            60..80 if count > 1 => {
                // Two at once.
                let other = (who + 1) % count;
                let batches = [self.cut(who, shop), self.cut(other, shop)];
                let now = shop.now;
                let (low, high) = (who.min(other), who.max(other));
                let (left, right) = self.workers.split_at_mut(high);
                let (first, second) = (&mut left[low], &mut right[0]);
                let [of_who, of_other] = &batches;
                let (of_low, of_high) = if who < other {
                    (of_who, of_other)
                } else {
                    (of_other, of_who)
                };
                let (one, two) = tokio::join!(first.sink.apply(of_low, now), second.sink.apply(of_high, now));
                let (of_low, of_high) = (of_low.clone(), of_high.clone());
                self.said(low, &of_low, one.unwrap(), now).await;
                self.said(high, &of_high, two.unwrap(), now).await;
            }
            80..86 => {
                // The reply is lost; the same batch is sent again.
                let batch = self.cut(who, shop);
                let _ = self.workers[who].sink.apply(&batch, shop.now).await.unwrap();
                let outcome = self.workers[who].sink.apply(&batch, shop.now).await.unwrap();
                self.said(who, &batch, outcome, shop.now).await;
            }
            86..91 => {
                let log = shop.random.below(shop.logs.len());
                let partition = shop.logs[log].partition.clone();
                self.assign(who, &[partition], shop.now).await;
            }
            91..94 => self.copies.push(copy(&mut self.admin).await),
            94..96 if !self.copies.is_empty() => {
                let at = shop.random.below(self.copies.len());
                self.copies.truncate(at + 1);
                restore(&mut self.admin, &self.copies[at]).await;
            }
            96 => {
                self.copies.clear();
                let () = redis::cmd("FLUSHALL").query_async(&mut self.admin).await.unwrap();
            }
            97 => {
                let () = redis::cmd("SCRIPT")
                    .arg("FLUSH")
                    .query_async(&mut self.admin)
                    .await
                    .unwrap();
            }
            _ => self.idle_check(who, shop.now).await,
        }
    }

    fn cut(&self, who: usize, shop: &mut Shop) -> Batch {
        next_batch(&self.workers[who].owned, &shop.logs, &mut shop.random, 8)
    }

    async fn work(&mut self, who: usize, shop: &mut Shop) {
        let batch = self.cut(who, shop);
        let outcome = self.workers[who].sink.apply(&batch, shop.now).await.unwrap();
        self.said(who, &batch, outcome, shop.now).await;
    }

    async fn idle_check(&mut self, who: usize, now: DateTime<Utc>) {
        let worker = &mut self.workers[who];
        let steps = worker.owned.iter().map(|(partition, belief)| Step {
            partition: partition.clone(),
            epoch: belief.epoch,
            base: belief.base,
            next: belief.base,
        });
        let batch = Batch {
            steps: steps.collect(),
            records: Vec::new(),
        };
        let outcome = worker.sink.apply(&batch, now).await.unwrap();
        self.said(who, &batch, outcome, now).await;
    }

    async fn said(&mut self, who: usize, batch: &Batch, outcome: Outcome, now: DateTime<Utc>) {
        match outcome {
            Outcome::Applied(tally) => {
                self.met.late += tally.late;
                assert_eq!(
                    tally.total(),
                    batch.records.len() as u64,
                    "every record has one fate (I6)"
                );
                for step in &batch.steps {
                    self.believe(who, &step.partition, step.next);
                }
            }
            Outcome::Conflict => self.met.conflicts += 1,
            Outcome::Refused(refused) => {
                let mut empty = false;
                for (partition, answer) in refused {
                    match answer {
                        Answer::Duplicate(at) => {
                            self.met.duplicates += 1;
                            self.believe(who, &partition, at);
                        }
                        Answer::Behind(at) => {
                            self.met.behind += 1;
                            self.believe(who, &partition, at);
                        }
                        Answer::Overlap(at) => self.believe(who, &partition, at),
                        Answer::Fenced(_) => {
                            self.met.fenced += 1;
                            self.workers[who].owned.remove(&partition);
                        }
                        Answer::Empty => empty = true,
                        Answer::Clean => panic!("a clean partition was refused"),
                    }
                }
                if empty {
                    self.met.empty += 1;
                    let all: Vec<_> = self.workers[who].owned.keys().cloned().collect();
                    self.assign(who, &all, now).await;
                }
            }
        }
    }

    fn believe(&mut self, who: usize, partition: &Partition, base: i64) {
        if let Some(belief) = self.workers[who].owned.get_mut(partition) {
            belief.base = base;
        }
    }

    /// Everything is read to its end, by one worker alone.
    pub async fn drain(&mut self, shop: &mut Shop) {
        let all: Vec<_> = shop.logs.iter().map(|log| log.partition.clone()).collect();
        self.assign(0, &all, shop.now).await;
        loop {
            let owned = self.workers[0].owned.clone();
            if shop.logs.iter().all(|log| owned[&log.partition].base >= log.end) {
                return;
            }
            let most = shop.random.below(30) + 1;
            let batch = next_batch(&owned, &shop.logs, &mut shop.random, most);
            let outcome = self.workers[0].sink.apply(&batch, shop.now).await.unwrap();
            self.said(0, &batch, outcome, shop.now).await;
        }
    }
}
