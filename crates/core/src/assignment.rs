//! What a worker holds of Kafka and what it does on each answer of its sink: a state machine without I/O.
//!
//! The flow's loop asks it what to do after an assignment, a revocation and every refusal, and does exactly that
//! (docs: reliability 5.4 and 5.5). Records that were read before a seek are recognised by their token and dropped.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::batch::Batch;
use crate::checkpoint::{Answer, Owned, Partition, Step};

/// Number of one reading position: every assignment and every seek gives the partition a new one. A record that carries
/// another one was read from a place that no longer counts.
pub type Token = u64;

/// Where to read a partition from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The partition.
    pub partition: Partition,
    /// Next offset to read; 0 = from the beginning, wherever compaction left it.
    pub offset: i64,
    /// Token that records read from here on must carry.
    pub token: Token,
}

/// What to do with a partition whose step was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The sink is further than believed: forget the records below its checkpoint, go on with the rest.
    Skip(i64),
    /// The sink is behind: forget what was read and read again from there.
    Seek(Start),
    /// A newer owner exists: leave the partition alone until the next assignment or [`Assignment::due`].
    Leave,
    /// The sink does not know the partition: recover all that is held, then go on from its answers.
    Recover,
}

/// Whether a partition is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Reading,
    /// Refused as belonging to a newer owner, since then.
    Fenced(DateTime<Utc>),
    /// Stopped with the reason, since then: only an operator can help.
    Stopped(String, DateTime<Utc>),
}

/// One partition that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    owned: Owned,
    token: Token,
    standing: Standing,
    /// Checkpoint at the last start; progress is measured from here.
    origin: i64,
    /// End offset first seen after the last start: the partition is live once it has passed it.
    target: Option<i64>,
    /// End offset last seen.
    end: Option<i64>,
    /// True from a start at the beginning, or behind, until the target is passed.
    rebuilding: bool,
    /// Commit time of the newest change applied.
    as_of: Option<DateTime<Utc>>,
}

/// A partition as others may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The partition.
    pub partition: &'a Partition,
    /// Next offset to read, as the sink has it.
    pub checkpoint: i64,
    /// End offset, when known.
    pub end: Option<i64>,
    /// Commit time of the newest change applied.
    pub as_of: Option<DateTime<Utc>>,
}

/// All partitions a worker holds.
#[derive(Debug, Clone, Default)]
pub struct Assignment {
    held: BTreeMap<Partition, Held>,
    last_token: Token,
}

/// How long a fenced partition that the group still assigns to this worker is left alone before it is taken again:
/// longer than a session, so that of two workers that both believe to own it the one the group forgot has learned so.
pub const FENCED_FOR: TimeDelta = TimeDelta::seconds(15);

/// How long a stopped partition is left alone before it is tried again: whoever mends what stopped it need not tell the
/// workers.
pub const STOPPED_FOR: TimeDelta = TimeDelta::seconds(20);

impl Assignment {
    /// Takes a new assignment, which replaces everything held; answers where to read from.
    pub fn take(&mut self, owned: impl IntoIterator<Item = (Partition, Owned)>) -> Vec<Start> {
        let before = std::mem::take(&mut self.held);
        owned
            .into_iter()
            .map(|(partition, owned)| {
                let as_of = before.get(&partition).and_then(|held| held.as_of);
                self.begin(partition, owned, owned.checkpoint == 0, as_of)
            })
            .collect()
    }

    /// Gives up everything: revoked, lost, or stopping.
    pub fn drop_all(&mut self) {
        self.held.clear();
    }

    /// True when nothing is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// True when the partition is held, whatever its standing.
    pub fn holds(&self, partition: &Partition) -> bool {
        self.held.contains_key(partition)
    }

    /// The partitions being read.
    pub fn reading(&self) -> impl Iterator<Item = &Partition> {
        self.held
            .iter()
            .filter(|(_, held)| held.standing == Standing::Reading)
            .map(|(partition, _)| partition)
    }

