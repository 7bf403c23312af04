//! Processes: started so that they end with us, signalled together with their children.

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs, io,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a process from a thread that lives as long as we do.
///
/// What `setpriv --pdeathsig` asks for comes when the *thread* that started it ends, and each test has its own.
pub(crate) fn start(command: Command) -> anyhow::Result<Child> {
    static STARTER: OnceLock<Sender<Order>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (orders, incoming) = channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in incoming {
                // Who asked waits for the answer, so it is taken.
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let program = command.get_program().to_owned();
    let (answer, started) = channel();
    starter.send((command, answer)).ok().context("the thread that starts processes has ended")?;
    started.recv()?.with_context(|| format!("{} cannot be started", program.display()))
}

/// Sends a signal; a process that has ended meanwhile is no mistake.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Stops a postmaster, then its children: in this order it starts no further one meanwhile.
pub(crate) fn pause(postmaster: u32) {
    signal(postmaster, Signal::STOP);
    for child in children(postmaster) {
        signal(child, Signal::STOP);
    }
}

/// Lets them go on.
pub(crate) fn resume(postmaster: u32) {
    for child in children(postmaster) {
        signal(child, Signal::CONT);
    }
    signal(postmaster, Signal::CONT);
}

/// Kills a postmaster and its children at one blow: none has time to react to another's end.
pub(crate) fn kill(postmaster: u32) {
    pause(postmaster);
    let children = children(postmaster);
    for child in children.iter().copied().chain([postmaster]) {
        signal(child, Signal::KILL);
    }
    // A new postmaster refuses to start in a folder that an old child still uses.
    let ended = || children.iter().all(|child| state(*child).is_none_or(|(_, state)| state == 'Z'));
    wait(Duration::from_secs(10), ended);
}

/// Ends the server that works in a folder although its owner has ended.
pub(crate) fn end_left_over(data: &Path) {
    let written = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let Some(pid) = written.lines().next().and_then(|line| line.trim().parse().ok()) else { return };
    // The number may be another process's by now.
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    if String::from_utf8_lossy(&words).split('\0').any(|word| Path::new(word) == data) {
        kill(pid);
        wait(Duration::from_secs(10), || state(pid).is_none_or(|(_, state)| state == 'Z'));
    }
}

/// Gives back the 56 bytes of shared memory by which a killed server would find its own children; PostgreSQL does that
/// itself unless it is killed.
pub(crate) fn release_memory(data: &Path) {
    let written = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let segments = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    if let Some(segment) = left_over_segment(&written, &segments) {
        let _ = Command::new("ipcrm").args(["--shmem-id", segment]).stderr(Stdio::null()).status();
    }
}

/// The segment that a lock file names in its seventh line, if the kernel says that this postmaster made it and nobody
/// uses it: after a reboot the number may be somebody else's.
fn left_over_segment<'a>(lock: &'a str, segments: &str) -> Option<&'a str> {
    let postmaster = lock.lines().next()?.trim();
    let wanted = lock.lines().nth(6)?.split_whitespace().nth(1)?;
    // key, id, rights, size, who made it, who used it last, how many use it, ...
    let mut lines = segments.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .any(|line| matches!(line[..], [_, id, _, _, maker, _, "0", ..] if id == wanted && maker == postmaster))
        .then_some(wanted)
}

/// Asks again every few milliseconds until it holds; says whether it came to hold in time.
pub(crate) fn wait(at_most: Duration, holds: impl Fn() -> bool) -> bool {
    let until = Instant::now() + at_most;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(3));
    }
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| state(*pid).is_some_and(|(of, _)| of == parent)).collect()
}

/// The parent of a process, and its state; `None` where it has ended.
pub(crate) fn state(pid: u32) -> Option<(u32, char)> {
    parse_state(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The program's name stands in brackets, and may have blanks and brackets itself.
fn parse_state(stat: &str) -> Option<(u32, char)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_misleads_nobody() {
        assert_eq!(parse_state("12 (a) b) (c) S 7 12 12 0"), Some((7, 'S')));
        assert_eq!(parse_state("nonsense"), None);
    }

    #[test]
    fn only_the_segment_of_the_very_server_is_given_back() {
        let lock = "77\n/data\n1790\n20001\n/socket\n127.0.0.1\n  3276801     32770\nready   \n";
        let kernel = |maker, users| {
            format!("key shmid perms\n 1 32771 600 56 77 7 0 0\n 1 32770 600 56 {maker} 7 {users} 101\n")
        };
        assert_eq!(left_over_segment(lock, &kernel("77", 0)), Some("32770"));
        assert_eq!(left_over_segment(lock, &kernel("77", 1)), None);
        assert_eq!(left_over_segment(lock, &kernel("78", 0)), None);
        assert_eq!(left_over_segment("77\n/data\n", &kernel("77", 0)), None);
    }

    #[test]
    fn a_process_outlives_the_thread_that_asked_for_it() {
        let asked = thread::spawn(|| {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--", "sleep", "60"]);
            start(command).unwrap()
        });
        let mut child = asked.join().unwrap();
        // It has become `sleep`, so that the wish is in force; the thread is gone.
        let name = format!("/proc/{}/comm", child.id());
        assert!(wait(Duration::from_secs(10), || fs::read_to_string(&name).unwrap_or_default() == "sleep\n"));
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
