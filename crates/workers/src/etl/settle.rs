//! Totals of sealed days: recounted by the warehouse as of the checkpoints of Redis, and written there.

use std::time::{Duration, Instant};

use chrono::Utc;
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_store::live::{LiveReader, LiveSettler, Settled};
use instashop_store::warehouse::Auditor;

use crate::shutdown::Shutdown;
use crate::verify::cut;
use crate::verify::progress::Progress;

/// How long both flows may take to reach the cut.
const WAIT: Duration = Duration::from_mins(1);
/// This part of the time at most.
const SHARE: u32 = 20;

/// Writes the totals of sealed days whenever they are not there or not right any more, as long as it is polled.
pub(super) async fn keep(config: &Config, shutdown: &Shutdown) {
    let every = Duration::from_secs(config.etl.whole_seconds);
    let mut has_failed = false;
    loop {
        let began = Instant::now();
        let mut pause = every;
        match Box::pin(once(config)).await {
            Ok(_) => {
                has_failed = false;
                pause = pause.max(began.elapsed() * SHARE);
            }
            // Redis is away or rebuilding, or a flow is behind: nothing is lost by waiting.
            Err(error) if !std::mem::replace(&mut has_failed, true) => {
                tracing::warn!("totals of sealed days wait: {error:#}");
            }
            Err(error) => tracing::debug!("totals of sealed days wait: {error:#}"),
        }
        tokio::select! {
            () = shutdown.triggered() => std::future::pending().await,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Writes them if that is due; `None` when it is not, or when a new day was sealed meanwhile.
pub(super) async fn once(config: &Config) -> Result<Option<Settled>> {
    let mut settler = LiveSettler::connect(&config.redis).await?;
    if !settler.is_due().await? {
        return Ok(None);
    }
    let progress = Progress::new();
    let mut auditor = Auditor::connect(&config.warehouse).await?;
    let mut reader = LiveReader::connect(&config.redis, &config.meaning).await?;
    let ends = cut::ends(config).await?;
    let dump = cut::live(&mut reader, &ends, WAIT, &progress).await?;
    cut::warehouse(&auditor, &dump.checkpoints, WAIT, &progress).await?;
    progress.say("adding up sealed days");
    let gone = auditor.gone_products().await?;
    let here = auditor.as_of_checkpoints(&dump.checkpoints).await?;
    let figures = here.live_figures(&config.meaning, &gone, dump.boundary()).await?;
    let settled = settler.write(&dump, &figures, Utc::now()).await?;
    if let Some(settled) = &settled {
        tracing::info!(
            days = settled.days,
            corrected = settled.corrected,
            late = dump.sealed.map_or(0, |sealed| sealed.late),
            "totals of sealed days written to Redis"
        );
    }
    Ok(settled)
}
