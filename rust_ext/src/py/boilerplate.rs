//! `rust_ext.Boilerplate`.

use numpy::IntoPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::texts::{Array, Column, Edited, PyEdited, Texts, utf8};
use bukvar_boilerplate::List;

type Rows<'py> = (PyEdited<'py>, Array<'py, i32>, Array<'py, i64>, PyLists<'py>);

/// Offsets of lists of lines by row, data of the lines, and their offsets.
type PyLists<'py> = (Array<'py, i32>, Array<'py, u8>, Array<'py, i64>);

/// A list of patterns, ready to be asked; the last category is what remains of a table's row.
#[pyclass(frozen)]
struct Boilerplate {
    list: List,
    categories: usize,
}

struct Done<'a> {
    edited: Edited<'a>,
    counts: Vec<i32>,
    chars: Vec<i64>,
    noted: Lists,
}

/// Lists of lines, as Arrow keeps them.
struct Lists {
    rows: Vec<i32>,
    data: Vec<u8>,
    ends: Vec<i64>,
}

impl Lists {
    fn push(&mut self, line: &str) {
        self.data.extend_from_slice(line.trim().as_bytes());
        self.ends.push(self.data.len() as i64);
    }

    fn end_row(&mut self) {
        self.rows.push(self.ends.len() as i32 - 1);
    }
}

impl Boilerplate {
    fn clean_rows<'a>(&self, texts: Texts<'a>, wanted: &[bool], noted: &[bool]) -> Result<Done<'a>, String> {
        let mut done = Done {
            edited: Edited::new(texts),
            counts: vec![0; texts.len() * self.categories],
            chars: vec![0; texts.len()],
            noted: Lists {
                rows: vec![0],
                data: vec![],
                ends: vec![0],
            },
        };
        for (number, bytes) in texts.bytes().enumerate() {
            let text = utf8(number, bytes)?;
            let counts = &mut done.counts[number * self.categories..][..self.categories];
            let lines = &mut done.noted;
            let cleaned = (self.list).clean(text, self.categories - 1, wanted, |category, line| {
                counts[category] += 1;
                if noted[category] {
                    lines.push(line);
                }
            });
            lines.end_row();
            if let Some(cleaned) = &cleaned {
                done.chars[number] = text.chars().count() as i64 - cleaned.chars().count() as i64;
            }
            done.edited.push(cleaned.as_deref());
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

    /// Cleans a column: (the edited column or None, lines dropped by category row after row, characters dropped by
    /// row, lines that went of the categories `noted`: offsets by row, data, offsets). wanted, noted: one value a
    /// category.
    fn rows<'py>(
        &self,
        py: Python<'py>,
        column: Column<'py>,
        wanted: Vec<bool>,
        noted: Vec<bool>,
    ) -> PyResult<Rows<'py>> {
        if wanted.len() != self.categories || noted.len() != self.categories {
            return Err(PyValueError::new_err(
                "wanted and noted must have one value a category",
            ));
        }
        let texts = column.texts()?;
        let done = py
            .detach(|| self.clean_rows(texts, &wanted, &noted))
            .map_err(PyValueError::new_err)?;
        Ok((
            done.edited.into_python(py),
            done.counts.into_pyarray(py),
            done.chars.into_pyarray(py),
            (
                done.noted.rows.into_pyarray(py),
                done.noted.data.into_pyarray(py),
                done.noted.ends.into_pyarray(py),
            ),
        ))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Boilerplate>()
}
