//! Bindings of `quality`: Arrow string buffers in, a matrix of signals out.

use std::sync::{Mutex, PoisonError};

use numpy::PyUntypedArrayMethods;
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::text::matrix;
use super::texts::Column;
use bukvar_quality::{COUNT, Lexicon, NeighbourCounts, QualityMaker, QualityModel, TOPICS, names};
use bukvar_text::signals::{self, SignalMaker};

/// Signals of `text`, and with those of `quality` together.
const SIGNALS: usize = signals::NAMES.len();
const ALL: usize = SIGNALS + COUNT;

/// Signals of quality: holds the lists, the table of neighbours and what it remembers of words.
#[pyclass]
struct QualitySignals {
    maker: Mutex<QualityMaker>,
}

#[pymethods]
impl QualitySignals {
    #[new]
    fn new(function_words: &str, topics: &str, table: &[u8], known: &[u8]) -> PyResult<Self> {
        let lexicon = Lexicon::read(function_words, topics).map_err(PyValueError::new_err)?;
        let maker =
            QualityMaker::new(lexicon, table.to_vec(), known.to_vec()).map_err(PyValueError::new_err)?;
        Ok(Self {
            maker: Mutex::new(maker),
        })
    }

    /// Matrices of `text_signals` and of `measure`, from one cut of each text into tokens.
    fn measure_all<'py>(
        &self,
        py: Python<'py>,
        column: Column<'py>,
        stop_words: Vec<String>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let mut signals = SignalMaker::new(&stop_words);
        matrix::<f64, ALL>(py, &column, |text| {
            let mut values = [0.0; ALL];
            values[..SIGNALS].copy_from_slice(&signals.measure(text));
            let (spans, ids) = signals.tokens();
            let mut maker = self.maker.lock().unwrap_or_else(PoisonError::into_inner);
            values[SIGNALS..].copy_from_slice(&maker.measure_cut(text, spans, ids));
            values
        })
    }

    /// A matrix of one row a signal and one column a text.
    fn measure<'py>(&self, py: Python<'py>, column: Column<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        matrix::<f64, COUNT>(py, &column, |text| {
            self.maker
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .measure(text)
        })
    }
}

/// Numbers of registers and their probabilities.
type Registers<'py> = (Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<f32>>);

/// Trees over the signals of documents: rows of single-precision numbers, one column a signal.
#[pyclass(name = "QualityModel", frozen)]
struct PyQualityModel {
    model: QualityModel,
}

#[pymethods]
impl PyQualityModel {
    #[new]
    fn new(data: &[u8], names: Vec<String>) -> PyResult<Self> {
        let model = QualityModel::read(data, &names).map_err(PyValueError::new_err)?;
        Ok(Self { model })
    }

    /// The margin of junk of each row.
    fn margins<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let values = self.values(&rows)?;
        Ok(PyArray1::from_vec(py, py.detach(|| self.model.margins(values))))
    }

    /// The number of each row's register and its probability.
    fn registers<'py>(&self, py: Python<'py>, rows: PyReadonlyArray2<'py, f32>) -> PyResult<Registers<'py>> {
        let values = self.values(&rows)?;
        let found = py.detach(|| self.model.registers_of(values));
        let numbers = found.iter().map(|&(number, _)| number as i32).collect();
        let probabilities = found.iter().map(|&(_, probability)| probability).collect();
        Ok((
            PyArray1::from_vec(py, numbers),
            PyArray1::from_vec(py, probabilities),
        ))
    }

    /// Of one row, the numbers of the signals that moved its margin upwards most.
    fn reasons(&self, row: PyReadonlyArray1<'_, f32>, most: usize) -> PyResult<Vec<usize>> {
        let row = row.as_slice()?;
        if row.len() != self.model.features() {
            return Err(PyValueError::new_err("the row has another number of signals"));
        }
        Ok(self
            .model
            .reasons(row, most)
            .into_iter()
            .map(|(at, _)| at)
            .collect())
    }

    #[getter]
    fn register_names(&self) -> Vec<String> {
        self.model.registers()
    }
}

impl PyQualityModel {
    fn values<'a>(&self, rows: &'a PyReadonlyArray2<'_, f32>) -> PyResult<&'a [f32]> {
        if rows.shape()[1] != self.model.features() {
            return Err(PyValueError::new_err("the rows have another number of signals"));
        }
        Ok(rows.as_slice()?)
    }
}

/// The table of neighbours fitted to texts.
#[pyfunction]
fn quality_neighbours<'py>(
    py: Python<'py>,
    column: Column<'py>,
    function_words: &str,
    topics: &str,
    least: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let lexicon = Lexicon::read(function_words, topics).map_err(PyValueError::new_err)?;
    let texts = column.texts()?;
    let table = py.detach(|| {
        let mut counts = NeighbourCounts::new(lexicon);
        for text in texts.lossy() {
            counts.add(&text);
        }
        counts.table(least)
    });
    Ok(PyBytes::new(py, &table))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("QUALITY_NAMES", names())?;
    module.add("QUALITY_TOPICS", TOPICS)?;
    module.add_class::<QualitySignals>()?;
    module.add_class::<PyQualityModel>()?;
    module.add_function(wrap_pyfunction!(quality_neighbours, module)?)
}
