//! Mutated pages never make the extractor panic, and never cost more than their length allows.
//!
//! `cargo test --release --test content_fuzz` tries a few thousand; BUKVAR_FUZZ_PAGES=1000000 tries as many as
//! that; BUKVAR_FUZZ_SEEDS=FOLDER mutates the pages in that folder (UTF-8) instead of the four below. The
//! generator is seeded, so a failure names the page that causes it.

use bukvar_content::{Comments, Favor, Options, extract, is_bounded, prepare, read_model};

const SEEDS: &[&str] = &[
    "<html lang=ru><head><title>Один | Сайт</title><meta name=robots content=noindex></head><body><nav><ul><li><a \
     href=/>Главная</a><li>Новости</ul></nav><article class=post><h1>Один</h1><p>Слово за словом, и так до конца.\
     <p>Ещё абзац &nbsp; с текстом &laquo;в кавычках&raquo;.</article><div class=comments><p>Да</p></div></body>",
    "<table><tr><td><table><tr><th>a<td>b</table><td>c<tr><td colspan=2>d</table><pre>x\n  y</pre><ul><li>1<li>2</ul>",
    "<script type=\"application/ld+json\">{\"@type\":\"Article\",\"articleBody\":\"a \\u0416\",\"author\":[{\"name\":\"b\"}]}\
     </script><script>if (a < b) { '</p>' }</script><select><option>x</select><svg><title>t</title></svg><p hidden>h</p>",
    "<div data-preloaded='{&quot;topic_1&quot;:&quot;{\\&quot;cooked\\&quot;:\\&quot;&lt;p&gt;x\\&quot;}&quot;}'></div>",
];
const PIECES: &[&str] = &[
    "<",
    ">",
    "</",
    "<!--",
    "-->",
    "<div>",
    "</div>",
    "<p>",
    "<table>",
    "<td>",
    "</table>",
    "<li>",
    "<a href=x>",
    "</a>",
    "<b>",
    "<script>",
    "</script>",
    "<title>",
    "<select>",
    "</select>",
    "<svg>",
    "<pre>",
    "</pre>",
    "<br>",
    "&",
    "&#x",
    "&#1072;",
    "&amp",
    "\"",
    "'",
    "=",
    "\0",
    "\u{a0}",
    "\u{ad}",
    "ё",
    "漢字",
    "🙂",
    " class=\"comment-list\"",
    " id=main",
    "<h1>",
    "<template>",
    "<textarea>",
    "<noscript>",
    "<dl><dd>",
    "{\"",
    "\\u",
    "<!doctype",
    "<?xml",
    "<iframe>",
    "1.1.2020",
];

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn page(&mut self, seeds: &[String]) -> String {
        let mut page = seeds[self.below(seeds.len())].clone();
        for _ in 0..1 + self.below(12) {
            let (a, b) = (self.boundary(&page), self.boundary(&page));
            let (a, b) = (a.min(b), a.max(b));
            match self.below(5) {
                0 => page.replace_range(a..b, ""),
                1 => page.insert_str(a, PIECES[self.below(PIECES.len())]),
                2 => page.insert_str(b, &PIECES[self.below(PIECES.len())].repeat(1 + self.below(40))),
                3 if page.len() < 20_000 => {
                    let piece = page[a..b].to_owned();
                    page.insert_str(b, &piece);
                }
                _ => page.replace_range(a..b, PIECES[self.below(PIECES.len())]),
            }
        }
        page
    }
}

/// The pages that are mutated.
fn seeds() -> Vec<String> {
    let Some(folder) = std::env::var_os("BUKVAR_FUZZ_SEEDS") else {
        return SEEDS.iter().copied().map(str::to_owned).collect();
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("BUKVAR_FUZZ_SEEDS is a folder")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("its files are UTF-8"))
        .collect()
}

#[test]
fn mutated_pages_are_extracted_within_bounds() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../corpus/assets/content.model"
    );
    let model =
        read_model(&std::fs::read(file).expect("the model is in the tree")).expect("it fits this build");
    let pages: usize = std::env::var("BUKVAR_FUZZ_PAGES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3_000);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let seeds = seeds();
    let start = std::time::Instant::now();
    let mut bytes = 0;
    for number in 0..pages {
        let html = random.page(&seeds);
        bytes += html.len();
        let ready = prepare(&html, None);
        assert!(is_bounded(&ready, html.len()), "page {number} grew");
        let comments = [Comments::Drop, Comments::Keep, Comments::Only][number % 3];
        let favor = [Favor::Balance, Favor::Precision, Favor::Recall][number / 3 % 3];
        let content = extract(
            &html,
            &Options {
                url: None,
                favor,
                comments,
            },
            &model,
        );
        // A reference of three bytes can stand for four; item marks and cell bars add three to a block.
        assert!(
            content.text.len() <= 3 * html.len() + 64,
            "page {number}: {} from {}",
            content.text.len(),
            html.len()
        );
        assert!((0.0..=1.0001).contains(&content.confidence), "page {number}");
    }
    // Fifty times what it takes unoptimised: only quadratic time can pass it.
    let limit = 5e-3 * pages as f64 + 2e-5 * bytes as f64;
    assert!(
        start.elapsed().as_secs_f64() < limit,
        "{pages} pages took {:?}",
        start.elapsed()
    );
}

/// Pages of one shape, at two sizes: eight times the size may cost at most thirty times the time.
#[test]
#[ignore = "measures time: run alone, in release"]
fn hostile_shapes_take_linear_time() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../corpus/assets/content.model"
    );
    let model =
        read_model(&std::fs::read(file).expect("the model is in the tree")).expect("it fits this build");
    for shape in PIECES.iter().copied().chain([
        "<div class=a>x",
        "<i><b>",
        "x<br>",
        "<p>word word</p>",
        "<a title='",
    ]) {
        let mut seconds = [0.0; 2];
        for (slot, times) in [50_000, 400_000].into_iter().enumerate() {
            let html = shape.repeat(times);
            let start = std::time::Instant::now();
            extract(&html, &Options::default(), &model);
            seconds[slot] = start.elapsed().as_secs_f64();
        }
        assert!(seconds[1] < 30.0 * seconds[0].max(1e-2), "{shape:?}: {seconds:?}");
    }
}
