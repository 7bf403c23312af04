//! The data folder, the keys in it, the certificate.

use super::Finding;
use crate::{config::Config, node::listen};
use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let mut findings = folder(&config.data.folder);
    findings.push(master_key(config));
    let token = config.data.admin_token_path();
    if let Some(finding) = open_to_others("admin token", &token) {
        findings.push(finding);
    }
    if let Some(tls) = config.listen.tls() {
        findings.push(match listen::check_tls(tls) {
            Ok(()) => Finding::ok("tls", "Certificate and key can be read and belong together."),
            Err(error) => Finding::fail("tls", format!("{error:#}."), "Herald will not start until this is right."),
        });
    }
    findings
}

fn folder(folder: &Path) -> Vec<Finding> {
    let shown = folder.display();
    let rights = match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => {
            return vec![Finding::fail(
                "data folder",
                format!("{shown} is not a folder."),
                "Set data.folder to a folder.",
            )];
        }
        Ok(found) => found.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return vec![Finding::ok("data folder", format!("{shown} does not exist yet; the first start makes it."))];
        }
        Err(error) => {
            return vec![Finding::fail(
                "data folder",
                format!("{shown}: {error}."),
                "Give the user who runs Herald the right to it.",
            )];
        }
    };
    let mut findings = Vec::new();
    if rights & 0o077 != 0 {
        findings.push(Finding::warn(
            "data folder",
            format!("{shown} can be entered by other users of this host."),
            format!("chmod 700 {shown}"),
        ));
    }
    findings.push(match synced_write(folder) {
        Ok(took) if took > SLOW => Finding::warn(
            "disk",
            format!("A durable write in {shown} takes {} ms, and every answer waits for one.", took.as_millis()),
            "Put data.folder on a faster disk: a local SSD takes less than a millisecond or two.",
        ),
        Ok(took) => Finding::ok(
            "data folder",
            format!("{shown} can be written; a durable write takes {:.1} ms.", took.as_secs_f64() * 1000.0),
        ),
        Err(error) => Finding::fail(
            "data folder",
            format!("{shown} cannot be written: {error}."),
            "Give the user who runs Herald the right to it.",
        ),
    });
    findings
}

/// A spinning disk takes some 10 ms; above that something is wrong with it, or it is far away.
const SLOW: Duration = Duration::from_millis(20);

/// The median of five durable writes.
fn synced_write(folder: &Path) -> io::Result<Duration> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let times = (0..5).map(|_| {
        let began = Instant::now();
        fs::write(&path, [0; 512])?;
        fs::File::open(&path)?.sync_all()?;
        Ok(began.elapsed())
    });
    let times: io::Result<Vec<_>> = times.collect();
    // What cannot be removed could not be written either, and that is reported.
    let _ = fs::remove_file(&path);
    let mut times = times?;
    times.sort();
    Ok(times[times.len() / 2])
}

fn master_key(config: &Config) -> Finding {
    const CHECK: &str = "master key";
    if config.data.master_key.is_some() {
        return Finding::ok(CHECK, "The key comes from the settings, not from a file beside the database.");
    }
    let path = config.data.master_key_path();
    let shown = path.display();
    if !path.exists() {
        return Finding::ok(CHECK, format!("{shown} does not exist yet; the first start makes it."));
    }
    if let Some(finding) = open_to_others(CHECK, &path) {
        return finding;
    }
    let database = config.store.sqlite_path(&config.data);
    let folder = |path: &Path| path.parent().and_then(|parent| fs::canonicalize(parent).ok());
    if folder(&path).is_some() && folder(&path) == database.as_deref().and_then(folder) {
        return Finding::warn(
            CHECK,
            format!("{shown} lies beside the database: a copy of the folder gives away every credential in it."),
            "Move it and set data.master_key_file, or give the key in HERALD_MASTER_KEY. Keep a copy of it elsewhere: without it the credentials are lost.",
        );
    }
    Finding::ok(CHECK, format!("{shown} lies apart from the database."))
}

fn open_to_others(check: &'static str, path: &Path) -> Option<Finding> {
    let rights = fs::metadata(path).ok()?.permissions().mode();
    let shown = path.display();
    (rights & 0o077 != 0).then(|| {
        Finding::fail(check, format!("{shown} can be read by other users of this host."), format!("chmod 600 {shown}"))
    })
}
