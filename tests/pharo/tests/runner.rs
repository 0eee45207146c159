//! The runner's own behaviour: what it says to wrong calls, and how it prepares, checks, starts and stops.
//!
//! Its VM is a stand-in: a script that takes the runner's arguments, writes what a server writes and looks for the stop
//! file. Nothing here says anything about Pharo; a run with a real VM is for machines that have one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use stui_pharo_check::root;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the runner expects of a VM and an image, and nothing else.
const STAND_IN: &str = r#"#!/bin/sh
case " $* " in *" --version "*) echo "stand-in 1"; exit 0 ;; esac
echo "$*" >>"$STAND_IN_CALLS"
case " $* " in
*/load.st*)
	[ -z "${STAND_IN_REFUSES:-}" ] || { echo "it is no Pharo"; exit 1; }
	[ -z "${STAND_IN_SLOW:-}" ] || sleep "$STAND_IN_SLOW"
	[ -f "$2" ] || { echo "the image is gone"; exit 1; }
	echo "STUI loaded: 0"
	;;
*/test.st*) echo "test A>>b ... ok"; echo "test result: ok. 1 passed; 0 failed; 0 ignored;"; exit "${STAND_IN_CODE:-0}" ;;
*/start.st*)
	printf '{"endpoint":"%s","key":"%s","pid":%s}\n' "$STUI_ENDPOINT" "$STUI_KEY" $$ >"$STUI_CONNECTION_FILE.new"
	mv "$STUI_CONNECTION_FILE.new" "$STUI_CONNECTION_FILE"
	while [ ! -e "$STUI_STOP_FILE" ]; do sleep 0.05; done
	[ -z "${STAND_IN_HANGS:-}" ] || sleep 600
	echo "stopped in an orderly way"
	;;
esac
"#;

/// A folder with a stand-in VM and an image.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let bench = Bench { folder };
        write_program(&bench.at("vm"), STAND_IN);
        fs::write(bench.at("My Pharo.image"), "an image").expect("an image");
        fs::write(bench.at("My Pharo.changes"), "changes").expect("changes");
        fs::write(bench.at("PharoV12.sources"), "sources").expect("sources");
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .arg(root().join("run-stui-server.sh"))
            .arg("--vm")
            .arg(self.at("vm"))
            .arg("--image")
            .arg(self.at("My Pharo.image"))
            .arg("--data")
            .arg(self.at("data"))
            .arg("--connection-file")
            .arg(self.at("run/pharo.json"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("STAND_IN_CALLS", self.at("calls"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("a shell")
    }

    /// Starts a server and waits until it has its connection file.
    fn start(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Server<'_> {
        let child = self
            .command(arguments)
            .envs(variables.iter().copied())
            .stderr(fs::File::create(self.at("said")).expect("a file"))
            .spawn()
            .expect("a shell");
        let server = Server { bench: self, child };
        wait_until("there is a connection file", || {
            fs::read(self.at("run/pharo.json")).is_ok_and(|file| !file.is_empty())
        });
        server
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.at("calls")).map_or(0, |calls| calls.lines().count())
    }

    /// The copy of the image that servers with this connection file run.
    fn work_image(&self) -> PathBuf {
        let folders = fs::read_dir(self.at("data/work")).expect("a folder of copies");
        folders
            .flatten()
            .map(|entry| entry.path().join("My Pharo.image"))
            .find(|path| path.exists() && !path.display().to_string().contains(".saved-"))
            .expect("a copy")
    }
}

struct Server<'a> {
    bench: &'a Bench,
    child: Child,
}

impl Server<'_> {
    /// The process id of the stand-in.
    fn pid(&self) -> String {
        let file = fs::read_to_string(self.bench.at("run/pharo.json")).expect("a connection file");
        let (_, pid) = file.split_once("\"pid\":").expect("a process id");
        pid.trim_matches(['}', '\n']).to_owned()
    }

    fn signal(&self, signal: &str) {
        kill(signal, &self.child.id().to_string());
    }

    fn wait(&mut self) -> Option<i32> {
        let mut code = None;
        wait_until("the runner has ended", || {
            code = self.child.try_wait().expect("a child");
            code.is_some()
        });
        code.and_then(|code| code.code())
    }

    fn said(&self) -> String {
        fs::read_to_string(self.bench.at("said")).unwrap_or_default()
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.signal("TERM");
            let _ = self.child.wait();
        }
    }
}

