//! Rows out of a file: CSV (RFC 4180, any separator) or JSON lines, each with the line that it starts in.
//!
//! A file whose first character is `{` holds JSON lines. Of CSV the first row names the columns; stray blanks around
//! names and values do not count, nor does a byte order mark, and lines may end in LF, CRLF or CR, in quotes too. Rows
//! in which nothing stands are not counted. What cannot be read without guessing is refused: a row with more or fewer
//! cells than the first, quotes that do not match, text that is not UTF-8.

use super::refusal::Refusal;
use serde_json::{Map, Value};

/// The rows of a file.
#[derive(Debug)]
pub struct Table {
    /// The names of the columns; of JSON lines all names that occur, in their order.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug)]
pub struct Row {
    /// The line that it starts in, from 1.
    pub line: u64,
    /// What stands in it.
    pub cells: Result<Cells, Refusal>,
}

/// What stands in a row.
#[derive(Debug)]
pub enum Cells {
    /// By the columns' numbers.
    Record(csv::StringRecord),
    /// By the columns' names.
    Object(Map<String, Value>),
}

/// Why a file holds no rows at all.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The first row is not text.
    #[error("the file is not UTF-8 text; a table program saves it as \"CSV UTF-8\"")]
    Encoding,
}

/// Reads a file.
///
/// # Errors
/// When it is empty, or not UTF-8 from its first row on.
pub fn read(bytes: &[u8], separator: u8) -> Result<Table, TableError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match bytes.iter().find(|b| !b.is_ascii_whitespace()) {
        None => Err(TableError::Empty),
        Some(b'{') => Ok(json_lines(bytes)),
        Some(_) => csv(bytes, separator),
    }
}

fn csv(bytes: &[u8], separator: u8) -> Result<Table, TableError> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(bytes);
    let mut records = Vec::new();
    let mut record = csv::ByteRecord::new();
    // From memory, and with any number of cells, reading cannot fail.
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        let start = record.position().map_or(0, csv::Position::byte);
        records.push((usize::try_from(start).expect("within the file"), std::mem::take(&mut record)));
    }
    let mut starts: Vec<usize> = records.iter().map(|(start, _)| *start).collect();
    starts.push(bytes.len());
    let mut records = records.into_iter().zip(starts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]));
    let mut lines = Lines { bytes, at: 0, line: 1 };
    let ((start, header), raw) =
        records.find(|((_, record), _)| !is_blank(record)).ok_or(TableError::Empty)?;
    lines.of(start);
    let header = csv::StringRecord::from_byte_record(header).map_err(|_| TableError::Encoding)?;
    if quotes(raw, separator).is_err() {
        return Err(TableError::Encoding);
    }
    let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let rows = records.filter(|((_, record), _)| !is_blank(record)).map(|((start, record), raw)| Row {
        line: lines.of(start),
        cells: cells(record, raw, columns.len(), separator),
    });
    let rows = rows.collect();
    Ok(Table { columns, rows })
}

fn is_blank(record: &csv::ByteRecord) -> bool {
    record.iter().all(|cell| cell.trim_ascii().is_empty())
}

fn cells(record: csv::ByteRecord, raw: &[u8], want: usize, separator: u8) -> Result<Cells, Refusal> {
    quotes(raw, separator)?;
    if record.len() != want {
        return Err(Refusal::Cells { got: record.len(), want });
    }
    csv::StringRecord::from_byte_record(record).map(Cells::Record).map_err(|_| Refusal::Encoding)
}

/// Checks that a row's quotes match: the parser reads on where they do not, and one stray quote takes in other rows.
fn quotes(raw: &[u8], separator: u8) -> Result<(), Refusal> {
    enum At {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let mut at = At::Start;
    for byte in raw {
        let ends = *byte == separator || matches!(byte, b'\r' | b'\n');
        at = match (at, byte) {
            (At::Start | At::Closed, b'"') => At::Quoted,
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) => At::Quoted,
            (_, _) if ends => At::Start,
            (At::Closed, _) => return Err(Refusal::AfterQuote),
            (At::Start | At::Plain, _) => At::Plain,
        };
    }
    if matches!(at, At::Quoted) { Err(Refusal::Unclosed) } else { Ok(()) }
}

