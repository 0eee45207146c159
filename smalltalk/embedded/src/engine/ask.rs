//! Answering questions about classes, methods, the system and sessions: all of it is read from the
//! machine's memory, without running Smalltalk code.

use serde_json::{Map, Value, json};
use stui_protocol::error::{ErrorCode, ErrorDetails, ErrorInfo};
use stui_protocol::request::{self, InfoType};
use stui_protocol::response::{self, ClassInfo, ClassSummary, MethodSummary, Response};

use super::describe::Description;
use super::failure::cut;
use super::machine::Machine;
use super::messages::{Question, SessionNumber};
use crate::syntax::ast::Span;
use crate::syntax::parse_method;
use crate::vm::{Body, Oop, Vm, slot};

/// Classes of a page unless the client says otherwise.
const DEFAULT_LIMIT: u64 = 1000;
/// Objects of a session that are told when it is restored: the newest.
const MAX_RESTORED: usize = 100;
/// Most names that could have been meant.
const MAX_SUGGESTIONS: usize = 5;

impl Machine<'_> {
    /// Answers a question.
    pub(super) fn answer(&mut self, question: Question) -> Response {
        match question {
            Question::SystemInfo(asked) => self.system_info(&asked).into(),
            Question::ListClasses(asked) => self.list_classes(&asked).into(),
            Question::BrowseClass(asked) => {
                browse_class(&self.vm, &asked).map_or_else(Into::into, Into::into)
            }
            Question::GetMethod(asked) => {
                get_method(&self.vm, &asked).map_or_else(Into::into, Into::into)
            }
            Question::Restore(session) => self.restore(session).into(),
        }
    }

    fn system_info(&self, asked: &request::SystemInfo) -> response::SystemInfo {
        let wants = |part| asked.info_type == part || asked.info_type == InfoType::All;
        let mut info = Map::new();
        let mut add = |name: &str, value: Value| info.insert(name.to_owned(), value);
        if wants(InfoType::Basic) {
            add("dialect", json!(crate::server::DIALECT));
            add("version", json!(env!("CARGO_PKG_VERSION")));
            add("class_count", json!(all_classes(&self.vm).len()));
        }
        if wants(InfoType::Memory) {
            add("used_bytes", json!(self.vm.heap.used()));
            add("limit_bytes", json!(self.vm.config().memory_limit));
            add("collections", json!(self.vm.collections()));
        }
        if wants(InfoType::Packages) {
            let mut packages: Vec<String> = all_classes(&self.vm)
                .into_iter()
                .map(|class| text_in(&self.vm, class, slot::CLASS_PACKAGE))
                .filter(|name| !name.is_empty())
                .collect();
            packages.sort();
            packages.dedup();
            add("packages", json!(packages));
        }
        if wants(InfoType::Environment) {
            add("operating_system", json!(std::env::consts::OS));
            add("architecture", json!(std::env::consts::ARCH));
            add("pid", json!(std::process::id()));
            add(
                "uptime_seconds",
                json!(self.vm.started().elapsed().as_secs()),
            );
        }
        response::SystemInfo { info }
    }

    fn list_classes(&self, asked: &request::ListClasses) -> response::ListClasses {
        let vm = &self.vm;
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let include_system = asked.include_system.unwrap_or(true);
        let matching: Vec<Oop> = all_classes(vm)
            .into_iter()
            .filter(|class| {
                asked
                    .pattern
                    .as_ref()
                    .is_none_or(|pattern| matches(pattern, &vm.name_of_class(*class)))
            })
            .filter(|class| include_system || !self.library.contains(class))
            .collect();
        let classes = matching
            .iter()
            .skip(size(asked.offset.unwrap_or(0)))
            .take(size(asked.limit.unwrap_or(DEFAULT_LIMIT)))
            .map(|class| ClassSummary {
                name: vm.name_of_class(*class),
                superclass: superclass(vm, *class),
                package: text_in(vm, *class, slot::CLASS_PACKAGE),
            })
            .collect();
        response::ListClasses {
            classes,
            total_count: matching.len() as u64,
        }
    }

    /// Variables and objects of a session. Their print strings would have to run code: only what can
    /// be read is told.
    fn restore(&mut self, number: SessionNumber) -> response::RestoreSession {
        let Some(session) = self.sessions.get(&number) else {
            return response::RestoreSession::default();
        };
        let objects = session.registry.newest(MAX_RESTORED);
        let variables = self.vm.binding_values(session.bindings);
        let workspace_context = variables
            .into_iter()
            .map(|(name, value)| {
                let described = json!({
                    "class_name": self.vm.class_name(value),
                    "print_string": readable(&self.vm, value),
                });
                (name, described)
            })
            .collect();
        let object_registry = objects
            .into_iter()
            .map(|object| {
                let description = Description {
                    text: readable(&self.vm, object.oop()),
                    ..Description::default()
                };
                self.handle(Some(number), object.oop(), &description)
            })
            .collect();
        response::RestoreSession {
            workspace_context,
            object_registry,
            ..response::RestoreSession::default()
        }
    }
}