fn kill(signal: &str, pid: &str) {
    let status = Command::new("sh")
        .args(["-c", "kill -\"$1\" \"$2\"", "sh", signal, pid])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "kill {pid}");
}

fn is_alive(pid: &str) -> bool {
    let status = Command::new("sh")
        .args(["-c", "kill -0 \"$1\" 2>/dev/null", "sh", pid])
        .status();
    status.is_ok_and(|status| status.success())
}

/// Whether this process ignores a signal, as far as the system tells.
fn is_ignored(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a program");
}

#[track_caller]
fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < end, "not seen in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the runner with nothing in its environment but a search path.
fn run(arguments: &[&str]) -> Output {
    Command::new("sh")
        .arg(root().join("run-stui-server.sh"))
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("a shell")
}

#[track_caller]
fn assert_refused(arguments: &[&str], part: &str) {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(part), "{arguments:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
}

#[test]
fn help_lists_the_options() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    for option in [
        "--vm",
        "--image",
        "--endpoint",
        "--key",
        "--no-key",
        "--socket",
        "--connection-file",
        "--log",
        "--exit-with-pid",
        "--prepare",
        "--prepare-only",
        "--check",
        "--test",
        "--data",
    ] {
        assert!(text.contains(option), "{option}");
    }
}

#[test]
fn every_wrong_call_is_answered_with_one_sentence() {
    let script = root().join("run-stui-server.sh");
    let no_image = script.display().to_string();
    assert_refused(&["--bogus"], "is no option");
    assert_refused(&["--vm"], "needs a value");
    assert_refused(&["--socket", "pigeon"], "no kind of socket");
    assert_refused(&["--endpoint", "http://x"], "is no endpoint");
    assert_refused(&["--exit-with-pid", "me"], "is no process id");
    assert_refused(&[], "no Pharo VM");
    assert_refused(&["--vm", "/no/such/vm"], "no program that can be run");
    assert_refused(&["--vm", "/bin"], "no program that can be run");
    assert_refused(&["--vm", "/bin/true"], "no image");
    assert_refused(
        &["--vm", "/bin/true", "--image", "/no/such.image"],
        "cannot be read",
    );
    assert_refused(
        &["--vm", "/bin/true", "--image", &no_image],
        "does not end with .image",
    );
    let bench = Bench::new();
    let image = bench.at("My Pharo.image").display().to_string();
    let data = bench.at("data").display().to_string();
    assert_refused(
        &[
            "--vm",
            "/bin/false",
            "--image",
            &image,
            "--data",
            &data,
            "--prepare-only",
        ],
        "does not run",
    );
}

#[test]
fn an_image_is_prepared_once_and_again_when_something_has_changed() {
    let bench = Bench::new();
    let check = || {
        let output = bench.run(&["--check"]);
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.code(), said)
    };
    assert_eq!(check(), (Some(3), "not prepared".to_owned()));
    assert!(bench.run(&["--prepare-only"]).status.success());
    assert_eq!(check(), (Some(0), "prepared".to_owned()));
    assert!(bench.run(&["--prepare-only"]).status.success());
    assert_eq!(bench.calls(), 1, "a prepared image is used as it is");

    fs::write(bench.at("My Pharo.image"), "another image").unwrap();
    assert_eq!(check().1, "prepared before, but changed since: image");
    let output = bench.run(&["--prepare-only"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("again (image changed)"), "{said}");
    write_program(
        &bench.at("vm"),
        &STAND_IN.replace("stand-in 1", "stand-in 2"),
    );
    assert_eq!(check().1, "prepared before, but changed since: vm");
    assert!(bench.run(&["--prepare-only"]).status.success());
    assert!(bench.run(&["--prepare-only=again"]).status.success());
    assert_eq!(bench.calls(), 4);
    assert_eq!(
        fs::read_to_string(bench.at("My Pharo.image")).unwrap(),
        "another image",
        "the image itself is left alone"
    );
}

