//! Which Pharo images and virtual machines there are, and which are taken.
//!
//! An image: the one that was named, else `PHARO_IMAGE`, else the configuration's, else the newest that
//! `stui pharo get` fetched. A VM: the one that was named, else the one that the image was run with by
//! such a name before, else `PHARO_VM`, else the configuration's, else one beside the image (as
//! get.pharo.org leaves it), else the Pharo Launcher's or a fetched one of the image's version, else
//! `pharo` on PATH, else any fetched one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf, absolute};

use super::Settings;
use crate::places::{Places, write_whole};

/// Where an image or a VM was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was named in this call.
    Named,
    /// It was named for this image before.
    Remembered,
    /// An environment variable.
    Environment,
    /// The configuration file.
    Configuration,
    /// Beside the image.
    Beside,
    /// `stui pharo get` fetched it.
    Fetched,
    /// The Pharo Launcher's folders.
    Launcher,
    /// A folder in PATH.
    Path,
}

impl Origin {
    /// A few words for people.
    pub fn words(self) -> &'static str {
        match self {
            Origin::Named => "named",
            Origin::Remembered => "named for this image before",
            Origin::Environment => "from the environment",
            Origin::Configuration => "from the configuration",
            Origin::Beside => "beside the image",
            Origin::Fetched => "fetched by `stui pharo get`",
            Origin::Launcher => "of the Pharo Launcher",
            Origin::Path => "on PATH",
        }
    }
}

/// A file that was found, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its absolute path.
    pub path: PathBuf,
    /// Where it was found.
    pub origin: Origin,
}

/// An image and the VM to run it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The image.
    pub image: Found,
    /// The VM.
    pub vm: Found,
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChoiceError {
    /// No image was named, and none is known.
    #[error(
        "no Pharo image is known: name one with --image, set PHARO_IMAGE, or let `stui pharo get` fetch one"
    )]
    NoImage,
    /// There is no such image.
    #[error("there is no image {}; `stui pharo list` shows those that are known", .0.display())]
    Missing(PathBuf),
    /// It is none.
    #[error("{} is no Pharo image: its name does not end with .image", .0.display())]
    NotAnImage(PathBuf),
    /// No VM is known.
    #[error(
        "no Pharo virtual machine is known for {}: name one with --vm, set PHARO_VM, or let `stui pharo get` fetch one", .0.display()
    )]
    NoVm(PathBuf),
    /// The VM cannot be run.
    #[error("{} is no program that can be run, so it cannot be the Pharo VM", .0.display())]
    NotAVm(PathBuf),
}

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The home directory.
    pub home: Option<PathBuf>,
    /// `PHARO_VM`.
    pub vm: Option<PathBuf>,
    /// `PHARO_IMAGE`.
    pub image: Option<PathBuf>,
    /// `PATH`.
    pub path: OsString,
}

impl Environment {
    /// That of this process.
    pub fn here() -> Self {
        let path = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Environment {
            home: path("HOME"),
            vm: path("PHARO_VM"),
            image: path("PHARO_IMAGE"),
            path: std::env::var_os("PATH").unwrap_or_default(),
        }
    }
}

/// Looks for images and VMs.
#[derive(Debug)]
pub struct Finder<'a> {
    /// Directories of this user.
    pub places: &'a Places,
    /// What the configuration says.
    pub settings: &'a Settings,
    /// What the environment says.
    pub environment: Environment,
}

