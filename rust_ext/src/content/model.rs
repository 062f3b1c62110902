//! The model file and its trees.
//!
//! Layout, little-endian: magic `BKVCNT1\n`; u32 length and bytes of a JSON header (what it was fitted from;
//! not read here); u64 FNV-1a of the feature names joined by newlines; u8 number of parameters, each u8 length,
//! name, f32; u8 number of ensembles, each u8 length, name, u8 input (0 block rows, 1 page rows), f32 base,
//! u32 trees; a tree is u8 leaves, (leaves - 1) splits of u16 feature, u8 left, u8 right, f32 threshold, then f32
//! leaves. A child below 128 is a split with a greater number, else 128 + a leaf. A value goes left when it is
//! less than or equal to the threshold. u64 FNV-1a of all bytes before ends the file.

/// Values of a row, padded: a power of two, so that an index needs no bounds check.
pub const WIDTH: usize = 512;
/// Rows scored together, to hide the latency of the loads.
pub const LANES: usize = 8;
const MAGIC: &[u8] = b"BKVCNT1\n";

/// One row of features.
pub type Row = [f32; WIDTH];

#[derive(Clone, Copy, Default)]
struct Split {
    threshold: f32,
    feature: u16,
    /// Left, where the value is at most the threshold, and right.
    children: [u8; 2],
}

impl Split {
    /// Where a value leads: an index, not a branch, because nothing could predict it.
    #[inline]
    #[allow(clippy::neg_cmp_op_on_partial_ord)] // values are never NaN, and "not at most" is what is meant
    fn next(&self, value: f32) -> u8 {
        self.children[usize::from(!(value <= self.threshold))]
    }
}

/// Splits and leaves in one array of 256, so that a u8 index needs no bounds check; a leaf leads to itself.
struct Tree {
    nodes: Box<[Split; 256]>,
    values: Box<[f32; 256]>,
    depth: usize,
}

/// A sum of trees.
pub struct Ensemble {
    base: f32,
    trees: Vec<Tree>,
    /// Whether its input is a page row.
    pub of_page: bool,
}

/// A model read from its file.
pub struct Model {
    parameters: Vec<(String, f32)>,
    ensembles: Vec<(String, Ensemble)>,
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
            ensembles: Vec::new(),
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
            let trees = (0..reader.u32()?)
                .map(|_| Tree::read(&mut reader, features))
                .collect::<Result<_, _>>()?;
            model.ensembles.push((name, Ensemble { base, trees, of_page }));
        }
        if model.ensemble("block").is_none() {
            return Err("the model has no ensemble named block".to_owned());
        }
        Ok(model)
    }

    /// An ensemble by name.
    pub fn ensemble(&self, name: &str) -> Option<&Ensemble> {
        self.ensembles.iter().find(|(n, _)| n == name).map(|(_, e)| e)
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
        let leaves = reader.u8()? as usize;
        if leaves == 0 || leaves > 128 {
            return Err(format!("a tree of {leaves} leaves: 1 to 128 are possible"));
        }
        let splits = leaves - 1;
        let mut nodes = Box::new([Split::default(); 256]);
        let mut values = Box::new([0f32; 256]);
        let mut depths = [0usize; 256];
        let mut deepest = 0;
        for at in 0..splits {
            let feature = u16::from_le_bytes(reader.array()?);
            let children = [reader.u8()?, reader.u8()?];
            let threshold = reader.f32()?;
            let mut to = [0u8; 2];
            for (slot, child) in to.iter_mut().zip(children.map(usize::from)) {
                let node = if child >= 128 { splits + child - 128 } else { child };
                if node <= at || node >= splits + leaves || (child < 128 && child >= splits) {
                    return Err("the model file holds a tree that leads nowhere".to_owned());
                }
                depths[node] = depths[at] + 1;
                deepest = deepest.max(depths[node]);
                *slot = node as u8;
            }
            if usize::from(feature) >= features {
                return Err("the model file names a feature that does not exist".to_owned());
            }
            nodes[at] = Split {
                threshold,
                feature,
                children: to,
            };
        }
        for at in splits..splits + leaves {
            nodes[at] = Split {
                threshold: f32::INFINITY,
                feature: 0,
                children: [at as u8; 2],
            };
            values[at] = reader.f32()?;
        }
        Ok(Tree {
            nodes,
            values,
            depth: deepest,
        })
    }
}

impl Ensemble {
    /// Adds the trees' sums for eight rows: single-precision sums in the order of the trees.
    pub fn score(&self, rows: &[Row; LANES]) -> [f32; LANES] {
        let mut sums = [self.base; LANES];
        for tree in &self.trees {
            let nodes = &*tree.nodes;
            let mut at = [0u8; LANES];
            for _ in 0..tree.depth {
                for lane in 0..LANES {
                    let split = &nodes[at[lane] as usize];
                    let value = rows[lane][split.feature as usize % WIDTH];
                    at[lane] = split.next(value);
                }
            }
            for lane in 0..LANES {
                sums[lane] += tree.values[at[lane] as usize];
            }
        }
        sums
    }

    /// The sum for one row.
    pub fn score_one(&self, row: &Row) -> f32 {
        self.trees.iter().fold(self.base, |sum, tree| {
            let mut at = 0u8;
            for _ in 0..tree.depth {
                let split = &tree.nodes[at as usize];
                at = split.next(row[split.feature as usize % WIDTH]);
            }
            sum + tree.values[at as usize]
        })
    }
}

/// The logistic function in double precision.
pub fn probability(margin: f32) -> f32 {
    (1.0 / (1.0 + (-f64::from(margin)).exp())) as f32
}
