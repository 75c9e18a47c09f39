//! Faults of Redis, and of the network before it.

use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr, bail, ensure};
use nix::sys::signal::Signal;

use crate::bed::eventually;
use crate::bed::fleet::{Fleet, Flow};
use crate::bed::sql::Database;
use crate::faults::field::{Field, live_on};
use crate::faults::proxy::{Network, Proxy};

/// Upper bound of a worker's memory while its store does not take anything, bytes.
const MEMORY: u64 = 400 << 20;

pub(in crate::faults) fn emptied(field: &mut Field<'_>) -> Result<String> {
    let answer = field.bed.redis(&["FLUSHALL"])?;
    ensure!(answer == "OK", "FLUSHALL: {answer}");
    field.healed();
    Ok("FLUSHALL".into())
}

pub(in crate::faults) fn killed(field: &mut Field<'_>) -> Result<String> {
    let rounds = if field.is_quick { 1 } else { 4 };
    for _ in 0..rounds {
        field.bed.kill("redis")?;
        field.bed.up(&["redis"])?;
        field.healed();
        field.caught_up(Flow::Live, Duration::from_mins(1))?;
    }
    Ok(format!("{rounds} times -9, appendfsync everysec"))
}

pub(in crate::faults) fn restarted(field: &mut Field<'_>) -> Result<String> {
    field.bed.down(&["redis"])?;
    field.bed.up(&["redis"])?;
    Ok("SIGTERM, append-only file kept, no script known".into())
}

/// Redis is away for a while: the warehouse must not notice.
pub(in crate::faults) fn away(field: &mut Field<'_>) -> Result<String> {
    field.bed.down(&["redis"])?;
    let away = if field.is_quick { 8 } else { 60 };
    live_on(Duration::from_secs(away));
    field.caught_up(Flow::Warehouse, Duration::from_secs(10))?;
    field.bed.up(&["redis"])?;
    Ok(format!("{away} s; the warehouse flow went on"))
}

/// What a failover to a replica that was behind looks like from outside: Redis comes back with an older state, whole.
pub(in crate::faults) fn rolled_back(field: &mut Field<'_>) -> Result<String> {
    let home = field.bed.data().join("redis");
    let (current, older) = (home.join("appendonlydir"), home.join("older"));
    field.bed.down(&["redis"])?;
    copy_folder(&current, &older)?;
    field.bed.up(&["redis"])?;
    field.caught_up(Flow::Live, Duration::from_mins(1))?;
    let lost = if field.is_quick { 5 } else { 20 };
    live_on(Duration::from_secs(lost));
    field.bed.kill("redis")?;
    std::fs::remove_dir_all(&current).wrap_err("the newer file cannot be removed")?;
    std::fs::rename(&older, &current).wrap_err("the older file cannot be put back")?;
    field.bed.up(&["redis"])?;
    Ok(format!("{lost} s of writes gone"))
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(to).wrap_err("no folder for a copy")?;
    for entry in std::fs::read_dir(from)
        .wrap_err("no append-only files")?
        .flatten()
    {
        std::fs::copy(entry.path(), to.join(entry.file_name())).wrap_err("a file cannot be copied")?;
    }
    Ok(())
}

/// No memory left: scripts are refused whole, the flow waits, and goes on when there is room.
pub(in crate::faults) fn full(field: &mut Field<'_>) -> Result<String> {
    let used = field.bed.redis(&["INFO", "memory"])?;
    let used: u64 = used
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(1 << 20);
    let limit = used.saturating_sub(100_000).to_string();
    field.bed.redis(&["CONFIG", "SET", "maxmemory", &limit])?;
    eventually("the live flow waits", Duration::from_secs(20), || {
        let health = field.health()?;
        Ok(health
            .of(Flow::Live)
            .all(|worker| worker.state.contains("waiting")))
    })
    .or_else(|error| {
        // A Redis without memory takes no health either: the page then knows of no worker.
        let silent = field.health()?.of(Flow::Live).next().is_none();
        if silent { Ok(()) } else { Err(error) }
    })?;
    field.caught_up(Flow::Warehouse, Duration::from_secs(10))?;
    field.bed.redis(&["CONFIG", "SET", "maxmemory", "0"])?;
    Ok("maxmemory below what is used".into())
}

/// Redis answers nothing for a while, twice, then slowly; the worker's memory stays bounded and nothing is skipped.
pub(in crate::faults) fn blocked(field: &mut Field<'_>) -> Result<String> {
    field.open_shop_at("600")?;
    let mut most = 0;
    for _ in 0..if field.is_quick { 1 } else { 3 } {
        field.bed.signal("redis", Signal::SIGSTOP)?;
        for _ in 0..8 {
            live_on(Duration::from_secs(1));
            most = most.max(field.fleet.of(Flow::Live)?.memory());
        }
        field.bed.signal("redis", Signal::SIGCONT)?;
        live_on(Duration::from_secs(2));
    }
    field.open_shop()?;
    ensure!(most < MEMORY, "the worker grew to {} MiB", most >> 20);
    Ok(format!("600 events a second, worker at most {} MiB", most >> 20))
}