impl Finder<'_> {
    /// The image and the VM to use.
    ///
    /// # Errors
    /// If there is none of either, or what was named cannot be used.
    pub fn choose(&self, image: Option<&Path>, vm: Option<&Path>) -> Result<Choice, ChoiceError> {
        let named = |path: &Path, origin| Found {
            path: absolute(path).unwrap_or_else(|_| path.to_owned()),
            origin,
        };
        let image = match image {
            Some(path) => named(path, Origin::Named),
            None => self
                .images()
                .into_iter()
                .find(|found| found.origin != Origin::Launcher)
                .ok_or(ChoiceError::NoImage)?,
        };
        if image
            .path
            .extension()
            .is_none_or(|ending| ending != "image")
        {
            return Err(ChoiceError::NotAnImage(image.path));
        }
        if !image.path.is_file() {
            return Err(ChoiceError::Missing(image.path));
        }
        let vm = match vm {
            Some(path) => self.program(path, Origin::Named),
            None => self
                .vm_for(&image.path)
                .ok_or_else(|| ChoiceError::NoVm(image.path.clone()))?,
        };
        if !is_program(&vm.path) {
            return Err(ChoiceError::NotAVm(vm.path));
        }
        Ok(Choice { image, vm })
    }

    /// All images that are known, those that would be taken first first.
    pub fn images(&self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut add = |path: PathBuf, origin| {
            let path = absolute(&path).unwrap_or(path);
            if !found.iter().any(|known: &Found| known.path == path) {
                found.push(Found { path, origin });
            }
        };
        if let Some(path) = &self.environment.image {
            add(path.clone(), Origin::Environment);
        }
        if let Some(path) = &self.settings.image {
            add(path.clone(), Origin::Configuration);
        }
        for folder in self.fetched() {
            add(folder.join("Pharo.image"), Origin::Fetched);
        }
        for folder in self.launcher("images") {
            for path in entries(&folder) {
                if path.extension().is_some_and(|ending| ending == "image") {
                    add(path, Origin::Launcher);
                }
            }
        }
        found
    }

    /// All VMs that are known, whatever image they are for.
    pub fn vms(&self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for vm in [self.set_vm(), self.on_path()].into_iter().flatten() {
            found.push(vm);
        }
        for folder in self.fetched() {
            found.push(Found {
                path: folder.join("pharo"),
                origin: Origin::Fetched,
            });
        }
        for folder in self.launcher("vms") {
            found.extend(vm_in(&folder).map(|path| Found {
                path,
                origin: Origin::Launcher,
            }));
        }
        found.retain(|vm| is_program(&vm.path));
        found
    }

    /// The VM for an image; see the module's text for the order.
    fn vm_for(&self, image: &Path) -> Option<Found> {
        let remembered = self.remembered().remove(&key(image)).map(|path| Found {
            path,
            origin: Origin::Remembered,
        });
        let beside = image.parent().and_then(vm_in).map(|path| Found {
            path,
            origin: Origin::Beside,
        });
        remembered
            .filter(|vm| is_program(&vm.path))
            .or_else(|| self.set_vm())
            .or(beside)
            .or_else(|| self.of_version(image))
            .or_else(|| self.on_path())
            .or_else(|| {
                self.vms()
                    .into_iter()
                    .find(|vm| vm.origin == Origin::Fetched)
            })
    }

    /// The one of the environment or the configuration. It is taken also if it cannot be run, for the
    /// user to hear of it.
    fn set_vm(&self) -> Option<Found> {
        let set =
            |path: &Option<PathBuf>, origin| path.as_deref().map(|path| self.program(path, origin));
        set(&self.environment.vm, Origin::Environment)
            .or_else(|| set(&self.settings.vm, Origin::Configuration))
    }

    /// The Launcher writes the version of an image into a file beside it: 120 for Pharo 12.
    fn of_version(&self, image: &Path) -> Option<Found> {
        let version = fs::read_to_string(image.parent()?.join("pharo.version")).ok()?;
        let version = version.trim();
        if version.is_empty() {
            return None;
        }
        let starts = |folder: &PathBuf, start: &str| {
            folder
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(start))
        };
        let launcher = self
            .launcher("vms")
            .into_iter()
            .filter(|folder| starts(folder, version))
            .find_map(|folder| vm_in(&folder));
        let fetched = || {
            self.fetched()
                .into_iter()
                .find(|folder| starts(folder, version.trim_end_matches('0')))
                .and_then(|folder| vm_in(&folder))
        };
        launcher
            .map(|path| Found {
                path,
                origin: Origin::Launcher,
            })
            .or_else(|| {
                fetched().map(|path| Found {
                    path,
                    origin: Origin::Fetched,
                })
            })
    }

    fn on_path(&self) -> Option<Found> {
        on_path(&self.environment.path, "pharo").map(|path| Found {
            path,
            origin: Origin::Path,
        })
    }

    /// A program by its path, or by its name if that has no slash.
    fn program(&self, path: &Path, origin: Origin) -> Found {
        let is_name = path.components().count() == 1 && path.is_relative();
        let there = is_name
            .then(|| on_path(&self.environment.path, &path.to_string_lossy()))
            .flatten();
        Found {
            path: there.unwrap_or_else(|| absolute(path).unwrap_or_else(|_| path.to_owned())),
            origin,
        }
    }

    /// The folders that `stui pharo get` made, the newest version first.
    fn fetched(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = entries(&self.places.pharo().join("get"))
            .into_iter()
            .filter(|folder| folder.join("Pharo.image").is_file())
            .collect();
        folders.sort();
        folders.reverse();
        folders
    }

    /// The folders of the Pharo Launcher's images or VMs.
    fn launcher(&self, kind: &str) -> Vec<PathBuf> {
        let Some(home) = &self.environment.home else {
            return Vec::new();
        };
        let mut folders: Vec<PathBuf> = ["Pharo", "Documents/Pharo"]
            .iter()
            .flat_map(|below| entries(&home.join(below).join(kind)))
            .filter(|path| path.is_dir())
            .collect();
        folders.sort();
        folders
    }

    /// Remembers the VM that a user named for an image, for the next time that none is named.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn remember(&self, choice: &Choice) -> io::Result<()> {
        if choice.vm.origin != Origin::Named {
            return Ok(());
        }
        let mut vms = self.remembered();
        let known = vms.insert(key(&choice.image.path), choice.vm.path.clone());
        if known.as_ref() == Some(&choice.vm.path) {
            return Ok(());
        }
        write_whole(&self.remembered_file(), &serde_json::to_vec_pretty(&vms)?)
    }

    fn remembered(&self) -> BTreeMap<String, PathBuf> {
        fs::read(self.remembered_file())
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    fn remembered_file(&self) -> PathBuf {
        self.places.pharo().join("vms.json")
    }
}

