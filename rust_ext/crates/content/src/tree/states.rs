//! What elements state beside text: attributes, metadata, embedded data.

use super::super::scan::Scanner;
use super::super::semantics as sem;
use super::super::tags::{self, Tag};
use super::{Builder, MAX_METAS, MAX_SCRIPTS};

impl<'a> Builder<'a> {
    /// html, body and head are never nodes: pages repeat them anywhere.
    pub(super) fn document(&mut self, tag: Tag, scanner: &Scanner<'a>) {
        if tag == tags::HTML && self.page.stated.language.is_none() {
            self.page.stated.language = scanner
                .attribute("lang")
                .or_else(|| scanner.attribute("xml:lang"));
        }
        if tag == tags::BODY {
            self.flush(false);
            self.page.stated.body |= sem::of_name(scanner.attribute("class").unwrap_or(""));
            self.page.stated.body |= sem::of_name(scanner.attribute("id").unwrap_or(""));
        }
    }

    pub(super) fn meta(&mut self, scanner: &Scanner<'a>) {
        let Some(content) = scanner.attribute("content") else {
            return;
        };
        let key = ["property", "name", "itemprop", "http-equiv"]
            .iter()
            .find_map(|name| scanner.attribute(name));
        if let (Some(key), true) = (key, self.page.stated.metas.len() < MAX_METAS) {
            self.page.stated.metas.push((key, content));
        }
    }

    pub(super) fn link(&mut self, scanner: &Scanner<'a>) {
        let rel = scanner.attribute("rel").unwrap_or("");
        if rel.eq_ignore_ascii_case("canonical") && self.page.stated.canonical.is_none() {
            self.page.stated.canonical = scanner.attribute("href");
        }
    }

    pub(super) fn raw(&mut self, tag: Tag, scanner: &mut Scanner<'a>) {
        let stated = &mut self.page.stated;
        let kind = scanner.attribute("type").unwrap_or("").trim();
        let json_ld = kind.eq_ignore_ascii_case("application/ld+json");
        let next = scanner.attribute("id") == Some("__NEXT_DATA__");
        let text = scanner.raw_text(tag);
        match tag {
            tags::TITLE if self.skip == 0 && stated.title.is_none() && !text.is_empty() => {
                stated.title = Some(text)
            }
            tags::SCRIPT if json_ld && stated.json_ld.len() < MAX_SCRIPTS => stated.json_ld.push(text),
            tags::SCRIPT if next => stated.next_data = Some(text),
            tags::XMP => {
                self.flush(false);
                self.text(text);
                self.flush(false);
            }
            _ => {}
        }
    }

    /// What the attributes say, and the number of the class.
    pub(super) fn read_attributes(&mut self, tag: Tag, scanner: &Scanner<'a>) -> (u64, u32) {
        let mut bits = sem::of_tag(tag);
        let mut class = 0;
        for attribute in &scanner.attributes {
            let value = attribute.value;
            match attribute.name.len() {
                5 if attribute.name.eq_ignore_ascii_case("class") => {
                    let (number, named) = self.classes.number(value);
                    class = number;
                    bits |= named;
                }
                2 if attribute.name.eq_ignore_ascii_case("id") => bits |= sem::of_name(value),
                8 if attribute.name.eq_ignore_ascii_case("itemprop") => bits |= sem::of_name(value),
                8 if attribute.name.eq_ignore_ascii_case("datetime") && tag == tags::TIME => {
                    self.page.stated.times += 1;
                    self.page.stated.time = self.page.stated.time.or(Some(value));
                }
                4 if attribute.name.eq_ignore_ascii_case("role") => bits |= sem::of_role(value),
                6 if attribute.name.eq_ignore_ascii_case("hidden") => bits |= sem::HIDDEN,
                5 if attribute.name.eq_ignore_ascii_case("style") && is_hidden(value) => bits |= sem::HIDDEN,
                11 if attribute.name.eq_ignore_ascii_case("aria-hidden") && value == "true" => {
                    bits |= sem::HIDDEN
                }
                14 if attribute.name.eq_ignore_ascii_case("data-preloaded") => {
                    self.page.stated.preloaded = Some(value);
                }
                _ => {}
            }
        }
        (bits, class)
    }
}

fn is_hidden(style: &str) -> bool {
    let style = style.as_bytes();
    memchr::memmem::find_iter(style, b"display").take(8).any(|at| {
        let rest = &style[at + 7..];
        let value = rest
            .iter()
            .position(|b| !b.is_ascii_whitespace() && *b != b':')
            .unwrap_or(rest.len());
        rest[value..].starts_with(b"none")
    })
}
