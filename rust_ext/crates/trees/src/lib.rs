//! Sums of decision trees: the file that holds them, and the score of one row.
//!
//! Layout, little-endian: eight bytes of magic; u32 length and bytes of a JSON header (what it was fitted from;
//! not read here); u64 FNV-1a of the feature names joined by newlines; u8 number of parameters, each u8 length,
//! name, f32; u8 number of ensembles, each u8 length, name, u8 input (which rows it is of), f32 base, u32 trees; a
//! tree is u8 leaves, (leaves - 1) splits of u16 feature, u8 left, u8 right, f32 threshold, then f32 leaves. A child
//! below 128 is a split with a greater number, else 128 + a leaf. A value goes left when it is less than or equal to
//! the threshold. u64 FNV-1a of all bytes before ends the file.

/// Rows that a tree takes one after the other.
const BLOCK: usize = 32;

/// Codes of children from here on are leaves.
pub const LEAF: usize = 128;

/// A question about one value.
#[derive(Clone, Copy, Debug)]
pub struct Split {
    pub threshold: f32,
    pub feature: u16,
    /// Left, where the value is at most the threshold, and right: a later split, or 128 + a leaf.
    pub children: [u8; 2],
}

/// A tree as it stands in the file.
#[derive(Clone, Debug)]
pub struct Tree {
    pub splits: Vec<Split>,
    pub leaves: Vec<f32>,
}

/// A sum of trees.
#[derive(Clone, Debug)]
pub struct Ensemble {
    pub name: String,
    /// Which rows it is of.
    pub input: u8,
    pub base: f32,
    pub trees: Vec<Tree>,
}

/// A file of ensembles, read and checked.
#[derive(Debug)]
pub struct TreeFile {
    pub parameters: Vec<(String, f32)>,
    pub ensembles: Vec<Ensemble>,
}

/// What a file must be.
pub struct Expected<'a> {
    pub magic: &'a [u8; 8],
    /// What the file is called in messages: "content model".
    pub what: &'a str,
    /// What fits a model again.
    pub fit_with: &'a str,
    /// The features of this build.
    pub names: &'a [String],
}

/// FNV-1a, 64 bits.
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The logistic function in double precision.
pub fn probability(margin: f32) -> f32 {
    (1.0 / (1.0 + (-f64::from(margin)).exp())) as f32
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

impl TreeFile {
    /// Reads a file; `features` says how many values a row of an input has.
    pub fn read(bytes: &[u8], expected: &Expected, features: impl Fn(u8) -> usize) -> Result<Self, String> {
        let Some((body, sum)) = bytes.split_last_chunk::<8>() else {
            return Err("the model file is cut short".into());
        };
        if fnv(body) != u64::from_le_bytes(*sum) {
            return Err("the model file is damaged: its checksum does not match".to_owned());
        }
        let mut reader = Reader(body);
        if reader.take(expected.magic.len())? != expected.magic {
            let magic = String::from_utf8_lossy(expected.magic);
            let magic = magic.trim_end();
            return Err(format!(
                "not a {}: the file must begin with {magic}",
                expected.what
            ));
        }
        let header = reader.u32()? as usize;
        reader.take(header)?;
        if u64::from_le_bytes(reader.array()?) != fnv(expected.names.join("\n").as_bytes()) {
            return Err(format!(
                "the model was fitted to other features: fit it again with {}",
                expected.fit_with
            ));
        }
        let mut file = TreeFile {
            parameters: Vec::new(),
            ensembles: Vec::new(),
        };
        for _ in 0..reader.u8()? {
            let name = reader.name()?;
            file.parameters.push((name, reader.f32()?));
        }
        for _ in 0..reader.u8()? {
            let name = reader.name()?;
            let input = reader.u8()?;
            let base = reader.f32()?;
            let width = features(input);
            let trees = (0..reader.u32()?)
                .map(|_| Tree::read(&mut reader, width))
                .collect::<Result<_, _>>()?;
            file.ensembles.push(Ensemble {
                name,
                input,
                base,
                trees,
            });
        }
        Ok(file)
    }

    /// A parameter by name.
    pub fn parameter(&self, name: &str) -> Option<f32> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
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

    /// The number of the leaf to which a row leads; `visit` is called with each split on the way and the child
    /// that was taken.
    #[inline]
    pub fn walk(&self, row: &[f32], mut visit: impl FnMut(&Split, usize)) -> usize {
        let mut at = if self.splits.is_empty() { LEAF } else { 0 };
        while at < LEAF {
            let split = &self.splits[at];
            let right = row[usize::from(split.feature)] > split.threshold;
            at = usize::from(split.children[usize::from(right)]);
            visit(split, at);
        }
        at - LEAF
    }

    /// The value of the leaf to which a row leads.
    #[inline]
    pub fn leaf(&self, row: &[f32]) -> f32 {
        self.leaves[self.walk(row, |_, _| ())]
    }
}

impl Ensemble {
    /// The sum for a row, in single precision and in the order of the trees.
    pub fn score(&self, row: &[f32]) -> f32 {
        self.trees
            .iter()
            .fold(self.base, |sum, tree| sum + tree.leaf(row))
    }

    /// `score` of each row of a matrix of `width` columns. Each tree takes `BLOCK` rows one after the other, while
    /// it and they lie in the processor's first cache.
    pub fn scores(&self, rows: &[f32], width: usize) -> Vec<f32> {
        let width = width.max(1);
        let mut sums = vec![self.base; rows.len() / width];
        for (rows, sums) in rows.chunks(BLOCK * width).zip(sums.chunks_mut(BLOCK)) {
            for tree in &self.trees {
                for (row, sum) in rows.chunks_exact(width).zip(&mut *sums) {
                    *sum += tree.leaf(row);
                }
            }
        }
        sums
    }
}
