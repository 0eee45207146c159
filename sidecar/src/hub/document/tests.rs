//! Documents changed by several people, and taken back.

use super::*;

fn instance(n: u64) -> Instance {
    Instance::new(1, 1, n)
}

fn by(n: u64, group: u64) -> Authorship {
    Authorship {
        by: Some(instance(n)),
        group,
    }
}

fn document(text: &str) -> Document {
    let mut document = Document::default();
    document.apply(&Edit::insert(Pos::default(), text), &by(0, 0));
    document
}

fn replace(start: (u32, u32), end: (u32, u32), text: &str) -> Edit {
    Edit {
        span: Span {
            start: Pos::new(start.0, start.1),
            end: Pos::new(end.0, end.1),
        },
        text: text.into(),
    }
}

/// Sends an edit as an author would who knows of others' changes up to `rev`.
fn send(document: &mut Document, author: u64, rev: u64, edit: &Edit) {
    document.take(edit, rev, &by(author, rev));
}

#[test]
fn places_behind_a_line_or_the_text_become_the_nearest_ones() {
    let mut document = document("ab\nc");
    document.apply(&replace((0, 9), (7, 7), "!"), &by(1, 1));
    assert_eq!(document.text(), "ab!");
}

#[test]
fn two_people_typing_at_different_places_without_knowing_of_each_other_both_get_their_text() {
    let mut document = document("one\ntwo\n");
    let rev = document.rev();
    send(&mut document, 1, rev, &Edit::insert(Pos::new(0, 3), "a"));
    send(&mut document, 2, rev, &Edit::insert(Pos::new(1, 3), "x\n"));
    send(&mut document, 1, rev, &Edit::insert(Pos::new(0, 4), "b\n"));
    send(&mut document, 2, rev, &Edit::insert(Pos::new(2, 0), "y"));
    send(&mut document, 1, rev, &Edit::insert(Pos::new(1, 0), "c"));
    assert_eq!(document.text(), "oneab\nc\ntwox\ny\n");
}

#[test]
fn typing_goes_on_behind_what_somebody_else_inserted_in_front() {
    let mut document = document("12345");
    let rev = document.rev();
    send(&mut document, 2, rev, &Edit::insert(Pos::new(0, 0), "<<"));
    for (n, c) in ["a", "b", "c"].into_iter().enumerate() {
        send(
            &mut document,
            1,
            rev,
            &Edit::insert(Pos::new(0, 5 + n as u32), c),
        );
    }
    assert_eq!(document.text(), "<<12345abc");
}

#[test]
fn a_deletion_around_what_somebody_else_inserted_leaves_that_and_later_typing_where_it_belongs() {
    let mut document = document("0123456789 tail");
    let rev = document.rev();
    send(&mut document, 2, rev, &Edit::insert(Pos::new(0, 5), "xyz"));
    send(&mut document, 1, rev, &replace((0, 0), (0, 10), ""));
    send(&mut document, 1, rev, &Edit::insert(Pos::new(0, 5), "!"));
    assert_eq!(document.text(), "xyz tail!");
    assert_eq!(document.undo().len(), 3, "two deletions and what was typed");
    assert_eq!(document.text(), "01234xyz56789 tail");
}

#[test]
fn an_author_may_know_of_some_of_the_others_edits_and_not_of_later_ones() {
    let mut document = document("12345");
    let rev = document.rev();
    send(&mut document, 2, rev, &Edit::insert(Pos::new(0, 0), "<"));
    send(&mut document, 1, rev, &Edit::insert(Pos::new(0, 5), "a"));
    send(
        &mut document,
        2,
        rev + 1,
        &Edit::insert(Pos::new(0, 1), "<"),
    );
    // of the first "<", with his own "a" behind it, but not of the second
    send(
        &mut document,
        1,
        rev + 1,
        &Edit::insert(Pos::new(0, 7), "b"),
    );
    assert_eq!(document.text(), "<<12345ab");
    // of all
    send(
        &mut document,
        1,
        rev + 4,
        &Edit::insert(Pos::new(0, 0), "!"),
    );
    assert_eq!(document.text(), "!<<12345ab");
    assert!(
        document
            .behind
            .iter()
            .all(|behind| behind.by != instance(1))
    );
}

