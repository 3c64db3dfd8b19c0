//! How the demo tells its story: short sections, aligned, colour on a terminal alone.

use crate::cli::plain::{self, wrap_hanging};
use crate::cli::screen::Screen;

/// The columns of a line.
const WIDTH: usize = 100;

/// The columns before the text of a row.
const INDENT: usize = 14;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// The colour of a row's first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Neither good nor bad.
    Quiet,
    /// As it should be.
    Good,
    /// A forgery, or something that was not noticed.
    Bad,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Quiet => DIM,
            Self::Good => GREEN,
            Self::Bad => RED,
        }
    }
}

/// Begins a section.
pub fn heading(screen: &Screen, text: &str) {
    screen.say(format!("\n{BOLD}{text}{PLAIN}"));
}

/// The title of an attack, and where its forgery lies.
pub fn attack(screen: &Screen, title: &str, place: &str) {
    screen.say(format!("  {BOLD}{title}{PLAIN}  {DIM}{place}{PLAIN}"));
}

/// A paragraph of our own words.
pub fn paragraph(screen: &Screen, text: &str) {
    for line in plain::wrap(text, WIDTH) {
        screen.say(line.trim_end());
    }
}

/// A row: a word, and what there is to say about it.
pub fn row(screen: &Screen, tone: Tone, word: &str, text: &str) {
    let width = WIDTH - INDENT;
    for (n, line) in wrap_hanging(text, width, width).iter().enumerate() {
        let word = if n == 0 { word } else { "" };
        let gap = " ".repeat(INDENT.saturating_sub(3 + word.chars().count()));
        screen.say(format!("  {}{word}{PLAIN}{gap} {}", tone.code(), line.trim_end()));
    }
}
