//! What elements state beside text: attributes, metadata, embedded data.

use super::super::scan::Scanner;
use super::super::semantics as sem;
use super::super::tags::{self, Tag};
use super::super::{formula, strength};
use super::attributes::{self, Role, Said};
use super::{Builder, Dated, MAX_DATES, MAX_METAS, MAX_SCRIPTS, Span};

/// Most columns or rows that a cell can take: HTML's limit for columns.
const MOST_SPANNED: u16 = 1000;

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
        let kind = kind.split(';').next().unwrap_or(kind).trim_end();
        let json_ld = kind.eq_ignore_ascii_case("application/ld+json");
        let next = scanner.attribute("id") == Some("__NEXT_DATA__");
        let tex = kind.eq_ignore_ascii_case("math/tex") || kind.eq_ignore_ascii_case("math/asciimath");
        let text = scanner.raw_text(tag);
        match tag {
            tags::SCRIPT if tex => self.formula(&formula::tidy(text)),
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

    /// What the attributes say.
    pub(super) fn read_attributes(&mut self, tag: Tag, scanner: &Scanner<'a>) -> Said {
        let mut bits = sem::of_tag(tag);
        let (mut class, mut role) = (0, Role::None);
        let mut is_shadow_root = false;
        let mut is_dated = matches!(tag, tags::TIME | tags::ABBR);
        for attribute in &scanner.attributes {
            let value = attribute.value;
            match attribute.name.len() {
                5 if attribute.name.eq_ignore_ascii_case("class") => {
                    let (number, named) = self.classes.number(value);
                    class = number;
                    bits |= named;
                    // Classes are numbered from 1 in the order in which they are met.
                    if number as usize >= self.roles.len() {
                        self.roles.push(attributes::role(value));
                    }
                    role = self.roles[number as usize];
                }
                2 if attribute.name.eq_ignore_ascii_case("id") => bits |= sem::of_name(value),
                8 if attribute.name.eq_ignore_ascii_case("itemprop") => {
                    bits |= sem::of_name(value);
                    is_dated |= value.contains("date");
                }
                8 if attribute.name.eq_ignore_ascii_case("datetime") && tag == tags::TIME => {
                    self.page.stated.times += 1;
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
                11 if attribute.name.eq_ignore_ascii_case("data-mathml") => {
                    let mathml = bukvar_html::entities::unescape_attribute(value);
                    let from = mathml.find('>').map_or(0, |at| at + 1);
                    self.drawn = Some(formula::of_math(&mathml[from..], None, true).tex);
                }
                14 if attribute.name.eq_ignore_ascii_case("shadowrootmode") => is_shadow_root = true,
                10 if attribute.name.eq_ignore_ascii_case("shadowroot") => is_shadow_root = true,
                _ => {}
            }
        }
        if is_dated && self.page.stated.dates.len() < MAX_DATES {
            self.date(tag, scanner);
        }
        Said {
            sem: bits,
            class,
            role,
            is_shadow_root,
        }
    }

    /// Notes how many columns and rows the cell takes whose node comes next.
    pub(super) fn span(&mut self, scanner: &Scanner<'a>) {
        let span = |name: &str| {
            let value = scanner.attribute(name)?.trim().parse::<u16>().ok()?;
            Some(value.clamp(1, MOST_SPANNED))
        };
        let (columns, rows) = (span("colspan").unwrap_or(1), span("rowspan").unwrap_or(1));
        let node = self.page.nodes.len() as u32;
        // A cell that becomes no node leaves its number to the next one.
        if (columns > 1 || rows > 1) && self.page.spans.last().is_none_or(|last| last.node < node) {
            self.page.spans.push(Span { node, columns, rows });
        }
    }

    /// Notes the day that an element states in an attribute.
    fn date(&mut self, tag: Tag, scanner: &Scanner<'a>) {
        let attribute = |name: &str| scanner.attribute(name);
        let itemprop = attribute("itemprop").unwrap_or("");
        let names = attribute("class").unwrap_or("");
        let has = |text: &str, word: &str| {
            text.as_bytes()
                .windows(word.len())
                .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        };
        let is_time = tag == tags::TIME && attribute("datetime").is_some();
        let value = attribute("datetime")
            .or_else(|| attribute("content"))
            .or_else(|| attribute("title").filter(|_| tag == tags::ABBR));
        let strength = if has(itemprop, "datePublished") || attribute("pubdate").is_some() {
            strength::PUBLISHED
        } else if has(itemprop, "dateModified") || has(names, "updated") || has(names, "modified") {
            strength::UPDATED
        } else if has(names, "publish") || has(itemprop, "dateCreated") {
            strength::NAMED_PUBLISHED
        } else if is_time {
            strength::TIME
        } else {
            return;
        };
        if let Some(value) = value {
            let (block, node) = (self.page.blocks.len() as u32, self.node);
            self.page.stated.dates.push(Dated {
                value,
                strength,
                block,
                node,
                is_time,
            });
        }
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
