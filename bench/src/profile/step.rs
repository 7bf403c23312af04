//! Which step of a message's way a sample was taken in, as far as its stack tells.

/// By a piece of a function's name anywhere in the stack, the first that fits, for the thread that writes the store.
const WRITER: [(&str, &str); 6] = [
    ("AcceptCall", "store: accept"),
    ("sqlite::receipt::", "store: receipts"),
    ("sqlite::outcome::", "store: outcomes"),
    ("sqlite::claim::", "store: claims"),
    ("sqlite::events::", "store: deliveries"),
    ("", "store: commit, files"),
];

/// The same for all other threads.
const OTHERS: [(&str, &str); 16] = [
    ("herald::events", "webhooks: read, make, sign, post"),
    ("status::callback", "receipts: read, check"),
    ("simulated::receipts", "receipts: read, check"),
    ("herald::accept", "requests: read, check, answer"),
    ("herald::api", "requests: read, check, answer"),
    ("herald::observe::request", "requests: read, check, answer"),
    ("axum", "requests: read, check, answer"),
    ("role::Server", "requests: read, check, answer"),
    ("worker::ask", "provider: calls"),
    ("herald_channels", "provider: calls"),
    ("reqwest", "provider: calls"),
    ("role::Client", "provider: calls"),
    ("herald::dispatch", "lane: queue, claim, settle"),
    ("hyper::proto", "HTTP connections: of requests or of provider calls"),
    ("epoll", "waiting and waking"),
    ("", "runtime, and where the stack does not tell"),
];

/// The step of a stack, innermost frame first.
pub(super) fn of(thread: &str, frames: &[(&str, &str)]) -> &'static str {
    let list: &[(&str, &'static str)] = match thread {
        "checkpoint" => return "store: checkpoint",
        "store-writer" => &WRITER,
        _ => &OTHERS,
    };
    let fits = |piece: &str| frames.iter().any(|(function, _)| function.contains(piece));
    list.iter().find(|(piece, _)| fits(piece)).map_or("", |(_, step)| *step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_tell_the_step() {
        let of = |thread, functions: &[&'static str]| {
            of(thread, &functions.iter().map(|function| (*function, "/x/herald")).collect::<Vec<_>>())
        };
        let accept = ["sqlite3VdbeExec", "herald::store::sqlite::accept::AcceptCall::run"];
        assert_eq!(of("store-writer", &accept), "store: accept");
        assert_eq!(of("store-writer", &["fsync"]), "store: commit, files");
        assert_eq!(of("tokio-rt-worker", &["memcpy", "reqwest::Client::execute"]), "provider: calls");
        assert_eq!(of("tokio-rt-worker", &["memcpy"]), "runtime, and where the stack does not tell");
        assert_eq!(of("checkpoint", &["memcpy"]), "store: checkpoint");
    }
}
