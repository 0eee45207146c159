//! Runs a plugin's `.wasm` as Zellij 0.45 does - the same interpreter, the same memory limit, the
//! same messages - but in the test's own process, where every command that the plugin gives can be
//! seen and every instruction is counted.
//!
//! The counts ([`Spent::fuel`]) are exact and the same on every machine: they measure the plugin
//! where a clock would measure the machine.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use wasmi::{
    Caller, Config, Engine, Instance, Linker, Module, Store, StoreLimits, StoreLimitsBuilder,
};
use wasmi_wasi::WasiCtx;
use wasmi_wasi::sync::WasiCtxBuilder;
use wasmi_wasi::wasi_common::pipe::{ReadPipe, WritePipe};
use zellij_utils::data::{Event, PipeMessage, PluginCommand, PluginIds};
use zellij_utils::input::layout::PluginUserConfiguration;
use zellij_utils::plugin_api::action::ProtobufPluginConfiguration;
use zellij_utils::plugin_api::event::ProtobufEvent;
use zellij_utils::plugin_api::pipe_message::ProtobufPipeMessage;
use zellij_utils::plugin_api::plugin_command::ProtobufPluginCommand;
use zellij_utils::plugin_api::plugin_ids::{ProtobufPluginIds, ProtobufZellijVersion};
use zellij_utils::prost::Message;

pub use zellij_utils::data;

/// What a plugin may use, in bytes: Zellij's own limit.
pub const MEMORY_LIMIT: usize = 16 * 1024 * 1024;

/// Fuel given to one call; far more than any call may take, so that an endless loop ends.
const FUEL: u64 = 50_000_000_000;

/// Why the plugin could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// There is no plugin to run.
    #[error("there is no plugin at {0}; `cargo xtask build` makes it")]
    Missing(PathBuf),
    /// The plugin trapped, which in Zellij kills its pane.
    #[error("the plugin trapped in `{call}`: {reason}\n{stderr}")]
    Trapped {
        /// The export that was called.
        call: &'static str,
        /// What the interpreter said.
        reason: String,
        /// What the plugin wrote to standard error.
        stderr: String,
    },
    /// The interpreter refused the module or one of its imports.
    #[error("the plugin cannot be loaded: {0}")]
    Refused(#[from] wasmi::Error),
    /// A message has no protobuf form, or a screen no cell.
    #[error("the plugin cannot be given this: {0}")]
    Message(&'static str),
}

/// What one call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Instructions, as wasmi counts them.
    pub fuel: u64,
}

/// A stream between host and plugin, as both ends see it.
#[derive(Clone, Default)]
struct Stream(Arc<Mutex<VecDeque<u8>>>);

impl Stream {
    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<u8> {
        self.queue().drain(..).collect()
    }

    /// Zellij hands bytes over as a JSON list of numbers on one line.
    fn give(&self, message: &[u8]) {
        let mut line = String::with_capacity(message.len() * 4 + 3);
        line.push('[');
        for (index, byte) in message.iter().enumerate() {
            if index > 0 {
                line.push(',');
            }
            line.push_str(&byte.to_string());
        }
        line.push_str("]\n");
        self.queue().extend(line.as_bytes());
    }
}

impl io::Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut *self.queue(), into)
    }
}

