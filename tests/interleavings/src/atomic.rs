//! Loom's atomics, each with a companion that every access touches.
//!
//! Loom tries the orders of accesses that depend on each other, but of each atomic it knows only the last access. So a store
//! that comes right after a load by the same thread hides what other threads loaded before, and orders are left out. The
//! companion is exchanged before every access, which makes any two accesses depend on each other. It orders nothing (an
//! exchange that is relaxed), so weak memory stays as weak as it is.

use loom::Ordering::Relaxed;
use loom::sync::atomic as loom;
pub use loom::{Ordering, fence};

macro_rules! atomic {
    ($($name:ident: $value:ty,)*) => {$(
        /// As the one of std.
        #[derive(Debug, Default)]
        pub struct $name {
            companion: loom::AtomicBool,
            own: loom::$name,
        }

        impl $name {
            /// As in std.
            pub fn new(value: $value) -> $name {
                $name { companion: loom::AtomicBool::new(false), own: loom::$name::new(value) }
            }

            fn touched(&self) -> &loom::$name {
                self.companion.swap(true, Relaxed);
                &self.own
            }

            /// As in std.
            pub fn load(&self, order: Ordering) -> $value {
                self.touched().load(order)
            }

            /// As in std.
            pub fn store(&self, value: $value, order: Ordering) {
                self.touched().store(value, order);
            }

            /// As in std.
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.touched().compare_exchange(current, new, success, failure)
            }
        }
    )*};
}

atomic! {
    AtomicBool: bool,
    AtomicU8: u8,
    AtomicU32: u32,
    AtomicU64: u64,
}

impl AtomicBool {
    /// As in std, to take what others may have taken. A swap that finds its own value writes it again; loom may order that
    /// after a later store of another thread, which no machine does, so nothing is written then.
    pub fn swap(&self, value: bool, order: Ordering) -> bool {
        match self.compare_exchange(!value, value, order, order) {
            Ok(before) | Err(before) => before,
        }
    }
}
