//! Which row of a new release is which statement of the log, among those of one ID.
//!
//! Rows are inserted, dropped and moved between releases, so their numbers say nothing. Of one ID, in this order:
//!
//! ```text
//! 1  equal in all that the table says
//! 2  equal title and text
//! 3  equal title and day
//! 4  equal title
//! 5  a title that differs in capitals, blanks and punctuation alone
//! 6  equal text, which only one on each side has
//! 7  as many here as there: the rest where they stand at the same place in the list
//! 8  nothing of the ID was found again: its first row continues its first statement
//! ```
//!
//! Where rows of the ID could not be read, 1 and 2 alone are tried: a row that is missing might be any of the rest.
//!
//! What is left in the log is gone, and what is left in the release is new. So an inserted row changes nothing else, an
//! item whose title was mended stays the item that it was, and two items that have nothing in common but their place in
//! the list are not called one. Whose promise it is never changes: that would be another statement.

use servanda::hash::Hash;
use std::collections::HashMap;

/// By what a row or statement is known again.
#[derive(Clone, Debug)]
pub struct Marks {
    /// All of it; title and text; title and day; title; letters and digits of the title: each with who promised it.
    pub keys: [Hash; 5],
    /// Text, where there is any, with who promised it.
    pub text: Option<Hash>,
    /// Who promised it.
    pub who: Hash,
}

/// What became of an ID.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Paired {
    /// A statement and the row that continues it, by their positions.
    pub pairs: Vec<(usize, usize)>,
    /// Statements that no row continues.
    pub gone: Vec<usize>,
    /// Rows that continue nothing.
    pub new: Vec<usize>,
}

/// Pairs the statements of an ID, in the order of their numbers, with its rows, in the file's. `in_doubt`: there are rows
/// of it that could not be read.
pub fn pair(statements: &[Marks], rows: &[Marks], in_doubt: bool) -> Paired {
    let mut left =
        Left { statements, rows, paired: vec![None; statements.len()], taken: vec![false; rows.len()] };
    let known = if in_doubt { 2 } else { 5 };
    for key in 0..known {
        left.by(false, |marks| Some(marks.keys[key]));
    }
    if !in_doubt {
        left.by(true, |marks| marks.text);
        if statements.len() == rows.len() {
            left.by_place();
        }
        if left.paired.iter().all(Option::is_none) {
            left.first();
        }
    }
    left.ended()
}

