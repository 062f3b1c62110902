//! `rust_ext.Boilerplate`.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use bukvar_boilerplate::List;

/// Rows that changed: Arrow's offsets and data of all rows.
type Changed<'py> = Option<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u8>>)>;
type Rows<'py> = (Changed<'py>, Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<i64>>);

/// A list of patterns, ready to be asked; the last category is what remains of a table's row.
#[pyclass(frozen)]
struct Boilerplate {
    list: List,
    categories: usize,
}

struct Done {
    changed: Option<(Vec<i64>, Vec<u8>)>,
    counts: Vec<i32>,
    chars: Vec<i64>,
}

impl Boilerplate {
    fn clean_rows(&self, offsets: &[i64], data: &[u8], wanted: &[bool]) -> Result<Done, String> {
        let rows = offsets.len().saturating_sub(1);
        let mut done = Done {
            changed: None,
            counts: vec![0; rows * self.categories],
            chars: vec![0; rows],
        };
        for (number, ends) in offsets.windows(2).enumerate() {
            let row = (usize::try_from(ends[0]).ok())
                .zip(usize::try_from(ends[1]).ok())
                .and_then(|(start, end)| data.get(start..end))
                .ok_or_else(|| format!("row {number} lies outside of its buffer"))?;
            let text =
                std::str::from_utf8(row).map_err(|error| format!("row {number} is not UTF-8: {error}"))?;
            let counts = &mut done.counts[number * self.categories..][..self.categories];
            let cleaned = self.list.clean(text, self.categories - 1, wanted, counts);
            if let Some(cleaned) = &cleaned {
                done.chars[number] = text.chars().count() as i64 - cleaned.chars().count() as i64;
            }
            if done.changed.is_none() && cleaned.is_some() {
                let before = data[offsets[0] as usize..ends[0] as usize].to_vec();
                done.changed = Some((
                    offsets[..=number].iter().map(|end| end - offsets[0]).collect(),
                    before,
                ));
            }
            if let Some((starts, texts)) = &mut done.changed {
                texts.extend_from_slice(cleaned.as_deref().unwrap_or(text).as_bytes());
                starts.push(texts.len() as i64);
            }
        }
        Ok(done)
    }
}

#[pymethods]
impl Boilerplate {
    /// Reads a list whose sections are of `categories`. Raises ValueError where it can't be read.
    #[new]
    fn new(py: Python<'_>, patterns: &str, categories: Vec<String>) -> PyResult<Self> {
        if categories.is_empty() {
            return Err(PyValueError::new_err("there must be a category"));
        }
        let read = py
            .detach(|| List::read(patterns, &categories))
            .map_err(PyValueError::new_err)?;
        Ok(Self {
            list: read,
            categories: categories.len(),
        })
    }

    /// The number of the category of one line, None where it is text.
    fn category(&self, py: Python<'_>, line: &str) -> Option<usize> {
        py.detach(|| self.list.of_line(line, self.categories - 1, &mut String::new()))
    }

    /// Cleans the rows of an Arrow large_string array: ((offsets, data) or None where nothing changed, lines
    /// dropped by category row after row, characters dropped by row). wanted: one value a category.
    fn rows<'py>(
        &self,
        py: Python<'py>,
        offsets: PyReadonlyArray1<'py, i64>,
        data: PyReadonlyArray1<'py, u8>,
        wanted: Vec<bool>,
    ) -> PyResult<Rows<'py>> {
        if wanted.len() != self.categories {
            return Err(PyValueError::new_err("wanted must have one value a category"));
        }
        let (offsets, data) = (offsets.as_slice()?, data.as_slice()?);
        let done = py
            .detach(|| self.clean_rows(offsets, data, &wanted))
            .map_err(PyValueError::new_err)?;
        let changed = done
            .changed
            .map(|(offsets, data)| (offsets.into_pyarray(py), data.into_pyarray(py)));
        Ok((changed, done.counts.into_pyarray(py), done.chars.into_pyarray(py)))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Boilerplate>()
}
