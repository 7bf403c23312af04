//! The addresses to listen on: free, or taken by a Herald that runs already.

use super::Finding;
use crate::config::Config;
use std::{fs, io, net::SocketAddr, net::TcpListener};

pub(super) fn look(config: &Config) -> Vec<Finding> {
    [("public", config.listen.public), ("internal", config.listen.internal)]
        .map(|(name, address)| one(config, name, address))
        .into()
}

fn one(config: &Config, name: &str, address: SocketAddr) -> Finding {
    const CHECK: &str = "ports";
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(CHECK, format!("{address} is free for the {name} listener.")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let announced = fs::read_to_string(config.data.folder.join(format!("{name}.address"))).unwrap_or_default();
            if announced.trim().ends_with(&format!("//{address}")) {
                return Finding::ok(
                    CHECK,
                    format!("{address} is taken, by the Herald of this data folder as it seems."),
                );
            }
            Finding::fail(
                CHECK,
                format!("{address}, for the {name} listener, is taken by another program."),
                format!("Stop that program (ss -ltnp shows it) or choose another port in listen.{name}."),
            )
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Finding::fail(
            CHECK,
            format!("{address}, for the {name} listener, needs rights that this user has not."),
            format!(
                "Choose a port above 1023 in listen.{name}, or give the program the right: setcap cap_net_bind_service=+ep."
            ),
        ),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Finding::fail(
            CHECK,
            format!("{address}, for the {name} listener, is no address of this host."),
            format!("Write an address of this host, or 0.0.0.0 for all, in listen.{name}."),
        ),
        Err(error) => Finding::fail(CHECK, format!("{address}, for the {name} listener: {error}."), ""),
    }
}
