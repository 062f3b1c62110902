//! Python bindings of [`bukvar_train`].

use std::path::PathBuf;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use super::texts::Column;
use bukvar_encode::{EncodeError, Model, NO_MERGE, derive_merges};
use bukvar_train::boundaries::Boundaries;
use bukvar_train::constraints::Constraints;
use bukvar_train::counts::{self, Header, Keep, Piece, Reader};
use bukvar_train::extend;
use bukvar_train::learn;
use bukvar_train::parameters::{self, Parameters, Source, Start};
use bukvar_train::progress::{Progress, Step};
use bukvar_train::score::{Penalty, power};
use bukvar_train::table::CountTable;
use bukvar_train::{TrainError, count};

fn to_python(error: TrainError) -> PyErr {
    let message = error.to_string();
    match error {
        TrainError::File { .. } => PyOSError::new_err(message),
        TrainError::Thread => PyRuntimeError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}

/// Calls `work` without the GIL. Ten times a second at most, it raises what signals ask for (Ctrl-C) and calls the
/// progress callback, if there is one, with (stage, done, total); what either raises stops the work and is raised.
fn interruptible<T: Send>(
    py: Python<'_>,
    callback: Option<&Py<PyAny>>,
    work: impl FnOnce(&mut Progress<'_>) -> Result<T, TrainError> + Send,
) -> PyResult<T> {
    let mut raised = None;
    let mut report = |step: Step| {
        let reported = Python::attach(|py| {
            py.check_signals()?;
            let arguments = (step.stage, step.done, step.total);
            callback.map_or(Ok(()), |call| call.call1(py, arguments).map(drop))
        });
        raised = reported.err();
        raised.is_none()
    };
    let result = py.detach(|| work(&mut Progress::new(&mut report)));
    match raised {
        Some(error) => Err(error),
        None => result.map_err(to_python),
    }
}

/// Counts pretokens of documents.
#[pyclass(module = "rust_ext")]
pub struct PretokenCounter {
    inner: Option<count::Counter>,
}

impl PretokenCounter {
    fn inner(&mut self) -> PyResult<&mut count::Counter> {
        let gone = || PyValueError::new_err("this counter has given its counts away");
        self.inner.as_mut().ok_or_else(gone)
    }

    fn take(&mut self) -> PyResult<count::Counter> {
        self.inner
            .take()
            .ok_or_else(|| PyValueError::new_err("this counter has given its counts away"))
    }
}

#[pymethods]
impl PretokenCounter {
    #[new]
    #[pyo3(signature = (pattern, threads, memory, spill=None))]
    fn new(pattern: &str, threads: usize, memory: usize, spill: Option<PathBuf>) -> PyResult<Self> {
        let inner = count::Counter::new(pattern, threads, memory, spill.as_deref());
        Ok(Self {
            inner: Some(inner.map_err(super::split::to_python)?),
        })
    }

    fn add(&mut self, py: Python<'_>, column: Column<'_>) -> PyResult<()> {
        let inner = self.inner()?;
        let texts = column.texts()?;
        let offsets: Vec<usize> = texts.offsets.iter().map(|&offset| offset as usize).collect();
        interruptible(py, None, |progress| inner.add(texts.data, &offsets, progress))
    }

    /// Counts documents, now or on another thread later.
    fn add_texts(&mut self, py: Python<'_>, texts: Vec<PyBackedBytes>) -> PyResult<()> {
        let inner = self.inner()?;
        let documents = texts.into_iter().map(|text| Box::new(text) as count::Document);
        let documents = documents.collect();
        interruptible(py, None, |progress| inner.hand_over(documents, progress))
    }

    #[pyo3(signature = (path, progress=None))]
    fn finish(&mut self, py: Python<'_>, path: PathBuf, progress: Option<Py<PyAny>>) -> PyResult<()> {
        let inner = self.take()?;
        interruptible(py, progress.as_ref(), |progress| inner.finish(&path, progress))?;
        Ok(())
    }

    fn counts(&mut self, py: Python<'_>) -> PyResult<PretokenCounts> {
        let inner = self.take()?;
        let (tables, header) = interruptible(py, None, |progress| inner.into_tables(progress))?;
        Ok(PretokenCounts { tables, header })
    }
}

/// Counts held in memory.
#[pyclass(module = "rust_ext")]
pub struct PretokenCounts {
    /// One of each thread that counted; their counts are to be added up.
    tables: Vec<CountTable>,
    header: Header,
}

impl PretokenCounts {
    /// All counts in one table.
    fn table(&mut self) -> &CountTable {
        let table = CountTable::joined(std::mem::take(&mut self.tables));
        self.tables.push(table);
        &self.tables[0]
    }
}

#[pymethods]
impl PretokenCounts {
    fn __len__(&mut self, py: Python<'_>) -> usize {
        py.detach(|| self.table().types())
    }

    fn write(&mut self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        interruptible(py, None, |progress| {
            let header = self.header.clone();
            counts::write(&path, self.table(), &header, progress)
        })?;
        Ok(())
    }
}

#[pyfunction]
#[pyo3(signature = (paths, out_path, min_count, max_types, weights, progress=None))]
fn counts_merge(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    out_path: PathBuf,
    min_count: u64,
    max_types: u64,
    weights: Vec<f64>,
    progress: Option<Py<PyAny>>,
) -> PyResult<()> {
    let wrong = weights.iter().any(|weight| !weight.is_finite() || *weight < 0.0);
    if wrong || !weights.is_empty() && weights.len() != paths.len() {
        return Err(PyValueError::new_err(
            "weights must be as many as the counts files, and none negative",
        ));
    }
    let keep = Keep { min_count, max_types };
    interruptible(py, progress.as_ref(), |progress| {
        counts::merge(&paths, &weights, &out_path, keep, progress)
    })?;
    Ok(())
}

#[pyfunction]
fn counts_header<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyDict>> {
    let reader = Reader::open(&path).map_err(to_python)?;
    let header = reader.header();
    let about = PyDict::new(py);
    about.set_item("pattern", &header.pattern)?;
    for (name, value) in [
        ("documents", header.documents),
        ("bytes", header.bytes),
        ("pretokens", header.pretokens),
        ("dropped_pretokens", header.dropped_pretokens),
        ("dropped_types", header.dropped_types),
        ("types", header.short_types + header.long_types),
    ] {
        about.set_item(name, value)?;
    }
    Ok(about)
}

#[pyfunction]
fn counts_items<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Vec<(Bound<'py, PyBytes>, u64)>> {
    let mut reader = Reader::open(&path).map_err(to_python)?;
    let mut items = Vec::new();
    while let Some((piece, count)) = reader.read().map_err(to_python)? {
        let mut short = [0; 32];
        let bytes = match &piece {
            Piece::Short(key) => {
                let len = key.decode(&mut short);
                &short[..len]
            }
            Piece::Long(long) => long,
        };
        items.push((PyBytes::new(py, bytes), count));
    }
    Ok(items)
}

/// Segmented words.
#[pyclass(frozen, module = "rust_ext", name = "MorphemeBoundaries")]
pub struct MorphemeBoundaries {
    inner: Boundaries,
}

#[pymethods]
impl MorphemeBoundaries {
    #[new]
    fn new(py: Python<'_>, lines: &str) -> PyResult<Self> {
        Ok(Self {
            inner: interruptible(py, None, |progress| Boundaries::parse(lines, 1, progress))?,
        })
    }

    /// Reads a file of such lines.
    #[staticmethod]
    #[pyo3(signature = (path, threads=1))]
    fn read(py: Python<'_>, path: PathBuf, threads: usize) -> PyResult<Self> {
        Ok(Self {
            inner: interruptible(py, None, |progress| Boundaries::read(&path, threads, progress))?,
        })
    }

    fn __len__(&self) -> usize {
        self.inner.words()
    }

    /// The byte offsets above 0 at which a morpheme begins in a pretoken.
    fn starts(&self, piece: &[u8]) -> Vec<usize> {
        let mut starts = Vec::new();
        if !piece.is_empty() {
            self.inner.find(piece, &mut starts);
        }
        starts
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, start)| **start)
            .map(|(at, _)| at)
            .collect()
    }
}

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
enum Counts<'py> {
    Table(PyRefMut<'py, PretokenCounts>),
    File(PathBuf),
}

