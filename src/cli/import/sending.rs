//! Signed statements on their way: into the log, round by round, or into one file for its operator.

use super::chain::{self, Author, Signers, Unsigned};
use super::closed;
use crate::cli::desk::Desk;
use crate::cli::problem::Problem;
use crate::cli::{Context, rounds, send};
use anyhow::Result;
use servanda::armor::File;
use servanda::codec::List;
use servanda::draft::Draft;
use servanda::log::MAX_ROUND;
use servanda::statement::Statement;
use servanda::submit::Signed;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Signs the statements, round by round, and appends each round while the next one is being signed.
pub fn append(
    context: &Context,
    desk: &mut Desk,
    statements: &[Unsigned],
    signers: &Signers<'_>,
) -> Result<(u64, u64, Option<u64>)> {
    let bar = context.screen.progress(u64::try_from(statements.len())?, "signing");
    let (operator, key) = desk.operator().ok_or_else(closed)?;
    let mut batches = Batches(statements);
    let mut next = batches.next().map(|batch| (batch, chain::sign(batch, signers)));
    let (mut first, mut last, mut done) = (None, 0, 0);
    while let Some((batch, signatures)) = next.take() {
        let now = context.clock.now();
        let signed: Vec<Signed<'_>> =
            batch.iter().zip(&signatures).map(|(s, by)| (&s.bytes[..], &by[..])).collect();
        let (appended, following) = rayon::join(
            || rounds::round(operator, &signed, now, done),
            || batches.next().map(|batch| (batch, chain::sign(batch, signers))),
        );
        let appended = appended?;
        first = first.or_else(|| appended.first().map(|at| at.index()));
        last = appended.last().map_or(last, |at| at.index());
        done += batch.len();
        bar.set_position(u64::try_from(done)?);
        next = following;
    }
    bar.finish_and_clear();
    let published = rounds::publish(operator, key)?;
    Ok((first.unwrap_or(last), last, published))
}

/// Statements in rounds that are committed at once; those of one group stay together, where a round can hold them.
struct Batches<'a>(&'a [Unsigned]);

impl<'a> Iterator for Batches<'a> {
    type Item = &'a [Unsigned];

    fn next(&mut self) -> Option<&'a [Unsigned]> {
        let is_cut = |at: usize| self.0[at].group.is_some() && self.0[at].group == self.0[at - 1].group;
        let mut end = self.0.len().min(MAX_ROUND);
        if end < self.0.len() {
            end = (1..=end).rev().find(|at| !is_cut(*at)).unwrap_or(end);
        }
        let (batch, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(batch).filter(|batch| !batch.is_empty())
    }
}

/// Publishes what an interrupted import committed, where nothing new will be.
pub fn publish_left(context: &Context, desk: &mut Desk) -> Result<()> {
    let Some((operator, key)) = desk.operator() else { return Ok(()) };
    if operator.writer().size() > operator.writer().published() {
        let published = rounds::published(rounds::publish(operator, key)?);
        context.screen.say(format!("What was committed before is {published}."));
    }
    Ok(())
}

/// Signs the statements and writes them into one file.
pub fn write(
    context: &Context,
    desk: &Desk,
    author: &Author<'_>,
    statements: &[Unsigned],
    signers: &Signers<'_>,
    out: &Path,
) -> Result<()> {
    let set = desk.roster()?.keys(&author.handle).map(|keys| keys.set.clone());
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let readable = std::fs::Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(folder)?;
    let bar = context.screen.progress(u64::try_from(statements.len())?, "signing");
    for batch in statements.chunks(MAX_ROUND) {
        for (statement, signatures) in batch.iter().zip(chain::sign(batch, signers)) {
            let mut draft = Draft::new(&Statement::decode(&statement.bytes)?, set.clone())?;
            draft.signatures = List(signatures);
            file.write_all(File::Statement.write(&draft)?.as_bytes())?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let len = file.as_file().metadata()?.len();
    if len > send::MAX_STATEMENTS {
        return Err(Problem::new(format!("{len} bytes are more than `servanda submit` reads from one file"))
            .hint("split the rows over several files")
            .into());
    }
    file.persist_noclobber(out)
        .map_err(|error| Problem::new(format!("cannot write {}", out.display())).because(error.error))?;
    context.screen.say(format!("Send {} to the log's operator, to `servanda submit`.", out.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use servanda::field::Class;
    use servanda::hash::ZEROS;

    fn batches(groups: &[Option<u32>]) -> Vec<usize> {
        let unsigned = |group: &Option<u32>| Unsigned::new(ZEROS, Vec::new(), *group, Class::Observe);
        let all: Vec<Unsigned> = groups.iter().map(unsigned).collect();
        Batches(&all).map(<[Unsigned]>::len).collect()
    }

    #[test]
    fn a_round_ends_between_groups_where_it_can() {
        assert_eq!(batches(&[]), [0; 0]);
        assert_eq!(batches(&vec![None; MAX_ROUND + 1]), [MAX_ROUND, 1]);
        let mut groups = vec![Some(0); MAX_ROUND - 2];
        groups.extend([Some(1); 4]);
        assert_eq!(batches(&groups), [MAX_ROUND - 2, 4]);
        // One that is longer than a round is cut.
        assert_eq!(batches(&vec![Some(7); MAX_ROUND + 3]), [MAX_ROUND, 3]);
        assert_eq!(batches(&vec![Some(7); MAX_ROUND]), [MAX_ROUND]);
    }
}
