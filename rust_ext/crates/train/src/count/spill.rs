//! Files of counts written aside where memory does not suffice.

use std::path::{Path, PathBuf};

/// The name of a file written aside beside the result.
pub fn beside(path: &Path, which: impl std::fmt::Display) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".spill-{which}"));
    path.with_file_name(name)
}

/// Files written aside, removed in the end.
pub struct Spilled(pub Vec<PathBuf>);

impl Drop for Spilled {
    fn drop(&mut self) {
        for path in &self.0 {
            // What cannot be removed is a leftover beside the result, not a wrong result.
            let _ = std::fs::remove_file(path);
        }
    }
}
