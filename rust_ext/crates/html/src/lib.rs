//! What readers of HTML share: character references, and where comments end.

pub mod entities;

use memchr::memmem;

/// Where a comment ends whose text begins at `from`, behind `<!--`: after the first `-->` or `--!>`. `<!-->` and
/// `<!--->` are whole comments.
pub fn comment_end(html: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    match html.get(from..)? {
        [b'>', ..] => return Some(from + 1),
        [b'-', b'>', ..] => return Some(from + 2),
        _ => {}
    }
    loop {
        at += memmem::find(&html[at..], b"--")? + 2;
        at += html[at..].iter().take_while(|&&byte| byte == b'-').count();
        match &html[at..] {
            [b'>', ..] => return Some(at + 1),
            [b'!', b'>', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_ends_with_or_without_an_exclamation_mark() {
        let end = |text: &str| comment_end(text.as_bytes(), 0);
        assert_eq!(end(" a -->b"), Some(6));
        assert_eq!(end(" a --!>b-->"), Some(7));
        assert_eq!(end("-- -! ----->"), Some(12));
        assert_eq!(end(" a -- > -!>"), None);
        assert_eq!(
            (end(">a-->"), end("->a-->"), end("!>a-->")),
            (Some(1), Some(2), Some(6))
        );
        assert_eq!(end(&"-".repeat(1 << 20)), None);
    }
}
