//! Journals torn, garbled and killed at every place.

use super::*;

type Opened = (Journal, Found<Vec<String>, String>);

fn open_in(folder: &Path) -> Opened {
    Journal::open(folder).unwrap()
}

fn write(folder: &Path, records: &[&str]) {
    let (mut journal, _) = open_in(folder);
    for record in records {
        journal.add(record).unwrap();
    }
    journal.commit().unwrap();
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["one", "two\n"]);
    write(folder.path(), &["three"]);
    let (_, found) = open_in(folder.path());
    assert_eq!(found.records, ["one", "two\n", "three"]);
    assert!(found.troubles.is_empty());
}

#[test]
fn what_was_only_added_is_not_promised() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open_in(folder.path());
    journal.add(&"one").unwrap();
    drop(journal);
    assert!(open_in(folder.path()).1.records.is_empty());
}

#[test]
fn a_torn_end_is_set_aside_wherever_it_is_torn_and_writing_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["one", "two"]);
    let path = folder.path().join("journal");
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in first + 1..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (mut journal, found) = open_in(folder.path());
        assert_eq!(found.records, ["one"], "cut at {cut}");
        assert_eq!(found.troubles.len(), 1);
        journal.add(&"after").unwrap();
        journal.commit().unwrap();
        drop(journal);
        assert_eq!(open_in(folder.path()).1.records, ["one", "after"]);
    }
    let kept = fs::read(folder.path().join("journal.torn.1")).unwrap();
    assert_eq!(kept, whole[first..=first]);
}

#[test]
fn a_garbled_byte_ends_what_counts() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["one", "two", "three"]);
    let path = folder.path().join("journal");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("two", "tWo")).unwrap();
    let (_, found) = open_in(folder.path());
    assert_eq!(found.records, ["one"]);
    assert_eq!(found.troubles.len(), 1);
}

#[test]
fn a_snapshot_takes_the_place_of_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open_in(folder.path());
    journal.add(&"one").unwrap();
    journal.save(&vec!["state"]).unwrap();
    journal.add(&"two").unwrap();
    journal.commit().unwrap();
    drop(journal);
    let (_, found) = open_in(folder.path());
    assert_eq!(found.snapshot, ["state"]);
    assert_eq!(found.records, ["two"]);
}

#[test]
fn killed_between_snapshot_and_truncation_no_record_counts_twice() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["one"]);
    let path = folder.path().join("journal");
    let records = fs::read(&path).unwrap();
    let (mut journal, _) = open_in(folder.path());
    journal.save(&vec!["one"]).unwrap();
    drop(journal);
    fs::write(&path, records).unwrap();
    let (mut journal, found) = open_in(folder.path());
    assert_eq!(found.snapshot, ["one"]);
    assert!(found.records.is_empty());
    journal.add(&"two").unwrap();
    journal.commit().unwrap();
    drop(journal);
    assert_eq!(open_in(folder.path()).1.records, ["two"]);
}

#[test]
fn a_garbled_snapshot_is_set_aside_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open_in(folder.path());
    journal.save(&vec!["state"]).unwrap();
    drop(journal);
    let path = folder.path().join("snapshot");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("state", "stale")).unwrap();
    let (_, found) = open_in(folder.path());
    assert!(found.snapshot.is_empty());
    assert_eq!(found.troubles.len(), 1);
    assert!(folder.path().join("snapshot.garbled.1").exists());
}

#[test]
fn only_one_process_writes_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let _held = open_in(folder.path());
    let second = Journal::open::<Vec<String>, String>(folder.path());
    assert!(matches!(second, Err(JournalError::InUse(_))));
}

#[test]
fn a_snapshot_is_due_when_the_records_have_outgrown_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open_in(folder.path());
    let record = "x".repeat(100_000);
    while !journal.wants_snapshot() {
        journal.add(&record).unwrap();
        journal.commit().unwrap();
    }
    assert!(journal.written > COMPACT_BYTES);
    journal.save(&vec![record.repeat(11)]).unwrap();
    for _ in 0..12 {
        journal.add(&record).unwrap();
    }
    journal.commit().unwrap();
    assert!(!journal.wants_snapshot(), "the snapshot is still larger");
}

#[test]
fn all_files_are_for_their_user_only_also_those_that_were_open_before() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("new");
    write(&folder, &["one"]);
    fs::set_permissions(folder.join("journal"), fs::Permissions::from_mode(0o644)).unwrap();
    let (mut journal, _) = open_in(&folder);
    journal.save(&vec!["one"]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn records_that_are_synced_each_read_back_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open_in(folder.path());
    journal.set_sync(Sync::Each);
    for record in ["one", "two"] {
        journal.add(&record).unwrap();
        journal.commit().unwrap();
    }
    drop(journal);
    assert_eq!(open_in(folder.path()).1.records, ["one", "two"]);
}
