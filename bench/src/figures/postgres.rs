//! The figures that are taken on PostgreSQL, with one, two and three nodes.

use super::Figure;

/// Between the processes.
const WIRE: &str = "HTTP/1.1 JSON and PostgreSQL's protocol, loopback, separate processes";

/// A figure for each number of nodes.
macro_rules! figures {
    ($($name:literal, $unit:literal, $decimals:literal, $key:literal, $how:literal;)*) => {
        &[$([
            Figure { name: $name, unit: $unit, decimals: $decimals, key: $key, wire: WIRE, conditions: concat!("1 node: ", $how) },
            Figure {
                name: concat!($name, "_2_nodes"), unit: $unit, decimals: $decimals, key: $key, wire: WIRE,
                conditions: concat!("2 nodes: ", $how),
            },
            Figure {
                name: concat!($name, "_3_nodes"), unit: $unit, decimals: $decimals, key: $key, wire: WIRE,
                conditions: concat!("3 nodes: ", $how),
            },
        ]),*]
    };
}

/// A row for each, with the figure of one node first.
pub(super) const FIGURES: &[[Figure; 3]] = figures![
    "postgres_accepted_per_s", "1/s", 0, true,
        "72 connections spread over the nodes, each sends when it has its answer; lanes are paused: only accept";
    "postgres_accept_p99_ms_at_full_load", "ms", 1, false, "the same run";
    "postgres_accept_p50_ms_at_half_load", "ms", 1, false,
        "open loop at half of postgres_accepted_per_s over 288 connections; lanes are paused";
    "postgres_accept_p99_ms_at_half_load", "ms", 1, true, "the same run";
    "postgres_end_to_end_per_s", "1/s", 0, true,
        "SMS of six departments, a lane and a webhook each: from the first request until every message is Delivered at the \
         receiver; callbacks arrive at the next node";
    "postgres_end_to_end_accept_p99_ms", "ms", 1, false, "the same run; accepted with everything running";
    "postgres_end_to_end_webhook_lag_p50_ms", "ms", 1, false, "the same run";
    "postgres_end_to_end_webhook_lag_p99_ms", "ms", 1, false, "the same run";
    "postgres_cpu_s_per_1000", "s", 3, true, "the same run; all of Herald's processes, user and kernel";
    "postgres_cpu_s_per_1000_of_the_server", "s", 3, true, "the same run; all of PostgreSQL's processes";
    "postgres_cpu_ratio", "", 3, true, "the same run; both together, to the same with one node just before";
    "postgres_cpu_ratio_of_herald", "", 3, false, "the same of Herald's processes";
    "postgres_cpu_ratio_of_the_server", "", 3, false, "the same of PostgreSQL's processes";
    "postgres_statements_per_message", "", 2, true, "the same run; asked by all nodes, BEGIN and COMMIT among them";
    "postgres_round_trips_per_message", "", 3, true, "the same run; how often nodes waited for answers";
    "postgres_rss_mib_empty", "MiB", 1, false, "a node before the first message";
    "postgres_rss_mib_1m_queued", "MiB", 1, true,
        "the largest node with 1,000,000 in the queues: of one, right after it has taken them all; of more, started anew";
    "postgres_start_s_1m_queued", "s", 3, true, "with that queue: start of the last node to its first 200 of /readyz";
    "postgres_drain_per_s_1m_queued", "1/s", 0, false, "with that queue, all lanes resumed: until 50,000 are Delivered";
    "postgres_rss_mib_1m_draining", "MiB", 1, false, "the largest node right after that";
];

/// The name of a figure with so many nodes.
pub(crate) fn of_nodes(name: &'static str, nodes: usize) -> &'static str {
    let row = FIGURES.iter().find(|row| row[0].name == name);
    row.and_then(|row| row.get(nodes.saturating_sub(1))).map_or(name, |figure| figure.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_nodes_has_a_figure() {
        assert_eq!(of_nodes("postgres_cpu_ratio", 1), "postgres_cpu_ratio");
        assert_eq!(of_nodes("postgres_cpu_ratio", 3), "postgres_cpu_ratio_3_nodes");
    }
}