fn key(image: &Path) -> String {
    image.display().to_string()
}

/// The VM in a folder, as get.pharo.org and the Launcher lay it out.
fn vm_in(folder: &Path) -> Option<PathBuf> {
    [
        "pharo",
        "Pharo.app/Contents/MacOS/Pharo",
        "pharo-vm/pharo",
        "pharo-vm/Pharo.app/Contents/MacOS/Pharo",
    ]
    .iter()
    .map(|name| folder.join(name))
    .find(|path| is_program(path))
}

/// Whether a file can be run.
fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// A program in one of the folders of a search path.
pub(super) fn on_path(search: &OsString, name: &str) -> Option<PathBuf> {
    std::env::split_paths(search)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home directory with files in it, those that end with `!` being programs.
    fn home(files: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for name in files {
            let path = home.path().join(name.trim_end_matches('!'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "x").unwrap();
            if name.ends_with('!') {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        home
    }

    fn with_finder<T>(
        home: &Path,
        settings: &Settings,
        change: impl FnOnce(&mut Environment),
        ask: impl FnOnce(&Finder) -> T,
    ) -> T {
        let places = Places::below(home);
        let mut environment = Environment {
            home: Some(home.to_owned()),
            ..Environment::default()
        };
        change(&mut environment);
        ask(&Finder {
            places: &places,
            settings,
            environment,
        })
    }

    #[test]
    fn without_a_word_the_newest_fetched_image_is_taken_with_its_own_vm() {
        let home = home(&[
            "data/pharo/get/12/Pharo.image",
            "data/pharo/get/12/pharo!",
            "data/pharo/get/13/Pharo.image",
            "data/pharo/get/13/pharo!",
        ]);
        let choice = with_finder(
            home.path(),
            &Settings::default(),
            |_| {},
            |finder| finder.choose(None, None).unwrap(),
        );
        assert!(choice.image.path.ends_with("get/13/Pharo.image"));
        assert!(choice.vm.path.ends_with("get/13/pharo"));
        assert_eq!(choice.vm.origin, Origin::Beside);
    }

    #[test]
    fn the_environment_is_preferred_to_the_configuration_and_a_named_one_to_both() {
        let home = home(&["a.image", "b.image", "c.image", "a!", "b!", "c!"]);
        let at = |name: &str| home.path().join(name);
        let settings = Settings {
            vm: Some(at("a")),
            image: Some(at("a.image")),
        };
        let none = Settings::default();
        let environment = |environment: &mut Environment| {
            environment.vm = Some(at("b"));
            environment.image = Some(at("b.image"));
        };
        let choose = |settings,
                      change: &dyn Fn(&mut Environment),
                      image: Option<&Path>,
                      vm: Option<&Path>| {
            with_finder(
                home.path(),
                settings,
                |e| change(e),
                |finder| {
                    finder.choose(image, vm).map(|choice| {
                        let name = |found: Found| {
                            found.path.file_name().unwrap().to_str().unwrap().to_owned()
                        };
                        (name(choice.image), name(choice.vm))
                    })
                },
            )
        };
        let pair = |image: &str, vm: &str| (image.to_owned(), vm.to_owned());
        assert_eq!(
            choose(&settings, &|_| {}, None, None).unwrap(),
            pair("a.image", "a")
        );
        assert_eq!(
            choose(&settings, &environment, None, None).unwrap(),
            pair("b.image", "b")
        );
        assert_eq!(
            choose(
                &settings,
                &environment,
                Some(&at("c.image")),
                Some(&at("c"))
            )
            .unwrap(),
            pair("c.image", "c")
        );
        assert!(matches!(
            choose(&none, &|_| {}, None, None),
            Err(ChoiceError::NoImage)
        ));
        assert!(matches!(
            choose(&none, &|_| {}, Some(&at("a.image")), None),
            Err(ChoiceError::NoVm(_))
        ));
        assert!(matches!(
            choose(&none, &|_| {}, Some(&at("d.image")), None),
            Err(ChoiceError::Missing(_))
        ));
        assert!(matches!(
            choose(&none, &|_| {}, Some(&at("a")), None),
            Err(ChoiceError::NotAnImage(_))
        ));
        assert!(matches!(
            choose(&none, &|_| {}, Some(&at("a.image")), Some(&at("b.image"))),
            Err(ChoiceError::NotAVm(_))
        ));
    }

    #[test]
    fn an_image_of_the_launcher_is_run_with_the_vm_of_its_version() {
        let home = home(&[
            "Pharo/images/Moose/Moose.image",
            "Pharo/vms/120-x64/pharo!",
            "Documents/Pharo/vms/130-x64/Pharo.app/Contents/MacOS/Pharo!",
        ]);
        let image = home.path().join("Pharo/images/Moose/Moose.image");
        fs::write(image.with_file_name("pharo.version"), "130\n").unwrap();
        with_finder(
            home.path(),
            &Settings::default(),
            |_| {},
            |finder| {
                let choice = finder.choose(Some(&image), None).unwrap();
                assert!(
                    choice
                        .vm
                        .path
                        .ends_with("130-x64/Pharo.app/Contents/MacOS/Pharo")
                );
                assert_eq!(finder.images().len(), 1);
                assert_eq!(finder.vms().len(), 2);
                assert!(
                    matches!(finder.choose(None, None), Err(ChoiceError::NoImage)),
                    "an image that somebody works in is not taken unasked"
                );
            },
        );
    }

    #[test]
    fn a_vm_that_was_named_for_an_image_is_taken_again_while_it_is_there() {
        let home = home(&["a.image", "my-vm!", "bin/pharo!"]);
        let image = home.path().join("a.image");
        let vm = home.path().join("my-vm");
        let path =
            |environment: &mut Environment| environment.path = home.path().join("bin").into();
        with_finder(home.path(), &Settings::default(), path, |finder| {
            assert_eq!(
                finder.choose(Some(&image), None).unwrap().vm.origin,
                Origin::Path
            );
            let choice = finder.choose(Some(&image), Some(&vm)).unwrap();
            finder.remember(&choice).unwrap();
            let again = finder.choose(Some(&image), None).unwrap();
            assert_eq!(
                (again.vm.path, again.vm.origin),
                (vm.clone(), Origin::Remembered)
            );
            fs::remove_file(&vm).unwrap();
            assert_eq!(
                finder.choose(Some(&image), None).unwrap().vm.origin,
                Origin::Path
            );
        });
    }
}
