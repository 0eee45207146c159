//! A journal's files, after any disk.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use stui::hub::Hub;
use stui::hub::record::{Record, Snapshot};
use stui::journal::Journal;

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "journal",
    about: "a journal's files: opening never fails, keeps every whole record and every byte",
    seeds,
    words: &[
        " ",
        "\n",
        "0 00000000 1 ",
        "1 ",
        "{\"r\":\"edit\"",
        "\"seq\":1",
        "null",
        "ffffffffffffffff",
    ],
    run,
};

/// Between the bytes of the file `snapshot` and those of `journal`.
const SEPARATOR: u8 = 0x1e;

fn record(number: u64) -> Value {
    json!({"n": number, "text": "'日本' size ".repeat((number % 3) as usize)})
}

/// A folder in memory, where there is such a place: a journal syncs what it writes.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a folder")
}

/// Files of journals as they are, cut into `[records to write first] snapshot SEPARATOR journal`.
fn seeds() -> Vec<Vec<u8>> {
    let folder = folder();
    let (mut journal, _) = Journal::open::<Value, Value>(folder.path()).expect("a new journal");
    let mut seeds = vec![vec![0], vec![3, SEPARATOR]];
    let real = r#"{"r":"edit","authorship":{"by":"3.1-9","group":1},"seq":1,"edit":{"span":{"start":{"l":0,"c":0},"end":{"l":0,"c":0}},"text":"3 + 4"}}"#;
    for text in [
        real,
        r#"{"r":"act","by":"3.1-9","seq":2}"#,
        r#"{"r":"undo","by":"3.1-9","seq":3}"#,
    ] {
        let value: Value = serde_json::from_str(text).expect("JSON");
        journal.add(&value).expect("JSON");
    }
    journal.commit().expect("the disk has room");
    let file = |name: &str| fs::read(folder.path().join(name)).unwrap_or_default();
    seeds.push([&[0, SEPARATOR], file("journal").as_slice()].concat());
    seeds.push([&[2, SEPARATOR], file("journal").as_slice()].concat());
    journal
        .save(&json!({"state": 7}))
        .expect("the disk has room");
    journal.add(&record(4)).expect("JSON");
    journal.commit().expect("the disk has room");
    seeds.push(
        [
            &[0],
            file("snapshot").as_slice(),
            &[SEPARATOR],
            file("journal").as_slice(),
        ]
        .concat(),
    );
    seeds
}

fn run(input: &[u8]) {
    let (count, rest) = input.split_first().unwrap_or((&0, &[]));
    let (snapshot, tail) = match rest.iter().position(|byte| *byte == SEPARATOR) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (&[][..], rest),
    };
    let folder = folder();
    let path = folder.path();
    let whole = u64::from(*count % 8);
    {
        let (mut journal, _) = Journal::open::<Value, Value>(path).expect("a new journal");
        for number in 0..whole {
            journal.add(&record(number)).expect("JSON");
        }
        journal.commit().expect("the disk has room");
    }
    // a snapshot counts only where no record comes before it
    let has_snapshot = whole == 0 && !snapshot.is_empty();
    if has_snapshot {
        fs::write(path.join("snapshot"), snapshot).expect("the disk has room");
    }
    let mut bytes = fs::read(path.join("journal")).expect("it is there");
    bytes.extend_from_slice(tail);
    fs::write(path.join("journal"), &bytes).expect("the disk has room");

    let (mut journal, found) = Journal::open::<Value, Value>(path).expect("whatever is in it");
    let read: Vec<Value> = found.records;
    assert!(
        read.len() as u64 >= whole,
        "{} of {whole} records",
        read.len()
    );
    assert!(
        read.iter()
            .zip(0..whole)
            .all(|(found, number)| *found == record(number))
    );
    let kept = fs::read(path.join("journal")).expect("it is there");
    let torn = fs::read(path.join("journal.torn.1")).unwrap_or_default();
    assert_eq!([kept, torn].concat(), bytes, "no byte is thrown away");
    let garbled = fs::read(path.join("snapshot.garbled.1")).unwrap_or_default();
    let taken = fs::read(path.join("snapshot")).unwrap_or_default();
    if has_snapshot {
        assert_eq!([taken, garbled].concat(), snapshot);
    }

    // it goes on behind what was found
    let added = json!("what came after");
    journal.add(&added).expect("JSON");
    journal.commit().expect("the disk has room");
    drop(journal);
    let (_, again) = Journal::open::<Value, Value>(path).expect("it was just written");
    assert!(again.troubles.is_empty(), "{:?}", again.troubles);
    assert_eq!(again.snapshot, found.snapshot);
    assert_eq!(again.records, [read, vec![added]].concat());
    as_a_sidecar_reads_it(path);
}

/// Whatever records say, a hub can be made of them.
fn as_a_sidecar_reads_it(path: &Path) {
    let (_, found) = Journal::open::<Snapshot, Record>(path).expect("it could be read before");
    let images = [("one".to_owned(), "embedded".to_owned())];
    let hub = Hub::restored("s".into(), 1, images, found.snapshot, found.records);
    for session in hub.sessions() {
        let _ = session.text();
    }
}
