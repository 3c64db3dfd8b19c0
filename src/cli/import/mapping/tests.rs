//! Mappings: what becomes of each cell.

use super::*;
use crate::cli::import::rows::{Row, read};
use proptest::prelude::*;

fn args(maps: &[&str], constants: &[&str], absent: &[&str], aliases: &[&str]) -> MappingArgs {
    let owned = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect();
    MappingArgs {
        maps: owned(maps),
        constants: owned(constants),
        absent: owned(absent),
        aliases: owned(aliases),
        once: Vec::new(),
        otherwise: Vec::new(),
    }
}

/// The fields of each row, as JSON.
fn fields(args: &MappingArgs, file: &str) -> Vec<String> {
    let table = read(file.as_bytes(), b',').expect("a table");
    let mapping = Mapping::new(args, &table.columns).expect("a mapping");
    let mut numbers = Numbers::default();
    let shown = |row: &Row| match mapping.fields(row.cells.as_ref().expect("cells"), &mut numbers) {
        Ok(fields) => Value::Object(fields.0).to_string(),
        Err(refusal) => refusal.to_string(),
    };
    table.rows.iter().map(shown).collect()
}

const FILE: &str = "ID,Kind,Sum,Unit,Text\nA1,Financial,5.0,EUR,one\nA1,Military,.,EUR,\" two \r\nlines\"\nB2,x,Not given,.,\n";

