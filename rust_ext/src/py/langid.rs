//! Bindings of `langid`.

use bukvar_langid::document::{COUNTS, trim};
use bukvar_langid::fit::{Plan, fit, text_features};
use bukvar_langid::letters::Script;
use bukvar_langid::model::checksum;
use bukvar_langid::words::{Break, Visitor, Word, read};
use bukvar_langid::{Model, Reader, Reading, features};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::texts::Column;

/// Labels returned for a text, with their probabilities.
const RANKED: usize = 2;

#[pyclass(frozen, module = "rust_ext", name = "LanguageModel")]
pub struct LanguageModel {
    inner: Model,
}

/// Scores (texts x labels) and the numbers of words.
type Scores<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<u32>>);
/// Keys, biases and weights as bytes, and the scale of the weights.
type Fitted<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, f32);

/// What one text gives to the columns.
struct Row {
    reading: Reading,
    /// The sum of the chances of the labels asked for.
    wanted: f32,
    trimmed: Option<(String, u64)>,
}

#[pymethods]
impl LanguageModel {
    #[new]
    fn new(data: &[u8]) -> PyResult<Self> {
        let inner = Model::parse(data).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self { inner })
    }

    /// Tags of languages; other methods give their numbers.
    #[getter]
    fn labels(&self) -> Vec<String> {
        self.inner.labels.clone()
    }

    /// What the model was made from, a line each.
    #[getter]
    fn made(&self) -> Vec<String> {
        self.inner.made.clone()
    }

    /// Reads each text: a dict of arrays (see _native.pyi).
    #[allow(clippy::too_many_arguments)] // Python's keywords
    #[pyo3(signature = (column, *, cyrillic, wanted, trim_letters = 0, trim_least = 0))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        column: Column<'py>,
        cyrillic: f32,
        wanted: Vec<usize>,
        trim_letters: u32,
        trim_least: u64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let texts = column.texts()?;
        let rows: Vec<Row> = py.detach(|| {
            let mut reader = Reader::new(&self.inner);
            texts
                .lossy()
                .map(|text| row(&mut reader, &text, cyrillic, &wanted, (trim_letters, trim_least)))
                .collect()
        });
        columns(py, &rows)
    }

    /// The units of one text: (start, end, letters, number of the language or None), positions in bytes.
    fn units(&self, text: &str) -> Vec<(usize, usize, u32, Option<usize>)> {
        let reading = Reader::new(&self.inner).read(text, 0.0);
        reading
            .units
            .into_iter()
            .map(|u| (u.start, u.end, u.letters, u.label))
            .collect()
    }

    /// Raw scores of a section for each text, from all its words, and the numbers of these words.
    fn scores<'py>(&self, py: Python<'py>, texts: Vec<String>, section: usize) -> PyResult<Scores<'py>> {
        let section = self
            .inner
            .sections
            .get(section)
            .ok_or_else(|| PyValueError::new_err("no such section"))?;
        let (scores, words): (Vec<Vec<f32>>, Vec<u32>) = py.detach(|| {
            texts
                .iter()
                .map(|text| {
                    let (found, words) = text_features(text, section.script);
                    let mut sums = vec![0i32; section.width];
                    for row in found.iter().filter_map(|&feature| section.find(feature)) {
                        sums.iter_mut()
                            .zip(section.weights(row))
                            .for_each(|(sum, &w)| *sum += i32::from(w));
                    }
                    (section.scores(&sums, words), words)
                })
                .unzip()
        });
        let scores = PyArray1::from_vec(py, scores.concat()).reshape([texts.len(), section.labels.len()])?;
        Ok((scores, PyArray1::from_vec(py, words)))
    }
}

/// Reads a text. Where at least `least` letters are left of it without its foreign passages of `trim_letters` and
/// more, it is read without them.
fn row(
    reader: &mut Reader<'_>,
    text: &str,
    cyrillic: f32,
    wanted: &[usize],
    (trim_letters, least): (u32, u64),
) -> Row {
    let mut reading = reader.read(text, cyrillic);
    let mut trimmed = None;
    if trim_letters > 0
        && let Some((kept, gone)) = trim(text, &reading.units, wanted, trim_letters)
        && reading.counts[0] - gone >= least.max(1)
    {
        reading = reader.read(&kept, cyrillic);
        trimmed = Some((kept, gone));
    }
    let wanted = join(&mut reading.ranked, wanted);
    Row {
        reading,
        wanted,
        trimmed,
    }
}

/// Makes the labels asked for one, under the name of the likeliest of them; returns the sum of their chances.
fn join(ranked: &mut Vec<(usize, f32)>, wanted: &[usize]) -> f32 {
    let (asked, mut others): (Vec<_>, Vec<_>) = ranked.iter().partition(|(label, _)| wanted.contains(label));
    let sum = asked.iter().map(|&(_, chance)| chance).sum::<f32>().min(1.0);
    if let Some(&(best, _)) = asked.first() {
        let place = others
            .iter()
            .position(|&(_, chance)| chance < sum)
            .unwrap_or(others.len());
        others.insert(place, (best, sum));
    }
    *ranked = others;
    sum
}