/// An eviction policy that would throw totals away: a worker refuses to work on such a Redis.
pub(in crate::faults) fn evicting(field: &mut Field<'_>) -> Result<String> {
    field
        .bed
        .redis(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])?;
    field.fleet.take(Flow::Live)?.stop()?;
    let mut refused = field.extra(Flow::Live)?;
    let status = refused.wait(Duration::from_secs(20));
    field
        .bed
        .redis(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])?;
    let status = status?;
    ensure!(
        !status.success(),
        "the worker accepted a Redis that evicts ({status})"
    );
    Ok(format!("refused with {status}"))
}

/// Keys deleted by hand: the proof names the drift, and a rebuild repairs it.
pub(in crate::faults) fn keys_deleted(field: &mut Field<'_>) -> Result<String> {
    field.close_shop();
    field.proved()?;
    let keys = field.bed.redis(&["--scan", "--pattern", "live:*:sum:*"])?;
    // The newest day of the platform; what ends in a store is not what the proof reads.
    let of_platform = |key: &&str| key.split(':').count() == 4;
    let Some(key) = keys.lines().filter(of_platform).max() else {
        bail!("no totals to delete");
    };
    let deleted = field.bed.redis(&["DEL", key])?;
    ensure!(deleted == "1", "DEL {key}: {deleted}");
    let drift = field.bed.run("instashop", &["verify"])?;
    ensure!(drift.code == 1, "the proof did not see it:\n{}", drift.out);
    field.bed.good("instashop", &["rebuild", "live", "--yes"])?;
    Ok(format!("{key}: seen, rebuilt"))
}

/// A shop with a million orders: the totals are built anew from the topics, and the page says how far they are.
pub(in crate::faults) fn million_orders(field: &mut Field<'_>) -> Result<String> {
    let source = field.sql(Database::Instashop)?;
    field.close_shop();
    for _ in 0..10 {
        source.run(
            "INSERT INTO transaction (buyer_id, customer_id, transaction_date, total_amount, payment_method, status)
             SELECT 1 + n % 400, 1 + n % 6, date_trunc('second', now() AT TIME ZONE 'UTC') - n * interval '31 seconds',
               round((1 + n % 977)::numeric * 1.37, 2), (ARRAY['paypal', 'credit_card', 'wallet'])[1 + n % 3],
               (ARRAY['completed', 'completed', 'failed', 'pending'])[1 + n % 4]
             FROM generate_series(1, 100000) AS n",
        )?;
    }
    field.open_shop()?;
    field.both_caught_up(Duration::from_mins(10))?;
    field.bed.good("instashop", &["rebuild", "live", "--yes"])?;
    let begun = Instant::now();
    eventually("the page says that it rebuilds", Duration::from_secs(20), || {
        let health = field.health()?;
        Ok(health.of(Flow::Live).any(|worker| worker.state == "rebuilding"))
    })?;
    let mut most = 0;
    eventually("the rebuild is done", Duration::from_mins(4), || {
        most = most.max(field.fleet.of(Flow::Live)?.memory());
        let health = field.health()?;
        Ok(health.of(Flow::Live).all(|worker| worker.state == "running"))
    })?;
    field.caught_up(Flow::Live, Duration::from_mins(1))?;
    let took = begun.elapsed();
    let orders = source.text("SELECT count(*)::text FROM transaction")?;
    ensure!(
        took < Duration::from_mins(2),
        "the rebuild of {orders} orders took {} s",
        took.as_secs()
    );
    ensure!(most < MEMORY, "the worker grew to {} MiB", most >> 20);
    let info = field.bed.redis(&["INFO", "memory"])?;
    let used = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:")?.trim().parse::<u64>().ok());
    Ok(format!(
        "{orders} orders built anew in {:.0} s, worker at most {} MiB, Redis {} MiB",
        took.as_secs_f64(),
        most >> 20,
        used.unwrap_or(0) >> 20
    ))
}

/// The network between a worker and Redis: answers lost after the script was applied, silence, cuts.
pub(in crate::faults) fn network(field: &mut Field<'_>) -> Result<String> {
    let config = field.bed.config()?;
    let proxy = Proxy::start(config.redis.port)?;
    through(field, Flow::Live, &proxy, &[format!("redis.port={}", proxy.port)])
}

/// Plays the faults of a network on a flow whose worker goes through a proxy.
pub(super) fn through(
    field: &mut Field<'_>,
    flow: Flow,
    proxy: &Proxy,
    settings: &[String],
) -> Result<String> {
    field.fleet.take(flow)?.stop()?;
    let worker = Fleet::start_with(field.bed, flow, settings, &[])?;
    field.fleet.put(worker);
    field.caught_up(flow, Duration::from_secs(30))?;
    let faults = [
        (Network::LosesAnswers, 3),
        (Network::Silent, 6),
        (Network::Cut, 3),
        (Network::Slow, 5),
    ];
    let rounds = if field.is_quick { 1 } else { 3 };
    for _ in 0..rounds {
        for (network, seconds) in faults {
            proxy.set(network);
            live_on(Duration::from_secs(seconds));
            proxy.set(Network::Good);
            live_on(Duration::from_secs(1));
        }
    }
    field.healed();
    field.caught_up(flow, Duration::from_mins(1))?;
    // The next scenario's worker goes straight to the store again.
    field.fleet.take(flow)?.stop()?;
    Ok(format!("{rounds} times lost answers, silence, cuts, slowness"))
}