    /// The checkpoint to expect of a partition when records with this token may be applied; `None` drops them.
    pub fn admits(&self, partition: &Partition, token: Token) -> Option<i64> {
        self.held
            .get(partition)
            .filter(|held| held.token == token && held.standing == Standing::Reading)
            .map(|held| held.owned.checkpoint)
    }

    /// True when reading went on from a checkpoint and the first record found there is older than `retention`, the time
    /// for which Kafka keeps every change and every delete: between the two, changes may be missing without a trace
    /// (docs: reliability 5.8, cdc 3.4). Asked before the first record after a start is applied.
    pub fn outlived(
        &self,
        partition: &Partition,
        written_at: DateTime<Utc>,
        now: DateTime<Utc>,
        retention: TimeDelta,
    ) -> bool {
        self.held.get(partition).is_some_and(|held| {
            held.origin > 0 && held.owned.checkpoint == held.origin && now - written_at > retention
        })
    }

    /// The step of a partition from what the sink is believed to have up to `next`.
    pub fn step(&self, partition: &Partition, next: i64) -> Option<Step> {
        let held = self.held.get(partition)?;
        (held.standing == Standing::Reading).then(|| Step {
            partition: partition.clone(),
            epoch: held.owned.epoch,
            base: held.owned.checkpoint,
            next,
        })
    }

    /// Steps that write nothing and ask whether the sink still holds what is believed, one for each partition being
    /// read (docs: reliability 5.4, idle check).
    pub fn idle_steps(&self) -> Vec<Step> {
        self.held
            .iter()
            .filter_map(|(partition, held)| self.step(partition, held.owned.checkpoint))
            .collect()
    }

    /// The sink has applied a batch: its steps move the checkpoints.
    pub fn applied(&mut self, batch: &Batch) {
        for step in &batch.steps {
            if let Some(held) = self.held.get_mut(&step.partition) {
                held.owned.checkpoint = step.next;
                held.settle();
            }
        }
    }

    /// The newest change of a partition that was applied.
    pub fn saw(&mut self, partition: &Partition, committed_at: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(partition) {
            held.as_of = held.as_of.max(Some(committed_at));
        }
    }

    /// What to do with a partition whose step got this answer.
    pub fn answered(&mut self, partition: &Partition, answer: Answer, now: DateTime<Utc>) -> Action {
        let Some(held) = self.held.get_mut(partition) else {
            return Action::Leave;
        };
        match answer {
            Answer::Clean => Action::Skip(held.owned.checkpoint),
            Answer::Duplicate(at) | Answer::Overlap(at) => {
                held.owned.checkpoint = at;
                held.settle();
                Action::Skip(at)
            }
            Answer::Behind(at) => {
                let owned = Owned {
                    epoch: held.owned.epoch,
                    checkpoint: at,
                };
                Action::Seek(self.restart(partition, owned, true))
            }
            Answer::Fenced(_) => {
                held.standing = Standing::Fenced(now);
                Action::Leave
            }
            Answer::Empty => Action::Recover,
        }
    }

    /// The sink answered a recovery while the partition was held: where to seek, or `None` when reading may go on.
    pub fn recovered(&mut self, partition: &Partition, owned: Owned) -> Option<Start> {
        let held = self.held.get_mut(partition)?;
        if held.standing == Standing::Reading && held.owned.checkpoint == owned.checkpoint {
            held.owned = owned;
            return None;
        }
        let rebuild = owned.checkpoint < held.owned.checkpoint || owned.checkpoint == 0;
        Some(self.restart(partition, owned, rebuild))
    }

    /// Reads a partition again from another place than its checkpoint, which stays what it is: for topics whose old
    /// records may go without harm.
    pub fn seek_to_beginning(&mut self, partition: &Partition) -> Option<Start> {
        let held = self.held.get_mut(partition)?;
        self.last_token += 1;
        held.token = self.last_token;
        Some(Start {
            partition: partition.clone(),
            offset: 0,
            token: self.last_token,
        })
    }

