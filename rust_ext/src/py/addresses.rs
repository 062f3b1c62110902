//! `rust_ext.AddressLists`, `rust_ext.Suffixes`.

use std::sync::Mutex;

use super::texts::Column;
use bukvar_addresses::url::Address;
use bukvar_addresses::{Builder, Lists, Scratch, Suffixes as List};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Block lists, ready to be asked about addresses.
#[pyclass(frozen)]
struct AddressLists {
    lists: Lists,
    scratch: Mutex<Scratch>,
}

/// (list, category, rule).
type Why = (String, String, String);

#[pymethods]
impl AddressLists {
    /// Reads lists: (name, bytes) each. Raises ValueError with list and line where a line is no rule.
    #[new]
    fn new(py: Python<'_>, lists: Vec<(String, Vec<u8>)>) -> PyResult<Self> {
        py.detach(|| {
            let mut builder = Builder::default();
            for (name, text) in &lists {
                builder.add(name, text).map_err(|error| error.to_string())?;
            }
            builder.finish()
        })
        .map(|lists| Self {
            lists,
            scratch: Mutex::default(),
        })
        .map_err(PyValueError::new_err)
    }

    /// Rules in use, lines that say nothing of pages, and bytes of the domains' table.
    fn counts(&self) -> (usize, usize, usize) {
        let (rules, unused) = self.lists.counts();
        (rules, unused, self.lists.memory())
    }

    /// Why an address is blocked, as (list, category, rule); None where it is not.
    fn check(&self, url: &str) -> Option<Why> {
        let found = match self.scratch.try_lock() {
            Ok(mut scratch) => self.lists.check(url.as_bytes(), &mut scratch),
            Err(_) => self.lists.check(url.as_bytes(), &mut Scratch::default()),
        };
        found.map(|m| (m.list, m.category, m.rule))
    }

    /// The blocked rows of a column of addresses: (row, why) each.
    fn rows(&self, py: Python<'_>, column: Column<'_>) -> PyResult<Vec<(usize, Why)>> {
        let texts = column.texts()?;
        Ok(py.detach(|| {
            let mut out = Vec::new();
            self.lists.check_all(texts.bytes(), |row, found| {
                out.push((row, (found.list, found.category, found.rule)));
            });
            out
        }))
    }
}

/// A public suffix list.
#[pyclass(frozen)]
struct Suffixes {
    list: List,
}

#[pymethods]
impl Suffixes {
    /// Reads the list as publicsuffix.org publishes it.
    #[new]
    fn new(py: Python<'_>, text: &str) -> Self {
        Self {
            list: py.detach(|| List::read(text)),
        }
    }

    /// (host, registered domain) of an address or host, in small letters, punycode resolved.
    fn registered(&self, url: &str) -> (String, String) {
        let mut address = Address::default();
        address.read(url.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(address.host()), text(self.list.registered(address.host())))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<AddressLists>()?;
    module.add_class::<Suffixes>()
}