/// Counts lines as editors do, on the way from one row to the next.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the row at or behind `start`: the parser leaves line ends and empty lines to the next row.
    fn of(&mut self, start: usize) -> u64 {
        let empty = self.bytes[start..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let to = start + empty;
        let ends = (self.at..to).filter(|at| match self.bytes[*at] {
            b'\n' => true,
            b'\r' => self.bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        self.line += u64::try_from(ends.count()).expect("a file's lines");
        self.at = to;
        self.line
    }
}

fn json_lines(bytes: &[u8]) -> Table {
    let mut columns: Vec<String> = Vec::new();
    let mut known = std::collections::HashSet::new();
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let cells = match serde_json::from_slice::<Value>(text) {
            Ok(Value::Object(object)) => Ok(Cells::Object(object)),
            Ok(_) => Err(Refusal::NotAnObject),
            Err(error) => {
                let what = error.to_string();
                Err(Refusal::Json(what.split(" at line ").next().unwrap_or_default().to_owned()))
            }
        };
        if let Ok(Cells::Object(object)) = &cells {
            let new = object.keys().filter(|name| known.insert((*name).clone()));
            columns.extend(new.cloned());
        }
        rows.push(Row { line, cells });
    }
    Table { columns, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(text: &str) -> Table {
        read(text.as_bytes(), b',').expect("a table")
    }

    /// Each row's line and cells, or why it was refused.
    fn shown(table: &Table) -> Vec<String> {
        let row = |row: &Row| match &row.cells {
            Ok(Cells::Record(record)) => {
                format!("{}: {}", row.line, record.iter().collect::<Vec<_>>().join("|"))
            }
            Ok(Cells::Object(object)) => format!("{}: {}", row.line, Value::Object(object.clone())),
            Err(refusal) => format!("{}: refused: {refusal}", row.line),
        };
        table.rows.iter().map(row).collect()
    }

    #[test]
    fn lines_are_those_of_the_file() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "1,\"x", "y\"", "", "2,z", ",", "3,\"p", "", "q\"", "4,w"].join(end);
            let t = table(&text);
            assert_eq!(t.columns, ["a", "b"]);
            let lines: Vec<u64> = t.rows.iter().map(|row| row.line).collect();
            assert_eq!(lines, [2, 5, 7, 10], "{end:?}");
            let quoted = format!("2: 1|x{end}y");
            assert_eq!(shown(&t)[0], quoted);
        }
    }

    #[test]
    fn a_mark_and_blanks_around_names_do_not_count() {
        let t = table("\u{feff}\n a , b c\t\n1,2");
        assert_eq!(t.columns, ["a", "b c"]);
        assert_eq!(shown(&t), ["3: 1|2"]);
        assert_eq!(shown(&read(b"a;b\n1;2,5", b';').expect("a table")), ["2: 1|2,5"]);
    }

    #[test]
    fn rows_that_would_have_to_be_guessed_at_are_refused() {
        let t = table("a,b\n1\n1,2,3\n4,5\n\"6\"x,7\n8,5\" pipe\n9,\"open\n10,11\n");
        assert_eq!(
            shown(&t),
            [
                "2: refused: it has 1 cell, the first row 2",
                "3: refused: it has 3 cells, the first row 2",
                "4: 4|5",
                "5: refused: something stands between a closing quote and the end of the cell",
                "6: 8|5\" pipe",
                "7: refused: a quote that is opened here is never closed; what follows was not read",
            ]
        );
        let t = read(b"a,b\n\xff,1\n\"x\n\"y,1\nz,2", b',').expect("a table");
        assert_eq!(
            shown(&t),
            [
                "2: refused: it is not UTF-8 text",
                "3: refused: something stands between a closing quote and the end of the cell",
                "5: z|2"
            ]
        );
        assert!(matches!(read(b"a,\xff\n", b','), Err(TableError::Encoding)));
        assert!(matches!(read(b" \r\n", b','), Err(TableError::Empty)));
        assert!(matches!(read(b" , \r\n", b','), Err(TableError::Empty)));
    }

    #[test]
    fn json_lines_are_told_by_their_first_character() {
        let t = table("{\"a\":1}\r\n\n[2]\n{\"b\":null,\"a\":2}\n{\"a\"");
        assert_eq!(t.columns, ["a", "b"]);
        let shown = shown(&t);
        assert_eq!(
            shown[..3],
            ["1: {\"a\":1}", "3: refused: it is no JSON object", "4: {\"b\":null,\"a\":2}"]
        );
        assert!(shown[3].starts_with("5: refused: it is not JSON: "), "{}", shown[3]);
        let deep = format!("{{\"a\":{}}}", "[".repeat(100_000));
        assert!(table(&deep).rows[0].cells.is_err());
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), separator: u8) {
            let _ = read(&bytes, separator);
        }

        #[test]
        fn every_json_line_is_an_object_or_refused(text in r#"[{]("a"|[:,{}1\[\]" \n\\])[a":,{}1\[\]\n ]{0,60}"#) {
            if let Ok(t) = read(text.as_bytes(), b',') {
                for cells in t.rows.iter().filter_map(|row| row.cells.as_ref().ok()) {
                    let Cells::Object(object) = cells else { panic!("told by its first character") };
                    prop_assert!(object.keys().all(|name| t.columns.contains(name)));
                }
            }
        }

        #[test]
        fn every_line_of_a_table_is_within_the_file_and_lines_ascend(text in "[a\",\r\n é]{0,60}") {
            let count = u64::try_from(text.len()).expect("few") + 1;
            if let Ok(t) = read(text.as_bytes(), b',') {
                let lines: Vec<u64> = t.rows.iter().map(|row| row.line).collect();
                prop_assert!(lines.is_sorted() && lines.iter().all(|line| (1..=count).contains(line)));
            }
        }

        #[test]
        fn what_a_writer_writes_is_read_with_its_line(
            cells in proptest::collection::vec(("[a-z\",\r\n]{1,8}", "[a-z\",\r\n]{0,8}"), 1..8)
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b"]).expect("memory");
            for (a, b) in &cells {
                // Visible: rows of blanks are not counted.
                writer.write_record([&format!("x{a}"), b]).expect("memory");
            }
            let bytes = writer.into_inner().expect("memory");
            let t = read(&bytes, b',').expect("a table");
            prop_assert_eq!(t.rows.len(), cells.len());
            let mut line = 2;
            for (row, (a, b)) in t.rows.iter().zip(&cells) {
                let Ok(Cells::Record(record)) = &row.cells else { panic!("refused") };
                let a = &format!("x{a}");
                prop_assert_eq!((&record[0], &record[1]), (a.as_str(), b.as_str()));
                prop_assert_eq!(row.line, line);
                let text = format!("{a}|{b}").replace("\r\n", "\n");
                line += 1 + u64::try_from(text.matches(['\r', '\n']).count()).expect("few");
            }
        }
    }
}