    /// Stops a partition until it is due again, or until the next assignment.
    pub fn stop(&mut self, partition: &Partition, reason: impl Into<String>, now: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(partition) {
            held.standing = Standing::Stopped(reason.into(), now);
        }
    }

    /// Stops all partitions of a topic; gives those that were being read.
    pub fn stop_topic(&mut self, topic: &str, reason: &str, now: DateTime<Utc>) -> Vec<Partition> {
        let of_topic: Vec<Partition> = self
            .reading()
            .filter(|partition| partition.topic == topic)
            .cloned()
            .collect();
        for partition in &of_topic {
            self.stop(partition, reason, now);
        }
        of_topic
    }

    /// Why partitions are stopped, one text each.
    pub fn stopped(&self) -> impl Iterator<Item = &str> {
        self.held.values().filter_map(|held| match &held.standing {
            Standing::Stopped(reason, _) => Some(reason.as_str()),
            _ => None,
        })
    }

    /// Fenced and stopped partitions whose time of rest is over although the group still assigns them to this worker.
    pub fn due(&self, now: DateTime<Utc>) -> Vec<Partition> {
        self.held
            .iter()
            .filter(|(_, held)| match held.standing {
                Standing::Reading => false,
                Standing::Fenced(since) => now - since >= FENCED_FOR,
                Standing::Stopped(_, since) => now - since >= STOPPED_FOR,
            })
            .map(|(partition, _)| partition.clone())
            .collect()
    }

    /// The end offset of a partition as Kafka says it.
    pub fn end(&mut self, partition: &Partition, end: i64) {
        if let Some(held) = self.held.get_mut(partition) {
            held.end = Some(end);
            if held.target.is_none() {
                held.target = Some(end);
            }
            held.settle();
        }
    }

    /// Nothing is left to read before the end, although the checkpoint does not say so: the last offsets hold no record.
    pub fn drained(&mut self, partition: &Partition) {
        if let Some(held) = self.held.get_mut(partition) {
            held.rebuilding = false;
        }
    }

    /// True while a partition is still reading what was there when it began from the beginning or went back.
    pub fn is_rebuilding(&self, partition: &Partition) -> bool {
        self.held.get(partition).is_some_and(|held| held.rebuilding)
    }

    /// How much of a rebuild is done, in percent of the offsets to read; `None` when nothing is being rebuilt. 100 is
    /// reached only when every partition has passed the end it had at the start (docs: reliability 5.8).
    pub fn rebuild_percent(&self) -> Option<u8> {
        // Before the ends are known, a partition at 0 may simply be empty: that is a rebuild only where all begin so.
        let fresh = self.held.values().all(|held| held.origin == 0);
        if !self
            .held
            .values()
            .any(|held| held.rebuilding && (fresh || held.target.is_some()))
        {
            return None;
        }
        let (mut done, mut all) = (0_i128, 0_i128);
        for held in self.held.values() {
            let length = (held.target.unwrap_or(held.origin) - held.origin).max(0);
            all += i128::from(length);
            done += i128::from((held.owned.checkpoint - held.origin).clamp(0, length));
        }
        let percent = if all == 0 { 0 } else { done * 100 / all };
        Some(u8::try_from(percent).unwrap_or(99).min(99))
    }

    /// The partitions as others may see them.
    pub fn progress(&self) -> impl Iterator<Item = Progress<'_>> {
        self.held.iter().map(|(partition, held)| Progress {
            partition,
            checkpoint: held.owned.checkpoint,
            end: held.end,
            as_of: held.as_of,
        })
    }

    fn restart(&mut self, partition: &Partition, owned: Owned, rebuild: bool) -> Start {
        let as_of = self.held.get(partition).and_then(|held| held.as_of);
        self.begin(partition.clone(), owned, rebuild, as_of)
    }

    fn begin(
        &mut self,
        partition: Partition,
        owned: Owned,
        rebuilding: bool,
        as_of: Option<DateTime<Utc>>,
    ) -> Start {
        self.last_token += 1;
        let token = self.last_token;
        self.held.insert(
            partition.clone(),
            Held {
                owned,
                token,
                standing: Standing::Reading,
                origin: owned.checkpoint,
                target: None,
                end: None,
                rebuilding,
                as_of,
            },
        );
        Start {
            partition,
            offset: owned.checkpoint,
            token,
        }
    }
}