fn columns<'py>(py: Python<'py>, rows: &[Row]) -> PyResult<Bound<'py, PyDict>> {
    let count = rows.len();
    let mut counts = vec![0u64; COUNTS.len() * count];
    let mut labels = vec![-1i32; RANKED * count];
    let mut chances = vec![0f32; RANKED * count];
    let (mut ends, mut share_labels, mut shares) = (vec![0i32], Vec::new(), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        for (name, &value) in row.reading.counts.iter().enumerate() {
            counts[name * count + at] = value;
        }
        for (rank, &(label, chance)) in row.reading.ranked.iter().take(RANKED).enumerate() {
            labels[rank * count + at] = label as i32;
            chances[rank * count + at] = chance;
        }
        share_labels.extend(row.reading.shares.iter().map(|&(label, _)| label as i32));
        shares.extend(row.reading.shares.iter().map(|&(_, share)| share));
        ends.push(shares.len() as i32);
    }
    let wanted: Vec<f32> = rows.iter().map(|row| row.wanted).collect();
    let trimmed: Vec<Option<&str>> = rows
        .iter()
        .map(|row| row.trimmed.as_ref().map(|(text, _)| text.as_str()))
        .collect();
    let gone: Vec<u64> = rows
        .iter()
        .map(|row| row.trimmed.as_ref().map_or(0, |t| t.1))
        .collect();
    let dict = PyDict::new(py);
    dict.set_item(
        "counts",
        PyArray1::from_vec(py, counts).reshape([COUNTS.len(), count])?,
    )?;
    dict.set_item("labels", PyArray1::from_vec(py, labels).reshape([RANKED, count])?)?;
    dict.set_item(
        "chances",
        PyArray1::from_vec(py, chances).reshape([RANKED, count])?,
    )?;
    dict.set_item("wanted", PyArray1::from_vec(py, wanted))?;
    dict.set_item("share_ends", PyArray1::from_vec(py, ends))?;
    dict.set_item("share_labels", PyArray1::from_vec(py, share_labels))?;
    dict.set_item("shares", PyArray1::from_vec(py, shares))?;
    dict.set_item("trimmed", trimmed)?;
    dict.set_item("trimmed_letters", PyArray1::from_vec(py, gone))?;
    Ok(dict)
}

/// The words of a text as the model reads them: (script, folded letters, letters, mixed).
#[pyfunction]
fn langid_words(text: &str) -> Vec<(u8, String, u32, bool)> {
    struct Collect(Vec<(u8, String, u32, bool)>);
    impl Visitor for Collect {
        fn letter(&mut self, _: u32, _: Script) {}
        fn word(&mut self, word: &Word<'_>) {
            let folded = word.folded.iter().filter_map(|&c| char::from_u32(c)).collect();
            self.0.push((word.script as u8, folded, word.letters, word.mixed));
        }
        fn end(&mut self, _: Break, _: usize) {}
    }
    let mut collect = Collect(Vec::new());
    read(text, &mut collect);
    collect.0
}

/// The features of a folded word.
#[pyfunction]
fn langid_features(word: &str) -> Vec<u32> {
    let letters: Vec<u32> = word.chars().map(u32::from).collect();
    let mut found = Vec::new();
    features::features(&letters, |feature| found.push(feature));
    found
}

/// The model file's checksum of `data`.
#[pyfunction]
fn langid_checksum(data: &[u8]) -> u64 {
    checksum(data)
}

/// Fits a section: (keys u32, bias f32, weights i8, scale), the first three as little-endian bytes.
#[pyfunction]
#[pyo3(signature = (texts, labels, weights, *, script, label_count, candidates, rows, epochs, rate, length, decay))]
#[allow(clippy::too_many_arguments)] // Python's keywords
fn langid_fit<'py>(
    py: Python<'py>,
    texts: Vec<String>,
    labels: Vec<u16>,
    weights: Vec<f32>,
    script: &str,
    label_count: usize,
    candidates: usize,
    rows: usize,
    epochs: usize,
    rate: f32,
    length: f32,
    decay: f32,
) -> PyResult<Fitted<'py>> {
    let script = match script {
        "Cyrl" => Script::Cyrillic,
        "Latn" => Script::Latin,
        _ => return Err(PyValueError::new_err("script must be Cyrl or Latn")),
    };
    if labels.len() != texts.len() || weights.len() != texts.len() {
        return Err(PyValueError::new_err("texts, labels and weights must be as many"));
    }
    if labels.iter().any(|&label| usize::from(label) >= label_count) {
        return Err(PyValueError::new_err("a label is not below label_count"));
    }
    let plan = Plan {
        labels: label_count,
        candidates,
        rows,
        epochs,
        rate,
        length,
        decay,
    };
    let fitted = py.detach(|| {
        let rows: Vec<(&str, u16, f32)> = texts
            .iter()
            .zip(&labels)
            .zip(&weights)
            .map(|((text, &label), &weight)| (text.as_str(), label, weight))
            .collect();
        fit(&rows, script, &plan)
    });
    let keys: Vec<u8> = fitted.keys.iter().flat_map(|key| key.to_le_bytes()).collect();
    let bias: Vec<u8> = fitted.bias.iter().flat_map(|bias| bias.to_le_bytes()).collect();
    let values: Vec<u8> = fitted.weights.iter().map(|&w| w as u8).collect();
    Ok((
        PyBytes::new(py, &keys),
        PyBytes::new(py, &bias),
        PyBytes::new(py, &values),
        fitted.scale,
    ))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LanguageModel>()?;
    module.add("LANGUAGE_COUNTS", COUNTS)?;
    module.add_function(wrap_pyfunction!(langid_words, module)?)?;
    module.add_function(wrap_pyfunction!(langid_features, module)?)?;
    module.add_function(wrap_pyfunction!(langid_checksum, module)?)?;
    module.add_function(wrap_pyfunction!(langid_fit, module)?)
}
