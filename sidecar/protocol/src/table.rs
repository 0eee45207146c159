//! One macro from a table of message kinds to the enum, its names, its JSON out and its JSON in.
//!
//! The JSON of a message of a kind is `{"KIND_KEY": "Name", "CONTENT_KEY": {…}}`. serde's own
//! adjacently tagged enums cannot keep the name of a kind that they do not know.

/// Defines an enum of message kinds: each variant holds the type of its content, and a last variant
/// `Unknown` keeps the name of any other kind.
macro_rules! kinds {
    (
        $(#[$doc:meta])*
        $vis:vis enum $enum:ident in $kind_key:literal, $content_key:literal {
            $( $(#[$variant_doc:meta])* $variant:ident($content:ty), )+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        $vis enum $enum {
            $( $(#[$variant_doc])* $variant($content), )+
            /// A kind that this version does not know, by its name.
            Unknown(String),
        }

        impl $enum {
            /// The names of all kinds that this version knows, in the order of the specification.
            pub const NAMES: &'static [&'static str] = &[$( stringify!($variant), )+];

            /// The name of its kind.
            pub fn name(&self) -> &str {
                match self {
                    $( Self::$variant(_) => stringify!($variant), )+
                    Self::Unknown(name) => name,
                }
            }

            /// Reads the content of the kind called `name`. No content is an empty one.
            ///
            /// # Errors
            /// If the content has not the fields that the kind needs.
            pub fn read(
                name: &str,
                content: Option<&serde_json::value::RawValue>,
            ) -> serde_json::Result<Self> {
                let json = match content.map(serde_json::value::RawValue::get) {
                    None | Some("null") => "{}",
                    Some(json) => json,
                };
                match name {
                    $( stringify!($variant) => serde_json::from_str(json).map(Self::$variant), )+
                    _ => Ok(Self::Unknown(name.to_owned())),
                }
            }
        }

        impl $enum {
            /// Writes kind and content as two fields.
            pub(crate) fn write_fields<S: serde::ser::SerializeStruct>(
                &self,
                message: &mut S,
            ) -> Result<(), S::Error> {
                message.serialize_field($kind_key, self.name())?;
                match self {
                    $( Self::$variant(content) => message.serialize_field($content_key, content), )+
                    Self::Unknown(_) => {
                        message.serialize_field($content_key, &serde_json::Map::new())
                    }
                }
            }
        }

        impl serde::Serialize for $enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                let mut message = serializer.serialize_struct(stringify!($enum), 2)?;
                self.write_fields(&mut message)?;
                message.end()
            }
        }

        $(
            impl From<$content> for $enum {
                fn from(content: $content) -> Self {
                    Self::$variant(content)
                }
            }
        )+
    };
}

pub(crate) use kinds;
