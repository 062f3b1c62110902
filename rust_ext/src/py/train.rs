//! Python bindings of [`bukvar_train`].

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use bukvar_train::TrainError;
use bukvar_train::progress::{Progress, Step};

mod counting;
mod learning;
mod morphemes;

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

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<counting::PretokenCounter>()?;
    module.add_class::<counting::PretokenCounts>()?;
    module.add_class::<morphemes::MorphemeBoundaries>()?;
    module.add_class::<learning::Learnt>()?;
    module.add_class::<learning::Extension>()?;
    module.add_function(wrap_pyfunction!(counting::counts_merge, module)?)?;
    module.add_function(wrap_pyfunction!(counting::counts_header, module)?)?;
    module.add_function(wrap_pyfunction!(counting::counts_items, module)?)?;
    module.add_function(wrap_pyfunction!(learning::bpe_learn, module)?)?;
    module.add_function(wrap_pyfunction!(learning::bpe_extend, module)?)?;
    module.add_function(wrap_pyfunction!(learning::bpe_alphabet, module)?)?;
    module.add_function(wrap_pyfunction!(learning::bpe_power, module)?)
}
