//! Files and words: connection files, targets, what is granted, calls on the socket.

use stui::calls::{Answer, Call};
use stui::target::Target as ServerTarget;
use stui::zellij::Version;
use stui_protocol::connection::ConnectionFile;

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "files",
    about: "connection files, targets and such: read or refused, and written as they were read",
    seeds,
    words: &[
        "ssh://",
        "pharo:",
        "embedded",
        "@",
        ":",
        "/",
        "-",
        "[",
        "]",
        "..",
        "~",
        " ",
        "\t",
        "\n",
        "\"endpoint\":",
        "\"key\":",
        "\"pid\":",
        "\"dialect\":",
        "tcp://",
        "ipc://",
        "{",
        "}",
        "null",
        "say",
        "pane",
        "status",
        "workspace",
        "role",
    ],
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"endpoint":"tcp://127.0.0.1:5555","key":"secret","dialect":"Pharo 12","pid":7,"protocol_version":"1.0.0"}"#,
        r#"{"endpoint":"ipc:///run/x","dialect":"Embedded Smalltalk 0.1.0","pid":4294967295,"protocol_version":"1"}"#,
        "embedded",
        "pharo:/home/me/Moose.image",
        "/run/user/1000/stui/s.embedded.json",
        "ssh://me@build.example.org:2222/pharo",
        "ssh://me@[::1]:22",
        "zellij 0.45.1",
        r#"{"say":"pane","destination":{"role":"workspace","wasm":"file:/p.wasm","configuration":"role=workspace"},"zellij_pid":7}"#,
        r#"{"say":"status"}"#,
        r#"{"say":"welcome"}"#,
    ]
    .iter()
    .map(|seed| seed.as_bytes().to_vec())
    .collect()
}

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(file) = ConnectionFile::from_json(&text) {
        let written = file.to_json().expect("it has a JSON form");
        assert_eq!(
            ConnectionFile::from_json(&written).expect("as written"),
            file
        );
        if let Some(key) = file.key.as_deref().filter(|key| key.len() > 7) {
            let shown = format!("{file:?}");
            let elsewhere = file.endpoint.contains(key)
                || file.dialect.contains(key)
                || file.protocol_version.contains(key);
            assert!(elsewhere || !shown.contains(key), "a key is shown");
        }
    }
    if let Ok(target) = text.parse::<ServerTarget>() {
        let word = target.to_string();
        let again = word.parse::<ServerTarget>();
        assert_eq!(
            again.as_ref(),
            Ok(&target),
            "{text:?} is written as {word:?}"
        );
        let name = target.default_name();
        assert!(!name.is_empty() && name.chars().count() <= 48, "{name:?}");
        if let ServerTarget::Ssh(remote) = target {
            // ssh must not take it for an option, nor a shell for more than a word
            assert!(!remote.host.starts_with('-'));
            assert!(!remote.host.contains(char::is_whitespace));
        }
    }
    let _ = Version::parse(&text);
    if let Ok(call) = serde_json::from_slice::<Call>(input) {
        let written = serde_json::to_vec(&call).expect("it has a JSON form");
        assert_eq!(
            serde_json::from_slice::<Call>(&written).expect("as written"),
            call
        );
    }
    let _ = serde_json::from_slice::<Answer>(input);
}
