//! libFuzzer around a target; `cargo xtask fuzz` builds and runs it. `STUI_FUZZ_TARGET` names the target.
#![no_main]

use std::sync::LazyLock;

use stui_fuzz::{Target, target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("STUI_FUZZ_TARGET").unwrap_or_default();
    let Some(found) = target(&name) else {
        eprintln!("STUI_FUZZ_TARGET={name:?} is no target; `cargo xtask fuzz --help` lists them");
        std::process::exit(2);
    };
    if let Some(folder) = std::env::var_os("STUI_FUZZ_WRITE_SEEDS") {
        let folder = std::path::PathBuf::from(folder);
        for (number, seed) in found.all_seeds().iter().enumerate() {
            if let Err(error) = std::fs::write(folder.join(format!("seed-{number}")), seed) {
                eprintln!("cannot write a seed to {}: {error}", folder.display());
                std::process::exit(2);
            }
        }
        let words: Vec<String> = found
            .words
            .iter()
            .map(|word| {
                format!(
                    "\"{}\"\n",
                    word.bytes()
                        .map(|byte| format!("\\x{byte:02x}"))
                        .collect::<String>()
                )
            })
            .collect();
        if let Err(error) = std::fs::write(folder.with_extension("words"), words.concat()) {
            eprintln!("cannot write the words: {error}");
            std::process::exit(2);
        }
        std::process::exit(0);
    }
    found
});

// at first, because libFuzzer takes a program that exits later for one that failed
libfuzzer_sys::fuzz_target!(
    init: {
        LazyLock::force(&TARGET);
    },
    |input: &[u8]| {
        (TARGET.run)(input);
    }
);
