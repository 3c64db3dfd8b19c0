//! A writer of HTML in which nothing can be said that was not meant as markup: escaping is part of how a page is built.
//!
//! ```text
//! element("p").class("note").text("</p><script>")   <p class="note">&lt;/p&gt;&lt;script&gt;</p>
//! text("EUR\u{202e}000")                            EUR\u{202e}000      written out, as on a terminal
//! ```
//!
//! Names of elements and attributes are constants of this program. All else goes through [`plain`](super::super::plain):
//! what is not seen, or moves what is seen, is written out; then `& < > " '` become references. Text with letters written
//! from right to left stands in an element of its own (`bdi`), which it cannot leave.

use super::super::plain::{self, plain};
use std::fmt::Write as _;

/// The characters by which [`plain`] sets apart text that is written from right to left.
const ISOLATE: char = '\u{2068}';
const END_ISOLATE: char = '\u{2069}';

/// Elements that have no content and no end tag.
const VOID: [&str; 4] = ["meta", "br", "hr", "col"];

/// Finished markup; only this module makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// A constant of this program, as it is: a style sheet.
    pub fn constant(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// One after the other.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }
}

/// A text of others, as they wrote it.
pub fn text(text: &str) -> Html {
    words(&plain(text))
}

/// Words of ours, or a text that [`plain`] made fit to be shown. Any other text does no harm here either.
pub fn words(words: &str) -> Html {
    let (mut out, mut open) = (String::with_capacity(words.len()), false);
    for c in words.chars() {
        match c {
            ISOLATE if !open => {
                out.push_str("<bdi>");
                open = true;
            }
            END_ISOLATE if open => {
                out.push_str("</bdi>");
                open = false;
            }
            c => escape(&mut out, c),
        }
    }
    if open {
        out.push_str("</bdi>");
    }
    Html(out)
}

/// The same where no element may stand: in an attribute, or in a drawing, whose style sets each text apart.
pub fn label(words: &str) -> Html {
    let mut out = String::with_capacity(words.len());
    words.chars().filter(|c| !matches!(*c, ISOLATE | END_ISOLATE)).for_each(|c| escape(&mut out, c));
    Html(out)
}

fn escape(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c if plain::is_unseen(c) => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// An element as it grows.
#[derive(Clone, Debug)]
pub struct Element {
    tag: &'static str,
    attributes: String,
    inside: String,
}

/// An element of this name.
pub fn element(tag: &'static str) -> Element {
    debug_assert!(tag.bytes().all(|b| b.is_ascii_alphanumeric()), "{tag}");
    Element { tag, attributes: String::new(), inside: String::new() }
}

impl Element {
    /// Gives it an attribute.
    pub fn attr(mut self, name: &'static str, value: impl ToString) -> Self {
        debug_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
        let value = label(&value.to_string());
        write!(self.attributes, " {name}=\"{}\"", value.0).expect("a string takes all");
        self
    }

    /// Gives it a class.
    pub fn class(self, name: &'static str) -> Self {
        self.attr("class", name)
    }

    /// Puts markup into it.
    pub fn add(mut self, inside: impl Into<Html>) -> Self {
        self.inside.push_str(&inside.into().0);
        self
    }

    /// Puts several pieces of markup into it.
    pub fn adds<T: Into<Html>>(self, inside: impl IntoIterator<Item = T>) -> Self {
        inside.into_iter().fold(self, Self::add)
    }

    /// Puts a text of others into it.
    pub fn text(self, others: &str) -> Self {
        self.add(text(others))
    }

    /// Puts words into it.
    pub fn words(self, ours: impl AsRef<str>) -> Self {
        self.add(words(ours.as_ref()))
    }

    /// Puts words of a drawing into it.
    pub fn label(self, ours: impl AsRef<str>) -> Self {
        self.add(label(ours.as_ref()))
    }
}

impl From<Element> for Html {
    fn from(e: Element) -> Self {
        let Element { tag, attributes, inside } = e;
        if VOID.contains(&tag) {
            return Self(format!("<{tag}{attributes}>"));
        }
        Self(format!("<{tag}{attributes}>{inside}</{tag}>"))
    }
}

/// A table with a heading; cells are markup.
pub fn table(class: &'static str, heading: &[&str], rows: impl IntoIterator<Item = Vec<Html>>) -> Html {
    let head = heading.iter().map(|name| element("th").attr("scope", "col").words(name));
    let row = |cells: Vec<Html>| element("tr").adds(cells.into_iter().map(|cell| element("td").add(cell)));
    element("table")
        .class(class)
        .add(element("thead").add(element("tr").adds(head)))
        .add(element("tbody").adds(rows.into_iter().map(row)))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hostile_text_stays_a_text() {
        for (hostile, shown) in [
            ("</td><script>alert(1)</script>", "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"),
            ("EUR\u{202e}000\u{2066}", "EUR\\u{202e}000\\u{2066}"),
            ("a\0b\u{1b}[2K\r\n", "a\\u{0}b\\u{1b}[2K\\r\\n"),
            ("\u{2068}a", "\\u{2068}a"),
            ("שלום", "<bdi>שלום</bdi>"),
        ] {
            assert_eq!(text(hostile).as_str(), shown, "{hostile:?}");
        }
        let whole = Html::from(element("p").attr("title", "\"><svg onload=x>").text("]]>--><style>"));
        assert_eq!(
            whole.as_str(),
            "<p title=\"&quot;&gt;&lt;svg onload=x&gt;\">]]&gt;--&gt;&lt;style&gt;</p>"
        );
    }

    #[test]
    fn isolates_are_closed_whatever_was_cut_off() {
        assert_eq!(words("\u{2068}a").as_str(), "<bdi>a</bdi>");
        assert_eq!(words("a\u{2069}\u{2068}\u{2068}b").as_str(), "a\\u{2069}<bdi>\\u{2068}b</bdi>");
        assert_eq!(label("\u{2068}a").as_str(), "a");
    }

    #[test]
    fn what_has_no_content_has_no_end() {
        assert_eq!(Html::from(element("hr")).as_str(), "<hr>");
        assert_eq!(Html::from(element("p")).as_str(), "<p></p>");
    }

    proptest! {
        #[test]
        fn no_text_holds_markup_or_anything_unseen(any: String, hostile in "[<>&\"'/a!-]{0,20}[\u{0}-\u{ff}\u{2028}-\u{206f}]{0,20}") {
            for given in [any, hostile] {
                for out in [text(&given), words(&given), label(&given)] {
                    let rest = out.as_str().replace("<bdi>", "").replace("</bdi>", "");
                    prop_assert!(!rest.contains(['<', '>', '"', '\'']), "{rest:?}");
                    prop_assert!(!rest.chars().any(plain::is_unseen), "{rest:?}");
                    let references = rest.split('&').skip(1);
                    let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
                    prop_assert!(references.into_iter().all(|r| known.iter().any(|k| r.starts_with(k))));
                    prop_assert_eq!(out.as_str().matches("<bdi>").count(), out.as_str().matches("</bdi>").count());
                }
            }
        }
    }
}