/// What was learnt: `tokenizer.train.Model` says what each is.
#[pyclass(frozen, get_all, module = "rust_ext")]
struct Learnt {
    merges: Vec<(u32, u32)>,
    counts: Vec<i64>,
    uses: Vec<i64>,
    left_out: u64,
}

#[pyfunction]
#[pyo3(signature = (counts, parameters, merges, boundaries=None, progress=None, consume=false, threads=1))]
#[allow(clippy::too_many_arguments)] // as many as the Python function has, each by name
fn bpe_learn(
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
struct Extension {
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
fn bpe_extend(
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
fn bpe_alphabet<'py>(py: Python<'py>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &parameters::alphabet())
}

/// `score::power`, which the oracle's test compares.
#[pyfunction]
fn bpe_power(x: f64, y: f64) -> f64 {
    power(x, y)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PretokenCounter>()?;
    module.add_class::<PretokenCounts>()?;
    module.add_class::<MorphemeBoundaries>()?;
    module.add_class::<Learnt>()?;
    module.add_class::<Extension>()?;
    module.add_function(wrap_pyfunction!(counts_merge, module)?)?;
    module.add_function(wrap_pyfunction!(counts_header, module)?)?;
    module.add_function(wrap_pyfunction!(counts_items, module)?)?;
    module.add_function(wrap_pyfunction!(bpe_learn, module)?)?;
    module.add_function(wrap_pyfunction!(bpe_extend, module)?)?;
    module.add_function(wrap_pyfunction!(bpe_alphabet, module)?)?;
    module.add_function(wrap_pyfunction!(bpe_power, module)?)
}
