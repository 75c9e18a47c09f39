//! Workers under the harness's own control: started, frozen, killed and awaited one by one.

use std::fmt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Bed, eventually};

/// Which flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Flow {
    /// Changes into Redis.
    Live,
    /// Changes into the warehouse.
    Warehouse,
}

impl Flow {
    pub(crate) const BOTH: [Self; 2] = [Self::Live, Self::Warehouse];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Warehouse => "warehouse",
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One worker process.
#[derive(Debug)]
pub(crate) struct Worker {
    flow: Flow,
    child: Child,
}

impl Worker {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(0))
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        kill(self.pid(), signal).wrap_err_with(|| format!("a {} worker takes no {signal}", self.flow))
    }

    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().wrap_err("a worker cannot be watched")
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let mut status = None;
        eventually(&format!("the {} worker ends", self.flow), limit, || {
            status = self.ended()?;
            Ok(status.is_some())
        })?;
        status.ok_or_else(|| color_eyre::eyre::eyre!("the worker's end was not seen"))
    }

    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill().wrap_err("a worker cannot be killed")?;
        self.child.wait().wrap_err("a killed worker cannot be awaited")?;
        Ok(())
    }

    /// Asks it to stop; gives the time that took. Anything but exit code 0 is an error.
    pub(crate) fn stop(mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.signal(Signal::SIGTERM)?;
        let status = self.wait(Duration::from_secs(30))?;
        if !status.success() {
            bail!("a {} worker ended with {status} after SIGTERM", self.flow);
        }
        Ok(begun.elapsed())
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .and_then(|line| line.trim().strip_suffix("kB"))
            .and_then(|number| number.trim().parse().ok())
            .unwrap_or(0);
        kib * 1024
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A frozen process must be woken before it can be killed in time; a killed one is awaited so that none stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The workers that run.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    workers: Vec<Worker>,
}

impl Fleet {
    /// Starts a worker with more settings and environment; it is the caller's.
    pub(crate) fn start_with(
        bed: &Bed,
        flow: Flow,
        settings: &[String],
        environment: &[(&str, &str)],
    ) -> Result<Worker> {
        let mut arguments = Vec::new();
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        arguments.push(flow.name());
        let mut command = bed.command("instashop", &arguments);
        command.envs(environment.iter().copied());
        Ok(Worker {
            flow,
            child: bed.spawn(command, flow.name())?,
        })
    }

    pub(crate) fn start(bed: &Bed, flow: Flow) -> Result<Worker> {
        Self::start_with(bed, flow, &[], &[])
    }

    /// Makes sure that exactly one worker of each flow of this fleet runs; says which ones had ended by themselves.
    pub(crate) fn one_each(&mut self, bed: &Bed) -> Result<()> {
        for flow in Flow::BOTH {
            let mut kept = false;
            for worker in std::mem::take(&mut self.workers) {
                if worker.flow != flow {
                    self.workers.push(worker);
                    continue;
                }
                let mut worker = worker;
                if !kept && worker.ended()?.is_none() {
                    kept = true;
                    self.workers.push(worker);
                }
            }
            if !kept {
                self.workers.push(Self::start(bed, flow)?);
            }
        }
        Ok(())
    }

    /// Takes a running worker of a flow out of the fleet.
    pub(crate) fn take(&mut self, flow: Flow) -> Result<Worker> {
        let Some(at) = self.workers.iter().position(|worker| worker.flow == flow) else {
            bail!("no {flow} worker runs");
        };
        Ok(self.workers.swap_remove(at))
    }

    pub(crate) fn put(&mut self, worker: Worker) {
        self.workers.push(worker);
    }

    /// A running worker of a flow.
    pub(crate) fn of(&mut self, flow: Flow) -> Result<&mut Worker> {
        self.workers
            .iter_mut()
            .find(|worker| worker.flow == flow)
            .ok_or_else(|| color_eyre::eyre::eyre!("no {flow} worker runs"))
    }

    /// Stops all in good order.
    pub(crate) fn stop(&mut self) -> Result<()> {
        for worker in self.workers.drain(..) {
            worker.stop()?;
        }
        Ok(())
    }
}
