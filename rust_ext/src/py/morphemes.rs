//! Bindings of `morphemes`.

use std::path::PathBuf;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use bukvar_morphemes::{self as morphemes, Segmenter};
use bukvar_train::TrainError;

#[pyclass(frozen, module = "rust_ext", name = "MorphemeSegmenter")]
pub struct MorphemeSegmenter {
    inner: Segmenter,
}

#[pymethods]
impl MorphemeSegmenter {
    #[new]
    fn new(model: &[u8], whole: Vec<String>) -> PyResult<Self> {
        let inner = Segmenter::new(model, whole)
            .map_err(|_| PyValueError::new_err("this is no model of morphemes, or a part of one"))?;
        Ok(Self { inner })
    }

    /// The letters, from 1, before which a word in small letters is cut.
    fn cuts(&self, word: &str) -> Vec<u16> {
        let mut cuts = Vec::new();
        self.inner.segment(word, &mut cuts);
        cuts
    }

    /// The same for many words, the GIL released.
    fn cut_all(&self, py: Python<'_>, words: Vec<String>) -> Vec<Vec<u16>> {
        py.detach(|| {
            let mut cuts = Vec::new();
            words
                .iter()
                .map(|word| {
                    self.inner.segment(word, &mut cuts);
                    cuts.clone()
                })
                .collect()
        })
    }

    /// Writes the boundaries of all words of a counts file; returns (words, words cut).
    fn segment_counts(&self, py: Python<'_>, counts: PathBuf, out: PathBuf) -> PyResult<(usize, usize)> {
        py.detach(|| morphemes::segment_counts(&self.inner, &counts, &out))
            .map_err(|error| match error {
                TrainError::File { .. } => PyOSError::new_err(error.to_string()),
                _ => PyValueError::new_err(error.to_string()),
            })
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<MorphemeSegmenter>()
}
