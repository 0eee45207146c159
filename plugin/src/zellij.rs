//! The only code that knows Zellij: the functions that its server calls, and the one it offers.
//!
//! `register_plugin!` of zellij-tile is not used, for three reasons. It reads typed characters
//! through a conversion that keeps only their lowest byte, so `日` would arrive as `å`; it parses
//! every message (bytes as decimal numbers in a JSON list) with `serde_json`, at twice the cost; and
//! its conversions panic on what they do not know, which kills the pane. Here the protobuf types are
//! read and written directly, and what is unknown is left out.
//!
//! Frames: a key is answered by a frame at once; after messages from the sidecar, which come in
//! bursts, a timer of zero seconds is set and the frame drawn when it fires.

// The server finds exports by name and offers one import. Both are `unsafe` to declare: no other
// symbol of these names may exist, and the import must have this type. Zellij's interface fixes both.
#![allow(unsafe_code)]

mod events;
mod wire;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::panic::PanicHookInfo;
use std::time::{Duration, Instant};

use stui_plugin::ansi;
use stui_plugin::io::{Effect, Input, Outcome, Permission, Size};
use stui_plugin::pane::{Identity, Pane};
use stui_protocol::pane::{DOWN, UP};
use zellij_tile::shim::plugin_api::generated_api::api;
use zellij_tile::shim::prost::Message as _;

use events::{read_key, read_mouse, read_theme};
use wire::{command, receive, write};

use api::action::PluginConfiguration;
use api::event::event::Payload as EventPayload;
use api::event::{Event, EventNameList, EventType};
use api::pipe_message::{PipeMessage, PipeSource};
use api::plugin_command::plugin_command::Payload;
use api::plugin_command::{
    CliPipeOutputPayload, CommandName, ContextItem, CopyToClipboardPayload, CursorPosition,
    RequestPluginPermissionPayload, RunCommandPayload, SetTimeoutPayload, ShowCursorPayload,
    SubscribePayload,
};
use api::plugin_ids::{PluginIds, ZellijVersion};
use api::plugin_permission::PermissionType;
use api::style::Styling;

/// How often time is told to the pane, in seconds.
const TICK: f64 = 1.0;
/// How often a pane looks whether another one was permitted, in seconds.
const LOOK: f64 = 0.25;
/// Says to the other panes that the permissions were given; Zellij keeps `/cache` for all instances
/// of a plugin.
const PERMITTED_NOTE: &str = "/cache/permitted";
/// There while the user's answer to the question for permissions is no.
const REFUSED_NOTE: &str = "/cache/refused";
/// Zellij's colours, as the pane was told that asked for the permissions: it tells them only to panes that have
/// the permission when they are loaded, or are waiting for it. The others read them here.
const STYLING_NOTE: &str = "/cache/styling";
/// There while a pane asks for its permissions. Zellij rewrites its file of grants at every answer, and
/// reads it at every question: a pane that asks while another one is answered may find half a file,
/// and so a question to the user about what was granted long ago. Hence one at a time.
const ASKING_NOTE: &str = "/cache/asking";
/// A note older than this was left by a pane that is gone, or that the user does not answer.
const ASKING_LONGEST: Duration = Duration::from_secs(10);
/// Empties a terminal's scrollback.
const FORGET_SCROLLBACK: &str = "\x1b[3J";
/// Marks the result of the command that looks for the sidecar.
const SUMMONS: &str = "summons";

/// The instance.
#[allow(clippy::struct_excessive_bools)] // facts that hold independently, no states of one thing
struct Instance {
    pane: Pane,
    shown: bool,
    size: Size,
    /// Where the terminal's cursor is, as Zellij was told last.
    cursor: Option<(u16, u16)>,
    dirty: bool,
    /// Whether a timer of zero seconds is under way.
    drawing_soon: bool,
    /// When the clock's timer was set, and for how many seconds.
    clock_set: Instant,
    clock_waits: f64,
    /// Permissions that are asked for as soon as no other pane is asking.
    to_ask: Option<Vec<Permission>>,
    /// Whether it is this pane that asks now.
    asking: bool,
    /// Whether the pane takes Zellij's colours and has not been told them.
    wants_colours: bool,
}

thread_local! {
    static INSTANCE: RefCell<Option<Instance>> = const { RefCell::new(None) };
}

/// The first thing that Zellij calls.
pub(crate) fn start() {
    std::panic::set_hook(Box::new(report_panic));
}

