//! Other people's text made fit for a screen: nothing in it can hide, repaint or imitate.
//!
//! Whoever signs a statement chooses its texts, and whoever reads them decides by what the screen shows. So characters
//! that are not seen, or that move what is seen, are written out: controls, bidirectional overrides and isolates,
//! zero-width and other default-ignorable characters, unassigned and private ones (Unicode 17, `Cc`, `Cf`, `Zl`, `Zp`,
//! `Cn`, `Co`, and `Default_Ignorable_Code_Point`). A backslash is doubled, so that no text can pass for its escape:
//!
//! ```text
//! "EUR\u{202e}000" (seven characters)   EUR\u{202e}000
//! "a\nb"                                a\nb
//! "\\u{202e}" (eight characters)        \\u{202e}
//! ```
//!
//! Letters that pass for those of another alphabet are written out where they stand among such (`p\u{430}ris`, its second
//! letter Cyrillic): the fewer of the two, or what is not Latin. A whole word of one alphabet is shown as it is.
//!
//! Text with letters written from right to left stands between isolates of ours, which it cannot hold itself, so that it
//! leaves the order of what follows alone. Layout ([`wrap`]) breaks lines before the terminal would, so that no text
//! reaches the first column.

use std::collections::BTreeSet;
use unicode_normalization::char::{is_combining_mark, is_public_assigned};

/// The columns of a line: what the narrowest usual terminal shows.
pub const WIDTH: usize = 80;

/// How many marks may stand on one letter: more would paint over the lines above and below.
const MARKS_MAX: usize = 4;

/// The longest text that is shown without quotation marks, in bytes.
const WORD_MAX: usize = 64;

const ISOLATE: char = '\u{2068}';
const END_ISOLATE: char = '\u{2069}';

/// Characters that show nothing or move what is shown, beyond controls and what is unassigned or private: `Cf`, `Zl`,
/// `Zp` and default-ignorable ones.
const UNSEEN: [(u32, u32); 27] = [
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x0600, 0x0605),
    (0x061c, 0x061c),
    (0x06dd, 0x06dd),
    (0x070f, 0x070f),
    (0x0890, 0x0891),
    (0x08e2, 0x08e2),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x110bd, 0x110bd),
    (0x110cd, 0x110cd),
    (0x13430, 0x1345f),
    (0x16fe4, 0x16fe4),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];

/// Greek and Cyrillic.
const OTHER_SCRIPTS: [(u32, u32); 2] = [(0x0370, 0x052f), (0x1f00, 0x1fff)];

/// Letters written from right to left, by blocks.
const RIGHT_TO_LEFT: [(u32, u32); 5] =
    [(0x0590, 0x08ff), (0xfb1d, 0xfdff), (0xfe70, 0xfeff), (0x10800, 0x10fff), (0x1e800, 0x1efff)];

/// Letters of Latin script that some of Cyrillic or Greek pass for, and these.
const LATIN: &str = "abceghijklmnopqrsuvwxyzABCEFGHIJKMNOPSTVXYZ";
const OTHERS: &str = "аԁеһіјӏорԛѕсуѵхԝгԍАВЕКМНОРСТУХІЈЅԌѴαγικνορσυχωϲΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";

/// Letters that look like Latin ones by their very design: fullwidth, mathematical, enclosed.
const STYLED: [(u32, u32); 4] = [(0x1d400, 0x1d7cb), (0xff21, 0xff3a), (0xff41, 0xff5a), (0x24b6, 0x24e9)];

/// The letters of a text that pass for those beside them, by their places in bytes.
fn look_alikes(text: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    if text.is_ascii() {
        return found;
    }
    let mut word: Vec<(usize, char)> = Vec::new();
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_alphabetic() || is_combining_mark(c) {
            word.push((at, c));
            continue;
        }
        let latin = word.iter().filter(|(_, c)| is_latin(*c)).count();
        let others = word.iter().filter(|(_, c)| within(*c, &OTHER_SCRIPTS)).count();
        if latin > 0 && others > 0 {
            let passes = if latin < others { LATIN } else { OTHERS };
            found.extend(word.iter().filter(|(_, c)| passes.contains(*c)).map(|(at, _)| *at));
        }
        found.extend(word.drain(..).filter(|(_, c)| within(*c, &STYLED)).map(|(at, _)| at));
    }
    found
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || within(c, &[(0x00c0, 0x024f), (0x1e00, 0x1eff)])
}

