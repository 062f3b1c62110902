//! The model file and its trees.
//!
//! Layout, little-endian: magic `BKVCNT1\n`; u32 length and bytes of a JSON header (what it was fitted from;
//! not read here); u64 FNV-1a of the feature names joined by newlines; u8 number of parameters, each u8 length,
//! name, f32; u8 number of ensembles, each u8 length, name, u8 input (0 block rows, 1 page rows), f32 base,
//! u32 trees; a tree is u8 leaves, (leaves - 1) splits of u16 feature, u8 left, u8 right, f32 threshold, then f32
//! leaves. A child below 128 is a split with a greater number, else 128 + a leaf. A value goes left when it is
//! less than or equal to the threshold. u64 FNV-1a of all bytes before ends the file.

use super::forest::Forest;
use super::kinds::KINDS;
use super::trees::{LEAF, Split, Tree};

const MAGIC: &[u8] = b"BKVCNT1\n";

/// A sum of trees over the values of a page.
pub struct OfPage {
    base: f32,
    trees: Vec<Tree>,
}

/// A model read from its file.
pub struct Model {
    parameters: Vec<(String, f32)>,
    of_pages: Vec<(String, OfPage)>,
    of_blocks: Vec<(String, Forest)>,
}

/// FNV-1a, 64 bits.
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        if self.0.len() < length {
            return Err("the model file is cut short".to_owned());
        }
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u8(&mut self) -> Result<u8, String> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn f32(&mut self) -> Result<f32, String> {
        let value = f32::from_le_bytes(self.array()?);
        if value.is_finite() {
            Ok(value)
        } else {
            Err("the model file holds a value that is no number".to_owned())
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let length = self.u8()? as usize;
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| "the model file names no UTF-8".to_owned())
    }
}

impl Model {
    /// Reads a model; `names` are the features this build computes, block's and page's.
    pub fn read(bytes: &[u8], names: &[String], page_names: usize) -> Result<Self, String> {
        let Some((body, sum)) = bytes.split_last_chunk::<8>() else {
            return Err("the model file is cut short".into());
        };
        if fnv(body) != u64::from_le_bytes(*sum) {
            return Err("the model file is damaged: its checksum does not match".to_owned());
        }
        let mut reader = Reader(body);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err("not a content model: the file must begin with BKVCNT1".to_owned());
        }
        let header = reader.u32()? as usize;
        reader.take(header)?;
        if u64::from_le_bytes(reader.array()?) != fnv(names.join("\n").as_bytes()) {
            return Err(
                "the model was fitted to other features: fit it again with corpus.extract.fit".to_owned(),
            );
        }
        let mut model = Model {
            parameters: Vec::new(),
            of_pages: Vec::new(),
            of_blocks: Vec::new(),
        };
        for _ in 0..reader.u8()? {
            let name = reader.name()?;
            model.parameters.push((name, reader.f32()?));
        }
        for _ in 0..reader.u8()? {
            let name = reader.name()?;
            let of_page = reader.u8()? == 1;
            let base = reader.f32()?;
            let features = if of_page { page_names } else { names.len() };
            let trees: Vec<Tree> = (0..reader.u32()?)
                .map(|_| Tree::read(&mut reader, features))
                .collect::<Result<_, _>>()?;
            if of_page {
                model.of_pages.push((name, OfPage { base, trees }));
            } else {
                model.of_blocks.push((name, Forest::new(base, &trees)));
            }
        }
        if model.of_blocks("block").is_none() {
            return Err("the model has no ensemble named block".to_owned());
        }
        Ok(model)
    }

    /// An ensemble over pages by name.
    pub fn of_page(&self, name: &str) -> Option<&OfPage> {
        self.of_pages.iter().find(|(n, _)| n == name).map(|(_, e)| e)
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

impl Tree {
    fn read(reader: &mut Reader, features: usize) -> Result<Self, String> {
        let leaves = usize::from(reader.u8()?);
        if leaves == 0 || leaves > LEAF {
            return Err(format!("a tree of {leaves} leaves: 1 to {LEAF} are possible"));
        }
        let mut splits = Vec::with_capacity(leaves - 1);
        for at in 0..leaves - 1 {
            let feature = u16::from_le_bytes(reader.array()?);
            let children = [reader.u8()?, reader.u8()?];
            let threshold = reader.f32()?;
            let leads_on = |child: u8| match usize::from(child) {
                leaf @ LEAF.. => leaf - LEAF < leaves,
                split => split > at && split < leaves - 1,
            };
            if !children.into_iter().all(leads_on) {
                return Err("the model file holds a tree that leads nowhere".to_owned());
            }
            if usize::from(feature) >= features {
                return Err("the model file names a feature that does not exist".to_owned());
            }
            splits.push(Split {
                threshold,
                feature,
                children,
            });
        }
        let leaves = (0..leaves).map(|_| reader.f32()).collect::<Result<_, _>>()?;
        Ok(Tree { splits, leaves })
    }
}

impl OfPage {
    /// The sum for a page's values.
    pub fn score(&self, row: &[f32]) -> f32 {
        self.trees
            .iter()
            .fold(self.base, |sum, tree| sum + tree.leaf(row))
    }
}

/// The logistic function in double precision.
pub fn probability(margin: f32) -> f32 {
    (1.0 / (1.0 + (-f64::from(margin)).exp())) as f32
}
