//! The phases together, on files: what they must do with any text and with damaged files.
#![allow(clippy::unwrap_used)] // a test may panic

use super::format::{Scheme, SignFile};
use super::group::group;
use super::resolve::{Summary, resolve};
use super::sign::ShardSigner;
use super::text::Normalised;
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that goes away with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "bukvar-dedup-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn scheme(shard: u32, buckets: u32, keep_signatures: bool) -> Scheme {
    Scheme {
        shard,
        bands: 3,
        rows: 2,
        ngram: 2,
        buckets,
        seed: 1,
        keep_signatures,
    }
}

fn sign(folder: &Folder, shard: u32, buckets: u32, texts: &[impl AsRef<[u8]>]) -> PathBuf {
    let mut signer = ShardSigner::new(scheme(shard, buckets, true)).unwrap();
    for (i, text) in (0u128..).zip(texts) {
        signer
            .add(&(u128::from(shard) << 64 | i).to_le_bytes(), text.as_ref())
            .unwrap();
    }
    let path = folder.at(&format!("{shard}.sign"));
    signer.write(&path).unwrap();
    path
}

fn whole(folder: &Folder, signs: &[PathBuf], buckets: u32, verify: f64) -> Summary {
    let edges: Vec<PathBuf> = (0..buckets).map(|b| folder.at(&format!("{b}.edges"))).collect();
    for (bucket, path) in (0..).zip(&edges) {
        group(bucket, signs, path, verify).unwrap();
    }
    let marks: Vec<PathBuf> = (0..signs.len())
        .map(|i| folder.at(&format!("{i}.marks")))
        .collect();
    resolve(signs, &edges, &marks).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_can_be_signed(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8)) {
        let folder = Folder::new();
        let path = sign(&folder, 0, 3, &texts);
        prop_assert_eq!(SignFile::open(&path).unwrap().documents, texts.len() as u64);
        let found = whole(&folder, &[path], 3, 0.0);
        prop_assert_eq!(found.documents, found.clusters + found.exact + found.near);
    }

    #[test]
    fn normalising_never_writes_past_its_room(text in "[\u{130}\u{23a}\u{23e}ẞKиеaЁ \u{306}\u{308}]{0,40}|\\PC{0,40}") {
        let mut buffer = Normalised::default();
        buffer.read(&text);
        prop_assert!(std::str::from_utf8(buffer.bytes()).is_ok());
        prop_assert!(buffer.bytes().len() <= text.len() + text.len() / 2);
        prop_assert_eq!(buffer.word_hashes().count(), buffer.words().count());
    }

    #[test]
    fn a_damaged_file_is_an_error_or_harmless_and_never_a_panic(
        place in any::<prop::sample::Index>(), value: u8, cut in any::<prop::sample::Index>(), shorten: bool
    ) {
        let folder = Folder::new();
        let texts = ["раз два три", "раз два три", "раз два три четыре", "пять"];
        let signs = [sign(&folder, 0, 2, &texts), sign(&folder, 1, 2, &texts)];
        whole(&folder, &signs, 2, 0.5);
        for name in ["1.sign", "0.edges", "1.edges"] {
            let path = folder.at(name);
            let bytes = fs::read(&path).unwrap();
            let mut damaged = bytes.clone();
            *place.get_mut(&mut damaged) = value;
            if shorten {
                damaged.truncate(cut.index(bytes.len()));
            }
            fs::write(&path, damaged).unwrap();
            let edges = [folder.at("0.edges"), folder.at("1.edges")];
            if name.ends_with("sign") {
                for (bucket, verify) in [(0, 0.0), (1, 0.5)] {
                    let _ = group(bucket, &signs, &folder.at("x.edges"), verify);
                }
            }
            let _ = resolve(&signs, &edges, &[folder.at("0.marks"), folder.at("1.marks")]);
            fs::write(&path, bytes).unwrap();
        }
        let left = fs::read_dir(&folder.0).unwrap().filter(|e| {
            e.as_ref().unwrap().file_name().to_string_lossy().ends_with(".partial")
        });
        prop_assert_eq!(left.count(), 0);
    }
}

#[test]
fn a_group_of_n_gives_n_minus_one_edges_a_band() {
    let folder = Folder::new();
    let texts = vec!["один и тот же текст"; 5000];
    let path = sign(&folder, 0, 1, &texts);
    for verify in [0.0, 0.9] {
        let edges = group(0, std::slice::from_ref(&path), &folder.at("0.edges"), verify).unwrap();
        assert_eq!((edges.exact, edges.near), (4999, 3 * 4999));
    }
    let found = whole(&folder, &[path], 1, 0.0);
    assert_eq!((found.clusters, found.exact, found.largest), (1, 4999, 5000));
}

#[test]
fn what_a_bucket_has_no_room_for_is_linked_on_the_way_and_nothing_else_changes() {
    // 30,000 documents in 64 buckets: room for 4,096 (the least), and one hash with 12,000, one with 6,000.
    let folder = Folder::new();
    let texts: Vec<String> = (0..10_000)
        .map(|i| match i % 10 {
            0..4 => "один и тот же текст".to_string(),
            4..6 => "совсем не похоже ни капли".to_string(),
            _ => format!("а{i} б{i} в{i}"),
        })
        .collect();
    let signs: Vec<PathBuf> = (0..3).map(|shard| sign(&folder, shard, 64, &texts)).collect();
    for verify in [0.0, 0.9] {
        let found = whole(&folder, &signs, 64, verify);
        assert_eq!(found.documents, 30_000);
        // Two texts three times 4,000 and 2,000, and each other three times.
        assert_eq!(found.exact, 12_000 - 1 + 6_000 - 1 + 2 * 4_000);
        assert_eq!(found.clusters, 4_002);
        assert_eq!(found.largest, 12_000);
        let edges: u64 = (0..64)
            .map(|b| group(b, &signs, &folder.at("x.edges"), verify).unwrap().exact)
            .sum();
        assert_eq!(edges, found.exact);
    }
}

#[test]
fn an_exact_hash_is_blake2b_of_sixteen_bytes() {
    // `hashlib.blake2b(b"abc", digest_size=16).hexdigest()`
    let hex: String = super::sign::exact_hash(b"abc")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, "cf4ab791c62b8d2b2109c90275287816");
}