#[unsafe(no_mangle)]
extern "C" fn load() {
    let configuration: BTreeMap<String, String> = receive::<PluginConfiguration>()
        .unwrap_or_default()
        .name_and_value
        .into_iter()
        .map(|pair| (pair.name, pair.value))
        .collect();
    command(CommandName::GetPluginIds, None);
    let ids: PluginIds = receive().unwrap_or_default();
    command(CommandName::GetZellijVersion, None);
    let version: ZellijVersion = receive().unwrap_or_default();
    let identity = Identity {
        plugin: ids.plugin_id.unsigned_abs(),
        client: ids.client_id as u16,
        // the keys of a hash map are random
        nonce: std::hash::RandomState::new().build_hasher().finish(),
        zellij_pid: ids.zellij_pid.unsigned_abs(),
        zellij_version: version.version,
    };
    let (pane, outcome) = Pane::new(&configuration, identity);
    let mut events = vec![
        EventType::Key,
        EventType::Mouse,
        EventType::Timer,
        EventType::Visible,
        EventType::PermissionRequestResult,
        EventType::PastedText,
        EventType::RunCommandResult,
        EventType::BeforeClose,
    ];
    let wants_colours = pane.permissions().contains(&Permission::Theme);
    if wants_colours {
        // with InitialKeybinds subscribed, ModeUpdate comes without all keybindings in it
        events.extend([EventType::ModeUpdate, EventType::InitialKeybinds]);
    }
    let subscriptions = Some(EventNameList {
        event_types: events.into_iter().map(i32::from).collect(),
    });
    command(
        CommandName::Subscribe,
        Some(Payload::SubscribePayload(SubscribePayload {
            subscriptions,
        })),
    );
    let mut instance = Instance {
        pane,
        shown: true,
        size: Size::default(),
        cursor: None,
        dirty: false,
        drawing_soon: false,
        clock_set: Instant::now(),
        clock_waits: TICK,
        to_ask: None,
        asking: false,
        wants_colours,
    };
    instance.carry_out(outcome);
    instance.set_clock();
    INSTANCE.with_borrow_mut(|place| *place = Some(instance));
}

#[unsafe(no_mangle)]
extern "C" fn update() -> bool {
    let Some(event) = receive::<Event>() else {
        return false;
    };
    with_instance(|instance| instance.event(event))
}

#[unsafe(no_mangle)]
extern "C" fn pipe() -> bool {
    let Some(message) = receive::<PipeMessage>() else {
        return false;
    };
    with_instance(|instance| {
        instance.message(message);
        instance.draw_soon();
        false
    })
}

#[unsafe(no_mangle)]
extern "C" fn render(rows: i32, columns: i32) {
    let size = Size {
        rows: rows.clamp(0, 1000) as u16,
        columns: columns.clamp(0, 1000) as u16,
    };
    with_instance(|instance| {
        instance.render(size);
        false
    });
}

#[unsafe(no_mangle)]
extern "C" fn plugin_version() {
    println!("{}", zellij_tile::prelude::VERSION);
}

/// Nothing calls back while the instance is at work, so it is always free here.
fn with_instance(work: impl FnOnce(&mut Instance) -> bool) -> bool {
    INSTANCE.with_borrow_mut(|place| place.as_mut().is_some_and(work))
}

impl Instance {
    /// Take an event; answers whether the pane is to be drawn now.
    fn event(&mut self, event: Event) -> bool {
        let input = match event.payload {
            Some(EventPayload::TimerPayload(seconds)) => return self.timer(f64::from(seconds)),
            Some(EventPayload::VisiblePayload(shown)) => {
                self.shown = shown;
                self.dirty |= shown;
                return self.take_dirty();
            }
            Some(EventPayload::KeyPayload(key)) => read_key(&key).map(Input::Key),
            Some(EventPayload::MouseEventPayload(mouse)) => read_mouse(&mouse).map(Input::Mouse),
            Some(EventPayload::PastedTextPayload(pasted)) => Some(Input::Paste(pasted.pasted_text)),
            Some(EventPayload::PermissionRequestResultPayload(result)) => {
                if std::mem::take(&mut self.asking) {
                    // If it cannot be removed it grows old, which ends it as well.
                    let _ = std::fs::remove_file(ASKING_NOTE);
                }
                Some(Input::Permission {
                    granted: result.granted,
                })
            }
            Some(EventPayload::RunCommandResultPayload(result)) => result
                .context
                .iter()
                .any(|item| item.name == SUMMONS)
                .then(|| Input::Summoned {
                    status: result.exit_code,
                    said: String::from_utf8_lossy(&result.stderr).into_owned(),
                }),
            Some(EventPayload::ModeUpdatePayload(mode)) => {
                let styling = mode.style.and_then(|style| style.styling);
                styling.and_then(|styling| {
                    if std::mem::take(&mut self.wants_colours) {
                        note_styling(&styling);
                    }
                    read_theme(&styling).map(|theme| Input::Theme(Box::new(theme)))
                })
            }
            _ if event.name == i32::from(EventType::BeforeClose) => Some(Input::Closing),
            _ => None,
        };
        if let Some(input) = input {
            self.take(input);
        }
        self.take_dirty()
    }

