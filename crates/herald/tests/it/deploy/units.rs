//! systemd reads the unit without a complaint, and finds it closed enough.

use super::{file, good, program, text};

#[test]
fn systemd_understands_the_unit() {
    let Some(mut verify) = program("systemd-analyze") else { return };
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("herald.service");
    // The program that it starts must exist, and on this machine Herald is somewhere else.
    let installed = text("systemd/herald.service");
    let here = installed.replace("/usr/local/bin/herald ", concat!(env!("CARGO_BIN_EXE_herald"), " "));
    assert_ne!(installed, here);
    std::fs::write(&unit, here).unwrap();
    // What it does not understand it ignores, with a line that says so and a good exit code.
    let said = good(verify.args(["verify", "--man=no"]).arg(&unit));
    let of_the_unit: Vec<_> = said.lines().filter(|line| line.contains("herald.service")).collect();
    assert!(of_the_unit.is_empty(), "{of_the_unit:#?}");
    // 14 of 100: what is left open is the network, and Unix sockets.
    if let Some(mut security) = program("systemd-analyze") {
        let said = good(security.args(["security", "--offline=true", "--no-pager", "--threshold=15"]).arg(&unit));
        println!("{}", said.lines().last().unwrap_or_default());
    }
}

#[test]
fn systemd_understands_the_user() {
    let Some(mut sysusers) = program("systemd-sysusers") else { return };
    let said = good(sysusers.arg("--dry-run").arg(file("systemd/herald.sysusers")));
    // It names the file in every complaint. A machine that has the user already says nothing.
    assert!(!said.contains("herald.sysusers"), "{said}");
}

#[test]
fn compose_understands_its_file() {
    // The older program, which reads the same form. Neither needs an engine for it.
    let Some(mut compose) = program("docker-compose") else { return };
    compose.env("HERALD_MASTER_KEY", "00").env("POSTGRES_PASSWORD", "00");
    let said = good(compose.arg("-f").arg(file("compose/compose.yml")).arg("config"));
    assert_eq!(said.matches("image: herald\n").count(), 3, "{said}");
    assert!(!said.contains("WARN"), "{said}");
}
