//! Phase 3: all edges to clusters, and each shard's marks.
//!
//! Union-find over two flat arrays: the parent of each document (u32, or u64 from 2^32 documents on) and its
//! number of words, which is overwritten by cluster sizes once the clusters stand. The parent of a union is
//! always the better document by (more words, then earlier shard, then earlier row), so a root is its
//! cluster's canonical document, whatever the order of the edges. Path halving alone keeps a find below
//! log2(n) steps amortised (Tarjan and van Leeuwen 1984). Besides the arrays, doc_ids of kept documents are
//! looked up for a sixteenth of all documents at a time: 2 bytes a document, at most sixteen passes over ids.

use super::format::{
    DedupError, EDGE, EDGES_MAGIC, ID, MARKS_MAGIC, Result, SignFile, io_error, open_run, publish,
    read_array, reader,
};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Dropped documents whose kept doc_id is looked up together: this part of all documents, at least LOOKUPS.
const LOOKUP_SHARE: usize = 16;
const LOOKUPS: usize = 1 << 18;

/// Mark of a document that stays.
pub const KEPT: u8 = 0;
/// Mark of an exact duplicate.
pub const EXACT: u8 = 1;
/// Mark of a near duplicate.
pub const NEAR: u8 = 2;

/// What came out. `documents = clusters + exact + near`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    pub documents: u64,
    pub clusters: u64,
    pub exact: u64,
    pub near: u64,
    pub largest: u32,
}

/// Writes one `.marks` file a shard, `marks[i]` for `signs[i]`. Both in the order of shards; edges in any.
pub fn resolve(signs: &[PathBuf], edges: &[PathBuf], marks: &[PathBuf]) -> Result<Summary> {
    if signs.len() != marks.len() {
        return Err(DedupError::Parameters(
            "one .marks path is needed for each .sign file".into(),
        ));
    }
    let run = open_run(signs)?;
    let documents: u64 = run.iter().map(|sign| sign.documents).sum();
    if documents < u64::from(u32::MAX) {
        Clusters::<u32>::build(&run, edges)?.write(&run, marks)
    } else {
        Clusters::<u64>::build(&run, edges)?.write(&run, marks)
    }
}

/// A document's position among all, in the order (shard, row).
trait Index: Copy + PartialEq {
    fn from_usize(value: usize) -> Self;
    fn to_usize(self) -> usize;
}

impl Index for u32 {
    fn from_usize(value: usize) -> Self {
        value as Self
    }
    fn to_usize(self) -> usize {
        self as usize
    }
}

impl Index for u64 {
    fn from_usize(value: usize) -> Self {
        value as Self
    }
    fn to_usize(self) -> usize {
        self as usize
    }
}

struct Clusters<I> {
    /// Where each shard begins among all documents.
    starts: Vec<usize>,
    parents: Vec<I>,
    /// Words of a document; after `count`, of a root its cluster's size, of any other 1 where its text
    /// equals the root's.
    weights: Vec<u32>,
}

impl<I: Index> Clusters<I> {
    fn build(run: &[SignFile], edges: &[PathBuf]) -> Result<Self> {
        let total = run.iter().map(|sign| sign.documents as usize).sum();
        let mut starts = Vec::with_capacity(run.len() + 1);
        let mut weights = Vec::with_capacity(total);
        for sign in run {
            starts.push(weights.len());
            weights.extend(sign.words()?);
        }
        starts.push(total);
        let mut clusters = Self {
            starts,
            parents: (0..total).map(I::from_usize).collect(),
            weights,
        };
        for path in edges {
            clusters.each_edge(path, false, |clusters, a, b| clusters.unite(a, b))?;
        }
        clusters.count();
        for path in edges {
            clusters.each_edge(path, true, |clusters, first, other| {
                if clusters.find(other) == first {
                    clusters.weights[other] = u32::from(EXACT);
                }
            })?;
        }
        Ok(clusters)
    }

    /// Calls back with the positions of the two documents of each edge (only of exact ones, if so asked).
    fn each_edge(
        &mut self,
        path: &Path,
        only_exact: bool,
        mut call: impl FnMut(&mut Self, usize, usize),
    ) -> Result<()> {
        let mut file = reader(path)?;
        let io = io_error(path);
        let damaged = |what: &str| DedupError::Format(path.into(), what.into());
        if read_array::<8>(&mut file).map_err(&io)? != *EDGES_MAGIC {
            return Err(damaged("is not an .edges file"));
        }
        let exact = u64::from_le_bytes(read_array(&mut file).map_err(&io)?);
        let near = u64::from_le_bytes(read_array(&mut file).map_err(&io)?);
        for _ in 0..if only_exact {
            exact
        } else {
            exact.saturating_add(near)
        } {
            let edge: [u8; EDGE] = read_array(&mut file).map_err(&io)?;
            let [a, b, c, d] =
                [0, 4, 8, 12].map(|i| u32::from_le_bytes([edge[i], edge[i + 1], edge[i + 2], edge[i + 3]]));
            match (self.position(a, b), self.position(c, d)) {
                (Some(first), Some(other)) => call(self, first, other),
                _ => {
                    return Err(damaged(
                        "names a document that no shard has: of another run or damaged",
                    ));
                }
            }
        }
        if !only_exact && file.read(&mut [0]).map_err(&io)? != 0 {
            return Err(damaged("is longer than its edges: damaged"));
        }
        Ok(())
    }

