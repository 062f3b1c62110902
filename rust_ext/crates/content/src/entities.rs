//! Character references: `&nbsp;`, `&#1072;`, `&#x430;`.
//!
//! The names are HTML 4's 252, HTML 5's Cyrillic ones and a few that pages use; a name outside the table
//! stays as it is written.

/// Name, code point and whether HTML allows it without its semicolon; sorted by name.
#[rustfmt::skip]
const ENTITIES: &[(&str, u32, bool)] = &[
    ("AElig", 198, true), ("AMP", 38, true), ("Aacute", 193, true), ("Acirc", 194, true),
    ("Acy", 1040, false), ("Agrave", 192, true), ("Alpha", 913, false), ("Aring", 197, true),
    ("Atilde", 195, true), ("Auml", 196, true), ("Bcy", 1041, false), ("Beta", 914, false),
    ("CHcy", 1063, false), ("COPY", 169, true), ("Cacute", 262, false), ("Ccaron", 268, false),
    ("Ccedil", 199, true), ("Chi", 935, false), ("DJcy", 1026, false), ("DScy", 1029, false),
    ("DZcy", 1039, false), ("Dagger", 8225, false), ("Dcy", 1044, false), ("Delta", 916, false),
    ("ETH", 208, true), ("Eacute", 201, true), ("Ecirc", 202, true), ("Ecy", 1069, false),
    ("Egrave", 200, true), ("Epsilon", 917, false), ("Eta", 919, false), ("Euml", 203, true),
    ("Fcy", 1060, false), ("GJcy", 1027, false), ("GT", 62, true), ("Gamma", 915, false),
    ("Gcy", 1043, false), ("HARDcy", 1066, false), ("IEcy", 1045, false), ("IOcy", 1025, false),
    ("Iacute", 205, true), ("Icirc", 206, true), ("Icy", 1048, false), ("Igrave", 204, true),
    ("Iota", 921, false), ("Iukcy", 1030, false), ("Iuml", 207, true), ("Jcy", 1049, false),
    ("Jsercy", 1032, false), ("Jukcy", 1028, false), ("KHcy", 1061, false), ("KJcy", 1036, false),
    ("Kappa", 922, false), ("Kcy", 1050, false), ("LJcy", 1033, false), ("LT", 60, true),
    ("Lambda", 923, false), ("Lcy", 1051, false), ("Lstrok", 321, false), ("Mcy", 1052, false),
    ("Mu", 924, false), ("NJcy", 1034, false), ("Ncy", 1053, false), ("NewLine", 10, false),
    ("NoBreak", 8288, false), ("NonBreakingSpace", 160, false), ("Ntilde", 209, true), ("Nu", 925, false),
    ("OElig", 338, false), ("Oacute", 211, true), ("Ocirc", 212, true), ("Ocy", 1054, false),
    ("Ograve", 210, true), ("Omega", 937, false), ("Omicron", 927, false), ("Oslash", 216, true),
    ("Otilde", 213, true), ("Ouml", 214, true), ("Pcy", 1055, false), ("Phi", 934, false),
    ("Pi", 928, false), ("Prime", 8243, false), ("Psi", 936, false), ("QUOT", 34, true), ("REG", 174, true),
    ("Rcy", 1056, false), ("Rho", 929, false), ("SHCHcy", 1065, false), ("SHcy", 1064, false),
    ("SOFTcy", 1068, false), ("Sacute", 346, false), ("Scaron", 352, false), ("Scy", 1057, false),
    ("Sigma", 931, false), ("THORN", 222, true), ("TSHcy", 1035, false), ("TScy", 1062, false),
    ("Tab", 9, false), ("Tau", 932, false), ("Tcy", 1058, false), ("Theta", 920, false),
    ("Uacute", 218, true), ("Ubrcy", 1038, false), ("Ucirc", 219, true), ("Ucy", 1059, false),
    ("Ugrave", 217, true), ("Upsilon", 933, false), ("Uuml", 220, true), ("Vcy", 1042, false),
    ("Verbar", 8214, false), ("Xi", 926, false), ("YAcy", 1071, false), ("YIcy", 1031, false),
    ("YUcy", 1070, false), ("Yacute", 221, true), ("Ycy", 1067, false), ("Yuml", 376, false),
    ("ZHcy", 1046, false), ("Zcaron", 381, false), ("Zcy", 1047, false), ("Zdot", 379, false),
    ("ZeroWidthSpace", 8203, false), ("Zeta", 918, false), ("aacute", 225, true), ("acirc", 226, true),
    ("acute", 180, true), ("acy", 1072, false), ("aelig", 230, true), ("agrave", 224, true),
    ("alefsym", 8501, false), ("alpha", 945, false), ("amp", 38, true), ("and", 8743, false),
    ("ang", 8736, false), ("aogon", 261, false), ("apos", 39, false), ("aring", 229, true),
    ("ast", 42, false), ("asymp", 8776, false), ("atilde", 227, true), ("auml", 228, true),
    ("bcy", 1073, false), ("bdquo", 8222, false), ("beta", 946, false), ("brvbar", 166, true),
    ("bsol", 92, false), ("bull", 8226, false), ("cacute", 263, false), ("cap", 8745, false),
    ("ccaron", 269, false), ("ccedil", 231, true), ("cedil", 184, true), ("cent", 162, true),
    ("chcy", 1095, false), ("check", 10003, false), ("checkmark", 10003, false), ("chi", 967, false),
    ("circ", 710, false), ("clubs", 9827, false), ("colon", 58, false), ("comma", 44, false),
    ("commat", 64, false), ("cong", 8773, false), ("copy", 169, true), ("copysr", 8471, false),
    ("crarr", 8629, false), ("cross", 10007, false), ("cup", 8746, false), ("curren", 164, true),
    ("dArr", 8659, false), ("dagger", 8224, false), ("darr", 8595, false), ("dash", 8208, false),
    ("dcy", 1076, false), ("deg", 176, true), ("delta", 948, false), ("diams", 9830, false),
    ("divide", 247, true), ("djcy", 1106, false), ("dollar", 36, false), ("dscy", 1109, false),
    ("dzcy", 1119, false), ("eacute", 233, true), ("ecaron", 283, false), ("ecirc", 234, true),
    ("ecy", 1101, false), ("egrave", 232, true), ("empty", 8709, false), ("emsp", 8195, false),
    ("ensp", 8194, false), ("eogon", 281, false), ("epsilon", 949, false), ("equals", 61, false),
    ("equiv", 8801, false), ("eta", 951, false), ("eth", 240, true), ("euml", 235, true),
    ("euro", 8364, false), ("excl", 33, false), ("exist", 8707, false), ("fcy", 1092, false),
    ("fnof", 402, false), ("forall", 8704, false), ("frac12", 189, true), ("frac13", 8531, false),
    ("frac14", 188, true), ("frac15", 8533, false), ("frac23", 8532, false), ("frac34", 190, true),
    ("frasl", 8260, false), ("gamma", 947, false), ("gcy", 1075, false), ("ge", 8805, false),
    ("gjcy", 1107, false), ("grave", 96, false), ("gt", 62, true), ("hArr", 8660, false),
    ("half", 189, false), ("hardcy", 1098, false), ("harr", 8596, false), ("hearts", 9829, false),
    ("hellip", 8230, false), ("horbar", 8213, false), ("hyphen", 8208, false), ("iacute", 237, true),
    ("icirc", 238, true), ("icy", 1080, false), ("iecy", 1077, false), ("iexcl", 161, true),
    ("igrave", 236, true), ("image", 8465, false), ("infin", 8734, false), ("int", 8747, false),
    ("iocy", 1105, false), ("iota", 953, false), ("iquest", 191, true), ("isin", 8712, false),
    ("iukcy", 1110, false), ("iuml", 239, true), ("jcy", 1081, false), ("jsercy", 1112, false),
    ("jukcy", 1108, false), ("kappa", 954, false), ("kcy", 1082, false), ("khcy", 1093, false),
    ("kjcy", 1116, false), ("lArr", 8656, false), ("lambda", 955, false), ("lang", 9001, false),
    ("laquo", 171, true), ("larr", 8592, false), ("lbrace", 123, false), ("lbrack", 91, false),
    ("lceil", 8968, false), ("lcub", 123, false), ("lcy", 1083, false), ("ldquo", 8220, false),
    ("le", 8804, false), ("lfloor", 8970, false), ("ljcy", 1113, false), ("lowast", 8727, false),
    ("lowbar", 95, false), ("loz", 9674, false), ("lpar", 40, false), ("lrm", 8206, false),
    ("lsaquo", 8249, false), ("lsqb", 91, false), ("lsquo", 8216, false), ("lstrok", 322, false),
    ("lt", 60, true), ("macr", 175, true), ("mcy", 1084, false), ("mdash", 8212, false),
    ("micro", 181, true), ("middot", 183, true), ("minus", 8722, false), ("mldr", 8230, false),
    ("mu", 956, false), ("nabla", 8711, false), ("nacute", 324, false), ("nbsp", 160, true),
    ("ncy", 1085, false), ("ndash", 8211, false), ("ne", 8800, false), ("ni", 8715, false),
    ("njcy", 1114, false), ("nobreak", 8288, false), ("not", 172, true), ("notin", 8713, false),
    ("nsub", 8836, false), ("ntilde", 241, true), ("nu", 957, false), ("num", 35, false),
    ("numero", 8470, false), ("oacute", 243, true), ("ocirc", 244, true), ("ocy", 1086, false),
    ("oelig", 339, false), ("ograve", 242, true), ("oline", 8254, false), ("omega", 969, false),
    ("omicron", 959, false), ("oplus", 8853, false), ("or", 8744, false), ("ordf", 170, true),
    ("ordm", 186, true), ("oslash", 248, true), ("otilde", 245, true), ("otimes", 8855, false),
    ("ouml", 246, true), ("para", 182, true), ("part", 8706, false), ("pcy", 1087, false),
    ("percnt", 37, false), ("period", 46, false), ("permil", 8240, false), ("perp", 8869, false),
    ("phi", 966, false), ("phone", 9742, false), ("pi", 960, false), ("piv", 982, false),
    ("plus", 43, false), ("plusmn", 177, true), ("pound", 163, true), ("prime", 8242, false),
    ("prod", 8719, false), ("prop", 8733, false), ("psi", 968, false), ("quest", 63, false),
    ("quot", 34, true), ("rArr", 8658, false), ("radic", 8730, false), ("rang", 9002, false),
    ("raquo", 187, true), ("rarr", 8594, false), ("rbrace", 125, false), ("rbrack", 93, false),
    ("rcaron", 345, false), ("rceil", 8969, false), ("rcub", 125, false), ("rcy", 1088, false),
    ("rdquo", 8221, false), ("real", 8476, false), ("reg", 174, true), ("rfloor", 8971, false),
    ("rho", 961, false), ("rlm", 8207, false), ("rpar", 41, false), ("rsaquo", 8250, false),
    ("rsqb", 93, false), ("rsquo", 8217, false), ("sacute", 347, false), ("sbquo", 8218, false),
    ("scaron", 353, false), ("scy", 1089, false), ("sdot", 8901, false), ("sect", 167, true),
    ("semi", 59, false), ("shchcy", 1097, false), ("shcy", 1096, false), ("shy", 173, true),
    ("sigma", 963, false), ("sigmaf", 962, false), ("sim", 8764, false), ("softcy", 1100, false),
    ("sol", 47, false), ("spades", 9824, false), ("star", 9734, false), ("starf", 9733, false),
    ("sub", 8834, false), ("sube", 8838, false), ("sum", 8721, false), ("sup", 8835, false),
    ("sup1", 185, true), ("sup2", 178, true), ("sup3", 179, true), ("supe", 8839, false),
    ("szlig", 223, true), ("tau", 964, false), ("tcy", 1090, false), ("there4", 8756, false),
    ("theta", 952, false), ("thetasym", 977, false), ("thinsp", 8201, false), ("thorn", 254, true),
    ("tilde", 732, false), ("times", 215, true), ("trade", 8482, false), ("tscy", 1094, false),
    ("tshcy", 1115, false), ("uArr", 8657, false), ("uacute", 250, true), ("uarr", 8593, false),
    ("ubrcy", 1118, false), ("ucirc", 251, true), ("ucy", 1091, false), ("ugrave", 249, true),
    ("uml", 168, true), ("upsih", 978, false), ("upsilon", 965, false), ("uuml", 252, true),
    ("vcy", 1074, false), ("verbar", 124, false), ("vert", 124, false), ("weierp", 8472, false),
    ("xi", 958, false), ("yacute", 253, true), ("yacy", 1103, false), ("ycy", 1099, false),
    ("yen", 165, true), ("yicy", 1111, false), ("yucy", 1102, false), ("yuml", 255, true),
    ("zacute", 378, false), ("zcaron", 382, false), ("zcy", 1079, false), ("zdot", 380, false),
    ("zeta", 950, false), ("zhcy", 1078, false), ("zwj", 8205, false), ("zwnj", 8204, false),
];

