//! The images that the sidecar is connected to: those that it begins with, and those that come and go
//! while it runs.

use std::time::Instant;

use anyhow::Result;
use stui_protocol::sessions::wrong_with_name;

use super::{Connection, Happening, MAX_IMAGES, Sidecar};
use crate::hub::Input;
use crate::hub::image::ImageKey;
use crate::link::Link;
use crate::servers::{self, Image, Server};
use crate::target::Target;

impl Sidecar {
    /// Starts an image's server, if the sidecar is to do that, and a link to it. Images get their keys
    /// in the order in which they are connected to, as those that the hub begins with.
    pub(super) fn connect(&mut self, image: Image) -> Result<ImageKey> {
        let key = ImageKey(self.last_image);
        self.last_image += 1;
        let mut server = Server::of(&self.places, &self.session, &image, self.zellij_pid);
        if let Err(error) = server.ensure(Instant::now()) {
            tracing::error!(%error, image = image.name, "cannot start a Smalltalk server");
        }
        let file = server.connection_file().to_owned();
        let to_loop = self.tell.clone();
        let link = Link::start(Box::new(move || servers::living(&file)), move |event| {
            drop(to_loop.send(Happening::Link(key, event)));
        })?;
        self.connections.insert(key, Connection { link, server });
        self.images.push(image);
        self.keys.push(key);
        Ok(key)
    }

    /// Connects to another image while the sidecar runs.
    pub(super) fn connect_another(
        &mut self,
        target: &str,
        name: Option<String>,
    ) -> Result<String, String> {
        let target: Target = target.parse().map_err(|error| format!("{error}"))?;
        if let Some(known) = self.images.iter().find(|image| image.target == target)
            && name.as_ref().is_none_or(|name| *name == known.name)
            && target != Target::Embedded
        {
            return Ok(format!("This is connected to already, as {}.", known.name));
        }
        if self.images.len() >= MAX_IMAGES {
            return Err(format!(
                "There are {MAX_IMAGES} images, as many as there can be; disconnect one first."
            ));
        }
        let name = match name {
            Some(name) => {
                if let Some(wrong) = wrong_with_name(&name) {
                    return Err(wrong);
                }
                if self.images.iter().any(|image| image.name == name) {
                    return Err(format!(
                        "There is an image {name} already; choose another name."
                    ));
                }
                name
            }
            None => servers::free_name(&self.images, &target.default_name()),
        };
        let words = target.to_string();
        let image = Image {
            name: name.clone(),
            target,
        };
        let key = self
            .connect(image)
            .map_err(|error| format!("The link cannot be started: {error:#}"))?;
        self.hand(Input::ImageAdded {
            image: key,
            name: name.clone(),
            target: words,
        });
        self.remember_images()?;
        Ok(format!(
            "Connecting to it as {name}; `stui sessions new NAME --image {name}` makes a session on it."
        ))
    }

    pub(super) fn disconnect(&mut self, name: &str) -> Result<String, String> {
        let at = self
            .images
            .iter()
            .position(|image| image.name == name)
            .ok_or_else(|| format!("There is no image {name}; `stui sessions list` shows them."))?;
        if self.images.len() == 1 {
            return Err(format!(
                "{name} is the only image; connect another one first."
            ));
        }
        self.images.remove(at);
        let key = self.keys.remove(at);
        self.hand(Input::ImageRemoved { image: key });
        if let Some(mut connection) = self.connections.remove(&key) {
            connection.server.end();
        }
        self.remember_images()?;
        Ok(format!(
            "{name} is disconnected; its sessions keep their text, and can be moved to another image."
        ))
    }

    fn remember_images(&self) -> Result<(), String> {
        servers::set_images(&self.places, &self.session, &self.images)
            .map_err(|error| format!("It will not be remembered: {error}"))
    }
}