/// What an object is, as far as that can be told without asking it.
fn readable(vm: &Vm, object: Oop) -> String {
    const LIMIT: usize = 250;
    if let Some(number) = object.as_small_integer() {
        return number.to_string();
    }
    if object.is_nil() {
        return "nil".into();
    }
    if let Some(boolean) = object.as_boolean() {
        return boolean.to_string();
    }
    match vm.text(object) {
        Some(text) => format!("'{}'", cut(&text, LIMIT).replace('\'', "''")),
        None => super::describe::a(&vm.class_name(object)),
    }
}

fn text_in(vm: &Vm, object: Oop, slot: usize) -> String {
    vm.text(vm.heap.slot(object, slot)).unwrap_or_default()
}

/// All classes, in order of name.
pub(super) fn all_classes(vm: &Vm) -> Vec<Oop> {
    let globals = vm
        .global("Smalltalk")
        .and_then(|globals| vm.heap.map(globals));
    let mut classes: Vec<(String, Oop)> = globals
        .into_iter()
        .flatten()
        .filter_map(|(name, _)| {
            let name = vm.text(*name)?;
            let class = vm.class_named(&name)?;
            // Another global may name a class too.
            (vm.name_of_class(class) == name).then_some((name, class))
        })
        .collect();
    classes.sort();
    classes.into_iter().map(|(_, class)| class).collect()
}

fn superclass(vm: &Vm, class: Oop) -> Option<String> {
    let superclass = vm.heap.slot(class, slot::BEHAVIOR_SUPERCLASS);
    (!superclass.is_nil()).then(|| vm.name_of_class(superclass))
}

