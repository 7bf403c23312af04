//! `herald openapi`: the API document, for `cargo xtask openapi` and for those who make clients. Hidden from the help:
//! a running Herald serves the same at /openapi.json.

use super::{Failure, Output};
use anyhow::Context;
use clap::Args;

/// Print the API document
#[derive(Debug, Args)]
pub(super) struct Openapi {}

impl Openapi {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        let document = crate::api::document().to_pretty_json().context("the document cannot be written as JSON")?;
        Ok(output.raw(&document)?)
    }
}
