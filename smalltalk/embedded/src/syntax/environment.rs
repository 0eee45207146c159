//! What names outside a method mean: the questions that analysis asks its surroundings.

use super::ast::SharedId;

/// What an [`Environment`] knows about a name that is neither argument, temporary nor pseudo variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// An instance variable: 0-based index among all instance variables, inherited ones first.
    Instance(u32),
    /// A class variable, session variable, pool variable or global.
    Shared {
        /// The environment's own number for it.
        id: SharedId,
        /// Whether it may be assigned.
        writable: bool,
    },
}

/// The surroundings in which a method or doIt is compiled: a class, a session, the globals.
///
/// The implementation looks from the inside out: instance variables, then class variables, then session variables, then
/// globals. Arguments, temporaries and pseudo variables were already looked up and shadow all of them.
pub trait Environment {
    /// What `name` stands for, or None when nothing has that name.
    fn resolve(&mut self, name: &str) -> Option<Resolution>;

    /// Whether reading `name`, which nothing declares yet, is left to the time when the code runs: then it is a global,
    /// which an earlier statement may have defined.
    fn may_be_defined_later(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// Whether assigning `name`, which nothing declares yet, may declare it. A session in which variables come into
    /// being by assignment says yes to them; otherwise the source does not compile: `Undeclared variable`.
    fn can_declare(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// Declares `name`, so that `resolve` knows it from now on. Called only for names that `can_declare` allowed, and only
    /// when nothing else keeps the source from compiling: a source with an error declares nothing.
    fn declare(&mut self, name: &str) {
        let _ = name;
    }
}

/// Surroundings without any name, in which nothing can be declared.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyEnvironment;

impl Environment for EmptyEnvironment {
    fn resolve(&mut self, _name: &str) -> Option<Resolution> {
        None
    }
}
