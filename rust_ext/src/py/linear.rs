//! Bindings of `linear`: Arrow string buffers in, scores out.

use std::borrow::Cow;

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::texts::Column;
use bukvar_linear::{Linear, Training};

/// A linear classifier of texts.
#[pyclass(frozen)]
struct LinearClassifier {
    model: Linear,
}

#[pymethods]
impl LinearClassifier {
    #[new]
    fn new(data: &[u8]) -> PyResult<Self> {
        let model = Linear::read(data).map_err(PyValueError::new_err)?;
        Ok(Self { model })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.model.to_bytes())
    }

    /// The probability that each text is positive.
    fn scores<'py>(&self, py: Python<'py>, column: Column<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let texts = column.texts()?;
        let scores: Vec<f32> =
            py.detach(|| texts.lossy().map(|text| self.model.probability(&text)).collect());
        Ok(PyArray1::from_vec(py, scores))
    }

    /// The words and pairs of a text with what each adds to its margin.
    fn terms(&self, py: Python<'_>, text: &str) -> Vec<(String, f32)> {
        py.detach(|| self.model.terms(text))
    }
}

/// Learns a classifier from texts and labels; texts from `held` on calibrate its probabilities.
#[pyfunction]
#[pyo3(signature = (column, positive, held, *, bits, epochs, rate, decay, seed))]
#[expect(
    clippy::too_many_arguments,
    reason = "the parameters of the training, by name"
)]
fn linear_train(
    py: Python<'_>,
    column: Column<'_>,
    positive: PyReadonlyArray1<'_, bool>,
    held: usize,
    bits: u32,
    epochs: u32,
    rate: f32,
    decay: f32,
    seed: u64,
) -> PyResult<LinearClassifier> {
    let texts = column.texts()?;
    let positive = positive.as_slice()?;
    let training = Training {
        bits,
        epochs,
        rate,
        decay,
        seed,
    };
    let model = py.detach(|| {
        let owned: Vec<Cow<'_, str>> = texts.lossy().collect();
        let all: Vec<&str> = owned.iter().map(AsRef::as_ref).collect();
        if all.len() != positive.len() {
            return Err("each text must have a label".to_owned());
        }
        let held = held.min(all.len());
        let mut model = Linear::train(&all[..held], &positive[..held], training)?;
        model.calibrate(&all[held..], &positive[held..]);
        Ok(model)
    });
    Ok(LinearClassifier {
        model: model.map_err(PyValueError::new_err)?,
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LinearClassifier>()?;
    module.add_function(wrap_pyfunction!(linear_train, module)?)
}
