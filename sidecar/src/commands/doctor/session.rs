//! The sidecar of a session, and the images that it is connected to.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use stui_protocol::pane::Link;
use stui_protocol::request;

use super::findings::Findings;
use crate::calls::{Answer, Call, Report, call};
use crate::client::Client;
use crate::places::Places;
use crate::servers::{self, Image, all_living, connection_file_of_image, living};

/// How long a server may take.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) fn sidecar(places: &Places, session: &str, findings: &mut Findings<impl Write>) {
    findings.about(format!("session {session}"));
    let lock = places.sidecar_lock(session);
    match call(&places.sidecar_socket(session), &Call::Status) {
        Ok(Answer::Status(report)) => report_of(&report, findings),
        Ok(_) => findings.problem(
            "the sidecar is of another version",
            "end the session and open it again",
        ),
        Err(_) if lock_is_held(&lock) => findings.problem(
            "the sidecar does not answer",
            format!(
                "look into {}; `kill {}` makes the panes start another",
                places.sidecar_log(session).display(),
                std::fs::read_to_string(&lock).unwrap_or_default().trim()
            ),
        ),
        Err(_) => findings.note("no sidecar runs: the session is not open (`stui up` opens it)"),
    }
}

fn report_of(report: &Report, findings: &mut Findings<impl Write>) {
    let own = env!("CARGO_PKG_VERSION");
    let text = format!(
        "the sidecar runs (process {}, version {})",
        report.pid, report.version
    );
    if report.version == own {
        findings.ok(text);
    } else {
        findings.problem(
            format!("{text}, but this program is {own}"),
            "end the session and open it again",
        );
    }
    if report.panes.is_empty() {
        findings.problem(
            "the sidecar reaches no pane",
            "are the panes open, and their permissions granted?",
        );
    } else {
        findings.ok(format!("it reaches the panes {}", report.panes.join(", ")));
    }
    link(
        &report.status.link,
        &report.status.dialect,
        &report.status.endpoint,
        findings,
    );
}

/// How the sidecar's link to an image is.
fn link(link: &Link, dialect: &str, endpoint: &str, findings: &mut Findings<impl Write>) {
    match link {
        Link::Connected => findings.ok(format!("it is connected to {dialect} at {endpoint}")),
        Link::Connecting => findings.note("it is connecting to Smalltalk"),
        Link::Starting { what } => {
            findings.note(format!("the Smalltalk server is starting: {what}"));
        }
        Link::Reconnecting { attempt, reason } => findings.problem(
            format!("it is not connected to Smalltalk (attempt {attempt})"),
            reason,
        ),
        Link::Failed { reason } => findings.problem("it cannot connect to Smalltalk", reason),
    }
}

/// Whether some process holds a lock file locked.
pub(super) fn lock_is_held(lock: &Path) -> bool {
    use rustix::fs::{FlockOperation, flock};
    std::fs::File::open(lock)
        .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err())
}

/// The servers of all images of a session, as this process reaches them.
pub(super) fn images(places: &Places, session: &str, findings: &mut Findings<impl Write>) {
    let mut reached = 0;
    for image in servers::images(places, session) {
        findings.about(format!("image {}", image.name));
        reached += u32::from(server(places, session, &image, findings));
    }
    if reached > 0 {
        return;
    }
    findings.about("other servers");
    for (path, file) in all_living(places) {
        findings.note(format!("{} ({})", path.display(), file.endpoint));
    }
}

/// Whether there is one.
fn server(
    places: &Places,
    session: &str,
    image: &Image,
    findings: &mut Findings<impl Write>,
) -> bool {
    let path = connection_file_of_image(places, session, image);
    let file = match living(&path) {
        Ok(file) => file,
        Err(reason) if path.exists() && !reason.contains("has ended") => {
            findings.problem(reason, "mend that file, or have its server write another");
            return false;
        }
        Err(reason) => {
            findings.note(format!("{} ({reason})", image.target));
            return false;
        }
    };
    findings.ok(format!(
        "{}: connection file {} ({}, process {})",
        image.target,
        path.display(),
        file.dialect,
        file.pid
    ));
    if file.key().is_none() {
        findings.hint(
            "it has no key: everybody on this machine can run code in it",
            "start it with a key",
        );
    }
    let client = match Client::connect(&file, LIMIT) {
        Ok(client) => client,
        Err(error) => {
            findings.problem(
                error,
                "end the process of the connection file; it is started again",
            );
            return true;
        }
    };
    findings.ok(format!(
        "both sides know the key; it is {} {}",
        client.server().dialect,
        client.server().dialect_version
    ));
    let began = Instant::now();
    match client.request(request::Ping::default(), LIMIT) {
        Ok(_) => findings.ok(format!("it answers a ping in {:?}", began.elapsed())),
        Err(error) => findings.problem(error, "end it; it is started again"),
    }
    true
}
