//! Several people: cursors, guests, whose answer is selected.

use super::*;
use stui_protocol::pane::{CursorOf, Guests};

impl Scene {
    fn says_cursor(&mut self, who: &Instance, rev: u64, place: Pos) {
        self.says_selection(who, rev, place, place);
    }

    fn says_selection(&mut self, who: &Instance, rev: u64, anchor: Pos, cursor: Pos) {
        self.play(Input::Pane {
            from: who.clone(),
            said: FromPane::Cursor {
                session: FIRST,
                rev,
                anchor,
                cursor,
            },
        });
    }

    fn inserts(&mut self, who: &Instance, place: Pos, text: &str) {
        let rev = self.session().document.rev();
        let edit = Edit::insert(place, text);
        let group = 1;
        self.act_of(who, Act::Edit { rev, edit, group });
    }

    /// Whose cursors were last told, and where they are.
    fn cursors(&self) -> Vec<(u16, Pos)> {
        let told = self
            .told
            .iter()
            .rev()
            .find_map(|(_, message)| match message {
                ToPane::Cursors { cursors, .. } => Some(cursors),
                _ => None,
            });
        let all = told.into_iter().flatten();
        all.map(|CursorOf { by, cursor, .. }| (by.client().unwrap(), *cursor))
            .collect()
    }

    fn attached(&mut self, clients: &[u16]) {
        let clients: BTreeSet<u16> = clients.iter().copied().collect();
        for _ in 0..2 {
            self.play(Input::Attached(clients.clone()));
        }
    }
}

/// A scene with a second person, and his workspace.
fn two() -> (Scene, Instance, Instance) {
    let mut scene = Scene::connected();
    let other = person(Role::Workspace, 2);
    scene.hello(&other, Role::Workspace);
    scene.told.clear();
    (scene, pane(Role::Workspace), other)
}

#[test]
fn cursors_are_told_together_and_move_with_every_edit() {
    let (mut scene, one, other) = two();
    scene.inserts(&one, at(0, 0), "3 + 4\nx");
    assert!(
        !scene.hub.wants_cursors(),
        "an edit says where its author is"
    );
    let rev = scene.session().document.rev();
    scene.says_cursor(&one, rev, at(0, 1));
    scene.says_cursor(&one, rev, at(0, 2));
    // made without knowing of what the first one writes next
    scene.inserts(&one, at(0, 0), "\n");
    scene.says_cursor(&other, rev, at(1, 1));
    assert!(scene.cursors().is_empty(), "held back");
    scene.play(Input::FlushCursors);
    assert_eq!(scene.cursors(), [(1, at(1, 0)), (2, at(2, 1))]);
    scene.told.clear();
    scene.play(Input::FlushCursors);
    assert!(scene.told.is_empty());
}

#[test]
fn a_cursor_goes_with_its_pane_and_with_a_client_who_is_not_attached_any_more() {
    let (mut scene, one, other) = two();
    let third = person(Role::Workspace, 3);
    scene.hello(&third, Role::Workspace);
    for who in [&one, &other, &third] {
        scene.says_cursor(who, 0, at(0, 0));
    }
    scene.play(Input::Pane {
        from: third,
        said: FromPane::Bye,
    });
    scene.play(Input::FlushCursors);
    assert_eq!(scene.cursors().len(), 2);
    assert_eq!(scene.hub.status().clients, 2);

    // one answer without him may be wrong
    scene.play(Input::Attached(BTreeSet::from([1])));
    assert_eq!(scene.hub.status().clients, 2);
    scene.attached(&[1]);
    scene.play(Input::FlushCursors);
    assert_eq!(scene.cursors(), [(1, at(0, 0))]);
    assert_eq!(scene.hub.status().clients, 1);
    assert_eq!(scene.hub.list().sessions[0].viewers, [1]);
    // what his instance still says does not bring him back; being attached does
    scene.says_cursor(&other, 0, at(0, 0));
    assert!(!scene.hub.wants_cursors());
    scene.attached(&[1, 2]);
    assert_eq!(scene.hub.status().clients, 2);
}

#[test]
fn a_plugin_that_is_loaded_anew_takes_its_own_place() {
    let (mut scene, _, other) = two();
    scene.says_cursor(&other, 0, at(0, 0));
    scene.hello(
        &Instance::new(Role::Workspace as u32, 2, 8),
        Role::Workspace,
    );
    assert!(scene.cursors().is_empty());
    scene.play(Input::Flush);
    assert_eq!(scene.hub.status().clients, 2);
}

#[test]
fn a_workspace_that_comes_back_opens_where_it_was_left() {
    let mut scene = Scene::connected();
    let one = pane(Role::Workspace);
    scene.inserts(&one, at(0, 0), "one\ntwo\nthree");
    let rev = scene.session().document.rev();
    scene.says_cursor(&one, rev, at(1, 2));
    let snapshot = serde_json::to_string(&scene.hub.snapshot()).unwrap();
    let snapshot = serde_json::from_str(&snapshot).unwrap();
    scene.hub = Hub::restored("two".into(), 2, images(), snapshot, []);
    scene.told.clear();
    scene.hello(&person(Role::Workspace, 9), Role::Workspace);
    let left = scene.told.iter().find_map(|(_, message)| match message {
        ToPane::LeftAt { cursor, .. } => Some(*cursor),
        _ => None,
    });
    assert_eq!(left, Some(at(1, 2)));
    assert!(scene.cursors().is_empty(), "nobody is there yet");
}