#[test]
fn rows_with_the_same_value_are_numbered() {
    let args = args(&["reference={ID}.{#ID}"], &[], &[], &[]);
    assert_eq!(
        fields(&args, FILE),
        [r#"{"reference":"A1.1"}"#, r#"{"reference":"A1.2"}"#, r#"{"reference":"B2.1"}"#]
    );
}

#[test]
fn a_template_with_a_column_that_says_nothing_has_no_value() {
    let args = args(&["quantity=exactly {Sum} {Unit}"], &[], &["Not given", "."], &[]);
    assert_eq!(fields(&args, FILE), [r#"{"quantity":"exactly 5.0 EUR"}"#, "{}", "{}"]);
}

#[test]
fn a_text_that_is_mapped_twice_has_a_line_for_each_and_a_list_a_value() {
    let args = args(
        &["text=Text,text=Kind: {Kind},instruments=Kind,instruments=Unit"],
        &["to=ua", "to=md"],
        &["."],
        &["instruments:Financial=economic", "instruments:x="],
    );
    assert_eq!(
        fields(&args, FILE),
        [
            r#"{"text":"one\nKind: Financial","instruments":["economic","EUR"],"to":["ua","md"]}"#,
            r#"{"text":"two \nlines\nKind: Military","instruments":["Military","EUR"],"to":["ua","md"]}"#,
            r#"{"text":"Kind: x","to":["ua","md"]}"#,
        ]
    );
}

#[test]
fn without_a_mapping_columns_are_fields_and_what_is_set_comes_first() {
    let args = args(&[], &["to=ua"], &[], &[]);
    assert_eq!(fields(&args, "title,to,\nx,de,\n"), [r#"{"title":"x","to":["ua"]}"#]);
}

#[test]
fn json_lines_keep_what_is_nested_and_no_digit_is_lost() {
    let file = r#"{"a":"x","b":{"c":[1]},"n":12,"t":true,"z":null}
{"a":"x","b":{"c":[1]},"n":0.1}
{"n":12345678901234567890123}"#;
    let all = fields(&args(&[], &[], &[], &[]), file);
    assert_eq!(all[0], r#"{"a":"x","b":{"c":[1]},"n":"12","t":true}"#);
    assert!(all[1].starts_with("n: write a number") && all[2].starts_with("n: write a number"), "{all:?}");
    let all = fields(&args(&["x={a}{b}"], &[], &[], &[]), file);
    assert_eq!(all[..2], ["x: a list or an object cannot stand among words"; 2]);
}

#[test]
fn the_first_of_several_columns_that_says_something_is_taken() {
    let args = args(&["title={Text|Kind}"], &[], &["x"], &[]);
    assert_eq!(fields(&args, FILE), [r#"{"title":"one"}"#, r#"{"title":"two \nlines"}"#, "{}"]);
}

#[test]
fn mappings_that_cannot_be_meant_are_refused() {
    let columns = ["A".to_owned(), "B".to_owned()];
    let error = |a: &MappingArgs| Mapping::new(a, &columns).expect_err("refused").to_string();
    for (args, want) in [
        (args(&["to"], &[], &[], &[]), "--map \"to\": want field=Column"),
        (args(&["=A"], &[], &[], &[]), "--map \"=A\": want field=Column"),
        (args(&["to=C"], &[], &[], &[]), "to: there is no column \"C\" in the file"),
        (args(&["title=A,title=B"], &[], &[], &[]), "title is given twice, and can hold one value"),
        (args(&["title=A"], &["title=x"], &[], &[]), "title is both mapped and set"),
        (args(&[], &["x"], &[], &[]), "--set \"x\": want field=value"),
        (args(&[], &[], &[], &["x=y"]), "--alias \"x=y\": want field:value=other"),
    ] {
        assert_eq!(error(&args), want);
    }
    let once = MappingArgs { once: vec!["quantity=A,C".to_owned()], ..MappingArgs::default() };
    assert_eq!(error(&once), "quantity: there is no column \"C\" in the file");
}

proptest! {
    #[test]
    fn no_row_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), map in "[{}|#=,\\\\a]{0,10}") {
        if let Ok(table) = read(&bytes, b',') {
            let mapped = Mapping::new(&args(&[&map], &[], &["a"], &[]), &table.columns);
            let plain = Mapping::new(&args(&[], &["to=ua"], &["a"], &["a:b=c"]), &table.columns);
            for mapping in mapped.into_iter().chain(plain) {
                let mut numbers = Numbers::default();
                for cells in table.rows.iter().filter_map(|row| row.cells.as_ref().ok()) {
                    let _ = mapping.fields(cells, &mut numbers);
                    let _ = mapping.once(cells);
                }
            }
        }
    }
}

#[test]
fn a_day_says_the_same_with_a_midnight_and_without() {
    let args = args(&["text={Day} and {Note},made_on=Day"], &[], &[], &[]);
    let file = "Day,Note\n2022-03-01 00:00:00,2022-03-01 00:00:01\n2022-03-01,2022-13-01 00:00:00\n";
    assert_eq!(
        fields(&args, file),
        [
            r#"{"text":"2022-03-01 and 2022-03-01 00:00:01","made_on":"2022-03-01"}"#,
            r#"{"text":"2022-03-01 and 2022-13-01 00:00:00","made_on":"2022-03-01"}"#,
        ]
    );
}

#[test]
fn a_mapping_tells_of_which_fields_the_table_speaks() {
    let given = MappingArgs {
        otherwise: vec!["made_on=".to_owned(), "valid_from = 2022-01-24".to_owned()],
        ..args(&["title=Kind,reference={ID}.{#ID}"], &["to=ua"], &[], &[])
    };
    let columns = ["ID".to_owned(), "Kind".to_owned()];
    let mapping = Mapping::new(&given, &columns).expect("a mapping");
    for field in ["title", "reference", "to", "made_on", "valid_from"] {
        assert!(mapping.mentions(field), "{field}");
    }
    assert!(!mapping.mentions("dues") && !mapping.mentions("notice_period"));
    assert_eq!(mapping.otherwise()[1], ("valid_from".to_owned(), "2022-01-24".to_owned()));
    let said = Mapping::new(&MappingArgs { otherwise: vec!["made_on".to_owned()], ..given }, &columns);
    assert!(matches!(said, Err(MappingError::Form { option: "--else", .. })));
}
