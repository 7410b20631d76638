//! What was asked for lately, by key, in two generations: when all that share one measure hold much, whoever holds it lets go of what was not asked for since the
//! last time. Finding costs one look into a table or two, keeping nothing but a number.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::hash::MixState;

/// Bytes (or whatever is measured) that were put in or asked for since the last [`Held::begin`], by all who share it.
#[derive(Clone, Debug, Default)]
pub struct Held(Arc<AtomicUsize>);

impl Held {
    /// As much as that, so far.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts from nothing again.
    pub fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn add(&self, weight: usize) {
        self.0.fetch_add(weight, Ordering::Relaxed);
    }
}

/// Values by key: those that were asked for lately, and those that were before.
#[derive(Debug)]
pub struct Lately<K, V> {
    lately: HashMap<K, (V, usize), MixState>,
    before: HashMap<K, (V, usize), MixState>,
    held: Held,
}

impl<K, V> Default for Lately<K, V> {
    fn default() -> Lately<K, V> {
        Lately::sharing(&Held::default())
    }
}

impl<K, V> Lately<K, V> {
    /// Nothing yet, measured together with all others that share `held`.
    pub fn sharing(held: &Held) -> Lately<K, V> {
        Lately { lately: HashMap::default(), before: HashMap::default(), held: held.clone() }
    }

    /// What it is measured by.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// What was not asked for since the last time goes.
    pub fn age(&mut self) {
        std::mem::swap(&mut self.lately, &mut self.before);
        self.lately.clear();
    }
}

impl<K: Eq + Hash, V: Clone> Lately<K, V> {
    /// The value of a key, if it is at hand; it is measured again if it was not asked for since the last [`Lately::age`].
    pub fn get(&mut self, key: K) -> Option<V> {
        if let Some((value, _)) = self.lately.get(&key) {
            return Some(value.clone());
        }
        let (value, weight) = self.before.remove(&key)?;
        self.put(key, value.clone(), weight);
        Some(value)
    }

    /// Keeps a value that weighs so much.
    pub fn put(&mut self, key: K, value: V, weight: usize) {
        self.held.add(weight);
        self.lately.insert(key, (value, weight));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_again_stays() {
        let held = Held::default();
        let (mut a, mut b) = (Lately::sharing(&held), Lately::sharing(&held));
        (1..=3usize).for_each(|n| a.put(n, n * 10, n));
        b.put(1, "one", 4);
        assert_eq!(held.get(), 10);
        a.age();
        held.begin();
        assert_eq!((a.get(2), a.get(2), held.get()), (Some(20), Some(20), 2), "what is asked for again counts again, once");
        a.age();
        assert_eq!([1, 2, 3].map(|n| a.get(n).is_some()), [false, true, false]);
        assert_eq!((a.lately.len(), a.before.len(), b.get(1)), (1, 0, Some("one")));
    }
}
