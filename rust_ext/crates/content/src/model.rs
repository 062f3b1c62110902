//! The content model: which ensembles it holds. The layout of the file is bukvar-trees'.

use bukvar_trees::{Ensemble, Expected, TreeFile};

use super::forest::Forest;
use super::kinds::KINDS;

const MAGIC: &[u8; 8] = b"BKVCNT1\n";
/// Rows of pages, in the file's words; those of blocks are 0.
const OF_PAGES: u8 = 1;

/// A model read from its file.
pub struct Model {
    parameters: Vec<(String, f32)>,
    of_pages: Vec<Ensemble>,
    of_blocks: Vec<(String, Forest)>,
}

impl Model {
    /// Reads a model; `names` are the features this build computes, block's and page's.
    pub fn read(bytes: &[u8], names: &[String], page_names: usize) -> Result<Self, String> {
        let expected = Expected {
            magic: MAGIC,
            what: "content model",
            fit_with: "scripts.fit.content",
            names,
        };
        let width = |input| {
            if input == OF_PAGES {
                page_names
            } else {
                names.len()
            }
        };
        let file = TreeFile::read(bytes, &expected, width)?;
        let (of_pages, of_blocks): (Vec<_>, Vec<_>) = file
            .ensembles
            .into_iter()
            .partition(|ensemble| ensemble.input == OF_PAGES);
        let of_blocks = of_blocks
            .into_iter()
            .map(|ensemble| (ensemble.name, Forest::new(ensemble.base, &ensemble.trees)));
        let model = Model {
            parameters: file.parameters,
            of_pages,
            of_blocks: of_blocks.collect(),
        };
        if model.of_blocks("block").is_none() {
            return Err("the model has no ensemble named block".to_owned());
        }
        Ok(model)
    }

    /// An ensemble over pages by name.
    pub fn of_page(&self, name: &str) -> Option<&Ensemble> {
        self.of_pages.iter().find(|ensemble| ensemble.name == name)
    }

    /// An ensemble over blocks by name.
    pub fn of_blocks(&self, name: &str) -> Option<&Forest> {
        self.of_blocks.iter().find(|(n, _)| n == name).map(|(_, e)| e)
    }

    /// How much sharper (above 1) or milder than the best expected F1 the cut of a page should be, by the
    /// probabilities of [`KINDS`]: the sum of each with the parameter `cut.KIND`, 1 where there is none.
    pub fn cut_of_kinds(&self, kinds: &[f32; KINDS.len()]) -> f32 {
        (KINDS.iter().zip(kinds))
            .map(|(kind, p)| p * (self.parameter(&format!("cut.{kind}"), 1.0) - 1.0))
            .fold(1.0, |sum, part| sum + part)
    }

    /// A parameter by name, or the value given.
    pub fn parameter(&self, name: &str, otherwise: f32) -> f32 {
        self.parameters
            .iter()
            .find(|(n, _)| n == name)
            .map_or(otherwise, |(_, v)| *v)
    }
}