    /// A timer fired after so many seconds: one for the next frame, or the clock.
    fn timer(&mut self, seconds: f64) -> bool {
        self.drawing_soon = false;
        // A frame's timer that comes late on a busy machine is not the clock's: time would go too fast.
        let clock_s = 0.8 * self.clock_waits;
        if seconds >= clock_s {
            if self.pane.waits_for_others() && std::fs::exists(PERMITTED_NOTE).unwrap_or(false) {
                self.take(Input::OthersPermitted);
            }
            if self.pane.waits_for_others() {
                let refused = std::fs::exists(REFUSED_NOTE).unwrap_or(false);
                self.take(Input::OthersRefused(refused));
            }
            if self.wants_colours
                && self.pane.is_permitted()
                && let Some(theme) = noted_styling().as_ref().and_then(read_theme)
            {
                self.wants_colours = false;
                self.take(Input::Theme(Box::new(theme)));
            }
            self.ask_in_turn();
            self.take(Input::Tick(seconds));
            // one that comes so late nevertheless must not start a second clock
            if self.clock_set.elapsed().as_secs_f64() >= clock_s {
                self.set_clock();
            }
        }
        self.take_dirty()
    }

    fn interval(&self) -> f64 {
        if self.pane.waits_for_others() || self.to_ask.is_some() {
            LOOK
        } else {
            TICK
        }
    }

    fn set_clock(&mut self) {
        self.clock_set = Instant::now();
        self.clock_waits = self.interval();
        set_timeout(self.clock_waits);
    }

    fn message(&mut self, message: PipeMessage) {
        let source = message
            .cli_source_id
            .filter(|_| message.source == i32::from(PipeSource::Cli));
        let Some(pipe) = source else {
            return;
        };
        let input = match (message.name.as_str(), message.payload) {
            (DOWN, Some(_)) => Input::DownOpened { pipe },
            (DOWN, None) => Input::DownClosed { pipe },
            (UP, Some(line)) => Input::Line(line),
            _ => return,
        };
        self.take(input);
    }

    fn take(&mut self, input: Input) {
        let outcome = self.pane.update(input);
        self.carry_out(outcome);
    }

    fn carry_out(&mut self, outcome: Outcome) {
        self.dirty |= outcome.redraw;
        for effect in outcome.effects {
            if let Effect::Ask(permissions) = effect {
                self.to_ask = Some(permissions);
                self.ask_in_turn();
            } else {
                carry_out(effect);
            }
        }
    }

    /// Ask for the permissions that are to be asked for, unless another pane is asking.
    fn ask_in_turn(&mut self) {
        if let Some(permissions) = self.to_ask.take() {
            if take_turn() {
                self.asking = true;
                carry_out(Effect::Ask(permissions));
            } else {
                self.to_ask = Some(permissions);
            }
        }
    }

    fn take_dirty(&mut self) -> bool {
        self.shown && std::mem::take(&mut self.dirty)
    }

    fn draw_soon(&mut self) {
        if self.dirty && self.shown && !self.drawing_soon {
            self.drawing_soon = true;
            set_timeout(0.0);
        }
    }

    fn render(&mut self, size: Size) {
        let mut bytes = String::new();
        if self.size != size {
            self.size = size;
            self.take(Input::Size(size));
            // Zellij counts what a resized pane no longer shows as its scrollback, and says so in the title
            bytes.push_str(FORGET_SCROLLBACK);
        }
        self.dirty = false;
        let frame = self.pane.view(size);
        if self.cursor != frame.cursor {
            self.cursor = frame.cursor;
            let position = frame.cursor.map(|(x, y)| CursorPosition {
                x: x.into(),
                y: y.into(),
            });
            command(
                CommandName::ShowCursor,
                Some(Payload::ShowCursorPayload(ShowCursorPayload { position })),
            );
        }
        bytes.push_str(&ansi::bytes(&frame.buffer));
        write(bytes.as_bytes());
    }
}

