//! Bindings of `content`: conversion and nothing else.

use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use bukvar_content::select::{Comments, Favor};
use bukvar_content::{self as content, KINDS, Options, align, meta, model::Model, words};

/// A model of main text, read once from the bytes of its file and used by any number of threads.
#[pyclass(frozen, module = "rust_ext")]
struct ContentModel {
    model: Arc<Model>,
}

fn favor_of(favor: Option<&str>) -> PyResult<Favor> {
    match favor {
        None => Ok(Favor::Balance),
        Some("precision") => Ok(Favor::Precision),
        Some("recall") => Ok(Favor::Recall),
        Some(other) => Err(PyValueError::new_err(format!(
            "favor is 'precision', 'recall' or None, not {other:?}"
        ))),
    }
}

fn comments_of(comments: &str) -> PyResult<Comments> {
    match comments {
        "drop" => Ok(Comments::Drop),
        "keep" => Ok(Comments::Keep),
        "only" => Ok(Comments::Only),
        other => Err(PyValueError::new_err(format!(
            "comments is 'drop', 'keep' or 'only', not {other:?}"
        ))),
    }
}

#[pymethods]
impl ContentModel {
    #[new]
    fn new(data: &[u8]) -> PyResult<Self> {
        let model = content::read_model(data).map_err(PyValueError::new_err)?;
        Ok(ContentModel {
            model: Arc::new(model),
        })
    }

    /// The main text of a page and what the page states, as a dict of plain values.
    #[pyo3(signature = (html, *, url=None, favor=None, comments="drop", headers=Vec::new()))]
    fn extract<'py>(
        &self,
        py: Python<'py>,
        html: &str,
        url: Option<&str>,
        favor: Option<&str>,
        comments: &str,
        headers: Vec<(String, String)>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let options = Options {
            url,
            favor: favor_of(favor)?,
            comments: comments_of(comments)?,
        };
        let model = Arc::clone(&self.model);
        let mut found = py.detach(|| content::extract(html, &options, &model));
        for (name, value) in &headers {
            meta::opt_out(&mut found.meta.opt_outs, name, value);
        }
        let out = PyDict::new(py);
        out.set_item("text", found.text)?;
        out.set_item("title", found.meta.title)?;
        out.set_item("author", found.meta.author)?;
        out.set_item("date", found.meta.date)?;
        out.set_item("language", found.meta.language)?;
        out.set_item("canonical_url", found.meta.canonical_url)?;
        out.set_item("kind", KINDS[found.kind])?;
        out.set_item("confidence", found.confidence)?;
        out.set_item("embedded", found.embedded)?;
        out.set_item("noindex", found.meta.opt_outs.noindex)?;
        out.set_item("noai", found.meta.opt_outs.noai)?;
        out.set_item("train_ai_disallowed", found.meta.opt_outs.train_ai_disallowed)?;
        out.set_item("tdm_reserved", found.meta.opt_outs.tdm_reserved)?;
        Ok(out)
    }

    /// All blocks of a page in their order: text, probability of being main text, whether `extract` takes it.
    #[pyo3(signature = (html, *, url=None, favor=None, comments="drop"))]
    fn decide(
        &self,
        py: Python<'_>,
        html: &str,
        url: Option<&str>,
        favor: Option<&str>,
        comments: &str,
    ) -> PyResult<Vec<(String, f32, bool)>> {
        let options = Options {
            url,
            favor: favor_of(favor)?,
            comments: comments_of(comments)?,
        };
        let model = Arc::clone(&self.model);
        let found = py.detach(|| content::decide(html, &options, &model));
        Ok(found
            .into_iter()
            .map(|block| (block.text, block.chance, block.chosen))
            .collect())
    }

    /// Probability of each block and of each kind of page.
    #[pyo3(signature = (html, *, url=None))]
    fn chances(&self, py: Python<'_>, html: &str, url: Option<&str>) -> (Vec<f32>, Vec<f32>) {
        let model = Arc::clone(&self.model);
        py.detach(|| {
            let verdict = content::judge(&content::prepare(html, url), &model);
            (verdict.chances, verdict.kinds.to_vec())
        })
    }
}

/// Texts of a page's blocks, their features (blocks x features, float32) and the page's own (float32).
#[pyfunction]
#[pyo3(signature = (html, *, url=None))]
#[allow(clippy::type_complexity)] // three results of one parse
fn content_blocks<'py>(
    py: Python<'py>,
    html: &str,
    url: Option<&str>,
) -> PyResult<(Vec<String>, Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<f32>>)> {
    let (texts, rows, page) = py.detach(|| {
        let ready = content::prepare(html, url);
        let texts: Vec<String> = (0..ready.page.blocks.len())
            .map(|b| ready.page.block_text(b).to_owned())
            .collect();
        (texts, content::rows(&ready), ready.page_row)
    });
    let shape = [texts.len(), content::feature_names().len()];
    Ok((
        texts,
        PyArray1::from_vec(py, rows).reshape(shape)?,
        PyArray1::from_vec(py, page),
    ))
}

/// Names of a block's features, in order; the page's own come last.
#[pyfunction]
fn content_feature_names() -> Vec<String> {
    content::feature_names().to_vec()
}

/// Places in `gold` of the words of each text, in order, -1 where a word is not part of it.
#[pyfunction]
fn content_align(py: Python<'_>, texts: Vec<String>, gold: &str) -> Vec<Vec<i64>> {
    py.detach(|| {
        let mut hashes = Vec::new();
        let ends: Vec<usize> = texts
            .iter()
            .map(|text| words::count(text, &mut hashes).last as usize)
            .collect();
        let mut gold_hashes = Vec::new();
        words::count(gold, &mut gold_hashes);
        let places = align::align(&hashes, &gold_hashes);
        let mut start = 0;
        ends.into_iter()
            .map(|end| {
                let of_text = &places[std::mem::replace(&mut start, end)..end];
                of_text
                    .iter()
                    .map(|&place| if place == u32::MAX { -1 } else { i64::from(place) })
                    .collect()
            })
            .collect()
    })
}

/// Hashes of the words of a text, in lower case: equal words have equal hashes.
#[pyfunction]
fn content_words(text: &str) -> Vec<u32> {
    let mut hashes = Vec::new();
    words::count(text, &mut hashes);
    hashes
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("TRAINING_BOTS", meta::TRAINING_BOTS.to_vec())?;
    module.add_class::<ContentModel>()?;
    module.add_function(wrap_pyfunction!(content_align, module)?)?;
    module.add_function(wrap_pyfunction!(content_blocks, module)?)?;
    module.add_function(wrap_pyfunction!(content_feature_names, module)?)?;
    module.add_function(wrap_pyfunction!(content_words, module)?)
}