    fn position(&self, shard: u32, row: u32) -> Option<usize> {
        let (start, end) = (
            *self.starts.get(shard as usize)?,
            *self.starts.get(shard as usize + 1)?,
        );
        let position = start.checked_add(row as usize)?;
        (position < end).then_some(position)
    }

    fn find(&mut self, mut document: usize) -> usize {
        loop {
            let parent = self.parents[document].to_usize();
            if parent == document {
                return document;
            }
            self.parents[document] = self.parents[parent];
            document = self.parents[document].to_usize();
        }
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        let a_is_better = (self.weights[a], std::cmp::Reverse(a)) > (self.weights[b], std::cmp::Reverse(b));
        let (better, other) = if a_is_better { (a, b) } else { (b, a) };
        self.parents[other] = I::from_usize(better);
    }

    /// Points every document at its root and puts cluster sizes in place of words.
    fn count(&mut self) {
        self.weights.fill(0);
        for document in 0..self.parents.len() {
            let root = self.find(document);
            self.parents[document] = I::from_usize(root);
            self.weights[root] = self.weights[root].saturating_add(1);
        }
    }

    fn write(&self, run: &[SignFile], paths: &[PathBuf]) -> Result<Summary> {
        let mut summary = Summary {
            documents: self.parents.len() as u64,
            ..Summary::default()
        };
        let most = (self.parents.len() / LOOKUP_SHARE).max(LOOKUPS);
        let mut from = 0;
        while from < run.len() {
            let mut dropped = Vec::new();
            let mut to = from;
            while to < run.len() && (to == from || dropped.len() < most) {
                dropped.extend(self.dropped(to));
                to += 1;
            }
            let mut kept = self.kept_ids(run, &dropped)?.into_iter();
            for shard in from..to {
                self.write_shard(&run[shard], shard, &mut kept, &paths[shard], &mut summary)?;
            }
            from = to;
        }
        Ok(summary)
    }

    /// Roots of the dropped documents of a shard, in order of rows.
    fn dropped(&self, shard: usize) -> impl Iterator<Item = usize> + '_ {
        (self.starts[shard]..self.starts[shard + 1])
            .map(|document| (document, self.parents[document].to_usize()))
            .filter(|(document, root)| document != root)
            .map(|(_, root)| root)
    }

    /// doc_ids of `roots`, in their order: sorted first, so that ids are read shard after shard.
    fn kept_ids(&self, run: &[SignFile], roots: &[usize]) -> Result<Vec<[u8; ID]>> {
        let mut order: Vec<u32> = (0..roots.len() as u32).collect();
        order.sort_unstable_by_key(|&i| roots[i as usize]);
        let mut found = vec![[0; ID]; roots.len()];
        let mut next = 0;
        for (shard, sign) in run.iter().enumerate() {
            let end = self.starts[shard + 1];
            let here = order[next..]
                .iter()
                .take_while(|&&i| roots[i as usize] < end)
                .count();
            if here == 0 {
                continue;
            }
            let ids = sign.ids()?;
            let (ids, _) = ids.as_chunks::<ID>();
            for &i in &order[next..next + here] {
                found[i as usize] = ids[roots[i as usize] - self.starts[shard]];
            }
            next += here;
        }
        Ok(found)
    }

    fn write_shard(
        &self,
        sign: &SignFile,
        shard: usize,
        kept: &mut impl Iterator<Item = [u8; ID]>,
        path: &Path,
        summary: &mut Summary,
    ) -> Result<()> {
        let documents = self.starts[shard]..self.starts[shard + 1];
        let ids = sign.ids()?;
        let fates: Vec<u8> = documents.clone().map(|document| self.fate(document)).collect();
        let dropped = fates.iter().filter(|&&fate| fate != KEPT).count();
        for (document, &fate) in documents.clone().zip(&fates) {
            match fate {
                KEPT => {
                    summary.clusters += 1;
                    summary.largest = summary.largest.max(self.weights[document]);
                }
                EXACT => summary.exact += 1,
                _ => summary.near += 1,
            }
        }
        publish(path, |out| {
            let io = io_error(path);
            out.write_all(MARKS_MAGIC).map_err(&io)?;
            out.write_all(&(documents.len() as u64).to_le_bytes())
                .map_err(&io)?;
            out.write_all(&(dropped as u64).to_le_bytes()).map_err(&io)?;
            for document in documents {
                let size = self.weights[self.parents[document].to_usize()];
                out.write_all(&size.to_le_bytes()).map_err(&io)?;
            }
            for id in ids.as_chunks::<ID>().0 {
                out.write_all(&id[..4]).map_err(&io)?;
            }
            out.write_all(&fates).map_err(&io)?;
            for id in kept.take(dropped) {
                out.write_all(&id).map_err(&io)?;
            }
            Ok(())
        })
    }

    fn fate(&self, document: usize) -> u8 {
        if self.parents[document].to_usize() == document {
            KEPT
        } else if self.weights[document] == u32::from(EXACT) {
            EXACT
        } else {
            NEAR
        }
    }
}
