//! Learning merges from counts: a vocabulary, or tokens that follow another one's.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::counting::PretokenCounts;
use super::interruptible;
use super::morphemes::MorphemeBoundaries;
use bukvar_encode::{EncodeError, Model, NO_MERGE, derive_merges};
use bukvar_train::constraints::Constraints;
use bukvar_train::parameters::{self, Parameters, Source, Start};
use bukvar_train::score::{Penalty, power};
use bukvar_train::{extend, learn};

/// Reads a struct from an object's attributes, which have the names of its fields.
macro_rules! from_attributes {
    ($object:expr => $kind:ident { $($field:ident),* $(,)? } $(, $more:ident: $value:expr)*) => {{
        let object = $object;
        $kind {
            $($field: object.getattr(intern!(object.py(), stringify!($field)))?.extract()?,)*
            $($more: $value,)*
        }
    }};
}

/// What `tokenizer.train.TrainParameters` says.
fn read_parameters(
    object: &Bound<'_, PyAny>,
    merges: Vec<(u32, u32)>,
    threads: usize,
) -> PyResult<Parameters> {
    let in_force: Option<Bound<'_, PyAny>> = object.getattr("in_force")?.extract()?;
    let penalty = match in_force {
        None => None,
        Some(object) => Some(from_attributes!(
            &object => Penalty { penalty, gamma, kappa, exponent, release_merge }
        )),
    };
    let constraints = from_attributes!(object => Constraints {
        one_script, whole_characters, bare_words, max_punctuation, max_token_bytes,
    });
    Ok(from_attributes!(
        object => Parameters { tokens, min_pair_count, max_pretoken_bytes },
        penalty: penalty, constraints: constraints, threads: threads, merges: merges,
        alphabet: parameters::alphabet()
    ))
}

/// Counts in memory, or the path of a counts file.
#[derive(FromPyObject)]
pub(super) enum Counts<'py> {
    Table(PyRefMut<'py, PretokenCounts>),
    File(PathBuf),
}

/// What was learnt: `tokenizer.train.Model` says what each is.
#[pyclass(frozen, get_all, module = "rust_ext")]
pub(super) struct Learnt {
    merges: Vec<(u32, u32)>,
    counts: Vec<i64>,
    uses: Vec<i64>,
    left_out: u64,
}

#[pyfunction]
#[pyo3(signature = (counts, parameters, merges, boundaries=None, progress=None, consume=false, threads=1))]
#[allow(clippy::too_many_arguments)] // as many as the Python function has, each by name
pub(super) fn bpe_learn(
    py: Python<'_>,
    mut counts: Vec<Counts<'_>>,
    parameters: &Bound<'_, PyAny>,
    merges: Vec<(u32, u32)>,
    boundaries: Option<PyRef<'_, MorphemeBoundaries>>,
    progress: Option<Py<PyAny>>,
    consume: bool,
    threads: usize,
) -> PyResult<Learnt> {
    let parameters = read_parameters(parameters, merges, threads)?;
    if parameters.tokens < 256 + parameters.merges.len() {
        return Err(PyValueError::new_err(
            "there are fewer tokens than the vocabulary to begin with has",
        ));
    }
    let sources = counts.iter_mut().map(|counts| match counts {
        Counts::Table(counts) if consume => Source::Owned(std::mem::take(&mut counts.tables)),
        Counts::Table(counts) => Source::Tables(&counts.tables),
        Counts::File(path) => Source::File(path),
    });
    let sources: Vec<_> = sources.collect();
    let boundaries = boundaries.as_ref().map(|boundaries| &boundaries.inner);
    let model = interruptible(py, progress.as_ref(), |progress| {
        learn::learn(sources, &parameters, boundaries, progress)
    })?;
    Ok(Learnt {
        merges: model.merges,
        counts: model.counts,
        uses: model.uses,
        left_out: model.left_out,
    })
}

/// What was learnt to be added. uses, base_uses: how often each token stands in the text, after and before.
#[pyclass(frozen, get_all, module = "rust_ext")]
pub(super) struct Extension {
    merges: Vec<(u32, u32)>,
    counts: Vec<i64>,
    uses: Vec<i64>,
    base_uses: Vec<i64>,
    left_out: u64,
}

/// Learns `add` tokens that follow `tokens`, bytes by rank, each of which holds one of the bytes `required`.
#[pyfunction]
#[pyo3(signature = (counts, tokens, add, parameters, required, banned, boundaries=None, progress=None, threads=1, whole=true))]
#[allow(clippy::too_many_arguments)] // as many as the Python function has, each by name
pub(super) fn bpe_extend(
    py: Python<'_>,
    mut counts: Vec<Counts<'_>>,
    tokens: Vec<PyBackedBytes>,
    add: usize,
    parameters: &Bound<'_, PyAny>,
    required: &[u8],
    banned: Vec<PyBackedBytes>,
    boundaries: Option<PyRef<'_, MorphemeBoundaries>>,
    progress: Option<Py<PyAny>>,
    threads: usize,
    whole: bool,
) -> PyResult<Extension> {
    let sources: Vec<_> = counts
        .iter_mut()
        .map(|counts| match counts {
            Counts::Table(counts) => Source::Tables(&counts.tables),
            Counts::File(path) => Source::File(path),
        })
        .collect();
    let settings = Parameters {
        tokens: tokens.len() + add,
        ..read_parameters(parameters, Vec::new(), threads)?
    };
    let boundaries = boundaries.as_ref().map(|boundaries| &boundaries.inner);
    let mut needed = [false; 256];
    required.iter().for_each(|&byte| needed[usize::from(byte)] = true);
    let banned = banned.iter().map(|token| Box::from(&**token)).collect();
    let tokens: Vec<&[u8]> = tokens.iter().map(|token| &**token).collect();
    let refused = |error: EncodeError| PyValueError::new_err(error.to_string());
    let (model, derived) = py
        .detach(|| {
            let model = Model::by_concatenation(&tokens, 0)?;
            let model = if whole { model } else { model.without_whole() };
            Ok((model, derive_merges(&tokens)?))
        })
        .map_err(refused)?;
    let unreached: Vec<u32> = (256..)
        .zip(derived)
        .filter(|&(_, pair)| pair == NO_MERGE)
        .map(|(rank, _)| rank)
        .collect();
    let start = Start {
        segment: &|piece, ranks| model.merge(piece, ranks),
        tokens: &tokens,
        unreached: &unreached,
        required: needed,
        banned,
    };
    let made = interruptible(py, progress.as_ref(), |progress| {
        extend::extend(sources, &settings, start, boundaries, progress)
    })?;
    Ok(Extension {
        merges: made.merges,
        counts: made.counts,
        uses: made.uses,
        base_uses: made.base_uses,
        left_out: made.left_out,
    })
}

/// The byte of each of the ids 0..256.
#[pyfunction]
pub(super) fn bpe_alphabet<'py>(py: Python<'py>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &parameters::alphabet())
}

/// `score::power`, which the oracle's test compares.
#[pyfunction]
pub(super) fn bpe_power(x: f64, y: f64) -> f64 {
    power(x, y)
}
