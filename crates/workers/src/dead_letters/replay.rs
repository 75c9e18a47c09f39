//! `instashop dead-letters replay`: letters go to the repair topic, which both flows read.
//!
//! A letter never goes into a store by another way: both flows must see it, and each decides by the position in the
//! source's log whether it still says something new (docs: reliability 5.1).

use std::io::Read as _;
use std::process::ExitCode;

use chrono::Utc;
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;
use instashop_store::warehouse::{DeadLetter, DeadLetters as Letters, LetterState};

use super::{ReplayArgs, filter, person};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::kafka::{REPAIR, Repair, RepairWriter};

pub(super) const HELP: &str = "\
Puts records on the topic instashop.repair with their bytes as they are. Both flows read it and decode them again, with \
what they know now; what is older than the row they hold changes nothing, so a letter may be replayed again. A record \
that still cannot be used becomes a letter of its own.

Examples:
  instashop dead-letters replay 42
  instashop dead-letters replay --reason wrong_type --topic product --yes
  instashop dead-letters show 42 --raw > record.json   # put it right in an editor, then
  instashop dead-letters replay 42 --value record.json

Exit codes: 0 replayed; 1 none was open, one cannot be replayed, or --yes is missing; 2 usage; 3 the warehouse or Kafka \
cannot be reached; 4 configuration.";

/// Letters handed over and marked at a time.
const CHUNK: i64 = 500;

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
    let writer = RepairWriter::new(config, "instashop-dead-letters").map_err(Failure::from)?;
    let (mut after, mut count) = (0, 0);
    loop {
        let found = letters.to_replay(&filter, after, CHUNK).await?;
        let Some(last) = found.last() else { break };
        after = last.id;
        let repairs = found
            .iter()
            .map(|letter| repair(letter, mended.as_deref()))
            .collect::<Result<Vec<_>, _>>()?;
        writer.write(&repairs).await.map_err(Failure::from)?;
        let ids: Vec<i64> = found.iter().map(|letter| letter.id).collect();
        count += letters.replayed(&ids, &by, Utc::now()).await?;
    }
    output::line(&format!(
        "replayed {count} {}",
        if count == 1 { "letter" } else { "letters" }
    ))?;
    Ok(if count == 0 { Exit::No } else { Exit::Done }.into())
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

fn repair(letter: &DeadLetter, mended: Option<&[u8]>) -> Result<Repair, Failure> {
    let topic = match &letter.origin {
        Some(origin) => origin.clone(),
        None if letter.partition.topic == REPAIR => {
            return Err(Failure::new(
                Exit::No,
                format!("letter {} does not say which topic it belongs to", letter.id),
            )
            .hint("it came from the repair topic without its header; discard it, and replay the record it came from"));
        }
        None => letter.partition.topic.clone(),
    };
    Ok(Repair {
        key: letter.key.clone(),
        value: mended.map_or_else(|| letter.value.clone(), |bytes| Some(bytes.to_vec())),
        topic,
        generation: letter.generation,
        from: Some((letter.partition.clone(), letter.offset)),
    })
}