/// Shows a text in one line, whatever is in it.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = MARKS_MAX;
    let look_alikes = look_alikes(text);
    for (at, c) in text.char_indices() {
        if is_combining_mark(c) {
            // A mark without a letter before it would settle on whatever the layout puts there.
            marks += 1;
        } else {
            marks = 0;
        }
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unseen(c) || marks > MARKS_MAX || look_alikes.contains(&at) => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    if out.chars().any(|c| within(c, &RIGHT_TO_LEFT)) {
        out.insert(0, ISOLATE);
        out.push(END_ISOLATE);
    }
    out
}

/// Shows a text between quotation marks, so that it can stand among words of ours.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text).replace('"', "\\\""))
}

/// Shows a text as it is where it consists of plain words, else between quotation marks.
pub fn word(text: &str) -> String {
    let allowed =
        |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '/' | '\'' | '’' | '%' | '°' | '€');
    let spaced = !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ");
    let fits = !text.is_empty() && text.len() <= WORD_MAX && spaced && text.chars().all(allowed);
    let shown = plain(text);
    if fits && shown == text { shown } else { quoted(text) }
}

/// The lines of a text of several paragraphs, each shown by [`plain`] and broken at `width` columns.
pub fn lines(text: &str, width: usize) -> Vec<String> {
    text.split('\n').flat_map(|line| wrap(&plain(line), width)).collect()
}

/// Breaks a line that is fit to be shown, at blanks where there are some.
pub fn wrap(line: &str, width: usize) -> Vec<String> {
    wrap_hanging(line, width, width)
}

/// The same with another width for the first line.
pub fn wrap_hanging(line: &str, first: usize, rest: usize) -> Vec<String> {
    let mut out = vec![String::new()];
    let (mut used, mut width) = (0, first);
    for word in line.split_inclusive(' ') {
        let seen: usize = word.trim_end_matches(' ').chars().map(columns).sum();
        if used > 0 && used + seen > width {
            out.push(String::new());
            (used, width) = (0, rest);
        }
        for c in word.chars() {
            if used + columns(c) > width {
                out.push(String::new());
                (used, width) = (0, rest);
                if c == ' ' {
                    continue;
                }
            }
            out.last_mut().expect("not empty").push(c);
            used += columns(c);
        }
    }
    close_isolates(&mut out);
    out
}

/// The beginning of a line that is fit to be shown, with "…" where there is more.
pub fn cut(line: &str, width: usize) -> String {
    let whole: usize = line.chars().map(columns).sum();
    if whole <= width {
        return line.to_owned();
    }
    let (mut out, mut used) = (String::new(), 1);
    for c in line.chars() {
        used += columns(c);
        if used > width {
            break;
        }
        out.push(c);
    }
    let mut out = [out + "…"];
    close_isolates(&mut out);
    let [out] = out;
    out
}

/// Ends at each line's end the isolate that is open there, and begins it anew on the next.
fn close_isolates(lines: &mut [String]) {
    let mut open = false;
    for line in lines {
        if open {
            line.insert(0, ISOLATE);
        }
        open = line.rfind(ISOLATE) > line.rfind(END_ISOLATE);
        if open {
            line.push(END_ISOLATE);
        }
    }
}

/// How many columns a character may take, at most.
fn columns(c: char) -> usize {
    match c {
        ISOLATE | END_ISOLATE => 0,
        c if c < '\u{1100}' => 1,
        '\u{2000}'..='\u{22ff}' => 1,
        _ => 2,
    }
}

/// Whether a character shows nothing, or moves what is shown.
pub fn is_unseen(c: char) -> bool {
    c.is_control() || !is_public_assigned(c) || within(c, &UNSEEN)
}

