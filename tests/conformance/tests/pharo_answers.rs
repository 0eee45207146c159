//! The server answers what a real Pharo 12 answered: floors under what is reached, so that nothing gets lost.
//! Another Pharo may word a message otherwise, or have renamed a class; what it answers otherwise is listed.

use serde_json::{Value, json};
use stui_conformance::answers::{Level, cases, differences, evaluate};
use stui_conformance::report::Report;
use stui_conformance::target::Target;
use stui_conformance::wire::{Wire, request};

/// The share of the cases of each level that must pass, in percent.
const FLOORS: [(Level, f64); 3] = [
    (Level::Core, 100.0),
    (Level::Pharo, 100.0),
    (Level::Image, 100.0),
];
/// The same for a Pharo of another version than the one whose answers were recorded.
const FLOOR_OF_OTHERS: f64 = 90.0;

#[test]
fn pharos_answers_are_reproduced_at_least_as_far_as_reached() {
    let target = Target::from_environment().expect("a server");
    let mut wire = Wire::connect(target.connection()).expect("a connection");
    let described = wire
        .ask(&request("Describe", &json!({})))
        .expect("a description");
    let [dialect, version] = ["/data/dialect", "/data/dialect_version"].map(|field| {
        described
            .pointer(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    });
    let is_another = dialect == "Pharo" && version != "12";
    let mut report = Report::default();
    for case in cases().expect("the cases") {
        let differences = match evaluate(&case, &mut wire) {
            Ok(answer) => differences(&case, &answer),
            Err(error) => vec![format!("{error:#}")],
        };
        report.add(&case, &differences);
    }
    println!("{report}");
    for (level, floor) in FLOORS {
        let floor = if is_another { FLOOR_OF_OTHERS } else { floor };
        let reached = report.score(level).percent();
        assert!(
            reached >= floor,
            "{level:?}: {reached:.1} % is below the floor of {floor} %\n{report}"
        );
    }
}
