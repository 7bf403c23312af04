//! The layers and how they are merged.

use super::{
    Config, ConfigError, Loaded, Problem,
    error::{bad_value, unknown_key},
    show::Setting,
    warnings,
};
use figment::{
    Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Tag, Value},
};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// The lowest layer, and the reference of all settings.
pub const DEFAULT_FILE: &str = include_str!("../../config/herald.toml");

/// Where a file is looked for when none is named.
const SEARCHED: [&str; 2] = ["herald.toml", "/etc/herald/herald.toml"];

/// A flag of the command line that sets a setting.
#[derive(Clone, Debug)]
pub struct Flag {
    /// As the user knows it: `--listen`.
    pub name: String,
    /// The setting: `listen.public`.
    pub key: String,
    /// What was given.
    pub value: String,
}

/// The layers over the default file. The default is none of them.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A file that must exist.
    pub file: Option<PathBuf>,
    /// Without `file`: look for one in the usual places.
    pub search: bool,
    /// Environment variables; those that do not begin with `HERALD_` are ignored.
    pub environment: Vec<(String, String)>,
    /// Flags.
    pub flags: Vec<Flag>,
}

impl Sources {
    /// What this process was given: `file` is `--config` or `HERALD_CONFIG`.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        // A variable that is not Unicode cannot be one of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { file, search: true, environment, flags }
    }
}

/// Merges the layers and checks them. All mistakes that can be found in one go are in the error.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let merged = merge(sources)?;
    let config = merged.config()?;
    let mut warnings = merged.warnings.clone();
    warnings.extend(warnings::of(&config));
    Ok(Loaded { config, settings: merged.settings(), warnings })
}

/// One value of one layer.
struct Leaf {
    key: String,
    value: Value,
    origin: String,
}

impl Provider for Leaf {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(&self.key, self.value.clone());
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

/// The layers as one, not yet typed.
pub(super) struct Merged {
    figment: Figment,
    /// Of the default file, in its order: these are all the settings there are.
    keys: Vec<String>,
    warnings: Vec<String>,
}

pub(super) fn merge(sources: &Sources) -> Result<Merged, ConfigError> {
    let defaults = leaves(DEFAULT_FILE, |_| "default".to_owned()).map_err(|problem| ConfigError(vec![problem]))?;
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let mut above = Vec::new();

    if let Some(path) = file_of(sources) {
        let name = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => match leaves(&text, |line| format!("{name}, line {line}")) {
                Ok(found) => above.extend(found),
                Err(problem) => problems.push(Problem { place: format!("{name}, {}", problem.place), ..problem }),
            },
            Err(error) => problems.push(Problem {
                place: name,
                sentence: format!("The file cannot be read: {error}."),
                way_out: "Check the path and its rights, or leave out --config and HERALD_CONFIG.".to_owned(),
            }),
        }
    }
    for (name, text) in &sources.environment {
        let Some(rest) = name.strip_prefix("HERALD_") else { continue };
        // The one setting with a short name of its own: it is in every deployment's secret store.
        let key =
            if rest == "MASTER_KEY" { "data.master_key".to_owned() } else { rest.to_lowercase().replace("__", ".") };
        if key.contains('.') {
            let value = typed(&defaults, &key, text);
            above.push(Leaf { key, value, origin: format!("environment variable {name}") });
        } else if let Some(meant) =
            defaults.iter().find(|leaf| leaf.key.replace('.', "_") == key).map(|leaf| env_name(&leaf.key))
        {
            // Not an error: container platforms put variables of such names into every process of a service "herald".
            warnings
                .push(format!("The environment variable {name} does nothing. Was {meant} meant (two underscores)?"));
        }
    }
    for flag in &sources.flags {
        let value = typed(&defaults, &flag.key, &flag.value);
        above.push(Leaf { key: flag.key.clone(), value, origin: flag.name.clone() });
    }

    let keys: Vec<_> = defaults.iter().map(|leaf| leaf.key.clone()).collect();
    let mut figment = Figment::new();
    for leaf in defaults {
        figment = figment.merge(leaf);
    }
    for leaf in above {
        if keys.contains(&leaf.key) {
            figment = figment.merge(leaf);
        } else {
            problems.push(unknown_key(leaf.origin, &leaf.key, &keys));
        }
    }
    if problems.is_empty() { Ok(Merged { figment, keys, warnings }) } else { Err(ConfigError(problems)) }
}

