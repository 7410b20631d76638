//! Names of files, each once, by number, with how many units lie in it.

use std::collections::HashMap;
use std::sync::Arc;

use weir_base::hash::MixState;

/// The names.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Each with its uses; without any, the place is free.
    slots: Vec<(Arc<str>, u32)>,
    numbers: HashMap<Arc<str>, u32, MixState>,
    free: Vec<u32>,
}

impl Names {
    /// The name as it is shared, if some unit lies there.
    pub(super) fn get(&self, file: &str) -> Option<Arc<str>> {
        self.numbers.get_key_value(file).map(|(name, _)| Arc::clone(name))
    }

    /// Its number.
    pub(super) fn number(&self, file: &str) -> Option<u32> {
        self.numbers.get(file).copied()
    }

    /// The name of a number; empty for one that is none.
    pub(super) fn at(&self, number: u32) -> Arc<str> {
        self.slots.get(number as usize).map_or_else(|| "".into(), |(name, _)| Arc::clone(name))
    }

    /// How many units lie in the file of that number.
    pub(super) fn uses(&self, number: u32) -> u32 {
        self.slots.get(number as usize).map_or(0, |(_, uses)| *uses)
    }

    /// The same by name.
    pub(super) fn uses_of(&self, file: &str) -> u32 {
        self.number(file).map_or(0, |number| self.uses(number))
    }

    /// One unit more lies there; the name as it is shared.
    pub(super) fn take(&mut self, file: &Arc<str>) -> Arc<str> {
        if let Some((name, uses)) = self.numbers.get(file).and_then(|number| self.slots.get_mut(*number as usize)) {
            *uses += 1;
            return Arc::clone(name);
        }
        let number = self.free.pop().unwrap_or(self.slots.len() as u32);
        let fresh = (Arc::clone(file), 1);
        match self.slots.get_mut(number as usize) {
            Some(slot) => *slot = fresh,
            None => self.slots.push(fresh),
        }
        self.numbers.insert(Arc::clone(file), number);
        Arc::clone(file)
    }

    /// One unit less lies there.
    pub(super) fn give(&mut self, file: &str) {
        if let Some(number) = self.number(file) {
            self.give_number(number);
        }
    }

    /// The same by number.
    pub(super) fn give_number(&mut self, number: u32) {
        let Some((name, uses)) = self.slots.get_mut(number as usize).filter(|(_, uses)| *uses > 0) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.numbers.remove(name);
            *name = "".into();
            self.free.push(number);
        }
    }
}
