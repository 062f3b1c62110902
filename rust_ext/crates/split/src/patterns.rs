//! The split patterns that are written out by hand, as the regular expressions they equal. This is their
//! single source: `tokenizer/split.py` hands these strings on.

/// Llama 3's pattern; llama.cpp knows it as `llama-bpe`.
pub const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Qwen 2's pattern: Llama 3's with every digit alone.
pub const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The pattern of OpenAI's o200k and of Llama 4: cuts before a capital inside a word, keeps marks in words.
pub const O200K: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Mistral's Tekken: o200k's without contractions and with every digit alone.
pub const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The pattern of Qwen 3.5 and 3.6: Qwen 2's with marks in words.
pub const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The pattern of OpenAI's cl100k: Llama 3's, but white space at the end of a text is one piece.
pub const CL100K: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";

/// DeepSeek V3 splits three times, by `DEEPSEEK3_SPLITS`; what a split does not match stays a piece of its own. This
/// is one expression for the same pieces: the classes of the third split are taken once for what the second cuts off
/// and once for the rest, white space looks ahead no further than the first two let it, and `(?:..)+` is what the
/// third does not match.
pub const DEEPSEEK3: &str = r##"\p{N}{1,3}|[一-龥぀-ゟ゠-ヿ&&[^\p{L}\p{M}\p{P}\p{S}]]?[一-龥぀-ゟ゠-ヿ&&[\p{L}\p{M}]]+|[一-龥぀-ゟ゠-ヿ&&[\p{P}\p{S}]]+|(?:[一-龥぀-ゟ゠-ヿ&&[^\p{L}\p{M}\p{P}\p{S}]](?![一-龥぀-ゟ゠-ヿ&&[\p{L}\p{M}]]))+|[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}\p{N}一-龥぀-ゟ゠-ヿ]?[\p{L}\p{M}&&[^一-龥぀-ゟ゠-ヿ]]+| ?[\p{P}\p{S}&&[^一-龥぀-ゟ゠-ヿ]]+[\r\n]*|\s*[\r\n]+|\s+(?![^\s\p{N}一-龥぀-ゟ゠-ヿ])|\s+|(?:[^\s\p{L}\p{M}\p{N}\p{P}\p{S}一-龥぀-ゟ゠-ヿ](?![\p{L}\p{M}&&[^一-龥぀-ゟ゠-ヿ]]))+"##;

/// The splits in a row that `DEEPSEEK3` is one expression of, as tokenizer.json lists them.
pub const DEEPSEEK3_SPLITS: [&str; 3] = [
    r"\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
];

/// GPT-2's pattern, by fancy-regex: what trainers that know no other are compared on.
pub const GPT2: &str = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// Names that `Splitter::new` takes, with the pattern each stands for.
pub const NAMED: [(&str, &str); 8] = [
    ("llama3", LLAMA3),
    ("qwen2", QWEN2),
    ("o200k", O200K),
    ("tekken", TEKKEN),
    ("qwen35", QWEN35),
    ("cl100k", CL100K),
    ("deepseek3", DEEPSEEK3),
    ("gpt2", GPT2),
];

/// The pattern that a name stands for; what is no name is a pattern already.
pub fn resolve(pattern: &str) -> &str {
    NAMED
        .iter()
        .find(|(name, _)| *name == pattern)
        .map_or(pattern, |(_, regex)| regex)
}