impl Merged {
    /// The typed form; one mistake a section is reported.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        let mut problems = Vec::new();
        let config = (|| {
            // Every section is read before the first `?`, so that the user sees the mistakes of all.
            let (data, listen, limits) = (
                self.section("data", &mut problems),
                self.section("listen", &mut problems),
                self.section("limits", &mut problems),
            );
            let (lanes, webhooks, events) = (
                self.section("lanes", &mut problems),
                self.section("webhooks", &mut problems),
                self.section("events", &mut problems),
            );
            let files = self.section("files", &mut problems);
            let (store, node, templates, log) = (
                self.section("store", &mut problems),
                self.section("node", &mut problems),
                self.section("templates", &mut problems),
                self.section("log", &mut problems),
            );
            let (retention, shutdown) =
                (self.section("retention", &mut problems), self.section("shutdown", &mut problems));
            Some(Config {
                data: data?,
                listen: listen?,
                limits: limits?,
                lanes: lanes?,
                files: files?,
                webhooks: webhooks?,
                events: events?,
                store: store?,
                node: node?,
                templates: templates?,
                log: log?,
                retention: retention?,
                shutdown: shutdown?,
            })
        })();
        if let Some(config) = &config {
            problems.extend(warnings::contradictions(config, |key| self.origin(key)));
        }
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError(problems)),
        }
    }

    fn section<T: DeserializeOwned>(&self, name: &str, problems: &mut Vec<Problem>) -> Option<T> {
        let read = match self.figment.find_value(name) {
            Ok(value) => value.deserialize(),
            Err(error) => Err(error),
        };
        match read {
            Ok(section) => Some(section),
            Err(error) => {
                let key = [name].into_iter().chain(error.path.iter().map(String::as_str)).collect::<Vec<_>>().join(".");
                problems.push(bad_value(self.origin(&key), &key, &error));
                None
            }
        }
    }

    /// Where a value came from; for an entry of a list, where the list came from.
    fn origin(&self, key: &str) -> String {
        let mut key = key;
        loop {
            if let Some(metadata) = self.figment.find_metadata(key) {
                return metadata.name.to_string();
            }
            match key.rsplit_once('.') {
                Some((parent, _)) => key = parent,
                None => return "default".to_owned(),
            }
        }
    }

    fn settings(&self) -> Vec<Setting> {
        let value = |key: &str| self.figment.find_value(key).unwrap_or_else(|_| Value::from(""));
        self.keys.iter().map(|key| Setting::new(key, &value(key), self.origin(key))).collect()
    }
}

/// The name of the environment variable of a setting.
pub(super) fn env_name(key: &str) -> String {
    format!("HERALD_{}", key.replace('.', "__").to_uppercase())
}

fn file_of(sources: &Sources) -> Option<PathBuf> {
    let search = || SEARCHED.iter().map(PathBuf::from).find(|path| sources.search && Path::exists(path));
    sources.file.clone().or_else(search)
}

/// A value from the environment or a flag has no type of its own: it gets that of the default.
fn typed(defaults: &[Leaf], key: &str, text: &str) -> Value {
    let string = || Value::from(text);
    match defaults.iter().find(|leaf| leaf.key == key).map(|leaf| &leaf.value) {
        // "a, b" is easier to write in a shell than ["a", "b"]; both are taken.
        Some(Value::Array(..)) => match parsed(text) {
            value @ Value::Array(..) => value,
            _ => text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().into(),
        },
        Some(Value::Num(..) | Value::Bool(..)) => parsed(text),
        _ => string(),
    }
}

/// What is no number, truth value or list of TOML is a text.
fn parsed(text: &str) -> Value {
    match DeValue::parse(text.trim()) {
        Ok(value) => to_value(value.get_ref()),
        Err(_) => Value::from(text),
    }
}

/// The values of a file, in its order; `origin` is given the line.
fn leaves(text: &str, origin: impl Fn(usize) -> String) -> Result<Vec<Leaf>, Problem> {
    let line_of = |offset: usize| text.get(..offset).unwrap_or(text).matches('\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| Problem {
        place: format!("line {}", line_of(error.span().map_or(0, |span| span.start))),
        // Without the line's text, which toml would show: it may hold a secret.
        sentence: format!("This is not TOML: {}.", error.message()),
        way_out: "`herald config default` prints a file of the right form.".to_owned(),
    })?;
    let mut found = Vec::new();
    collect("", table.get_ref(), &mut found);
    found.sort_by_key(|(offset, ..)| *offset);
    Ok(found.into_iter().map(|(offset, key, value)| Leaf { key, value, origin: origin(line_of(offset)) }).collect())
}

fn collect(prefix: &str, table: &DeTable<'_>, found: &mut Vec<(usize, String, Value)>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) => collect(&key, inner, found),
            leaf => found.push((name.span().start, key, to_value(leaf))),
        }
    }
}

fn to_value(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Array(items) => {
            Value::Array(Tag::Default, items.iter().map(|item| to_value(item.get_ref())).collect())
        }
        // toml has taken underscores out; a number too large for 64 bits stays a text, which no setting takes for a number.
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(number.as_str()),
        },
        DeValue::Float(number) => {
            number.as_str().parse::<f64>().map_or_else(|_| Value::from(number.as_str()), Value::from)
        }
        DeValue::Datetime(moment) => Value::from(moment.to_string()),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(name, value)| (name.get_ref().to_string(), to_value(value.get_ref())));
            Value::Dict(Tag::Default, entries.collect())
        }
    }
}