struct Left<'a> {
    statements: &'a [Marks],
    rows: &'a [Marks],
    paired: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl Left<'_> {
    /// Pairs what agrees in a key, in order; `alone`: only where no other of the ID has it on either side.
    fn by(&mut self, alone: bool, key: impl Fn(&Marks) -> Option<Hash>) {
        let mut agreeing: HashMap<Hash, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for (at, marks) in self.statements.iter().enumerate() {
            if let Some(key) = key(marks).filter(|_| alone || self.paired[at].is_none()) {
                agreeing.entry(key).or_default().0.push(at);
            }
        }
        for (row, marks) in self.rows.iter().enumerate() {
            if let Some(key) = key(marks).filter(|_| alone || !self.taken[row]) {
                agreeing.entry(key).or_default().1.push(row);
            }
        }
        for (statements, rows) in agreeing.into_values() {
            if alone && (statements.len() != 1 || rows.len() != 1) {
                continue;
            }
            for (at, row) in statements.into_iter().zip(rows) {
                if self.paired[at].is_none() && !self.taken[row] {
                    self.pair(at, row);
                }
            }
        }
    }

    /// Pairs what stands at the same place.
    fn by_place(&mut self) {
        for at in self.open_statements() {
            self.pair_alike(at, at);
        }
    }

    /// Pairs the first of both.
    fn first(&mut self) {
        if !self.statements.is_empty() && !self.rows.is_empty() {
            self.pair_alike(0, 0);
        }
    }

    fn pair_alike(&mut self, at: usize, row: usize) {
        if !self.taken[row] && self.statements[at].who == self.rows[row].who {
            self.pair(at, row);
        }
    }

    fn open_statements(&self) -> Vec<usize> {
        (0..self.paired.len()).filter(|at| self.paired[*at].is_none()).collect()
    }

    fn open_rows(&self) -> Vec<usize> {
        (0..self.taken.len()).filter(|row| !self.taken[*row]).collect()
    }

    fn pair(&mut self, at: usize, row: usize) {
        self.paired[at] = Some(row);
        self.taken[row] = true;
    }

    fn ended(&self) -> Paired {
        let mut ended = Paired::default();
        for (at, row) in self.paired.iter().enumerate() {
            match row {
                Some(row) => ended.pairs.push((at, *row)),
                None => ended.gone.push(at),
            }
        }
        ended.new = self.open_rows();
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use servanda::hash::sha256;
    use std::collections::BTreeSet;

    /// Written as title, text and day: "tank|ten|1".
    fn marks(written: &str) -> Marks {
        let hash = |text: String| sha256(text.as_bytes());
        let (title, rest) = written.split_once('|').expect("a title");
        let (text, day) = rest.split_once('|').expect("a text");
        let keys = [
            written.to_owned(),
            format!("{title}|{text}"),
            format!("{title}||{day}"),
            title.to_owned(),
            title.to_lowercase(),
        ];
        let text = (!text.is_empty()).then(|| hash(text.to_owned()));
        Marks { keys: keys.map(hash), text, who: hash(String::new()) }
    }

    fn paired(statements: &[&str], rows: &[&str], in_doubt: bool) -> Paired {
        let all = |written: &[&str]| written.iter().map(|one| marks(one)).collect::<Vec<_>>();
        pair(&all(statements), &all(rows), in_doubt)
    }

    fn is(pairs: &[(usize, usize)], gone: &[usize], new: &[usize]) -> Paired {
        Paired { pairs: pairs.to_vec(), gone: gone.to_vec(), new: new.to_vec() }
    }

    #[test]
    fn an_inserted_row_changes_nothing_else() {
        let before = ["tank|ten|1", "truck|two|1", "tent|five|1"];
        let now = ["boat|one|2", "tank|ten|1", "truck|three|1", "tent|five|1"];
        assert_eq!(paired(&before, &now, false), is(&[(0, 1), (1, 2), (2, 3)], &[], &[0]));
        assert_eq!(paired(&now, &before, false), is(&[(1, 0), (2, 1), (3, 2)], &[0], &[]));
    }

    #[test]
    fn equal_rows_are_paired_before_similar_ones() {
        let before = ["tank|ten|1", "tank|twenty|1"];
        assert_eq!(paired(&before, &["tank|twenty|1", "tank|ten|1"], false), is(&[(0, 1), (1, 0)], &[], &[]));
        assert_eq!(paired(&before, &["tank|twenty|1"], false), is(&[(1, 0)], &[0], &[]));
        assert_eq!(paired(&before, &["tank|two|2", "tank|six|1"], false), is(&[(0, 1), (1, 0)], &[], &[]));
    }

    #[test]
    fn what_has_only_its_place_in_common_is_not_one() {
        let before = ["tank|ten|1", "truck|two|1", "boat|one|1"];
        let now = ["tank|ten|1", "radar|four|2"];
        assert_eq!(paired(&before, &now, false), is(&[(0, 0)], &[1, 2], &[1]));
    }

    #[test]
    fn a_title_that_was_mended_is_known_by_its_text_or_by_being_the_only_one_left() {
        let before = ["tent|five|1", "tnak|ten|1"];
        assert_eq!(paired(&before, &["tank|ten|1"], false), is(&[(1, 0)], &[0], &[]));
        assert_eq!(paired(&before, &["tent|five|1", "tank|20|2"], false), is(&[(0, 0), (1, 1)], &[], &[]));
        assert_eq!(paired(&before, &["tent|five|1", "tank|20|2"], true), is(&[(0, 0)], &[1], &[1]));
        assert_eq!(paired(&before, &["tent|six|1"], true), is(&[], &[0, 1], &[0]));
        assert_eq!(paired(&["a|1|1", "Tank|2|1"], &["tank|9|2"], false), is(&[(1, 0)], &[0], &[]));
        // One was dropped at the end and one inserted at the beginning: they are not one.
        assert_eq!(paired(&["a|1|1", "b|2|1"], &["x|9|1", "a|1|1"], false), is(&[(0, 1)], &[1], &[0]));
        // A text that several have tells none of them.
        let many = ["a|same|1", "b|same|1", "c|same|1"];
        assert_eq!(paired(&many, &["a|same|1", "x|same|1"], false), is(&[(0, 0)], &[1, 2], &[1]));
        assert_eq!(
            paired(&many[..2], &["x|same|1", "a|same|1"], false),
            is(&[(0, 1)], &[1], &[0]),
            "not even where all others are paired"
        );
    }

    #[test]
    fn an_id_that_lives_on_is_never_withdrawn_as_a_whole() {
        assert_eq!(paired(&["a|1|1", "b|2|1"], &["x|9|2"], false), is(&[(0, 0)], &[1], &[]));
        assert_eq!(paired(&["a|1|1"], &["x|9|2", "y|8|2"], false), is(&[(0, 0)], &[], &[1]));
        assert_eq!(paired(&["a|1|1"], &["x|9|2", "y|8|2"], true), is(&[], &[0], &[0, 1]));
        assert_eq!(paired(&["a|1|1"], &[], false), is(&[], &[0], &[]));
    }

    #[test]
    fn another_promisor_makes_it_another_statement() {
        let mut row = marks("x|9|2");
        row.who = sha256(b"another");
        assert_eq!(pair(&[marks("a|1|1")], &[row], false), is(&[], &[0], &[0]));
    }

    proptest! {
        #[test]
        fn everything_is_paired_once_gone_or_new(
            before in proptest::collection::vec("[ab][|][xy]?[|][12]", 0..8),
            now in proptest::collection::vec("[ab][|][xy]?[|][12]", 0..8),
            in_doubt: bool,
        ) {
            let refs = |all: &[String]| all.iter().map(|one| marks(one)).collect::<Vec<_>>();
            let found = pair(&refs(&before), &refs(&now), in_doubt);
            let statements: BTreeSet<usize> = found.pairs.iter().map(|(at, _)| *at).chain(found.gone.clone()).collect();
            let rows: BTreeSet<usize> = found.pairs.iter().map(|(_, row)| *row).chain(found.new.clone()).collect();
            prop_assert_eq!(statements.len(), before.len());
            prop_assert_eq!(rows.len(), now.len());
            prop_assert_eq!(found.pairs.len() + found.gone.len(), before.len());
            prop_assert_eq!(found.pairs.len() + found.new.len(), now.len());
            // Equal rows are never gone and new at once.
            for at in &found.gone {
                prop_assert!(found.new.iter().all(|row| now[*row] != before[*at]));
            }
        }

        #[test]
        fn the_same_rows_in_any_order_change_nothing(
            (before, now) in proptest::collection::vec("[a-c][|][xy]?[|][12]", 0..8)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
        ) {
            let refs = |all: &[String]| all.iter().map(|one| marks(one)).collect::<Vec<_>>();
            let found = pair(&refs(&before), &refs(&now), false);
            prop_assert!(found.gone.is_empty() && found.new.is_empty());
            prop_assert!(found.pairs.iter().all(|(at, row)| before[*at] == now[*row]));
        }
    }
}
