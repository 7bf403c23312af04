//! `[files]`: files behind links.

use serde::Deserialize;
use std::num::NonZeroU32;

/// Files behind links.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The largest file that is sent, in MiB. Use [`Files::most`].
    pub max_mib: NonZeroU32,
}

impl Files {
    /// The largest file that is sent, in bytes.
    pub fn most(&self) -> u64 {
        u64::from(self.max_mib.get()) << 20
    }
}