#[test]
fn while_guests_look_on_only_who_was_there_first_changes_and_evaluates() {
    let (mut scene, one, other) = two();
    scene.inserts(&one, at(0, 0), "3 + 4");
    scene.play(Input::Guests(Guests::ReadOnly));
    assert_eq!(scene.hub.status().host, Some(1));
    scene.told.clear();
    scene.requests.clear();
    scene.inserts(&other, at(0, 0), "x");
    scene.act_of(&other, Act::Undo);
    let (rev, span) = (scene.session().document.rev(), cursor(0, 0));
    let how = How::DoIt;
    scene.act_of(&other, Act::Evaluate { rev, span, how });
    scene.act_of(&other, Act::ClearTranscript);
    assert_eq!(scene.text(), "3 + 4");
    assert!(scene.requests.is_empty());
    let acked = |message: &&(To, ToPane)| matches!(message.1, ToPane::Acked { .. });
    assert_eq!(scene.told.iter().filter(acked).count(), 4);
    assert_eq!(scene.notices().len(), 4);

    // neither a killed sidecar nor a greeting in another order makes a host of a guest
    scene.restart();
    scene.hello(&other, Role::Workspace);
    scene.hello(&one, Role::Workspace);
    scene.inserts(&other, at(0, 0), "y");
    scene.inserts(&one, at(0, 5), "!");
    assert_eq!(scene.text(), "3 + 4!");

    // who comes after the host left is the host
    scene.attached(&[2]);
    scene.inserts(&other, at(0, 0), "z");
    assert_eq!(scene.text(), "z3 + 4!");
}

#[test]
fn guests_may_write_by_default_and_again_when_somebody_says_so() {
    let (mut scene, _, other) = two();
    scene.inserts(&other, at(0, 0), "a");
    scene.play(Input::GuestsByDefault(Guests::ReadOnly));
    scene.inserts(&other, at(0, 0), "b");
    assert_eq!(scene.text(), "a");
    scene.play(Input::Guests(Guests::MayWrite));
    scene.inserts(&other, at(0, 0), "c");
    assert_eq!(scene.text(), "ca");
    assert_eq!(scene.hub.status().host, None);
}

#[test]
fn whatever_pane_of_whomever_evaluates_once_and_for_himself() {
    let (mut scene, one, other) = two();
    let second_tab = Instance::new(8, 1, 9);
    let third = person(Role::Workspace, 3);
    scene.hello(&second_tab, Role::Workspace);
    scene.hello(&third, Role::Workspace);
    scene.inserts(&one, at(0, 0), "3 + 4");
    scene.requests.clear();
    for who in [&second_tab, &other, &third] {
        scene.told.clear();
        let rev = scene.session().document.rev();
        let (span, how) = (Span::between(at(0, 0), at(0, 5)), How::PrintIt);
        scene.act_of(who, Act::Evaluate { rev, span, how });
        scene.print_answer("7");
        assert!(scene.requests.is_empty(), "one request for one key");
        let selected = scene.told.iter().filter_map(|(to, message)| {
            matches!(message, ToPane::Select { .. }).then_some(to.clone())
        });
        assert_eq!(selected.collect::<Vec<_>>(), [To::One(who.clone())]);
    }
    assert_eq!(scene.text(), "3 + 4 7 7 7");
}

#[test]
fn an_answer_is_selected_even_if_its_sidecar_or_the_pipe_dies_at_any_moment() {
    let mut scene = Scene::connected();
    let one = pane(Role::Workspace);
    scene.inserts(&one, at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::PrintIt);
    // before the answer
    scene.restart();
    scene.connect("server-1");
    scene.print_answer("7");
    let selected = Some((at(0, 5), at(0, 7)));
    assert_eq!(scene.selection(), selected);
    // behind it: nobody knows whether the pane was told
    scene.restart();
    scene.told.clear();
    scene.hello(&one, Role::Workspace);
    assert_eq!(scene.selection(), selected);
    // seen to have selected it: not told again
    let rev = scene.session().document.rev();
    scene.says_selection(&one, rev, at(0, 5), at(0, 7));
    scene.told.clear();
    scene.hello(&one, Role::Workspace);
    assert_eq!(scene.selection(), None);
}

#[test]
fn whoever_typed_on_before_his_sidecar_died_is_not_taken_back() {
    let mut scene = Scene::connected();
    let one = pane(Role::Workspace);
    scene.inserts(&one, at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::PrintIt);
    scene.inserts(&one, at(0, 5), "\nnext");
    scene.restart();
    scene.connect("server-1");
    scene.print_answer("7");
    assert_eq!(scene.text(), "3 + 4 7\nnext");
    assert_eq!(scene.selection(), None);
}
