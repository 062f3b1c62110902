//! Bindings of `bukvar-html`.

use bukvar_html::entities;
use pyo3::prelude::*;

/// Text with its character references decoded, as HTML's tokenizer does; `attribute` says that it is an attribute's
/// value, in which `&copy=` is none.
#[pyfunction]
#[pyo3(signature = (text, *, attribute=false))]
fn html_unescape(py: Python<'_>, text: &str, attribute: bool) -> String {
    py.detach(|| {
        if attribute {
            entities::unescape_attribute(text)
        } else {
            entities::unescape(text)
        }
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(html_unescape, module)?)
}
