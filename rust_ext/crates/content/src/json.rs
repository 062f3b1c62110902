//! A small, forgiving JSON reader for the data that pages embed.
//!
//! Depth and size are bounded; control characters inside strings and trailing commas are let through,
//! because pages have them. Anything else wrong ends the reading with what was read so far.

/// Deeper values are read as null.
const MAX_DEPTH: usize = 48;

/// A JSON value; numbers and booleans keep their spelling.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// null
    Null,
    /// A number or a boolean, as it is spelled.
    Plain(String),
    /// A string, escapes resolved.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, its keys in order; one may stand twice.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Map(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Calls `see` with every value under this one and its key, in document order.
    pub fn walk<'a>(&'a self, see: &mut dyn FnMut(&'a str, &'a Json)) {
        match self {
            Json::List(items) => {
                for item in items {
                    see("", item);
                    item.walk(see);
                }
            }
            Json::Map(pairs) => {
                for (key, value) in pairs {
                    see(key, value);
                    value.walk(see);
                }
            }
            _ => {}
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// Reads one value; what follows it is ignored.
pub fn read(text: &str) -> Json {
    Reader { text, at: 0 }.value(0).unwrap_or(Json::Null)
}

/// Most values of one script; one holds a handful.
const MOST_VALUES: usize = 256;

/// Reads every value of a script. What hides the script from old browsers (CDATA, comments) is passed over; a script
/// that was escaped as text is unescaped first.
pub fn read_script(script: &str) -> Json {
    let begin = script
        .char_indices()
        .find(|(_, char)| !char.is_whitespace() && *char != '\u{feff}')
        .map_or(script.len(), |(at, _)| at);
    let text = &script[begin..];
    if text.starts_with("{&quot;") || text.starts_with("[{&quot;") {
        return read_script(&bukvar_html::entities::unescape(text).replace("&quot;", "\""));
    }
    let mut reader = Reader { text, at: 0 };
    let mut values = Vec::new();
    while reader.skip_wrapping() && values.len() < MOST_VALUES {
        match reader.value(0) {
            Some(value) => values.push(value),
            None => reader.at += reader.text[reader.at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    if values.len() == 1 {
        values.swap_remove(0)
    } else {
        Json::List(values)
    }
}

impl Reader<'_> {
    /// The next byte that is neither white space nor in a comment.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
                self.at += 1;
            }
            let rest = &bytes[self.at.min(bytes.len())..];
            let skipped = match rest {
                [b'/', b'*', ..] => memchr::memmem::find(rest, b"*/").map(|at| at + 2),
                [b'/', b'/', ..] => memchr::memchr(b'\n', rest),
                _ => return rest.first().copied(),
            };
            self.at += skipped.unwrap_or(rest.len());
        }
    }

    /// Moves to the next `{` or `[` of data; false where there is none.
    fn skip_wrapping(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        while let Some(offset) = memchr::memchr2(b'{', b'[', &bytes[self.at.min(bytes.len())..]) {
            self.at += offset;
            let is_cdata = bytes[..self.at].ends_with(b"<!") && bytes[self.at..].starts_with(b"[CDATA[");
            if !is_cdata {
                return true;
            }
            self.at += b"[CDATA[".len();
        }
        false
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            self.at = self.text.len();
            return None;
        }
        match self.peek()? {
            b'{' => Some(self.map(depth)),
            b'[' => Some(self.list(depth)),
            b'"' => Some(Json::Text(self.string()?)),
            b'}' | b']' | b',' | b':' => None,
            _ => {
                let rest = &self.text[self.at..];
                let end = rest
                    .find([',', '}', ']', ' ', '\n', '\r', '\t'])
                    .unwrap_or(rest.len());
                self.at += end;
                Some(if &rest[..end] == "null" {
                    Json::Null
                } else {
                    Json::Plain(rest[..end].to_owned())
                })
            }
        }
    }

    fn map(&mut self, depth: usize) -> Json {
        let mut pairs = Vec::new();
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let Some(key) = self.string() else { break };
                    if self.peek() != Some(b':') {
                        break;
                    }
                    self.at += 1;
                    let Some(value) = self.value(depth + 1) else { break };
                    pairs.push((key, value));
                }
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                _ => break,
            }
        }
        Json::Map(pairs)
    }

    fn list(&mut self, depth: usize) -> Json {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                Some(_) => match self.value(depth + 1) {
                    Some(item) => items.push(item),
                    None => break,
                },
                None => break,
            }
        }
        Json::List(items)
    }

    fn string(&mut self) -> Option<String> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        let mut out = String::new();
        loop {
            let offset = memchr::memchr2(b'"', b'\\', &bytes[self.at..])?;
            out.push_str(&self.text[self.at..self.at + offset]);
            self.at += offset + 1;
            if bytes[self.at - 1] == b'"' {
                return Some(out);
            }
            let escape = *bytes.get(self.at)?;
            match escape {
                b'u' => self.unicode(&mut out),
                b'n' => out.push('\n'),
                b't' | b'r' | b'b' | b'f' => out.push(' '),
                b'"' | b'\\' | b'/' => out.push(char::from(escape)),
                _ => continue, // an unknown escape stands for itself
            }
            self.at += 1;
        }
    }

    /// Reads `uXXXX`, and the second half of a surrogate pair; leaves `at` on its last byte.
    fn unicode(&mut self, out: &mut String) {
        let unit = |at: usize| {
            self.text
                .get(at..at + 4)
                .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                .unwrap_or(0xFFFD)
        };
        let first = unit(self.at + 1);
        let step = if self.text.get(self.at + 1..self.at + 5).is_some() {
            4
        } else {
            0
        };
        let mut next = self.at + step;
        let mut code = first;
        if (0xD800..0xDC00).contains(&first) && self.text.get(next + 1..next + 3) == Some("\\u") {
            let second = unit(next + 3);
            if (0xDC00..0xE000).contains(&second) {
                code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                next += 6;
            }
        }
        out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
        self.at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_escapes_and_pairs() {
        let json = read(r#" {"a": [1, "x\u0416\n\ud83d\ude00\"", null,], "b": {"c": "d\/e"}} tail"#);
        assert_eq!(
            json.get("a"),
            Some(&Json::List(vec![
                Json::Plain("1".into()),
                Json::Text("xЖ\n😀\"".into()),
                Json::Null
            ]))
        );
        assert_eq!(
            json.get("b").and_then(|b| b.get("c")).and_then(Json::text),
            Some("d/e")
        );
    }

    #[test]
    fn broken_input_gives_what_was_read() {
        assert_eq!(
            read("{\"a\": \"b\", \"c"),
            Json::Map(vec![("a".into(), Json::Text("b".into()))])
        );
        assert_eq!(read(&"[".repeat(100_000)), read(&"[".repeat(50_000)));
        assert_eq!(read("\"\\ud83d\\u\""), Json::Text("\u{FFFD}\u{FFFD}".into()));
    }
}
