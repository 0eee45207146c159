//! Handles of remote objects, and what an inspector shows of them.

use serde::{Deserialize, Serialize};

/// A remote object: its identity and a short description.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectHandle {
    /// Names the object as long as its session keeps it; none outside of a session.
    pub id: Option<String>,
    /// Name of its class.
    pub class_name: String,
    /// The object printed, cut at some length.
    pub print_string: String,
    /// Whether `print_string` was cut.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// How many elements it has; 0 for objects without elements.
    pub size: u64,
    /// Whether inspecting it shows more.
    pub has_children: bool,
}

/// The published description of an inspected object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectInfo {
    /// Name of its class.
    pub class_name: String,
    /// The object printed, cut at some length.
    pub string_representation: String,
    /// Its identity hash.
    pub hash: i64,
    /// How many elements it has; 0 for objects without elements.
    pub size: u64,
}

/// A named instance variable of an inspected object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceVariable {
    /// Its name.
    pub name: String,
    /// Its value printed, cut at some length.
    pub value: String,
    /// Name of the value's class.
    pub class_name: String,
    /// The value.
    pub object: ObjectHandle,
}

/// A way to look at an object: `Raw`, `Items`, `Keys`, `Print`, `Meta` or one that its class adds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Its name, unique among the object's views.
    pub name: String,
    /// List or text.
    pub kind: ViewKind,
    /// How many rows a list has; of a text how many characters, 0 where they are not counted.
    pub total: u64,
}

/// What a [`View`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// Rows: [`Child`]ren.
    #[default]
    List,
    /// A text.
    Text,
}

/// A row of a list view: an instance variable, an element, a key with its value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Child {
    /// Name of the instance variable, index, or key printed.
    pub name: String,
    /// The value.
    pub object: ObjectHandle,
    /// The value's own children, where a `depth` above 1 was asked for; the first of them only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Child>,
}