/// Longest name looked for; longer runs of letters after `&` are text.
const LONGEST: usize = 24;

/// The character that the reference at the start of `text` (which starts with `&`) stands for, and its
/// length in bytes; None where it is only an ampersand.
pub fn decode(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(1) == Some(&b'#') {
        return numeric(bytes);
    }
    let mut end = 1;
    while end < bytes.len() && end <= LONGEST && bytes[end].is_ascii_alphanumeric() {
        end += 1;
    }
    if bytes.get(end) == Some(&b';') {
        let (code, _) = find(&text[1..end])?;
        return Some((char::from_u32(code)?, end + 1));
    }
    // Without a semicolon the longest name that HTML allows so; `&copy2` is a sign and a digit.
    (3..=end.min(7)).rev().find_map(|stop| {
        let (code, legacy) = find(text.get(1..stop)?)?;
        if legacy {
            Some((char::from_u32(code)?, stop))
        } else {
            None
        }
    })
}

fn find(name: &str) -> Option<(u32, bool)> {
    let at = ENTITIES.binary_search_by(|entry| entry.0.cmp(name)).ok()?;
    Some((ENTITIES[at].1, ENTITIES[at].2))
}

fn numeric(bytes: &[u8]) -> Option<(char, usize)> {
    let hex = matches!(bytes.get(2), Some(b'x' | b'X'));
    let start = if hex { 3 } else { 2 };
    let (mut end, mut code) = (start, 0u32);
    while end < bytes.len() {
        let Some(digit) = (bytes[end] as char).to_digit(if hex { 16 } else { 10 }) else {
            break;
        };
        code = code
            .saturating_mul(if hex { 16 } else { 10 })
            .saturating_add(digit);
        end += 1;
    }
    if end == start {
        return None;
    }
    let length = if bytes.get(end) == Some(&b';') {
        end + 1
    } else {
        end
    };
    Some((from_code(code), length))
}

/// HTML reads the C1 range as windows-1252 and everything that is no character as U+FFFD.
fn from_code(code: u32) -> char {
    const C1: [u16; 32] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
        0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122,
        0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
    ];
    let code = if (0x80..0xA0).contains(&code) {
        u32::from(C1[code as usize - 0x80])
    } else {
        code
    };
    if code == 0 {
        '\u{FFFD}'
    } else {
        char::from_u32(code).unwrap_or('\u{FFFD}')
    }
}

/// `text` with its references decoded and runs of white space made one space, trimmed: an attribute's or a
/// title's value.
pub fn clean(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        decoded.push_str(&rest[..at]);
        let (char, length) = decode(&rest[at..]).unwrap_or(('&', 1));
        decoded.push(char);
        rest = &rest[at + length..];
    }
    decoded.push_str(rest);
    decoded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(ENTITIES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn references_with_and_without_semicolon() {
        assert_eq!(
            clean("a&nbsp;&laquo;b&raquo; &amp &copy2 &#1103; &#x44F; &#150; &bogus; &#0; & &"),
            "a «b» & ©2 я я – &bogus; \u{FFFD} & &"
        );
    }
}
