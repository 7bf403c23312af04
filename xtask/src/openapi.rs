//! `/openapi.json` of the repository: the API document that the program serves, kept under review.

use crate::root;
use anyhow::{Context, bail, ensure};
use std::{
    fs,
    process::{Command, Stdio},
};

pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let made = Command::new(cargo)
        .args(["run", "--quiet", "--locked", "--package", "herald", "--", "openapi"])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run")?;
    ensure!(made.status.success(), "`herald openapi` failed");
    let path = root().join("openapi.json");
    let kept = fs::read(&path).unwrap_or_default();
    if kept == made.stdout {
        println!("openapi.json is up to date");
    } else if check {
        bail!(
            "openapi.json is not what the routes say: run `cargo xtask openapi`, look at the difference and commit it"
        );
    } else {
        fs::write(&path, &made.stdout).with_context(|| format!("{} cannot be written", path.display()))?;
        println!("openapi.json written, {} bytes", made.stdout.len());
    }
    Ok(())
}
