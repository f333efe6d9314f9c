//! Whether a step holds all stripes for so long that others must not simply wait for it.
//!
//! Who holds them says so here; who would wait for a stripe decides by it when to give up. Only waiters look, so it costs
//! nothing where nobody waits.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// How long all stripes are held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// As briefly as usual.
    None,
    /// Longer than usual: what is not urgent is better left for later.
    Held,
    /// For nobody knows how long: nobody waits.
    Busy,
}

/// Tells how long all stripes are held.
#[derive(Debug, Default)]
pub struct Standstill(AtomicU8);

impl Standstill {
    /// The present level.
    #[inline]
    pub fn level(&self) -> Level {
        match self.0.load(Relaxed) {
            0 => Level::None,
            1 => Level::Held,
            _ => Level::Busy,
        }
    }

    /// Says it; for who holds all stripes.
    pub fn set(&self, level: Level) {
        self.0.store(level as u8, Relaxed);
    }
}

/// For how long somebody waits for a stripe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Until it is free.
    Endless,
    /// No longer than until everything is held for nobody knows how long.
    UntilBusy,
    /// No longer than until everything is held for longer than usual.
    UntilHeld,
}

impl Patience {
    /// Whether it is at its end.
    #[inline]
    pub(crate) fn is_over(self, standstill: &Standstill) -> bool {
        match self {
            Patience::Endless => false,
            Patience::UntilBusy => standstill.level() == Level::Busy,
            Patience::UntilHeld => standstill.level() != Level::None,
        }
    }
}
