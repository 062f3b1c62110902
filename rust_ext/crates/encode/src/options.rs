//! What an encoder is set to.

/// What an encoder is made of, beside the vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Memory of the cache of one thread.
    pub cache_bytes: usize,
    /// Seed of the hashes, so that no text can be made up that falls into one set of the cache; None draws
    /// one. Ids do not depend on it.
    pub seed: Option<u64>,
    /// Whether texts are brought into Unicode's normal form C first.
    pub nfc: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 32 << 20,
            seed: None,
            nfc: false,
        }
    }
}
