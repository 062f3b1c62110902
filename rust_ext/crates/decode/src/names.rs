//! Names of charsets.

use encoding_rs::Encoding;

/// The name under which a charset appears in columns: WHATWG's, but for two that Python and people call otherwise.
pub fn name_of(encoding: &'static Encoding) -> String {
    match encoding.name() {
        "IBM866" => "cp866".to_owned(),
        "x-mac-cyrillic" => "mac-cyrillic".to_owned(),
        name => name.to_ascii_lowercase(),
    }
}
