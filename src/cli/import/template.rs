//! Templates: a field's value made of a row's cells and of words between them.
//!
//! ```text
//! Announcement Date              the column of that name
//! exactly {Sum} {Currency}       words and columns
//! {Items|Kind of aid}            the first of these columns that says something
//! {ID}.{#ID}                     {#ID} numbers the rows that share an ID, in the file's order: 1, 2, …
//! 5\{6\}, \\ and \,              braces, a backslash, a comma that separates nothing
//! ```
//!
//! Where a column says nothing, the whole template has no value: words alone are worth nothing.

/// A value as it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub Vec<Part>);

/// A part of a template; columns are given by their number in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Words(String),
    /// The first of these columns that says something.
    Cell(Vec<usize>),
    /// Which of the rows with the same value in this column it is.
    Number(usize),
}

/// Why a mapping cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace that is opened is not closed, or the other way round.
    #[error("the braces in {0:?} do not match")]
    Braces(String),
    /// No such column in the file.
    #[error("there is no column {0:?} in the file")]
    NoColumn(String),
    /// Several columns have the name.
    #[error("{count} columns of the file are called {name:?}")]
    Ambiguous {
        /// The name.
        name: String,
        /// How many.
        count: usize,
    },
}

impl Template {
    /// Reads a template for a table with these columns; without braces it is a column's name.
    ///
    /// # Errors
    /// When braces do not match, or a column is not there.
    pub fn parse(text: &str, columns: &[String]) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut words = String::new();
        let mut name: Option<String> = None;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let literal = if c == '\\' { chars.next() } else { None };
            match (literal.unwrap_or(c), literal.is_some(), &mut name) {
                ('{', false, None) => name = Some(String::new()),
                ('}', false, Some(_)) => {
                    if !words.is_empty() {
                        parts.push(Part::Words(std::mem::take(&mut words)));
                    }
                    parts.push(Part::named(&name.take().expect("it is open"), columns)?);
                }
                ('{' | '}', false, _) => return Err(TemplateError::Braces(text.to_owned())),
                (c, _, Some(name)) => name.push(c),
                (c, _, None) => words.push(c),
            }
        }
        match (name, parts.is_empty()) {
            (Some(_), _) => Err(TemplateError::Braces(text.to_owned())),
            (None, true) => Ok(Self(vec![Part::Cell(vec![column(words.trim(), columns)?])])),
            (None, false) => {
                if !words.is_empty() {
                    parts.push(Part::Words(words));
                }
                Ok(Self(parts))
            }
        }
    }
}

impl Part {
    fn named(name: &str, columns: &[String]) -> Result<Self, TemplateError> {
        // A column that is called so comes before what the signs mean.
        let whole = column(name, columns);
        if whole.is_ok() || !name.contains(['|', '#']) {
            return Ok(Self::Cell(vec![whole?]));
        }
        match name.strip_prefix('#') {
            Some(rest) => Ok(Self::Number(column(rest, columns)?)),
            None => {
                name.split('|').map(|name| column(name, columns)).collect::<Result<_, _>>().map(Self::Cell)
            }
        }
    }
}

/// The number of the column of this name, stray blanks apart.
pub fn column(name: &str, columns: &[String]) -> Result<usize, TemplateError> {
    let name = name.trim();
    let mut found = columns.iter().enumerate().filter(|(_, column)| *column == name).map(|(at, _)| at);
    match (found.next(), found.count()) {
        (None, _) => Err(TemplateError::NoColumn(name.to_owned())),
        (Some(at), 0) => Ok(at),
        (_, more) => Err(TemplateError::Ambiguous { name: name.to_owned(), count: more + 1 }),
    }
}

/// Splits at commas that stand neither in braces nor behind a backslash.
pub fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut literal) = (0u32, false);
    for c in text.chars() {
        let part = parts.last_mut().expect("there is one from the start");
        match c {
            ',' if depth == 0 && !literal => {
                parts.push(String::new());
                continue;
            }
            '{' if !literal => depth += 1,
            '}' if !literal => depth = depth.saturating_sub(1),
            _ => {}
        }
        part.push(c);
        literal = c == '\\' && !literal;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<String> {
        ["ID", "Sum", "Currency", "No. of Units", "a|b", "#1", "x, y", "twice", "twice"]
            .map(str::to_owned)
            .to_vec()
    }

    fn parse(text: &str) -> Result<Template, TemplateError> {
        Template::parse(text, &columns())
    }

    fn words(text: &str) -> Part {
        Part::Words(text.to_owned())
    }

    #[test]
    fn a_template_is_words_and_columns() {
        for (text, want) in [
            ("ID", vec![Part::Cell(vec![0])]),
            (" ID ", vec![Part::Cell(vec![0])]),
            ("{ ID }", vec![Part::Cell(vec![0])]),
            ("No. of Units", vec![Part::Cell(vec![3])]),
            (
                "exactly {Sum} {Currency}",
                vec![words("exactly "), Part::Cell(vec![1]), words(" "), Part::Cell(vec![2])],
            ),
            ("{ID}.{#ID}", vec![Part::Cell(vec![0]), words("."), Part::Number(0)]),
            ("{Sum|ID}!", vec![Part::Cell(vec![1, 0]), words("!")]),
            ("{a|b}{#1}", vec![Part::Cell(vec![4]), Part::Cell(vec![5])]),
            ("\\{{ID}\\}\\\\", vec![words("{"), Part::Cell(vec![0]), words("}\\")]),
            ("x\\, y", vec![Part::Cell(vec![6])]),
        ] {
            assert_eq!(parse(text), Ok(Template(want)), "{text}");
        }
    }

    #[test]
    fn what_is_mistyped_is_refused_by_name() {
        for (text, want) in [
            ("id", TemplateError::NoColumn("id".to_owned())),
            ("", TemplateError::NoColumn(String::new())),
            ("{#id}", TemplateError::NoColumn("id".to_owned())),
            ("{Sum|id}", TemplateError::NoColumn("id".to_owned())),
            ("{twice}", TemplateError::Ambiguous { name: "twice".to_owned(), count: 2 }),
            ("{ID", TemplateError::Braces("{ID".to_owned())),
            ("ID}", TemplateError::Braces("ID}".to_owned())),
            ("{{ID}}", TemplateError::Braces("{{ID}}".to_owned())),
        ] {
            assert_eq!(parse(text), Err(want), "{text}");
        }
    }

    #[test]
    fn commas_separate_outside_braces_and_unless_escaped() {
        assert_eq!(split("to=A,title=B"), ["to=A", "title=B"]);
        assert_eq!(split("text={x, y} or {ID},to=A"), ["text={x, y} or {ID}", "to=A"]);
        assert_eq!(split("a=x\\, y,b=z"), ["a=x\\, y", "b=z"]);
        assert_eq!(split("a=\\\\,b=z"), ["a=\\\\", "b=z"]);
        assert_eq!(split(""), [""]);
    }

    proptest::proptest! {
        #[test]
        fn no_mapping_panics(text in "[{}|#\\\\,a-cID é]{0,12}") {
            for part in split(&text) {
                let _ = parse(&part);
            }
            proptest::prop_assert_eq!(split(&text).join(","), text);
        }
    }
}
