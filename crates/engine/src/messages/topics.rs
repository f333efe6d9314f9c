//! Who is subscribed to what.
//!
//! A *topic* is a channel, a sharded channel or a pattern with its subscribers, listed by worker. A list is shared with the
//! deliveries that are on their way, which therefore go to just those who were subscribed when the message was published;
//! a subscription that comes meanwhile changes a copy of the list. Patterns are found by what they begin with before their
//! first special character, so a message is compared with those only that may match it.

use std::collections::HashMap;
use std::sync::Arc;

use ochre_types::{Case, glob_match};

use super::prefix_map::PrefixMap;
use super::queue::Receiver;

/// What a subscription is to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A channel.
    Channel,
    /// Channels of a pattern.
    Pattern,
    /// A sharded channel.
    ShardChannel,
}

/// Subscribers.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// By worker; no list is empty.
    lists: Vec<(usize, Arc<Vec<Receiver>>)>,
}

impl Topic {
    /// The number of subscribers.
    pub(super) fn len(&self) -> usize {
        self.lists.iter().map(|(_, list)| list.len()).sum()
    }

    /// The lists by worker.
    pub(super) fn lists(&self) -> &[(usize, Arc<Vec<Receiver>>)] {
        &self.lists
    }

    fn add(&mut self, worker: usize, receiver: Receiver) {
        match self.lists.iter_mut().find(|(of, _)| *of == worker) {
            Some((_, list)) => Arc::make_mut(list).push(receiver),
            None => self.lists.push((worker, Arc::new(vec![receiver]))),
        }
    }

    fn remove(&mut self, worker: usize, receiver: Receiver) {
        let Some(at) = self.lists.iter().position(|(of, _)| *of == worker) else { return };
        let list = &mut self.lists[at].1;
        if let Some(index) = list.iter().position(|other| *other == receiver) {
            Arc::make_mut(list).swap_remove(index);
        }
        if self.lists[at].1.is_empty() {
            self.lists.swap_remove(at);
        }
    }
}

/// A pattern with its subscribers.
type Patterns = Vec<(Box<[u8]>, Topic)>;

/// All topics.
#[derive(Debug, Default)]
pub(super) struct Topics {
    channels: HashMap<Box<[u8]>, Topic>,
    shard_channels: HashMap<Box<[u8]>, Topic>,
    /// By what they begin with.
    patterns: PrefixMap<Patterns>,
    pattern_count: usize,
}

impl Topics {
    /// The number of topics of a kind.
    pub(super) fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Pattern => self.pattern_count,
            Kind::Channel | Kind::ShardChannel => self.named(kind).len(),
        }
    }

    /// Channels of a kind, by name.
    pub(super) fn named(&self, kind: Kind) -> &HashMap<Box<[u8]>, Topic> {
        if kind == Kind::ShardChannel { &self.shard_channels } else { &self.channels }
    }

    fn named_mut(&mut self, kind: Kind) -> &mut HashMap<Box<[u8]>, Topic> {
        if kind == Kind::ShardChannel { &mut self.shard_channels } else { &mut self.channels }
    }

    /// Adds a subscription, which is not there yet.
    pub(super) fn add(&mut self, kind: Kind, name: &[u8], worker: usize, receiver: Receiver) {
        if kind != Kind::Pattern {
            return self.named_mut(kind).entry(name.into()).or_default().add(worker, receiver);
        }
        let patterns = self.patterns.entry(literal_prefix(name));
        match patterns.iter_mut().find(|(pattern, _)| **pattern == *name) {
            Some((_, topic)) => topic.add(worker, receiver),
            None => {
                let mut topic = Topic::default();
                topic.add(worker, receiver);
                patterns.push((name.into(), topic));
                self.pattern_count += 1;
            }
        }
    }

    /// Removes a subscription.
    pub(super) fn remove(&mut self, kind: Kind, name: &[u8], worker: usize, receiver: Receiver) {
        if kind == Kind::Pattern {
            return self.remove_pattern(name, worker, receiver);
        }
        let topics = self.named_mut(kind);
        if let Some(topic) = topics.get_mut(name) {
            topic.remove(worker, receiver);
            if topic.lists.is_empty() {
                topics.remove(name);
            }
        }
    }

    fn remove_pattern(&mut self, name: &[u8], worker: usize, receiver: Receiver) {
        let prefix = literal_prefix(name);
        let Some(patterns) = self.patterns.get_mut(prefix) else { return };
        if let Some(at) = patterns.iter().position(|(pattern, _)| **pattern == *name) {
            let topic = &mut patterns[at].1;
            topic.remove(worker, receiver);
            if topic.lists.is_empty() {
                patterns.remove(at);
                self.pattern_count -= 1;
            }
        }
        if patterns.is_empty() {
            self.patterns.remove(prefix);
        }
    }

    /// Calls `visit` for every pattern that a channel matches.
    pub(super) fn each_pattern_of<'t>(&'t self, channel: &[u8], mut visit: impl FnMut(&'t [u8], &'t Topic)) {
        self.patterns.each_prefix_of(channel, |_, patterns| {
            for (pattern, topic) in patterns {
                if glob_match(pattern, channel, Case::Sensitive) {
                    visit(pattern, topic);
                }
            }
        });
    }

    /// All topics with their kinds and names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Kind, &[u8], &Topic)> {
        let named = |kind| self.named(kind).iter().map(move |(name, topic)| (kind, &**name, topic));
        let patterns = self.patterns.iter().flat_map(|(_, patterns)| patterns);
        let patterns = patterns.map(|(name, topic)| (Kind::Pattern, &**name, topic));
        named(Kind::Channel).chain(named(Kind::ShardChannel)).chain(patterns)
    }
}

