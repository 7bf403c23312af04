//! What every part of a running instance shares.

use super::directory::Directory;
use crate::store::Store;

/// A running instance. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What is on disk.
    pub store: Store,
    /// Who is who.
    pub directory: Directory,
}
