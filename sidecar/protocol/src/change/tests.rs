//! Changes of one text by people who do not know of each other, small and at random.

use operational_transform::OperationSeq;
use proptest::prelude::*;

use super::*;

fn place(text: &str, index: usize) -> Pos {
    let before: String = text.chars().take(index).collect();
    Pos::default().advanced_by(&before)
}

fn index(text: &str, pos: Pos) -> usize {
    let lines: Vec<&str> = text.split('\n').collect();
    let before: usize = lines[..pos.line as usize]
        .iter()
        .map(|line| line.chars().count() + 1)
        .sum();
    let line = lines[pos.line as usize].chars().count();
    assert!(pos.column as usize <= line, "{pos:?} is not in {text:?}");
    before + pos.column as usize
}

fn apply(text: &str, change: &Change) -> String {
    change.edits().fold(text.to_owned(), |text, edit| {
        let (start, end) = (index(&text, edit.span.start), index(&text, edit.span.end));
        text.chars()
            .take(start)
            .chain(edit.text.chars())
            .chain(text.chars().skip(end))
            .collect()
    })
}

/// An edit of a text, drawn as two fractions and what is inserted.
fn edit_of(text: &str, (one, other, insert): &(u16, u16, String)) -> Edit {
    let length = text.chars().count();
    let at = |fraction: u16| usize::from(fraction) * (length + 1) / (usize::from(u16::MAX) + 1);
    Edit {
        span: Span::between(place(text, at(*one)), place(text, at(*other))),
        text: insert.clone(),
    }
}

/// Half of the edits only insert.
fn drawn() -> impl Strategy<Value = (u16, u16, String)> {
    (any::<u16>(), any::<u16>(), any::<bool>(), "[A-Z日\n]{0,4}")
        .prop_map(|(one, other, inserts, text)| (one, if inserts { one } else { other }, text))
}

fn text() -> impl Strategy<Value = String> {
    "[a-f\n]{0,12}"
}

/// The edit as the other library's operation.
fn operation(text: &str, edit: &Edit) -> OperationSeq {
    let (start, end) = (index(text, edit.span.start), index(text, edit.span.end));
    let mut operation = OperationSeq::default();
    operation.retain(start as u64);
    operation.insert(&edit.text);
    operation.delete((end - start) as u64);
    operation.retain((text.chars().count() - end) as u64);
    operation
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn either_way_round_the_text_is_the_same_and_the_one_that_another_library_says(
        text in text(), one in drawn(), other in drawn(),
    ) {
        let (earlier, later) = (edit_of(&text, &one), edit_of(&text, &other));
        let (e, l) = (Change::from(earlier.clone()), Change::from(later.clone()));
        let (e_after, l_after) = pass(&e, &l);
        let both = apply(&apply(&text, &e), &l_after);
        prop_assert_eq!(&both, &apply(&apply(&text, &l), &e_after));

        let (e, l) = (operation(&text, &earlier), operation(&text, &later));
        let (_, l_after) = e.transform(&l).unwrap();
        prop_assert_eq!(both, l_after.apply(&e.apply(&text).unwrap()).unwrap());
    }

    #[test]
    fn a_row_of_changes_passes_a_row_of_others(
        text in text(),
        ones in prop::collection::vec(drawn(), 1..5),
        others in prop::collection::vec(drawn(), 1..5),
    ) {
        // each author's edits, one after the other in his own text
        let row = |drawn: &[(u16, u16, String)]| {
            let mut now = text.clone();
            let mut row = Vec::new();
            for one in drawn {
                let change = Change::from(edit_of(&now, one));
                now = apply(&now, &change);
                row.push(change);
            }
            (now, row)
        };
        let ((mut first, ones), (mut second, mut others)) = (row(&ones), row(&others));
        for mut earlier in ones {
            for later in &mut others {
                (earlier, *later) = pass(&earlier, later);
            }
            second = apply(&second, &earlier);
        }
        for later in &others {
            first = apply(&first, later);
        }
        prop_assert_eq!(first, second);
    }

    #[test]
    fn a_place_that_moves_with_a_change_is_in_the_text(
        text in text(), one in drawn(), other in drawn(), at in any::<u16>(), behind in any::<bool>(),
    ) {
        let (earlier, later) = (edit_of(&text, &one), edit_of(&text, &other));
        let (_, change) = pass(&earlier.into(), &Change::from(later));
        let at = edit_of(&text, &(at, at, String::new())).span.start;
        let first = Change::from(edit_of(&text, &one));
        let now = apply(&text, &first);
        let moved = change.moves(first.moves(at, behind), behind);
        index(&apply(&now, &change), moved);
    }
}

fn pos(line: u32, column: u32) -> Pos {
    Pos::new(line, column)
}

fn replace(start: Pos, end: Pos, text: &str) -> Change {
    Change::from(Edit {
        span: Span { start, end },
        text: text.into(),
    })
}

#[test]
fn of_two_insertions_at_one_place_the_earlier_stands_first() {
    let earlier = replace(pos(0, 1), pos(0, 1), "ab");
    let later = replace(pos(0, 1), pos(0, 1), "c");
    let (earlier_after, later_after) = pass(&earlier, &later);
    assert_eq!(earlier_after, earlier);
    assert_eq!(later_after, replace(pos(0, 3), pos(0, 3), "c"));
}

#[test]
fn a_deletion_takes_nothing_inserted_before_within_or_behind_it() {
    let deletion = replace(pos(0, 2), pos(0, 5), "");
    for at in 2..=5 {
        let insertion = replace(pos(0, at), pos(0, at), "xx");
        for (one, other) in [(&insertion, &deletion), (&deletion, &insertion)] {
            let (_, after) = pass(one, other);
            assert_eq!(apply(&apply("0123456", one), &after), "01xx56");
        }
    }
}

#[test]
fn a_deletion_of_what_is_gone_already_changes_nothing() {
    let (large, small) = (
        replace(pos(0, 0), pos(2, 1), ""),
        replace(pos(1, 0), pos(1, 2), ""),
    );
    let (_, after) = pass(&large, &small);
    assert_eq!(after, replace(pos(0, 0), pos(0, 0), ""));
}

#[test]
fn a_change_is_done_with_edit_by_edit() {
    let deletion = replace(pos(0, 0), pos(0, 4), "!");
    let (_, change) = pass(&replace(pos(0, 2), pos(0, 2), "xy"), &deletion);
    let edits: Vec<Edit> = change.edits().cloned().collect();
    assert_eq!(edits.len(), 2);
    assert!(change.clone().without(&edits[1]).is_err());
    let rest = change.without(&edits[0]).unwrap().unwrap();
    assert_eq!(rest.without(&edits[1]), Ok(None));
}
