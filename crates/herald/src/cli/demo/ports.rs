//! Ports: the usual ones if nobody has them.

use std::net::{Ipv4Addr, TcpListener};

/// An address on loopback with this port if it is free, else with any.
pub(super) fn free_or_any(port: u16) -> String {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    format!("127.0.0.1:{}", if free { port } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_not_taken() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert_eq!(free_or_any(taken.local_addr().unwrap().port()), "127.0.0.1:0");
    }
}