/// Leave Zellij's colours to the other panes.
fn note_styling(styling: &Styling) {
    if let Err(error) = std::fs::write(STYLING_NOTE, styling.encode_to_vec()) {
        eprintln!("stui: the other panes cannot be told of Zellij's colours: {error}");
    }
}

/// The colours that another pane has left.
fn noted_styling() -> Option<Styling> {
    Styling::decode(&std::fs::read(STYLING_NOTE).ok()?[..]).ok()
}

/// Leave the note that says that a pane is asking, unless another one has.
fn take_turn() -> bool {
    let take = || std::fs::File::create_new(ASKING_NOTE).is_ok();
    if take() {
        return true;
    }
    let Ok(left) = std::fs::metadata(ASKING_NOTE).and_then(|note| note.modified()) else {
        // gone again, so there is a turn next time; or there is no such folder, and asking must do without
        return take() || !std::fs::exists("/cache").unwrap_or(false);
    };
    if left.elapsed().is_ok_and(|age| age < ASKING_LONGEST) {
        return false;
    }
    // If another pane was quicker, it has the turn.
    let _ = std::fs::remove_file(ASKING_NOTE);
    take()
}

fn carry_out(effect: Effect) {
    match effect {
        Effect::Ask(permissions) => {
            // what was answered before is void
            let _ = std::fs::remove_file(REFUSED_NOTE);
            let permissions = permissions
                .into_iter()
                .map(|permission| {
                    i32::from(match permission {
                        Permission::Pipes => PermissionType::ReadCliPipes,
                        Permission::Commands => PermissionType::RunCommands,
                        Permission::Clipboard => PermissionType::WriteToClipboard,
                        Permission::Theme => PermissionType::ReadApplicationState,
                    })
                })
                .collect();
            command(
                CommandName::RequestPluginPermissions,
                Some(Payload::RequestPluginPermissionPayload(
                    RequestPluginPermissionPayload { permissions },
                )),
            );
        }
        Effect::NotePermitted => {
            if let Err(error) = std::fs::write(PERMITTED_NOTE, "") {
                eprintln!("stui: the other panes cannot be told of the permission: {error}");
            }
        }
        Effect::NoteRefused => {
            if let Err(error) = std::fs::write(REFUSED_NOTE, "") {
                eprintln!("stui: the other panes cannot be told of the refusal: {error}");
            }
        }
        Effect::Hold { pipe } => command(
            CommandName::BlockCliPipeInput,
            Some(Payload::BlockCliPipeInputPayload(pipe)),
        ),
        Effect::Say { pipe, line } => command(
            CommandName::CliPipeOutput,
            Some(Payload::CliPipeOutputPayload(CliPipeOutputPayload {
                pipe_name: pipe,
                output: line,
            })),
        ),
        Effect::Summon(command_line) => command(
            CommandName::RunCommand,
            Some(Payload::RunCommandPayload(RunCommandPayload {
                command_line,
                env_variables: Vec::new(),
                cwd: ".".to_owned(),
                context: vec![ContextItem {
                    name: SUMMONS.to_owned(),
                    value: String::new(),
                }],
            })),
        ),
        Effect::Hide => command(CommandName::HideSelf, None),
        Effect::Copy(text) => command(
            CommandName::CopyToClipboard,
            Some(Payload::CopyToClipboardPayload(CopyToClipboardPayload {
                text,
            })),
        ),
        Effect::Log(line) => eprintln!("stui: {line}"),
    }
}

fn set_timeout(seconds: f64) {
    command(
        CommandName::SetTimeout,
        Some(Payload::SetTimeoutPayload(SetTimeoutPayload { seconds })),
    );
}

/// A panic kills the pane; at least it says why, on the screen and in Zellij's log.
fn report_panic(info: &PanicHookInfo<'_>) {
    let report = format!("STUI's pane failed; its text is safe with the sidecar.\n{info}");
    eprintln!("stui: {report}");
    command(
        CommandName::ReportCrash,
        Some(Payload::ReportCrashPayload(report.replace('\n', "\r\n"))),
    );
}
