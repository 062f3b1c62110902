//! Main text by peers in Rust, for `tests/bench/bench_content.py`.
//!
//! `content-peers PAGES TEXTS NAME`: reads length-prefixed UTF-8 (u32, little-endian), writes the texts in
//! the same form and order, and prints the CPU seconds of extraction alone. A page on which a peer fails or
//! panics has no text.

use std::error::Error;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dom_smoothie::{Config, Readability, TextMode};
use trafilatura::ExtractionFocus;

type Extract = fn(&str) -> Option<String>;

fn smoothie(html: &str) -> Option<String> {
    let config = Config {
        text_mode: TextMode::Formatted,
        ..Config::default()
    };
    let article = Readability::new(html, None, Some(config)).ok()?.parse().ok()?;
    Some(article.text_content.to_string())
}

fn trafilatura_with(html: &str, focus: ExtractionFocus) -> Option<String> {
    let mut options = trafilatura::Options::default();
    options.focus = focus;
    options.enable_fallback = true;
    options.exclude_comments = true;
    Some(trafilatura::extract(html, &options).ok()?.content_text)
}

fn rs_trafilatura_text(html: &str) -> Option<String> {
    Some(rs_trafilatura::extract(html).ok()?.content_text)
}

fn peer(name: &str) -> Option<Extract> {
    Some(match name {
        "dom_smoothie" => smoothie,
        "crate_trafilatura" => |html| trafilatura_with(html, ExtractionFocus::Balanced),
        "crate_trafilatura_precision" => |html| trafilatura_with(html, ExtractionFocus::FavorPrecision),
        "rs_trafilatura" => rs_trafilatura_text,
        _ => return None,
    })
}

/// CPU seconds of this process, user and system.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pages, texts, name] = arguments.as_slice() else {
        return Err("usage: content-peers PAGES TEXTS NAME".into());
    };
    let extract = peer(name).ok_or_else(|| format!("no peer {name}"))?;
    std::panic::set_hook(Box::new(|_| {}));
    let data = std::fs::read(pages)?;
    let mut out = std::io::BufWriter::new(std::fs::File::create(texts)?);
    let (mut rest, mut seconds) = (data.as_slice(), 0.0);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (page, next) = after.split_at(u32::from_le_bytes(*length) as usize);
        let html = std::str::from_utf8(page)?;
        let start = cpu();
        let text = catch_unwind(AssertUnwindSafe(|| extract(html)))
            .ok()
            .flatten()
            .unwrap_or_default();
        seconds += cpu() - start;
        out.write_all(&u32::try_from(text.len())?.to_le_bytes())?;
        out.write_all(text.as_bytes())?;
        rest = next;
    }
    out.flush()?;
    println!("{seconds}");
    Ok(())
}
