//! What follows from a record: the names of its flags, its ACL categories, and the older description of where its keys
//! are, which clients from before key specifications still read.

use super::record::{Begin, Command, Find, acl, flags};

/// The flags that COMMAND INFO names, in its order.
const FLAG_NAMES: [(u64, &str); 19] = [
    (flags::WRITE, "write"),
    (flags::READONLY, "readonly"),
    (flags::DENYOOM, "denyoom"),
    (flags::ADMIN, "admin"),
    (flags::PUBSUB, "pubsub"),
    (flags::NOSCRIPT, "noscript"),
    (flags::BLOCKING, "blocking"),
    (flags::LOADING, "loading"),
    (flags::STALE, "stale"),
    (flags::SKIP_MONITOR, "skip_monitor"),
    (flags::SKIP_SLOWLOG, "skip_slowlog"),
    (flags::ASKING, "asking"),
    (flags::FAST, "fast"),
    (flags::NO_AUTH, "no_auth"),
    (flags::NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (flags::NO_ASYNC_LOADING, "no_async_loading"),
    (flags::NO_MULTI, "no_multi"),
    (flags::MOVABLE_KEYS, "movablekeys"),
    (flags::ALLOW_BUSY, "allow_busy"),
];

/// The categories that follow from flags.
const IMPLIED: [(u64, u32); 6] = [
    (flags::WRITE, acl::WRITE),
    (flags::READONLY, acl::READ),
    (flags::ADMIN, acl::ADMIN | acl::DANGEROUS),
    (flags::PUBSUB, acl::PUBSUB),
    (flags::FAST, acl::FAST),
    (flags::BLOCKING, acl::BLOCKING),
];

/// Keys as one range of arguments; a negative `last` counts from the end. All zero: no keys that a range describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub first: i32,
    /// The last key.
    pub last: i32,
    /// The distance from one key to the next.
    pub step: i32,
}

impl Command {
    /// The names of its flags.
    pub fn flag_names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        let movable = if self.has_movable_keys() { flags::MOVABLE_KEYS } else { 0 };
        let bits = self.flags | movable;
        FLAG_NAMES.iter().filter(move |(bit, _)| bits & bit != 0).map(|(_, name)| *name)
    }

    /// All its ACL categories. A script that only reads is no read: what it does is up to its commands.
    pub fn categories(&self) -> u32 {
        let mut categories = self.acl;
        for (flag, implied) in IMPLIED {
            if self.is(flag) && !(flag == flags::READONLY && self.acl & acl::SCRIPTING != 0) {
                categories |= implied;
            }
        }
        if !self.is(flags::FAST) {
            categories |= acl::SLOW;
        }
        categories
    }

    /// The names of its ACL categories, without the `@`.
    pub fn category_names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        let categories = self.categories();
        acl::NAMES
            .iter()
            .enumerate()
            .filter(move |(bit, _)| categories & 1 << bit != 0)
            .map(|(_, name)| *name)
    }

    /// Whether the places of its keys depend on the arguments.
    pub fn has_movable_keys(&self) -> bool {
        let is_fixed = |begin, find| matches!((begin, find), (Begin::Index(_), Find::Range { .. }));
        self.keys.iter().any(|spec| !is_fixed(spec.begin, spec.find))
    }

    /// The smallest range that holds those of its keys whose places are fixed: of one specification whatever its step,
    /// of several as long as they follow one another without gaps.
    pub fn key_range(&self) -> KeyRange {
        let mut ranges = self.keys.iter().filter_map(|spec| match (spec.begin, spec.find) {
            (Begin::Index(first) | Begin::IndexIf { index: first, .. }, Find::Range { last, step, .. }) => {
                let (first, last) = (i32::from(first), i32::from(last));
                let last = if last >= 0 { first + last } else { last };
                Some(KeyRange { first, last, step: i32::from(step) })
            }
            _ => None,
        });
        let Some(first) = ranges.next() else { return KeyRange::default() };
        if self.keys.len() == 1 {
            return first;
        }
        let adjacent =
            |sum: KeyRange, next: KeyRange| (next.step == 1 && next.first == sum.last + 1).then_some(next);
        let mut sum = KeyRange { step: 1, ..first };
        while let Some(next) = ranges.next().and_then(|next| adjacent(sum, next)) {
            sum.last = next.last;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::KeySpec;

    const KEYWORD: KeySpec =
        KeySpec { begin: Begin::Keyword { word: "STORE", from: 6 }, ..KeySpec::first(0) };

    #[test]
    fn key_ranges_are_those_of_old() {
        type Case = (&'static [KeySpec], (i32, i32, i32), bool);
        const MAYBE: KeySpec =
            KeySpec { begin: Begin::IndexIf { index: 3, holds: |_| false }, ..KeySpec::first(0) };
        const CASES: [Case; 7] = [
            (&[], (0, 0, 0), false),
            (&[KeySpec::first(0)], (1, 1, 1), false),
            (&[KeySpec::from(1, 2, 0)], (1, -1, 2), false),
            (&[KeySpec::at(1, 0), KeySpec::at(2, 0)], (1, 2, 1), false),
            (&[KeySpec::at(1, 0), KEYWORD, KEYWORD], (1, 1, 1), true),
            (&[KEYWORD], (0, 0, 0), true),
            // As of MIGRATE.
            (&[MAYBE, KEYWORD], (3, 3, 1), true),
        ];
        for (keys, (first, last, step), movable) in CASES {
            let command = Command { keys, ..Command::BASE };
            assert_eq!(command.key_range(), KeyRange { first, last, step });
            assert_eq!(command.has_movable_keys(), movable);
        }
    }

    #[test]
    fn categories_follow_from_flags() {
        let names = |flags, acl| Command { flags, acl, ..Command::BASE }.category_names().collect::<Vec<_>>();
        assert_eq!(names(flags::READONLY | flags::FAST, acl::STRING), ["read", "string", "fast"]);
        assert_eq!(names(flags::ADMIN, 0), ["admin", "slow", "dangerous"]);
        assert_eq!(names(flags::READONLY, acl::SCRIPTING), ["slow", "scripting"]);
        assert_eq!(names(flags::WRITE | flags::BLOCKING, acl::LIST), ["write", "list", "slow", "blocking"]);
    }
}
