//! What comes late, twice, or meant for something that another has taken the place of meanwhile.

use super::*;
use stui_protocol::debugger::DebuggerAct;
use stui_protocol::request::DebugOperation;

/// The second session, and the third.
const SECOND: SessionKey = SessionKey(2);
const THIRD: SessionKey = SessionKey(3);

impl Scene {
    fn says_act(&mut self, who: &Instance, seq: u64, act: Act) {
        let session = FIRST;
        self.play(Input::Pane {
            from: who.clone(),
            said: FromPane::Act { seq, session, act },
        });
    }

    /// The highest act of this instance that was acknowledged lately.
    fn acked_lately(&mut self, who: &Instance) -> Option<u64> {
        let told = std::mem::take(&mut self.told);
        let to = To::One(who.clone());
        let acked = told
            .into_iter()
            .filter_map(|(whom, message)| match message {
                ToPane::Acked { seq } if whom == to => Some(seq),
                _ => None,
            });
        acked.max()
    }

    fn evaluates(&mut self, code: &str) {
        self.type_at(at(0, 0), &format!("{code}\n"));
        self.evaluate(cursor(0, 0), How::DoIt);
    }
}

#[test]
fn what_runs_on_an_image_that_is_disconnected_is_given_up_and_the_session_can_move() {
    let mut scene = Scene::connected();
    scene.evaluates("[ true ] whileTrue");
    let (id, _) = scene.take("Evaluate");
    scene.told.clear();
    scene.play(Input::ImageRemoved { image: ImageKey(0) });
    assert_eq!(scene.hub.list().sessions[0].running, 0);
    assert!(
        scene.notices()[0].contains("was disconnected while this ran"),
        "{:?}",
        scene.notices()
    );
    // an answer that was on its way already is nobody's
    scene.play(Input::Reply {
        id,
        outcome: Outcome::Answered(Box::new(response::Evaluate::default().into())),
    });
    scene.sessions_command(SessionCommand::Move {
        session: FIRST,
        image: Some("moose".into()),
    });
    assert_eq!(scene.session().image, "moose", "{:?}", scene.notices());
    scene.restart();
    assert_eq!(scene.hub.list().sessions[0].running, 0);
}

#[test]
fn a_debugger_s_step_on_an_image_that_is_disconnected_does_not_hold_the_session_there() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.operate(DebugOperation::Continue, None);
    assert_eq!(scene.hub.list().sessions[0].running, 1);
    scene.play(Input::ImageRemoved { image: ImageKey(0) });
    assert_eq!(scene.hub.list().sessions[0].running, 0);
}