/// Whether a name matches a pattern: `*` any characters, `#` or `?` any one, case ignored.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // Where to go on when what followed the last `*` does not fit: it takes one character more.
    let mut retry = None;
    let (mut p, mut n) = (0, 0);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(c) if *c == '#' || *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match retry {
                Some((after_star, taken)) => {
                    p = after_star;
                    n = taken + 1;
                    retry = Some((after_star, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The class with a name, and whether its class side is meant: `Foo`, `Foo class`.
fn find_class(vm: &Vm, name: &str) -> Result<(Oop, bool), ErrorInfo> {
    let (name, is_class_side) = match name.strip_suffix(" class") {
        Some(name) => (name, true),
        None => (name, false),
    };
    if let Some(class) = vm.class_named(name) {
        return Ok((class, is_class_side));
    }
    let lower = name.to_lowercase();
    let mut suggestions: Vec<String> = all_classes(vm)
        .into_iter()
        .map(|class| vm.name_of_class(class))
        .filter(|other| {
            let other = other.to_lowercase();
            !lower.is_empty() && (other.contains(&lower) || lower.contains(&other))
        })
        .collect();
    suggestions.sort_by_key(|other| other.len().abs_diff(name.len()));
    suggestions.truncate(MAX_SUGGESTIONS);
    let hint = match suggestions.first() {
        Some(first) => format!(" Did you mean {first}?"),
        None => " ListClasses tells which there are.".into(),
    };
    Err(ErrorInfo::new(
        ErrorCode::ClassNotFound,
        format!("There is no class {name:?}.{hint}"),
    )
    .with(ErrorDetails {
        class_name: Some(name.to_owned()),
        suggestions,
        ..ErrorDetails::default()
    }))
}

/// Selectors, protocols and the methods themselves of a class or metaclass, in order of selector.
fn methods(vm: &Vm, behavior: Oop) -> Vec<(String, String, Oop)> {
    let map = vm.heap.slot(behavior, slot::BEHAVIOR_METHODS);
    let mut methods: Vec<(String, String, Oop)> = vm
        .heap
        .map(map)
        .into_iter()
        .flatten()
        .map(|(selector, method)| {
            let selector = vm.text(*selector).unwrap_or_default();
            (selector, protocol(vm, *method), *method)
        })
        .collect();
    methods.sort();
    methods
}

fn protocol(vm: &Vm, method: Oop) -> String {
    match vm.heap.body(method) {
        Some(Body::Method(method)) => vm.text(method.protocol).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Selectors of the methods that the class of an object has itself.
pub(super) fn selectors_of(vm: &Vm, object: Oop) -> Vec<String> {
    methods(vm, vm.class_of(object))
        .into_iter()
        .map(|(selector, ..)| selector)
        .collect()
}

fn browse_class(vm: &Vm, asked: &request::BrowseClass) -> Result<response::BrowseClass, ErrorInfo> {
    let (class, _) = find_class(vm, &asked.class_name)?;
    let summaries = |behavior: Oop| -> Vec<MethodSummary> {
        if !asked.include_methods.unwrap_or(true) {
            return Vec::new();
        }
        methods(vm, behavior)
            .into_iter()
            .map(|(name, category, _)| MethodSummary { name, category })
            .collect()
    };
    let instance_methods = summaries(class);
    let mut protocols: Vec<String> = instance_methods
        .iter()
        .map(|method| method.category.clone())
        .collect();
    protocols.sort();
    protocols.dedup();
    let mut superclasses = Vec::new();
    let mut current = vm.heap.slot(class, slot::BEHAVIOR_SUPERCLASS);
    while !current.is_nil() {
        superclasses.push(vm.name_of_class(current));
        current = vm.heap.slot(current, slot::BEHAVIOR_SUPERCLASS);
    }
    let mut subclasses: Vec<String> = all_classes(vm)
        .into_iter()
        .filter(|other| vm.heap.slot(*other, slot::BEHAVIOR_SUPERCLASS) == class)
        .map(|other| vm.name_of_class(other))
        .collect();
    subclasses.sort();
    let variables = vm.heap.slot(class, slot::DESCRIPTION_VARIABLES);
    let instance_vars = vm
        .heap
        .slots(variables)
        .iter()
        .filter_map(|name| vm.text(*name));
    let class_vars = vm
        .heap
        .map(vm.heap.slot(class, slot::CLASS_POOL))
        .into_iter()
        .flatten()
        .filter_map(|(name, _)| vm.text(*name));
    let wants = |asked: Option<bool>| asked.unwrap_or(true);
    Ok(response::BrowseClass {
        class_info: ClassInfo {
            name: vm.name_of_class(class),
            superclass: superclass(vm, class),
            package: text_in(vm, class, slot::CLASS_PACKAGE),
            comment: text_in(vm, class, slot::CLASS_COMMENT),
            definition: None,
        },
        instance_methods,
        class_methods: summaries(vm.class_of(class)),
        instance_vars: instance_vars
            .filter(|_| wants(asked.include_instance_vars))
            .collect(),
        class_vars: class_vars
            .filter(|_| wants(asked.include_class_vars))
            .collect(),
        protocols,
        subclasses,
        superclasses,
    })
}

impl Machine<'_> {
    /// Sets or removes a breakpoint at the beginning of a method.
    pub(super) fn breakpoint(&mut self, class: &str, selector: &str, is_set: bool) -> Response {
        match method_named(&self.vm, class, selector) {
            Err(error) => error.into(),
            Ok(method) => {
                if !is_set {
                    self.vm.remove_breakpoint(method);
                } else if !self.vm.set_breakpoint(method) {
                    return ErrorInfo::new(
                        ErrorCode::InvalidRequest,
                        format!("{class}>>{selector} takes no breakpoint: it is a primitive, or there are too many breakpoints; remove some, or set it at a method that calls it."),
                    )
                    .into();
                }
                response::Debug::default().into()
            }
        }
    }
}

/// The method that a class itself has for a selector; `Foo class` names the class side.
fn method_named(vm: &Vm, class_name: &str, selector: &str) -> Result<Oop, ErrorInfo> {
    let (class, is_class_side) = find_class(vm, class_name)?;
    let behavior = if is_class_side {
        vm.class_of(class)
    } else {
        class
    };
    vm.find_symbol(selector)
        .and_then(|symbol| {
            let map = vm.heap.slot(behavior, slot::BEHAVIOR_METHODS);
            vm.heap.map(map)?.get(&symbol).copied()
        })
        .ok_or_else(|| method_not_found(vm, behavior, selector))
}

fn get_method(vm: &Vm, asked: &request::GetMethod) -> Result<response::GetMethod, ErrorInfo> {
    let (class, is_class_side) = find_class(vm, &asked.class_name)?;
    let is_class_method = asked.is_class_method.unwrap_or(is_class_side);
    let behavior = if is_class_method {
        vm.class_of(class)
    } else {
        class
    };
    let found = vm
        .find_symbol(&asked.method_name)
        .and_then(|selector| {
            let map = vm.heap.slot(behavior, slot::BEHAVIOR_METHODS);
            vm.heap.map(map)?.get(&selector).copied()
        })
        .and_then(|method| Some((method, vm.heap.code(method)?)));
    let Some((method, code)) = found else {
        return Err(method_not_found(vm, behavior, &asked.method_name));
    };
    let source = code.source.to_string();
    let (arguments, comment) = match parse_method(&source) {
        Ok(parsed) => {
            let text = |span: &Span| -> String {
                let length = (span.end - span.start) as usize;
                source
                    .chars()
                    .skip(span.start as usize)
                    .take(length)
                    .collect()
            };
            let comment = parsed.comments.first().map(text).unwrap_or_default();
            let arguments = parsed
                .arguments
                .iter()
                .map(|argument| argument.name.clone());
            (arguments.collect(), comment.trim_matches('"').to_owned())
        }
        Err(_) => (Vec::new(), String::new()),
    };
    Ok(response::GetMethod {
        method: response::Method {
            name: asked.method_name.clone(),
            category: protocol(vm, method),
            is_class_method,
            arguments,
            comment,
            source,
        },
    })
}

fn method_not_found(vm: &Vm, behavior: Oop, selector: &str) -> ErrorInfo {
    let class_name = vm.name_of_class(behavior);
    let mut inherited = None;
    let mut current = vm.heap.slot(behavior, slot::BEHAVIOR_SUPERCLASS);
    while !current.is_nil() && inherited.is_none() {
        if methods(vm, current)
            .iter()
            .any(|(name, ..)| name == selector)
        {
            inherited = Some(vm.name_of_class(current));
        }
        current = vm.heap.slot(current, slot::BEHAVIOR_SUPERCLASS);
    }
    let hint = match &inherited {
        Some(owner) => format!(" It inherits the one of {owner}."),
        None => " BrowseClass tells which it has.".into(),
    };
    ErrorInfo::new(
        ErrorCode::MethodNotFound,
        format!("{class_name} has no method {selector:?}.{hint}"),
    )
    .with(ErrorDetails {
        class_name: Some(class_name),
        suggestions: inherited.into_iter().collect(),
        ..ErrorDetails::default()
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_names_without_regard_to_case() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("ordered*", "OrderedCollection", true),
            ("*Collection", "OrderedCollection", true),
            ("*Collection", "CollectionItem", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("S?t", "Set", true),
            ("S#t", "Seat", false),
            ("", "Set", false),
            ("Set", "Set", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
