//! `rust_ext.repair_text`, `rust_ext.repair_rows`, `rust_ext.repair_single_byte`,
//! `rust_ext.repair_utf8`, `rust_ext.repair_mac`.

use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::texts::{Column, Edited, PyEdited, Texts, utf8};
use bukvar_repair::{KINDS, Options, is_plain, mac, repair, single, utf8 as misread};

/// (repaired text, one count a kind). `wanted` has bit n for the kind n.
#[pyfunction]
fn repair_text(py: Python<'_>, text: &str, wanted: u8) -> (String, [i32; KINDS]) {
    py.detach(|| {
        let (repaired, counts) = repair(text, &Options(wanted));
        (repaired.into_owned(), counts.0)
    })
}

/// A text with single-byte mix-ups undone in the lines that are broken, None where none proves to be: one layer,
/// without the check (`is_plain`) before it. The oracle is `tests/oracles/repair_lines.py`.
#[pyfunction]
fn repair_single_byte(py: Python<'_>, text: &str) -> Option<String> {
    py.detach(|| single::undo_where(text, |_| true).map(|(undone, _)| undone))
}

/// The same for one layer of misread UTF-8; the oracle is `tests/oracles/repair_utf8.py`.
#[pyfunction]
fn repair_utf8(py: Python<'_>, text: &str) -> Option<String> {
    py.detach(|| misread::undo_where(text, |_| true).map(|(undone, _)| undone))
}

/// The same for windows-1251 read as MacCyrillic, and the reverse; its oracle is `tests/oracles/repair_mac.py`.
#[pyfunction]
fn repair_mac(py: Python<'_>, text: &str) -> Option<String> {
    py.detach(|| mac::undo_layer(text).map(|(undone, _)| undone))
}

/// Repairs a column: (the edited column or None, counts of KINDS a row, row after row).
#[pyfunction]
fn repair_rows<'py>(
    py: Python<'py>,
    column: Column<'py>,
    wanted: u8,
) -> PyResult<(PyEdited<'py>, Bound<'py, PyArray1<i32>>)> {
    let texts = column.texts()?;
    let done = py.detach(|| rows(texts, Options(wanted)));
    let (edited, counts) = done.map_err(PyValueError::new_err)?;
    Ok((edited.into_python(py), counts.into_pyarray(py)))
}

fn rows(texts: Texts<'_>, options: Options) -> Result<(Edited<'_>, Vec<i32>), String> {
    let mut counts = Vec::with_capacity(texts.len() * KINDS);
    let mut edited = Edited::new(texts);
    for (number, bytes) in texts.bytes().enumerate() {
        if is_plain(bytes) {
            counts.extend_from_slice(&[0; KINDS]);
            edited.push(None);
            continue;
        }
        let text = utf8(number, bytes)?;
        let (repaired, count) = repair(text, &options);
        counts.extend_from_slice(&count.0);
        edited.push((repaired != text).then_some(&*repaired));
    }
    Ok((edited, counts))
}

/// Adds this file's functions.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(repair_text, module)?)?;
    module.add_function(wrap_pyfunction!(repair_single_byte, module)?)?;
    module.add_function(wrap_pyfunction!(repair_utf8, module)?)?;
    module.add_function(wrap_pyfunction!(repair_mac, module)?)?;
    module.add_function(wrap_pyfunction!(repair_rows, module)?)
}
