//! What kind of work a function is.

/// By a piece of the function's name, the first that fits; SQLite's come last, as C has no paths in its names.
const PIECES: [(&str, &str); 27] = [
    ("herald::store", "Herald: store"),
    ("herald::dispatch", "Herald: dispatch, pace"),
    ("herald::pace", "Herald: dispatch, pace"),
    ("herald_rules::lane", "Herald: dispatch, pace"),
    ("herald::events", "Herald: events"),
    ("herald::accept", "Herald: accept, API"),
    ("herald::api", "Herald: accept, API"),
    ("herald::access", "Herald: accept, API"),
    ("herald_channels", "Herald: adapters"),
    ("herald", "Herald: else"),
    ("rusqlite", "SQLite"),
    ("hashbrown", "hash tables"),
    ("serde", "JSON"),
    ("hyper", "HTTP"),
    ("httparse", "HTTP"),
    ("http::", "HTTP"),
    ("h2::", "HTTP"),
    ("axum", "HTTP"),
    ("reqwest", "HTTP"),
    ("tower", "HTTP"),
    ("url::", "HTTP"),
    ("tokio", "tokio"),
    ("mio::", "tokio"),
    ("futures", "tokio"),
    ("jiff", "time and ids"),
    ("uuid", "time and ids"),
    ("tracing", "log and metrics"),
];

/// What some system calls are here.
const CALLS: [(&str, &str); 8] = [
    ("writev", "writev (sockets; the other side's share of loopback too)"),
    ("recvfrom", "recvfrom (sockets)"),
    ("fsync", "fsync (commits)"),
    ("fdatasync", "fdatasync (commits)"),
    ("pwrite64", "pwrite64 (database)"),
    ("pread64", "pread64 (database)"),
    ("epoll_wait", "epoll_wait (waiting for sockets)"),
    ("futex", "futex (waking threads)"),
];

/// The kind of a function of a file (the program, a library, the kernel). Of the kernel's it is the system call, without
/// which it is an interrupt or a page fault.
pub(super) fn of(function: &str, file: &str, call: Option<&str>) -> String {
    if !(file.contains("kernel") || file.contains("[unknown]")) {
        return own(function, file).to_owned();
    }
    let Some(call) = call else { return "kernel: interrupts, page faults, entry".to_owned() };
    let name = ["__x64_sys_", "__arm64_sys_", "__do_sys_", "ksys_", "do_"]
        .iter()
        .find_map(|prefix| call.strip_prefix(prefix))
        .unwrap_or(call);
    if name.starts_with("exit_to_user") {
        return "kernel: other threads' turns".to_owned();
    }
    let words = CALLS.iter().find(|(known, _)| *known == name).map_or(name, |(_, words)| *words);
    format!("kernel: {words}")
}

fn own(function: &str, file: &str) -> &'static str {
    if file.contains("libc") {
        return if function.contains("mem") { "copying memory" } else { "libc" };
    }
    if let Some((_, kind)) = PIECES.iter().find(|(piece, _)| function.contains(piece)) {
        return kind;
    }
    match function {
        name if name.contains("mi_") => "allocator",
        name if name.contains("sha") || name.contains("hmac") || name.contains("aead") => "hashes and ciphers",
        name if name.contains("::") => "Rust's own",
        _ => "SQLite",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_sorted_by_what_they_do() {
        for (function, file, kind) in [
            ("sqlite3VdbeExec", "/x/herald", "SQLite"),
            ("<herald::store::sqlite::accept::Row as serde::Serialize>::serialize", "/x/herald", "Herald: store"),
            ("_mi_page_malloc", "/x/herald", "allocator"),
            ("__memmove_avx512_unaligned_erms", "/lib/libc.so.6", "copying memory"),
            ("alloc::vec::Vec<T>::push", "/x/herald", "Rust's own"),
        ] {
            assert_eq!(of(function, file, None), kind, "{function}");
        }
        assert_eq!(of("tcp_ack", "[kernel.kallsyms]", Some("__x64_sys_sendto")), "kernel: sendto");
        assert_eq!(of("iowrite16", "[kernel.kallsyms]", Some("__x64_sys_fsync")), "kernel: fsync (commits)");
        assert!(of("tcp_ack", "[kernel.kallsyms]", Some("do_writev")).starts_with("kernel: writev (sockets"));
        assert_eq!(of("handle_softirqs", "[kernel.kallsyms]", None), "kernel: interrupts, page faults, entry");
    }
}