#[test]
fn a_span_is_meant_in_the_text_that_its_author_saw() {
    let mut document = document("3 + 4");
    let rev = document.rev();
    send(
        &mut document,
        2,
        rev,
        &Edit::insert(Pos::new(0, 0), "x := 1.\n"),
    );
    send(&mut document, 1, rev, &Edit::insert(Pos::new(0, 5), "0"));
    let meant = Span::between(Pos::new(0, 0), Pos::new(0, 6));
    let span = document.current_span(meant, rev, &instance(1));
    assert_eq!(document.text_of(span, 100).0, "3 + 40");
}

#[test]
fn undo_takes_whole_groups_back_and_redo_does_them_again() {
    let mut document = Document::default();
    for (group, text) in [(1, "a"), (1, "b"), (2, "c")] {
        let end = document.place(usize::MAX);
        document.apply(&Edit::insert(end, text), &by(1, group));
    }
    assert_eq!(document.undo().len(), 1);
    assert_eq!(document.text(), "ab");
    assert_eq!(document.undo().len(), 1);
    assert_eq!(document.text(), "");
    assert!(document.undo().is_empty());
    document.redo();
    document.redo();
    assert!(document.redo().is_empty());
    assert_eq!(document.text(), "abc");
    assert_eq!(document.rev(), 7);
}

#[test]
fn a_new_change_ends_what_could_be_done_again() {
    let mut document = document("a");
    document.undo();
    document.apply(&Edit::insert(Pos::default(), "b"), &by(1, 1));
    assert!(document.redo().is_empty());
    assert_eq!(document.text(), "b");
}

#[test]
fn a_deletion_of_much_text_is_taken_back_in_pieces() {
    let text = "0123456789\n".repeat(20_000);
    let mut document = document(&text);
    document.apply(&replace((0, 0), (20_000, 0), ""), &by(1, 1));
    let edits = document.undo();
    assert!(edits.len() > 1);
    assert!(edits.iter().all(|e| escaped_len(&e.edit.text) <= MAX_PIECE));
    assert_eq!(document.text(), text);
}

#[test]
fn undo_forgets_the_oldest_groups_when_it_holds_too_much() {
    let mut document = Document::default();
    let megabyte = "x".repeat(1 << 20);
    for group in 0..12 {
        document.apply(&Edit::insert(Pos::default(), &*megabyte), &by(1, group));
    }
    let mut undone = 0;
    while !document.undo().is_empty() {
        undone += 1;
    }
    assert_eq!(undone, 3);
    assert_eq!(document.text().len(), 9 << 20);
}

#[test]
fn typing_and_deleting_character_by_character_is_kept_as_text() {
    let mut document = document("");
    let begun = document.undo_bytes;
    for column in 0..10_000 {
        let place = Pos::new(0, column);
        document.apply(&Edit::insert(place, "x"), &by(1, 1));
    }
    for column in (0..10_000).rev() {
        document.apply(&replace((0, column), (0, column + 1), ""), &by(1, 2));
    }
    let kept = document.undo_bytes - begun;
    assert!(kept < 21_000, "{kept} bytes for 20 000 characters");
    document.undo();
    assert_eq!(document.text(), "x".repeat(10_000));
    document.undo();
    assert_eq!(document.text(), "");
}

