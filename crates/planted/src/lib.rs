//! Bugs planted on purpose, to see that the simulator's checks catch them.
//!
//! A place in the product where a bug is planted asks [`is`] or [`every`]. Without the feature `on`
//! both are constants, so that nothing of it is left in what a shop runs. With it, one bug at a time
//! is chosen for the whole process. The list of all of them, and what catches each, is in
//! `simulations/src/mutants.rs`.

#[cfg(feature = "on")]
mod chosen {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{PoisonError, RwLock};

    static CHOSEN: RwLock<&'static str> = RwLock::new("");
    static COUNT: AtomicU64 = AtomicU64::new(0);

    /// Plants the bug of that name, and takes the one before away; `""` plants none. Whether this
    /// build can do that.
    pub fn plant(name: &'static str) -> bool {
        *CHOSEN.write().unwrap_or_else(PoisonError::into_inner) = name;
        COUNT.store(0, Ordering::Relaxed);
        true
    }

    /// Whether the bug of that name is planted.
    pub fn is(name: &str) -> bool {
        *CHOSEN.read().unwrap_or_else(PoisonError::into_inner) == name
    }

    /// Whether the bug is planted and it is its turn: each `n`-th time it is asked for.
    pub fn every(n: u64, name: &str) -> bool {
        is(name) && COUNT.fetch_add(1, Ordering::Relaxed) % n == n - 1
    }

    /// A number that differs each time, as a clock or an unordered map would give; 0 where the bug
    /// is not planted.
    pub fn noise(name: &str) -> u64 {
        match is(name) {
            true => COUNT.fetch_add(1, Ordering::Relaxed),
            false => 0,
        }
    }
}

#[cfg(feature = "on")]
pub use chosen::{every, is, noise, plant};

/// Plants a bug; whether this build can do that: it cannot.
#[cfg(not(feature = "on"))]
pub const fn plant(_name: &'static str) -> bool {
    false
}

/// Whether the bug of that name is planted: never, in this build.
#[cfg(not(feature = "on"))]
#[inline(always)]
pub const fn is(_name: &str) -> bool {
    false
}

/// Whether the bug of that name is planted and it is its turn: never, in this build.
#[cfg(not(feature = "on"))]
#[inline(always)]
pub const fn every(_n: u64, _name: &str) -> bool {
    false
}

/// A number that differs each time where the bug is planted: always 0, in this build.
#[cfg(not(feature = "on"))]
#[inline(always)]
pub const fn noise(_name: &str) -> u64 {
    0
}

/// `wrong` where the bug of that name is planted, `right` in every build for a shop.
#[inline(always)]
pub fn instead<T>(name: &str, wrong: T, right: T) -> T {
    if is(name) { wrong } else { right }
}

#[cfg(all(test, not(feature = "on")))]
mod tests {
    #[test]
    fn a_build_for_shops_has_no_planted_bug() {
        const NONE: bool = !super::is("any") && !super::every(1, "any") && super::noise("any") == 0;
        const { assert!(NONE) };
    }
}
