//! Phase 1: the texts of one shard to its `.sign` file.

use super::format::{DedupError, EXACT_RECORD, ID, NEAR_RECORD, Result, Scheme, io_error, publish};
use super::minhash::{MinHash, shingle};
use super::text::Normalised;
use std::path::Path;

/// 128-bit BLAKE2b of a normalised text. A cryptographic hash, so that nobody can make two texts collide and
/// have one of them dropped; 2 us for 3 kB.
pub fn exact_hash(normalised: &[u8]) -> [u8; ID] {
    let hash = blake2b_simd::Params::new().hash_length(ID).hash(normalised);
    let mut bytes = [0; ID];
    bytes.copy_from_slice(hash.as_bytes());
    bytes
}

/// What is computed of one text. Buffers are used again from text to text.
#[derive(Debug)]
pub struct TextSigner {
    minhash: MinHash,
    ngram: usize,
    normalised: Normalised,
    words: Vec<u64>,
    shingles: Vec<u32>,
    signature: Vec<u32>,
}

impl TextSigner {
    pub fn new(scheme: &Scheme) -> Self {
        Self {
            minhash: MinHash::new(scheme.bands as usize, scheme.rows as usize, scheme.seed),
            ngram: scheme.ngram as usize,
            normalised: Normalised::default(),
            words: Vec::new(),
            shingles: Vec::new(),
            signature: Vec::new(),
        }
    }

    /// Reads a text: its exact hash and number of words; `signature` then holds its signature.
    pub fn read(&mut self, text: &str) -> ([u8; ID], u32) {
        self.normalised.read(text);
        self.words.clear();
        self.words.extend(self.normalised.word_hashes());
        shingle(&self.words, self.ngram, &mut self.shingles);
        self.minhash.sign(&self.shingles, &mut self.signature);
        (
            exact_hash(self.normalised.bytes()),
            u32::try_from(self.words.len()).unwrap_or(u32::MAX),
        )
    }

    /// The least values for the text read last; all `u32::MAX` where it has no words.
    pub fn signature(&self) -> &[u32] {
        &self.signature
    }

    /// Band hashes of the text read last.
    pub fn band_hashes(&self) -> impl Iterator<Item = u64> + '_ {
        self.minhash.band_hashes(&self.signature)
    }
}

/// Collects what a shard's `.sign` file holds: 20 + 16 + 8 x bands (+ signature) bytes a document.
#[derive(Debug)]
pub struct ShardSigner {
    scheme: Scheme,
    text: TextSigner,
    words: Vec<u32>,
    ids: Vec<u8>,
    exact: Vec<[u8; ID]>,
    /// `bands` a document; not meant where it has no words.
    hashes: Vec<u64>,
    signatures: Vec<u32>,
}

impl ShardSigner {
    pub fn new(scheme: Scheme) -> Result<Self> {
        scheme.check()?;
        Ok(Self {
            text: TextSigner::new(&scheme),
            scheme,
            words: Vec::new(),
            ids: Vec::new(),
            exact: Vec::new(),
            hashes: Vec::new(),
            signatures: Vec::new(),
        })
    }

    /// Adds the next document of the shard. Bytes that are not UTF-8 count as replacement characters.
    pub fn add(&mut self, id: &[u8; ID], text: &[u8]) -> Result<()> {
        if self.words.len() >= u32::MAX as usize {
            return Err(DedupError::Parameters(
                "a shard holds at most 2^32 - 1 documents".into(),
            ));
        }
        let (exact, words) = self.text.read(&String::from_utf8_lossy(text));
        self.ids.extend_from_slice(id);
        self.words.push(words);
        self.exact.push(exact);
        self.hashes.extend(self.text.band_hashes());
        if self.scheme.keep_signatures {
            self.signatures.extend_from_slice(self.text.signature());
        }
        Ok(())
    }

    /// The number of documents added.
    pub fn documents(&self) -> usize {
        self.words.len()
    }

    /// Writes the `.sign` file, atomically.
    pub fn write(&self, path: &Path) -> Result<()> {
        let (counts, records) = self.records();
        publish(path, |out| {
            use std::io::Write;
            let io = io_error(path);
            self.scheme
                .write_head(self.documents() as u64, out)
                .map_err(&io)?;
            for count in &counts {
                out.write_all(&count.to_le_bytes()).map_err(&io)?;
            }
            for words in &self.words {
                out.write_all(&words.to_le_bytes()).map_err(&io)?;
            }
            out.write_all(&self.ids).map_err(&io)?;
            for value in &self.signatures {
                out.write_all(&value.to_le_bytes()).map_err(&io)?;
            }
            out.write_all(&records).map_err(&io)
        })
    }

    /// Counts of the sections and their records: a counting sort by (bucket, section), rows in order.
    fn records(&self) -> (Vec<u64>, Vec<u8>) {
        let sections = self.scheme.sections();
        let mut counts = vec![0u64; self.scheme.buckets as usize * sections];
        self.each_record(|section, hash, _, _| counts[self.scheme.bucket_of(hash) * sections + section] += 1);
        let mut places = Vec::with_capacity(counts.len());
        let mut end = 0;
        for (i, &count) in counts.iter().enumerate() {
            places.push(end);
            end += count as usize * self.scheme.record_bytes(i % sections);
        }
        let mut records = vec![0; end];
        self.each_record(|section, hash, row, bytes| {
            let place = &mut places[self.scheme.bucket_of(hash) * sections + section];
            let (key, length) = if section + 1 == sections {
                (&bytes[..], EXACT_RECORD)
            } else {
                (&bytes[..8], NEAR_RECORD)
            };
            let record = &mut records[*place..*place + length];
            record[..key.len()].copy_from_slice(key);
            record[key.len()..].copy_from_slice(&row.to_le_bytes());
            *place += length;
        });
        (counts, records)
    }

    /// Calls back with (section, hash that decides the bucket, row, key) for every record, rows in order.
    fn each_record(&self, mut call: impl FnMut(usize, u64, u32, &[u8; ID])) {
        let bands = self.scheme.bands as usize;
        for (row, (exact, &words)) in (0u32..).zip(self.exact.iter().zip(&self.words)) {
            if words > 0 {
                let start = row as usize * bands;
                for (band, &hash) in self.hashes[start..start + bands].iter().enumerate() {
                    let mut key = [0; ID];
                    key[..8].copy_from_slice(&hash.to_le_bytes());
                    call(band, hash, row, &key);
                }
            }
            call(bands, leading(exact), row, exact);
        }
    }
}

/// The first eight bytes of an exact hash, which decide its bucket.
pub(crate) fn leading(exact: &[u8; ID]) -> u64 {
    exact.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