/// What every text that matches a pattern begins with.
fn literal_prefix(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'));
    &pattern[..end.unwrap_or(pattern.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(client: u64) -> Receiver {
        Receiver { client, place: client as usize }
    }

    #[test]
    fn patterns_are_found_by_what_they_begin_with() {
        let mut topics = Topics::default();
        let patterns = ["*", "news.*", "news.a?t", "news.art", "n\\ews.*", "[mn]ews.art", "news.", "old.*"];
        for (index, pattern) in patterns.iter().enumerate() {
            topics.add(Kind::Pattern, pattern.as_bytes(), index % 2, client(index as u64));
        }
        let found = |topics: &Topics, channel: &str| {
            let mut found = Vec::new();
            topics.each_pattern_of(channel.as_bytes(), |pattern, _| {
                found.push(String::from_utf8(pattern.to_vec()).unwrap());
            });
            found.sort_unstable();
            found
        };
        let expected = ["*", "[mn]ews.art", "n\\ews.*", "news.*", "news.a?t", "news.art"];
        assert_eq!(found(&topics, "news.art"), expected);
        assert_eq!(found(&topics, "old.x"), ["*", "old.*"]);
        assert_eq!(topics.count(Kind::Pattern), patterns.len());
        for (index, pattern) in patterns.iter().enumerate() {
            topics.remove(Kind::Pattern, pattern.as_bytes(), index % 2, client(index as u64));
        }
        assert_eq!((topics.count(Kind::Pattern), topics.patterns.len()), (0, 0));
    }

    #[test]
    fn a_list_that_is_on_its_way_stays_as_it_is() {
        let mut topics = Topics::default();
        topics.add(Kind::Channel, b"c", 0, client(1));
        topics.add(Kind::Channel, b"c", 1, client(2));
        let kept = Arc::clone(&topics.named(Kind::Channel)[&b"c"[..]].lists()[0].1);
        topics.add(Kind::Channel, b"c", 0, client(3));
        topics.remove(Kind::Channel, b"c", 0, client(1));
        assert_eq!(kept.as_slice(), [client(1)]);
        let topic = &topics.named(Kind::Channel)[&b"c"[..]];
        assert_eq!((topic.len(), topic.lists()[0].1.as_slice()), (2, &[client(3)][..]));
        topics.remove(Kind::Channel, b"c", 0, client(3));
        topics.remove(Kind::Channel, b"c", 1, client(2));
        assert_eq!(topics.count(Kind::Channel), 0);
    }
}
