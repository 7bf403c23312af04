//! Data folders: made by `initdb` once, copied from then on.

use crate::{binaries::Binaries, folder, options::Options};
use anyhow::{Context, bail};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Changes whenever the arguments of `initdb` do.
const FORM: u32 = 1;

/// Makes a fresh data folder at `data`.
pub(crate) fn make(binaries: &Binaries, options: &Options, data: &Path) -> anyhow::Result<()> {
    let template = template(binaries, options)?;
    folder::copy(&template, data)?;
    configure(binaries, options, data)
}

/// Adds the settings and rules of entry to a data folder.
pub(crate) fn configure(binaries: &Binaries, options: &Options, data: &Path) -> anyhow::Result<()> {
    let mut settings = File::options().append(true).open(data.join("postgresql.conf"))?;
    settings.write_all(options.lines().as_bytes())?;
    fs::write(data.join("pg_hba.conf"), options.entry())?;
    if let Some(tls) = &options.tls {
        secret(binaries, &data.join("server.crt"), &tls.certificate)?;
        secret(binaries, &data.join("server.key"), &tls.key)?;
    }
    Ok(())
}

/// PostgreSQL takes no key that others can read.
fn secret(binaries: &Binaries, path: &Path, text: &str) -> anyhow::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    folder::own(binaries, path)
}

/// What `initdb` makes for this version; made by the first who asks, while the others wait.
fn template(binaries: &Binaries, options: &Options) -> anyhow::Result<PathBuf> {
    let base = folder::base(&folder::root(options))?;
    let user = binaries.user.as_ref().map_or("self", |user| &user.name);
    // The first file of the log is the largest: for tests a small one is copied, measurements have what is usual.
    let segment = if options.durable { "16" } else { "1" };
    let name = format!("template-{}-{FORM}-{segment}-{user}", binaries.version);
    let made = base.join(&name);
    if made.exists() {
        return Ok(made);
    }
    let lock = File::create(base.join("template.lock"))?;
    lock.lock()?;
    if made.exists() {
        return Ok(made);
    }
    // Two steps, so that a folder with the right name is always whole.
    let begun = tempfile::Builder::new().prefix("server-initdb-").tempdir_in(&base)?;
    fs::set_permissions(begun.path(), fs::Permissions::from_mode(0o755))?;
    let data = begun.path().join("data");
    folder::owned(binaries, &data)?;
    let mut command = binaries.owner("initdb");
    command.args(["--no-sync", "--auth=trust", "--username=postgres", "--locale=C.UTF-8", "--encoding=UTF8"]);
    command.args(["--wal-segsize", segment]);
    let said = command.arg("--pgdata").arg(&data).output().context("initdb cannot be started")?;
    if !said.status.success() {
        bail!("initdb: {}", String::from_utf8_lossy(&said.stderr).trim());
    }
    fs::rename(&data, &made)?;
    Ok(made)
}