impl io::Write for Stream {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.queue().extend(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the interpreter's host functions reach.
struct Env {
    wasi: WasiCtx,
    limits: StoreLimits,
    stdin: Stream,
    stdout: Stream,
    commands: Vec<PluginCommand>,
    ids: PluginIds,
}

/// A loaded plugin instance.
pub struct PluginHost {
    store: Store<Env>,
    instance: Instance,
    stdin: Stream,
    stdout: Stream,
    stderr: Stream,
    spent: Spent,
}

impl PluginHost {
    /// The plugin that `cargo xtask build` makes, or the one that `STUI_PLUGIN_WASM` names.
    pub fn built() -> PathBuf {
        std::env::var_os("STUI_PLUGIN_WASM").map_or_else(
            || {
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("../../target/wasm/wasm32-wasip1/plugin/stui-plugin.wasm")
            },
            PathBuf::from,
        )
    }

    /// Load a plugin with the configuration of its pane, as the instance of client `ids.client_id`.
    ///
    /// # Errors
    /// If there is no such file, the interpreter refuses it, or it traps while loading.
    pub fn load(
        wasm: &Path,
        configuration: &[(&str, &str)],
        ids: PluginIds,
    ) -> Result<PluginHost, HostError> {
        let module = std::fs::read(wasm).map_err(|_| HostError::Missing(wasm.to_owned()))?;
        let mut config = Config::default();
        config.consume_fuel(true);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, &module)?;
        let (stdin, stdout, stderr) = (Stream::default(), Stream::default(), Stream::default());
        let context = WasiCtxBuilder::new().build();
        context.set_stdin(Box::new(ReadPipe::new(stdin.clone())));
        context.set_stdout(Box::new(WritePipe::new(stdout.clone())));
        context.set_stderr(Box::new(WritePipe::new(stderr.clone())));
        let limits = StoreLimitsBuilder::new()
            .instances(1)
            .memories(4)
            .memory_size(MEMORY_LIMIT)
            .tables(16)
            .trap_on_grow_failure(true)
            .build();
        let env = Env {
            wasi: context,
            limits,
            stdin: stdin.clone(),
            stdout: stdout.clone(),
            commands: Vec::new(),
            ids,
        };
        let mut store = Store::new(&engine, env);
        store.limiter(|env| &mut env.limits);
        store.set_fuel(FUEL)?;
        let mut linker = Linker::new(&engine);
        wasmi_wasi::add_to_linker(&mut linker, |env: &mut Env| &mut env.wasi)
            .map_err(|error| wasmi::Error::new(error.to_string()))?;
        linker
            .func_wrap("zellij", "host_run_plugin_command", run_plugin_command)
            .map_err(|error| wasmi::Error::new(error.to_string()))?;
        let instance = linker.instantiate_and_start(&mut store, &module)?;
        let mut host = PluginHost {
            store,
            instance,
            stdin,
            stdout,
            stderr,
            spent: Spent::default(),
        };
        host.call("_start", (), |()| ())?;
        let configuration: BTreeMap<String, String> = configuration
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let configuration: ProtobufPluginConfiguration =
            PluginUserConfiguration::new(configuration)
                .try_into()
                .map_err(HostError::Message)?;
        host.stdin.give(&configuration.encode_to_vec());
        host.call("load", (), |()| ())?;
        Ok(host)
    }

    /// Hand over an event; answers whether the plugin wants to be drawn.
    ///
    /// # Errors
    /// If the plugin traps.
    pub fn update(&mut self, event: Event) -> Result<bool, HostError> {
        let event: ProtobufEvent = event.try_into().map_err(HostError::Message)?;
        self.stdin.give(&event.encode_to_vec());
        self.call("update", (), |drawn: i32| drawn != 0)
    }

    /// Hand over a message from a pipe; answers whether the plugin wants to be drawn.
    ///
    /// # Errors
    /// If the plugin traps.
    pub fn pipe(&mut self, message: PipeMessage) -> Result<bool, HostError> {
        let message: ProtobufPipeMessage = message.try_into().map_err(HostError::Message)?;
        self.stdin.give(&message.encode_to_vec());
        self.call("pipe", (), |drawn: i32| drawn != 0)
    }

    /// Let the plugin draw itself; answers the bytes that it wrote for the terminal.
    ///
    /// # Errors
    /// If the plugin traps.
    pub fn render(&mut self, rows: u16, columns: u16) -> Result<Vec<u8>, HostError> {
        self.stdout.take();
        self.call("render", (i32::from(rows), i32::from(columns)), |()| ())?;
        Ok(self.stdout.take())
    }

    /// Let the plugin draw itself and read what a terminal would show.
    ///
    /// # Errors
    /// If the plugin traps.
    pub fn screen(&mut self, rows: u16, columns: u16) -> Result<vt100::Screen, HostError> {
        let bytes = self.render(rows, columns)?;
        let (Some(height), Some(width)) = (NonZero::new(rows), NonZero::new(columns)) else {
            return Err(HostError::Message("a screen has at least one cell"));
        };
        let mut terminal = vt100::Parser::new(height, width, 0);
        terminal.process(&bytes);
        Ok(terminal.screen().clone())
    }

    /// The commands given to Zellij since they were last taken, oldest first.
    pub fn take_commands(&mut self) -> Vec<PluginCommand> {
        std::mem::take(&mut self.store.data_mut().commands)
    }

    /// What the last call took.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// Memory that the plugin holds, in bytes; it never shrinks.
    pub fn memory(&self) -> usize {
        self.instance
            .get_memory(&self.store, "memory")
            .map_or(0, |memory| memory.data_size(&self.store))
    }

    /// What the plugin wrote to standard error (Zellij's log) since this was last asked.
    pub fn take_log(&mut self) -> String {
        String::from_utf8_lossy(&self.stderr.take()).into_owned()
    }

    fn call<P: wasmi::WasmParams, R: wasmi::WasmResults, T>(
        &mut self,
        name: &'static str,
        parameters: P,
        answer: impl FnOnce(R) -> T,
    ) -> Result<T, HostError> {
        let function = self.instance.get_typed_func::<P, R>(&self.store, name)?;
        self.store.set_fuel(FUEL)?;
        let result = function.call(&mut self.store, parameters);
        self.spent = Spent {
            fuel: FUEL - self.store.get_fuel()?,
        };
        result.map(answer).map_err(|error| HostError::Trapped {
            call: name,
            reason: error.to_string(),
            stderr: self.take_log(),
        })
    }
}

/// What Zellij does when the plugin calls it: read the command, answer those that ask something.
fn run_plugin_command(mut caller: Caller<'_, Env>) -> Result<(), wasmi::Error> {
    let env = caller.data_mut();
    let line = env.stdout.take();
    let bytes: Vec<u8> = serde_json::from_slice(&line)
        .map_err(|error| wasmi::Error::new(format!("a command is no list of bytes: {error}")))?;
    let command: PluginCommand = ProtobufPluginCommand::decode(bytes.as_slice())
        .map_err(|error| wasmi::Error::new(format!("a command does not decode: {error}")))?
        .try_into()
        .map_err(|error: &str| wasmi::Error::new(format!("a command is unknown: {error}")))?;
    match &command {
        PluginCommand::GetPluginIds => {
            let ids = ProtobufPluginIds::try_from(env.ids.clone())
                .map_err(|error| wasmi::Error::new(error.to_owned()))?;
            env.stdin.give(&ids.encode_to_vec());
        }
        PluginCommand::GetZellijVersion => {
            let version = ProtobufZellijVersion {
                version: "0.45.1".to_owned(),
            };
            env.stdin.give(&version.encode_to_vec());
        }
        _ => env.commands.push(command),
    }
    Ok(())
}
