//! Symbols: one object for each spelling.

use std::collections::HashMap;

use super::heap::{Body, Heap};
use super::known::{SELECTORS, class};
use super::oop::Oop;

/// All symbols by spelling. A symbol that nothing refers to is forgotten at the next collection.
#[derive(Debug, Default)]
pub(super) struct SymbolTable {
    by_text: HashMap<Box<str>, Oop>,
}

impl SymbolTable {
    /// A table of the well-known selectors, whose objects are filled in here.
    pub(super) fn new(heap: &mut Heap) -> SymbolTable {
        let mut table = SymbolTable::default();
        for (text, oop) in SELECTORS {
            heap.set_class(*oop, class::BYTE_SYMBOL);
            heap.replace_body(*oop, Body::Bytes(text.as_bytes().into()));
            table.by_text.insert((*text).into(), *oop);
        }
        table
    }

    /// The symbol of this spelling, made if need be.
    pub(super) fn intern(&mut self, heap: &mut Heap, text: &str) -> Oop {
        if let Some(symbol) = self.by_text.get(text) {
            return *symbol;
        }
        // a symbol is a string of the same characters with another class
        let symbol = heap.string(text);
        let class = if heap.bytes(symbol).is_some() {
            class::BYTE_SYMBOL
        } else {
            class::WIDE_SYMBOL
        };
        heap.set_class(symbol, class);
        self.by_text.insert(text.into(), symbol);
        symbol
    }

    /// The symbol of this spelling if there is one.
    pub(super) fn find(&self, text: &str) -> Option<Oop> {
        self.by_text.get(text).copied()
    }

    /// Every symbol with its spelling, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Oop)> {
        self.by_text.iter().map(|(text, oop)| (&**text, *oop))
    }

    /// Forgets the symbols that the collector did not reach.
    pub(super) fn forget_unmarked(&mut self, heap: &Heap) {
        self.by_text.retain(|_, symbol| heap.is_marked(*symbol));
    }
}