#[test]
fn an_image_that_cannot_be_prepared_leaves_a_log_and_no_copy() {
    let bench = Bench::new();
    let output = bench
        .command(&["--prepare-only"])
        .env("STAND_IN_REFUSES", "yes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("it is no Pharo"), "{said}");
    assert!(
        said.lines().last().unwrap().contains("could not be loaded"),
        "{said}"
    );
    assert!(bench.at("data/prepare.log").exists());
    assert_eq!(bench.run(&["--check"]).status.code(), Some(3));
}

#[test]
fn who_prepares_the_same_image_at_the_same_time_is_not_disturbed() {
    let bench = Bench::new();
    let mut first = bench
        .command(&["--prepare-only"])
        .env("STAND_IN_SLOW", "2")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the first one loads", || bench.calls() == 1);
    assert!(bench.run(&["--prepare-only"]).status.success());
    assert!(first.wait().unwrap().success());
    assert_eq!(bench.run(&["--check"]).status.code(), Some(0));
    let left = fs::read_dir(bench.at("data/images")).unwrap().count();
    assert_eq!(left, 1, "nothing but the prepared image");
}

#[test]
fn preparing_that_is_given_up_leaves_nothing() {
    let bench = Bench::new();
    let mut preparing = bench
        .command(&["--prepare-only"])
        .env("STAND_IN_SLOW", "60")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("it loads", || bench.calls() == 1);
    kill("TERM", &preparing.id().to_string());
    assert!(preparing.wait().unwrap().success());
    let left = fs::read_dir(bench.at("data/images")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn a_signal_stops_the_server_in_an_orderly_way_and_leaves_no_file() {
    // One that is ignored here, as under nohup, no shell that is started from here can heed.
    let signals = [("TERM", 15), ("INT", 2), ("HUP", 1)];
    for (signal, _) in signals.iter().filter(|(_, number)| !is_ignored(*number)) {
        let bench = Bench::new();
        let mut server = bench.start(&["--prepare", "--endpoint", "tcp://127.0.0.1:*"], &[]);
        let pid = server.pid();
        server.signal(signal);
        assert_eq!(server.wait(), Some(0), "{signal}: {}", server.said());
        let log = fs::read_to_string(bench.at("run/pharo.log")).unwrap();
        assert!(log.contains("stopped in an orderly way"), "{signal}: {log}");
        assert!(!is_alive(&pid), "{signal}");
        assert!(!bench.at("run/pharo.json").exists(), "{signal}");
        assert!(!bench.at("run/pharo.json.stop").exists(), "{signal}");
    }
}

#[test]
fn the_stop_file_stops_the_server_too() {
    let bench = Bench::new();
    let mut server = bench.start(&["--prepare"], &[]);
    fs::write(bench.at("run/pharo.json.stop"), "").unwrap();
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    assert!(!bench.at("run/pharo.json").exists());
}

#[test]
fn the_server_ends_with_the_process_that_it_is_to_end_with() {
    let bench = Bench::new();
    let mut other = Command::new("sleep").arg("600").spawn().unwrap();
    let id = other.id().to_string();
    let mut server = bench.start(&["--prepare", "--exit-with-pid", &id], &[]);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    assert!(!bench.at("run/pharo.json").exists());
}

#[test]
fn a_server_that_does_not_stop_is_ended_also_behind_a_wrapper() {
    let bench = Bench::new();
    fs::rename(bench.at("vm"), bench.at("real-vm")).unwrap();
    let wrapper = format!("#!/bin/sh\n\"{}\" \"$@\"\n", bench.at("real-vm").display());
    write_program(&bench.at("vm"), &wrapper);
    let mut server = bench.start(&["--prepare"], &[("STAND_IN_HANGS", "yes")]);
    let pid = server.pid();
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    assert!(server.said().contains("does not stop"), "{}", server.said());
    wait_until("the stand-in is gone", || !is_alive(&pid));
}

#[test]
fn a_server_that_dies_is_told_with_its_exit_code_and_leaves_no_connection_file() {
    let bench = Bench::new();
    let mut server = bench.start(&["--prepare"], &[]);
    kill("KILL", &server.pid());
    assert_eq!(server.wait(), Some(1));
    assert!(server.said().contains("exit code 137"), "{}", server.said());
    assert!(!bench.at("run/pharo.json").exists());
}

#[test]
fn two_servers_never_share_a_connection_file() {
    let bench = Bench::new();
    let server = bench.start(&["--prepare"], &[]);
    let output = bench.run(&["--prepare"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("process {}", server.pid())),
        "{said}"
    );
    assert!(is_alive(&server.pid()));
}

#[test]
fn what_was_saved_is_there_again_and_is_never_thrown_away() {
    let bench = Bench::new();
    drop(bench.start(&["--prepare"], &[]));
    fs::write(bench.work_image(), "saved by somebody").unwrap();
    drop(bench.start(&["--prepare"], &[]));
    let saved = bench.work_image();
    assert_eq!(fs::read_to_string(&saved).unwrap(), "saved by somebody");

    fs::write(bench.at("My Pharo.image"), "another image").unwrap();
    let server = bench.start(&["--prepare"], &[]);
    assert!(server.said().contains("is kept in"), "{}", server.said());
    assert_eq!(
        fs::read_to_string(bench.work_image()).unwrap(),
        "another image"
    );
    let kept = fs::read_dir(bench.at("data/work"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.display().to_string().contains(".saved-"))
        .unwrap();
    assert_eq!(
        fs::read_to_string(kept.join("My Pharo.image")).unwrap(),
        "saved by somebody"
    );
}

#[test]
fn what_was_saved_under_another_name_is_kept_too() {
    let bench = Bench::new();
    drop(bench.start(&["--prepare"], &[]));
    let other = bench.work_image().with_file_name("other.image");
    fs::write(&other, "saved as").unwrap();
    fs::write(bench.at("My Pharo.image"), "another image").unwrap();
    let server = bench.start(&["--prepare"], &[]);
    assert!(server.said().contains("is kept in"), "{}", server.said());
}

#[test]
fn a_copy_that_nobody_saved_in_is_made_anew_without_a_word() {
    let bench = Bench::new();
    drop(bench.start(&["--prepare"], &[]));
    fs::write(bench.at("My Pharo.image"), "another image").unwrap();
    let server = bench.start(&["--prepare"], &[]);
    assert!(!server.said().contains("is kept in"), "{}", server.said());
    let copies = fs::read_dir(bench.at("data/work")).unwrap().count();
    assert_eq!(copies, 1);
    let sources = bench.work_image().with_file_name("PharoV12.sources");
    assert_eq!(fs::read_to_string(sources).unwrap(), "sources");
    assert!(bench.work_image().with_extension("changes").exists());
}

#[test]
fn the_key_is_in_no_command_line() {
    let bench = Bench::new();
    let server = bench.start(&["--prepare", "--no-key"], &[]);
    let file = fs::read_to_string(bench.at("run/pharo.json")).unwrap();
    assert!(file.contains("\"key\":\"none\""), "{file}");
    drop(server);
    drop(bench.start(&["--prepare"], &[("STUI_KEY", "a secret")]));
    let calls = fs::read_to_string(bench.at("calls")).unwrap();
    assert!(!calls.contains("secret"), "{calls}");
}

#[test]
fn the_results_of_the_packages_tests_come_out_as_they_are() {
    let bench = Bench::new();
    let output = bench.run(&["--test"]);
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("test result: ok. 1 passed"), "{said}");
    let output = bench
        .command(&["--test"])
        .env("STAND_IN_CODE", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}