impl Held {
    /// Ends the rebuild once the target is passed.
    fn settle(&mut self) {
        if self.target.is_some_and(|target| self.owned.checkpoint >= target) {
            self.rebuilding = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> Partition {
        Partition {
            topic: "transaction".into(),
            number,
        }
    }

    fn now(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn holding(checkpoint: i64) -> (Assignment, Start) {
        let mut assignment = Assignment::default();
        let starts = assignment.take([(partition(0), Owned { epoch: 3, checkpoint })]);
        (assignment, starts[0].clone())
    }

    #[test]
    fn every_answer_has_its_action() {
        // answer, action without the token, checkpoint believed afterwards, still reading
        let cases = [
            (Answer::Duplicate(20), "skip 20", 20, true),
            (Answer::Duplicate(25), "skip 25", 25, true),
            (Answer::Overlap(15), "skip 15", 15, true),
            (Answer::Behind(5), "seek 5", 5, true),
            (Answer::Behind(0), "seek 0", 0, true),
            (Answer::Fenced(4), "leave", 10, false),
            (Answer::Empty, "recover", 10, true),
        ];
        for (answer, expected, checkpoint, reading) in cases {
            let (mut assignment, start) = holding(10);
            let action = match assignment.answered(&partition(0), answer, now(1)) {
                Action::Skip(at) => format!("skip {at}"),
                Action::Seek(seek) => {
                    assert_ne!(
                        seek.token, start.token,
                        "{answer:?}: what was read before must not pass"
                    );
                    assert_eq!(assignment.admits(&partition(0), start.token), None);
                    format!("seek {}", seek.offset)
                }
                Action::Leave => "leave".into(),
                Action::Recover => "recover".into(),
            };
            assert_eq!(action, expected, "{answer:?}");
            assert_eq!(
                assignment.progress().next().unwrap().checkpoint,
                checkpoint,
                "{answer:?}"
            );
            assert_eq!(assignment.reading().count() == 1, reading, "{answer:?}");
        }
    }

    #[test]
    fn a_new_assignment_replaces_the_old_one_and_its_tokens() {
        let (mut assignment, first) = holding(10);
        let second = assignment.take([(
            partition(1),
            Owned {
                epoch: 1,
                checkpoint: 0,
            },
        )]);
        assert!(!assignment.holds(&partition(0)));
        assert_eq!(assignment.admits(&partition(0), first.token), None);
        assert_eq!(assignment.admits(&partition(1), second[0].token), Some(0));
        assignment.drop_all();
        assert_eq!(assignment.admits(&partition(1), second[0].token), None);
        assert!(assignment.is_empty());
    }

    #[test]
    fn a_recovery_seeks_only_when_the_checkpoint_differs() {
        let (mut assignment, start) = holding(10);
        let owned = |epoch, checkpoint| Owned { epoch, checkpoint };
        assert_eq!(assignment.recovered(&partition(0), owned(4, 10)), None);
        assert_eq!(assignment.admits(&partition(0), start.token), Some(10));
        assert_eq!(assignment.step(&partition(0), 12).unwrap().epoch, 4);
        let seek = assignment.recovered(&partition(0), owned(1, 0)).unwrap();
        assert_eq!(seek.offset, 0);
        assert!(assignment.is_rebuilding(&partition(0)));
        assert_eq!(assignment.recovered(&partition(9), owned(1, 0)), None, "not held");
    }

    #[test]
    fn a_fenced_partition_rests_and_is_taken_again_only_while_assigned() {
        let (mut assignment, start) = holding(10);
        assignment.answered(&partition(0), Answer::Fenced(9), now(100));
        assert_eq!(assignment.admits(&partition(0), start.token), None);
        assert!(assignment.idle_steps().is_empty());
        assert!(assignment.due(now(110)).is_empty());
        assert_eq!(assignment.due(now(115)), vec![partition(0)]);
        let seek = assignment
            .recovered(
                &partition(0),
                Owned {
                    epoch: 10,
                    checkpoint: 10,
                },
            )
            .unwrap();
        assert_eq!(
            seek.offset, 10,
            "what was read meanwhile was dropped, so it is read again"
        );
        assert!(assignment.due(now(200)).is_empty());
    }

    #[test]
    fn a_rebuild_ends_when_every_partition_passed_the_end_it_had() {
        let mut assignment = Assignment::default();
        let zero = Owned {
            epoch: 1,
            checkpoint: 0,
        };
        assignment.take([(partition(0), zero), (partition(1), zero)]);
        assert_eq!(assignment.rebuild_percent(), Some(0));
        assignment.end(&partition(0), 100);
        assignment.end(&partition(1), 0);
        assert!(
            !assignment.is_rebuilding(&partition(1)),
            "an empty partition is live at once"
        );
        let read = |assignment: &mut Assignment, next| {
            let batch = Batch {
                steps: vec![assignment.step(&partition(0), next).unwrap()],
                records: vec![],
            };
            assignment.applied(&batch);
        };
        read(&mut assignment, 50);
        assert_eq!(assignment.rebuild_percent(), Some(50));
        assignment.end(&partition(0), 150);
        read(&mut assignment, 100);
        assert_eq!(
            assignment.rebuild_percent(),
            None,
            "the end of the start counts, not the newest"
        );
        assert_eq!(assignment.progress().next().unwrap().end, Some(150));
    }

    #[test]
    fn only_the_first_record_after_a_checkpoint_can_have_outlived_it() {
        let day = TimeDelta::days(1);
        let (mut assignment, _) = holding(10);
        let old = |assignment: &Assignment| assignment.outlived(&partition(0), now(0), now(86_401), day);
        assert!(old(&assignment));
        assert!(!assignment.outlived(&partition(0), now(2), now(86_401), day));
        let batch = Batch {
            steps: vec![assignment.step(&partition(0), 12).unwrap()],
            records: vec![],
        };
        assignment.applied(&batch);
        assert!(!old(&assignment), "the gap, if there was one, lies behind");
        let (from_the_beginning, _) = holding(0);
        assert!(!old(&from_the_beginning), "a rebuild reads what is old by nature");
    }

    #[test]
    fn a_restart_near_the_end_is_not_called_a_rebuild() {
        let (mut assignment, _) = holding(10);
        assert_eq!(assignment.rebuild_percent(), None);
        let owned = |checkpoint| Owned { epoch: 1, checkpoint };
        assignment.take([(partition(0), owned(10)), (partition(1), owned(0))]);
        assert_eq!(
            assignment.rebuild_percent(),
            None,
            "a partition that never had a record"
        );
        assignment.end(&partition(1), 5);
        assert_eq!(assignment.rebuild_percent(), Some(0), "it has some");
    }

    #[test]
    fn a_stopped_partition_says_why_and_is_tried_again_after_a_while() {
        let (mut assignment, start) = holding(10);
        assignment.stop(&partition(0), "records are gone", now(100));
        assert_eq!(assignment.admits(&partition(0), start.token), None);
        assert_eq!(assignment.stopped().collect::<Vec<_>>(), ["records are gone"]);
        assert_eq!(assignment.due(now(119)), []);
        assert_eq!(assignment.due(now(120)), [partition(0)]);
        let owned = Owned {
            epoch: 9,
            checkpoint: 10,
        };
        let again = assignment.recovered(&partition(0), owned).unwrap();
        assert_eq!(again.offset, 10);
        assert_eq!(assignment.admits(&partition(0), again.token), Some(10));
        assert_eq!(assignment.stop_topic("nothing of ours", "x", now(130)), []);
        assert_eq!(
            assignment.stop_topic(&partition(0).topic, "its schema changed", now(130)),
            [partition(0)]
        );
        assert_eq!(assignment.stopped().collect::<Vec<_>>(), ["its schema changed"]);
    }
}
