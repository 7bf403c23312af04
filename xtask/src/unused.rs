//! Dependencies that are listed and never named in the sources: each costs compile time and trust.
//!
//! A search for words is enough here, and takes no tool that must be built first. It can miss an unused crate whose
//! name is also a common word; it never blames one that is used.

use crate::root;
use anyhow::{Context, bail};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// Listed for a feature of theirs that another dependency needs; named by no source.
const FOR_FEATURES: [&str; 0] = [];

pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = manifest(&root())?;
    let members = workspace["workspace"]["members"].as_array().context("the workspace has no members")?;
    let mut unused = Vec::new();
    let mut listed = HashSet::new();
    for member in members.iter().filter_map(toml::Value::as_str) {
        let folder = root().join(member);
        let names = dependencies(&manifest(&folder)?);
        let words = words(&folder)?;
        for name in names {
            if !words.contains(&name.replace('-', "_")) && !FOR_FEATURES.contains(&name.as_str()) {
                unused.push(format!("{member}: {name}"));
            }
            listed.insert(name);
        }
    }
    let offered = workspace["workspace"]["dependencies"].as_table().into_iter().flat_map(toml::Table::keys);
    unused.extend(offered.filter(|name| !listed.contains(*name)).map(|name| format!("workspace: {name}")));
    if !unused.is_empty() {
        bail!("listed in Cargo.toml and never used:\n  {}", unused.join("\n  "));
    }
    println!("{} dependencies, all used", listed.len());
    Ok(())
}

fn manifest(folder: &Path) -> anyhow::Result<toml::Table> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    text.parse().with_context(|| format!("{} is not TOML", path.display()))
}

fn dependencies(manifest: &toml::Table) -> HashSet<String> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|kind| manifest.get(kind)?.as_table())
        .flat_map(toml::Table::keys)
        .cloned()
        .collect()
}

/// All words in the Rust sources of a crate, those in comments left out.
fn words(folder: &Path) -> anyhow::Result<HashSet<String>> {
    let mut words = HashSet::new();
    let mut folders: Vec<PathBuf> = ["src", "tests", "benches", "examples"].map(|name| folder.join(name)).into();
    folders.push(folder.join("build.rs"));
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                folders.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.exists() {
            for line in fs::read_to_string(&path)?.lines().filter(|line| !line.trim_start().starts_with("//")) {
                words.extend(line.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned));
            }
        }
    }
    Ok(words)
}
