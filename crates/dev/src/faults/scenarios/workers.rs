//! Faults of the workers themselves.

use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, bail};
use nix::sys::signal::Signal;

use crate::bed::fleet::{Fleet, Flow, Worker};
use crate::faults::field::{Field, live_on};

/// Longer than the session of the consumer group and than the longest frozen transaction.
const PAST_THE_SESSION: Duration = Duration::from_secs(13);
/// A start, a rebalance, and as many batches as a fail point lets pass.
const STRUCK: Duration = Duration::from_mins(1);

/// The steps of each protocol at which a worker can die, in order.
const LIVE: [&str; 5] = [
    "live.read",
    "live.computed",
    "live.sending",
    "live.answered",
    "flow.applied",
];
const WAREHOUSE: [&str; 6] = [
    "warehouse.begun",
    "warehouse.read",
    "warehouse.written",
    "warehouse.committing",
    "warehouse.committed",
    "flow.applied",
];

fn armed(field: &mut Field<'_>, flow: Flow, point: &str, fault: &str) -> Result<Worker> {
    let nth = field.dice.between(2, 25);
    let setting = format!("{point}:{nth}:{fault}");
    Fleet::start_with(field.bed, flow, &[], &[("INSTASHOP_FAIL_POINT", &setting)])
}

/// One worker of each flow dies at every step of its protocol in turn; both flows at once, to save time.
pub(in crate::faults) fn killed_at_every_step(field: &mut Field<'_>) -> Result<String> {
    for flow in Flow::BOTH {
        field.fleet.take(flow)?.kill()?;
    }
    let mut deaths = 0;
    for round in 0..LIVE.len().max(WAREHOUSE.len()) {
        let mut struck = Vec::new();
        for (flow, points) in [(Flow::Live, &LIVE[..]), (Flow::Warehouse, &WAREHOUSE[..])] {
            if let Some(point) = points.get(round) {
                struck.push((point, armed(field, flow, point, "kill")?));
            }
        }
        for (point, mut worker) in struck {
            let status = worker.wait(STRUCK)?;
            if status.code().is_some() {
                bail!("the worker with fail point {point} ended with {status} instead of being killed");
            }
            deaths += 1;
        }
    }
    Ok(format!("{deaths} deaths"))
}

/// Two workers of each flow; one is killed, the other must have everything within ten seconds.
pub(in crate::faults) fn taken_over(field: &mut Field<'_>) -> Result<String> {
    let mut second = Vec::new();
    for flow in Flow::BOTH {
        second.push(field.extra(flow)?);
    }
    field.both_caught_up(Duration::from_secs(30))?;
    for flow in Flow::BOTH {
        field.fleet.take(flow)?.kill()?;
    }
    let begun = Instant::now();
    field.healed();
    for worker in second {
        field.fleet.put(worker);
    }
    field.both_caught_up(Duration::from_secs(30))?;
    let took = begun.elapsed();
    if took > Duration::from_secs(10) {
        bail!(
            "the other workers had everything after {:.1} s, not within 10",
            took.as_secs_f64()
        );
    }
    Ok(format!("taken over after {:.1} s", took.as_secs_f64()))
}

/// A worker of each flow is frozen for longer than its session, another takes its work, and the frozen one wakes.
pub(in crate::faults) fn zombies(field: &mut Field<'_>) -> Result<String> {
    let mut successors = Vec::new();
    for flow in Flow::BOTH {
        successors.push(field.extra(flow)?);
    }
    field.both_caught_up(Duration::from_secs(30))?;
    for flow in Flow::BOTH {
        field.fleet.of(flow)?.signal(Signal::SIGSTOP)?;
    }
    live_on(PAST_THE_SESSION);
    for flow in Flow::BOTH {
        field.fleet.of(flow)?.signal(Signal::SIGCONT)?;
    }
    field.healed();
    field.both_caught_up(Duration::from_secs(30))?;
    for worker in successors {
        worker.stop()?;
    }
    Ok("one of each flow, 13 s".into())
}

/// A warehouse worker is frozen inside its transaction, with its locks; its successor is not held up for longer than the
/// server lets a transaction idle.
pub(in crate::faults) fn frozen_in_a_transaction(field: &mut Field<'_>) -> Result<String> {
    field.fleet.take(Flow::Warehouse)?.kill()?;
    let frozen = armed(field, Flow::Warehouse, "warehouse.written", "stop")?;
    let stat = format!("/proc/{}/stat", frozen.pid());
    crate::bed::eventually("the worker freezes", STRUCK, || {
        let stat = std::fs::read_to_string(&stat).unwrap_or_default();
        Ok(stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim().starts_with('T')))
    })?;
    let begun = Instant::now();
    field.fleet.one_each(field.bed)?;
    field.healed();
    field.caught_up(Flow::Warehouse, Duration::from_mins(1))?;
    let held = begun.elapsed();
    frozen.signal(Signal::SIGCONT)?;
    live_on(Duration::from_secs(3));
    frozen.stop()?;
    Ok(format!("successor done after {:.1} s", held.as_secs_f64()))
}

/// A third worker of each flow comes and goes every two seconds, in good order and by the hard way.
pub(in crate::faults) fn rebalanced_every_two_seconds(field: &mut Field<'_>) -> Result<String> {
    let mut second = Vec::new();
    for flow in Flow::BOTH {
        second.push(field.extra(flow)?);
    }
    let rounds = if field.is_quick { 6 } else { 20 };
    for round in 0..rounds {
        let third = [field.extra(Flow::Live)?, field.extra(Flow::Warehouse)?];
        live_on(Duration::from_secs(2));
        for worker in third {
            if round % 3 == 2 {
                worker.kill()?;
            } else {
                worker.stop()?;
            }
        }
    }
    let conflicts = field.health()?.conflicts();
    for worker in second {
        worker.stop()?;
    }
    Ok(format!("{} rebalances, {conflicts} conflicts", rounds * 2))
}

/// SIGTERM under load again and again: every stop within ten seconds with exit code 0.
pub(in crate::faults) fn stopped_a_hundred_times(field: &mut Field<'_>) -> Result<String> {
    let rounds = if field.is_quick { 5 } else { 50 };
    let mut longest = Duration::ZERO;
    for _ in 0..rounds {
        for flow in Flow::BOTH {
            let took = field.fleet.take(flow)?.stop()?;
            longest = longest.max(took);
        }
        field.fleet.one_each(field.bed)?;
        // Anything between the first poll and the middle of a batch.
        let moment = field.dice.between(100, 2500).unsigned_abs();
        live_on(Duration::from_millis(moment));
    }
    if longest > Duration::from_secs(10) {
        bail!("a stop took {:.1} s", longest.as_secs_f64());
    }
    Ok(format!(
        "{} stops, longest {:.1} s",
        rounds * 2,
        longest.as_secs_f64()
    ))
}

/// A second SIGTERM right behind the first: whatever was in hand is left, and nothing is lost.
pub(in crate::faults) fn stopped_twice(field: &mut Field<'_>) -> Result<String> {
    let mut codes = Vec::new();
    for flow in Flow::BOTH {
        let mut worker = field.fleet.take(flow)?;
        worker.signal(Signal::SIGTERM)?;
        worker.signal(Signal::SIGTERM)?;
        let status = worker.wait(Duration::from_secs(10))?;
        codes.push(
            status
                .code()
                .map_or_else(|| "killed".into(), |code| code.to_string()),
        );
    }
    Ok(format!("exit codes {}", codes.join(", ")))
}
