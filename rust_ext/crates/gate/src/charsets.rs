//! The charsets that pages in Russian are written in, beside UTF-8.

/// Single-byte charsets of Russian; a tie goes to the first.
pub const SINGLE_BYTE: [(&str, &encoding_rs::Encoding); CHARSETS] = [
    ("windows-1251", encoding_rs::WINDOWS_1251),
    ("koi8-u", encoding_rs::KOI8_U),
    ("ibm866", encoding_rs::IBM866),
    ("iso-8859-5", encoding_rs::ISO_8859_5),
    ("x-mac-cyrillic", encoding_rs::X_MAC_CYRILLIC),
];
pub const CHARSETS: usize = 5;
