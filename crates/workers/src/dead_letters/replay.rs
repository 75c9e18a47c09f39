//! `instashop dead-letters replay`: letters go to the end of the partitions they came from, where both flows read them.
//!
//! A letter never goes into a store by another way: both flows must see it. It is written only while it is the last record
//! of its key: a later one says more, and what a connector writes between the look and the write is written once more, so
//! that the order of the key in Kafka stays the order of truth, also for compaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::checkpoint::Partition;
use instashop_core::config::Config;
use instashop_store::warehouse::{DeadLetter, DeadLetters as Letters, LetterState};

use super::{ReplayArgs, filter, person};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::kafka::{KafkaFailure, PartitionReader, Repair, RepairWriter, marked};

pub(super) const HELP: &str = "\
Writes records once more to the partitions they came from, with their bytes as they are. Both flows read them there and \
decode them again, with what they know now. A record that still cannot be used becomes a letter of its own. A letter whose \
row has a later record says nothing any more and is discarded.

Examples:
  instashop dead-letters replay 42
  instashop dead-letters replay --reason wrong_type --topic product --yes
  instashop dead-letters show 42 --raw > record.json   # put it right in an editor, then
  instashop dead-letters replay 42 --value record.json

Exit codes: 0 replayed; 1 none was open, one cannot be replayed, or --yes is missing; 2 usage; 3 the warehouse or Kafka \
cannot be reached; 4 configuration.";

/// Letters handed over and marked at a time.
const CHUNK: i64 = 500;
/// How often what slipped in is written once more before the command gives up.
const ROUNDS: usize = 10;

/// Runs the command.
pub(super) async fn run(letters: &Letters, args: &ReplayArgs, config: &Config) -> Result<ExitCode> {
    let mut filter = filter(&args.which, Some(LetterState::Open));
    if args.ids.is_empty() {
        let count = letters.count(&filter).await?;
        if !args.yes {
            return Err(Failure::new(
                Exit::No,
                format!("{count} open letters fit and none was replayed"),
            )
            .hint("add --yes to replay them all")
            .into());
        }
    } else {
        filter.ids = Some(args.ids.clone());
    }
    let mended = mended(args)?;
    let by = match &mended {
        Some(_) => format!("{} with another value", person()?),
        None => person()?,
    };
    let again = Again::new(config)?;
    let (mut after, mut replayed, mut superseded) = (0, 0, 0);
    loop {
        let found = letters.to_replay(&filter, after, CHUNK).await?;
        let Some(last) = found.last() else { break };
        after = last.id;
        let mut places: BTreeMap<Partition, BTreeMap<i64, DeadLetter>> = BTreeMap::new();
        for letter in found {
            let of_partition = places.entry(letter.partition.clone()).or_default();
            of_partition.insert(letter.offset, letter);
        }
        for (partition, letters_there) in places {
            let written = again.write(&partition, &letters_there, mended.as_deref()).await?;
            let (last, old): (Vec<_>, Vec<_>) = letters_there
                .values()
                .partition(|letter| written.contains(&letter.offset));
            let ids = |of: &[&DeadLetter]| of.iter().map(|letter| letter.id).collect::<Vec<_>>();
            replayed += letters.replayed(&ids(&last), &by, Utc::now()).await?;
            superseded += letters.superseded(&ids(&old), Utc::now()).await?;
        }
    }
    output::line(&summary(replayed, superseded))?;
    Ok(if replayed + superseded == 0 {
        Exit::No
    } else {
        Exit::Done
    }
    .into())
}

fn summary(replayed: i64, superseded: i64) -> String {
    let letters = |count| if count == 1 { "letter" } else { "letters" };
    let replayed = format!("replayed {replayed} {}", letters(replayed));
    match superseded {
        0 => replayed,
        count => format!(
            "{replayed}; discarded {count} {} whose rows have later records",
            letters(count)
        ),
    }
}

/// Writes records of a partition to its end.
struct Again {
    reader: Arc<PartitionReader>,
    writer: RepairWriter,
}

impl Again {
    fn new(config: &Config) -> Result<Self, Failure> {
        let client = "instashop-dead-letters";
        Ok(Self {
            reader: Arc::new(PartitionReader::new(config, client)?),
            writer: RepairWriter::new(config, client)?,
        })
    }

    /// Writes those letters that are the last record of their key; gives their offsets.
    async fn write(
        &self,
        partition: &Partition,
        letters: &BTreeMap<i64, DeadLetter>,
        mended: Option<&[u8]>,
    ) -> Result<BTreeSet<i64>> {
        let (place, offsets) = (partition.clone(), letters.keys().copied().collect());
        let stretch = self.read(move |reader| reader.standing(&place, &offsets)).await?;
        let written = stretch.last.keys().copied().collect();
        let (mut next, mut ours) = (stretch.end, BTreeSet::new());
        let mut repairs: Vec<Repair> = stretch
            .last
            .into_values()
            .map(|original| Repair {
                topic: partition.topic.clone(),
                partition: Some(partition.number),
                key: Some(original.key),
                value: mended.map_or(original.value, |bytes| Some(bytes.to_vec())),
                headers: marked(original.headers),
            })
            .collect();
        for _ in 0..ROUNDS {
            if repairs.is_empty() {
                return Ok(written);
            }
            let offsets = self.writer.write(&repairs).await.map_err(Failure::from)?;
            ours.extend(offsets.iter().copied());
            let keys = repairs.into_iter().filter_map(|repair| repair.key);
            let before: HashMap<Vec<u8>, i64> = keys.zip(offsets).collect();
            let (place, ours) = (partition.clone(), ours.clone());
            let (slipped_in, end) = self
                .read(move |reader| reader.slipped_in(&place, next, &before, &ours))
                .await?;
            next = end;
            repairs = slipped_in
                .into_iter()
                .map(|original| Repair {
                    topic: partition.topic.clone(),
                    partition: Some(partition.number),
                    key: Some(original.key),
                    value: original.value,
                    headers: original.headers,
                })
                .collect();
        }
        Err(Failure::new(
            Exit::No,
            format!("rows of {partition} change faster than their letters can be replayed"),
        )
        .hint("run it again when the source is calmer")
        .into())
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&PartitionReader) -> Result<T, KafkaFailure> + Send + 'static,
    ) -> Result<T> {
        let reader = Arc::clone(&self.reader);
        let result = tokio::task::spawn_blocking(move || read(&reader))
            .await
            .wrap_err("reading Kafka failed")?;
        Ok(result.map_err(Failure::from)?)
    }
}

/// The bytes that stand in for those of the letter.
fn mended(args: &ReplayArgs) -> Result<Option<Vec<u8>>> {
    let Some(path) = &args.value else {
        return Ok(None);
    };
    if args.ids.len() != 1 {
        return Err(Failure::new(Exit::Usage, "--value is for one letter").into());
    }
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin()
            .read_to_end(&mut bytes)
            .wrap_err("standard input cannot be read")?;
    } else {
        bytes = std::fs::read(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_became_of_the_letters() {
        let cases = [
            ((1, 0), "replayed 1 letter"),
            ((0, 0), "replayed 0 letters"),
            (
                (2, 1),
                "replayed 2 letters; discarded 1 letter whose rows have later records",
            ),
        ];
        for ((replayed, superseded), expected) in cases {
            assert_eq!(summary(replayed, superseded), expected);
        }
    }
}
