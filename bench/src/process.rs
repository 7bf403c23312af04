//! Processes that are started, watched from outside and ended.

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{fs, net::SocketAddr, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// A process of ours. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: u32,
}

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// In memory now.
    pub(crate) resident: f64,
    /// The most there ever was.
    pub(crate) peak: f64,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Self> {
        let child = command.kill_on_drop(true).spawn().with_context(|| format!("{command:?} cannot be started"))?;
        let pid = child.id().context("it ended at once")?;
        Ok(Self { child, pid })
    }

    /// Starts another instance of this program; returns it and the address that it prints.
    pub(crate) async fn tool(arguments: &[&str]) -> anyhow::Result<(Self, SocketAddr)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdout(Stdio::piped());
        let mut process = Self::start(command)?;
        let output = process.child.stdout.take().context("no output")?;
        let mut line = String::new();
        timeout(Duration::from_secs(20), BufReader::new(output).read_line(&mut line)).await??;
        let started: serde_json::Value =
            serde_json::from_str(&line).with_context(|| format!("{arguments:?} did not start"))?;
        let address = started["address"].as_str().context("no address")?.parse()?;
        Ok((process, address))
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Processor time that it has used, in its own code and in the kernel for it.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        processor_time(&format!("/proc/{}/stat", self.pid))
    }

    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
        };
        let (resident, peak) = mib("VmRSS:").zip(mib("VmHWM:")).context("no memory in the process's status")?;
        Ok(Memory { resident, peak })
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let ended = timeout(Duration::from_secs(60), self.child.wait()).await.context("it does not stop")??;
        if !ended.success() {
            bail!("it ended with {ended}");
        }
        Ok(())
    }

    /// Interrupts it, as Ctrl-C does, and waits until it has ended.
    pub(crate) async fn interrupt(mut self) -> anyhow::Result<()> {
        self.signal(Signal::INT)?;
        timeout(Duration::from_secs(60), self.child.wait()).await.context("it does not stop")??;
        Ok(())
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.pid)?).context("no process")?;
        Ok(kill_process(pid, signal)?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.pid
    }
}

/// Processor time of this process.
pub(crate) fn own_processor_time() -> anyhow::Result<Duration> {
    processor_time("/proc/self/stat")
}

/// Processor time of a process, and of all children that it has or had.
pub(crate) fn processor_time_of_family(pid: u32) -> anyhow::Result<Duration> {
    let mut ticks = 0.0;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may end while we look.
        let Ok(stat) = Stat::read(&format!("/proc/{number}/stat")) else { continue };
        if number == pid {
            ticks += stat.ticks(11..15)?;
        } else if stat.ticks(1..2)? == f64::from(pid) {
            ticks += stat.ticks(11..13)?;
        }
    }
    Ok(time(ticks))
}

fn processor_time(path: &str) -> anyhow::Result<Duration> {
    Ok(time(Stat::read(path)?.ticks(11..13)?))
}

fn time(ticks: f64) -> Duration {
    Duration::from_secs_f64(ticks / rustix::param::clock_ticks_per_second() as f64)
}

/// What the kernel tells of a process in a line.
struct Stat(String);

impl Stat {
    fn read(path: &str) -> anyhow::Result<Self> {
        Ok(Self(fs::read_to_string(path).context("it has ended")?))
    }

    /// The sum of some fields, counted from behind the program's name, which stands in parentheses and may hold anything: 1 is the
    /// parent, 11 and 12 are user and kernel time, 13 and 14 those of children that have ended.
    fn ticks(&self, places: std::ops::Range<usize>) -> anyhow::Result<f64> {
        let fields: Vec<&str> = self.0.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let all = fields.get(places).context("too few fields in the process's state")?;
        all.iter().map(|field| Ok(field.parse::<f64>()?)).sum()
    }
}

/// The file system that holds a folder, as `ext4 on /dev/vda`.
pub(crate) fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let parts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (device, place, kind) = (fields.next()?, fields.next()?, fields.next()?);
        folder.starts_with(place).then_some((place.len(), device, kind))
    });
    // Of two mounts at one place the later one is seen.
    parts.max_by_key(|(length, ..)| *length).map(|(_, device, kind)| format!("{kind} on {device}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_is_watched_and_ended() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let mut process = Process::start(command).unwrap();
        assert!(process.is_alive().unwrap() && process.id() > 0);
        assert!(process.processor_time().unwrap() < Duration::from_secs(5));
        let memory = process.memory().unwrap();
        assert!(memory.resident > 0.0 && memory.resident <= memory.peak);
        assert!(process.stop().await.is_err(), "sleep does not end in good order");
        assert!(file_system(Path::new("/")).is_some());
        assert!(own_processor_time().is_ok());
        assert!(processor_time_of_family(std::process::id()).unwrap() >= own_processor_time().unwrap() / 2);
    }
}