fn within(c: char, ranges: &[(u32, u32)]) -> bool {
    ranges.iter().any(|(from, to)| (*from..=*to).contains(&u32::from(c)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_seen_or_moves_the_rest_is_written_out() {
        for (hostile, shown) in [
            ("pay 5\u{202e}RUE", "pay 5\\u{202e}RUE"),
            ("\u{1b}[2J\u{1b}[Hsigned", "\\u{1b}[2J\\u{1b}[Hsigned"),
            ("a\u{8}b\u{7f}", "a\\u{8}b\\u{7f}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("\u{2066}isolate\u{2069}", "\\u{2066}isolate\\u{2069}"),
            ("line\nline\r\n\tx", "line\\nline\\r\\n\\tx"),
            ("para\u{2029}line\u{2028}", "para\\u{2029}line\\u{2028}"),
            ("soft\u{ad}hyphen", "soft\\u{ad}hyphen"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("private\u{e000}", "private\\u{e000}"),
            ("unassigned\u{378}", "unassigned\\u{378}"),
            ("filler\u{3164}\u{115f}", "filler\\u{3164}\\u{115f}"),
            ("not an escape: \\u{202e}", "not an escape: \\\\u{202e}"),
            ("\u{301}mark first", "\\u{301}mark first"),
        ] {
            assert_eq!(plain(hostile), shown);
        }
        assert_eq!(plain("Übereinkunft — Угода, 協定: 5 €"), "Übereinkunft — Угода, 協定: 5 €");
    }

    #[test]
    fn what_passes_for_a_letter_beside_it_is_written_out() {
        for (hostile, shown) in [
            ("p\u{430}ris", "p\\u{430}ris"),
            ("\u{415}UR", "\\u{415}UR"),
            ("G\u{3b5}rm\u{3b1}ny", "G\u{3b5}rm\\u{3b1}ny"),
            ("п\u{456}дтримка i п\u{69}дтримка", "п\u{456}дтримка i п\\u{69}дтримка"),
            ("\u{1d5d8}UR \u{ff25}UR", "\\u{1d5d8}UR \\u{ff25}UR"),
        ] {
            assert_eq!(plain(hostile), shown);
        }
        for honest in ["kΩ", "5 μg", "С-300", "Київ", "Αθήνα", "Straße", "Łódź", "Україна (Ukraine)"]
        {
            assert_eq!(plain(honest), honest);
        }
    }

    #[test]
    fn marks_do_not_pile_up() {
        let piled = format!("a{}", "\u{301}".repeat(9));
        assert_eq!(plain(&piled), format!("a{}{}", "\u{301}".repeat(4), "\\u{301}".repeat(5)));
    }

    #[test]
    fn letters_from_right_to_left_stand_alone() {
        assert_eq!(plain("שלום"), "\u{2068}שלום\u{2069}");
        for line in wrap(&quoted("שלום שלום שלום שלום"), 10) {
            assert_eq!(line.matches('\u{2068}').count(), line.matches('\u{2069}').count(), "{line:?}");
        }
    }

    #[test]
    fn only_plain_words_stand_without_quotation_marks() {
        assert_eq!(word("EUR"), "EUR");
        assert_eq!(word("infantry fighting vehicles"), "infantry fighting vehicles");
        for odd in ["", " x", "x  y", "EUR, by 2030", "x \"y\" z", "France (fr)", "a\nb", &"x".repeat(65)] {
            assert!(word(odd).starts_with('"') && word(odd).ends_with('"'), "{odd:?}");
        }
        assert_eq!(quoted("a\" (exactly 5 EUR) \""), "\"a\\\" (exactly 5 EUR) \\\"\"");
    }

    #[test]
    fn what_is_cut_off_is_marked() {
        assert_eq!(cut("one two", 7), "one two");
        assert_eq!(cut("one two", 6), "one t…");
        assert_eq!(cut("協定協定", 6), "協定…");
        assert_eq!(cut(&plain("שלום שלום"), 5), "\u{2068}שלום…\u{2069}");
    }

    #[test]
    fn lines_break_at_blanks_and_before_the_edge() {
        assert_eq!(wrap("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrap("onetwothree", 8), ["onetwoth", "ree"]);
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(lines("a\n\nb", 8), ["a", "", "b"]);
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_can_hide(text: String) {
            let shown = plain(&text);
            let ours = |c: char| matches!(c, ISOLATE | END_ISOLATE);
            prop_assert!(!shown.chars().any(|c| is_unseen(c) && !ours(c)), "{shown:?}");
        }

        #[test]
        fn two_texts_never_look_the_same(a in "[a\\\\u{}2\u{202e}\n\"e0]{0,8}", b in "[a\\\\u{}2\u{202e}\n\"e0]{0,8}") {
            prop_assert_eq!(plain(&a) == plain(&b), a == b);
            prop_assert_eq!(quoted(&a) == quoted(&b), a == b);
        }

        #[test]
        fn no_line_is_wider_than_allowed(text: String, width in 8usize..40) {
            for line in lines(&text, width) {
                prop_assert!(line.chars().map(columns).sum::<usize>() <= width);
            }
        }
    }
}