#[test]
fn whatever_was_done_is_taken_back_and_done_again_exactly() {
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |below: u32| {
        // xorshift64, Marsaglia 2003
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % u64::from(below.max(1))) as u32
    };
    for _ in 0..200 {
        let mut document = document("one\ntwo\n");
        // before each group
        let mut texts = vec![String::new()];
        let mut group = 0;
        let mut place = Pos::new(0, 0);
        for n in 0..40 {
            if n == 0 || next(4) == 0 {
                texts.push(document.text());
                group += 1;
            }
            if next(3) == 0 {
                let line = next(document.line_count());
                place = Pos::new(line, next(6));
            }
            let end = Pos::new(place.line, place.column + next(3));
            let edit = match next(5) {
                0 => replace((place.line, place.column), (end.line, end.column), ""),
                1 => replace((place.line, place.column), (end.line, end.column), "é\n"),
                // what typing on and deleting on look like
                2 | 3 => Edit::insert(place, "a"),
                _ => replace(
                    (place.line, place.column.saturating_sub(1)),
                    (place.line, place.column),
                    "",
                ),
            };
            let changed = document.apply(&edit, &by(1, group));
            place = changed.edit.end();
        }
        let last = document.text();
        while let Some(text) = texts.pop() {
            assert!(!document.undo().is_empty());
            assert_eq!(document.text(), text);
        }
        assert!(document.undo().is_empty());
        while !document.redo().is_empty() {}
        assert_eq!(document.text(), last);
    }
}

#[test]
fn a_window_cuts_long_lines_and_stops_where_it_would_get_too_large() {
    let long = "é".repeat(5000);
    let document = document(&format!("short\n{long}\nlast"));
    let lines = document.window(0, 10, (0, 80), 40_000);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0].length, None);
    assert_eq!(lines[1].text.chars().count(), MAX_SLICE);
    assert_eq!(lines[1].length, Some(5000));
    let right = document.window(1, 1, (4900, 80), 40_000);
    assert_eq!(
        (right[0].from, right[0].text.chars().count()),
        (4000, MAX_SLICE),
        "all of it, where the line ends"
    );
    let around = document.window(1, 1, (2500, 80), 40_000);
    assert_eq!(around[0].from, 2000);
    assert_eq!(document.window(1, 2, (0, 80), 100).len(), 1);
    assert!(document.window(3, 5, (0, 80), 40_000).is_empty());
}

#[test]
fn of_many_long_lines_all_come_with_less_and_with_no_less_than_is_wanted() {
    let document = document(&vec!["x".repeat(5000); 300].join("\n"));
    let window = |count, width| {
        let lines = document.window(0, count, (2500, width), 48 * 1024);
        let shortest = lines.iter().map(|line| line.text.len()).min();
        for line in &lines {
            let (from, to) = (line.from as usize, line.from as usize + line.text.len());
            assert!(from <= 2500 && 2500 <= to, "{from}..{to}");
        }
        (lines.len(), shortest.unwrap())
    };
    assert_eq!(window(30, 200), (30, 1000));
    assert_eq!(window(60, 200), (60, 500));
    assert_eq!(window(200, 200), (200, 200));
    let (lines, shortest) = window(300, 260);
    assert!(lines < 300 && shortest == 260, "{lines}, {shortest}");
    assert_eq!(window(1, u32::MAX), (1, 1000));
}

#[test]
fn only_a_line_feed_ends_a_line() {
    let document = document("a\rb\u{2028}c\u{b}d");
    assert_eq!(document.line_count(), 1);
    assert_eq!(document.place(usize::MAX), Pos::new(0, 7));
}

#[test]
fn a_snapshot_brings_text_revision_undo_and_concurrent_edits_back() {
    let mut before = document("one two");
    let rev = before.rev();
    send(&mut before, 1, rev, &Edit::insert(Pos::new(0, 0), "(("));
    let mut after = Document::from_snapshot(before.snapshot());
    assert_eq!(after.rev(), before.rev());
    send(&mut after, 2, rev, &Edit::insert(Pos::new(0, 7), "!"));
    assert_eq!(after.text(), "((one two!");
    after.undo();
    after.undo();
    assert_eq!(after.text(), "one two");
}
