//! Python bindings of bukvar's kernels, which are crates of their own in `crates/` and know nothing of
//! Python. `py` holds every binding and nothing else: it releases the GIL, maps errors to Python exceptions,
//! and is compiled only with the feature `python`.
//!
//! Crate and Python package are one: `rust_ext/__init__.py` re-exports what `_native` registers here, and
//! `rust_ext/_native.pyi` types it (a test holds the two together).

#[cfg(feature = "python")]
mod py;
