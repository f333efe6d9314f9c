//! Any value that is written in parts.

use ochre_types::Pinned;

use super::elements::{FieldCommands, ItemCommands, ScoreCommands};
use super::encoder::CommandEncoder;
use super::stream::StreamCommands;
use super::text::TextCommands;

/// A value that is written in parts, as commands.
pub trait CommandParts {
    /// Writes on, until there are about `bytes` in the buffer; whether the value is complete. There must be room, or it
    /// does not get on. The key is the same each time, and nothing else is written in between.
    fn write_part(&mut self, out: &mut CommandEncoder, key: &[u8], bytes: usize) -> bool;
}

/// Writes a pinned value that nothing has been read of yet.
pub fn pinned_commands<'a>(pinned: &'a mut Pinned) -> Box<dyn CommandParts + 'a> {
    match pinned {
        Pinned::String(string) => Box::new(TextCommands::new(string)),
        Pinned::List(list) => Box::new(ItemCommands::new("RPUSH", list)),
        Pinned::Set(set) => Box::new(ItemCommands::new("SADD", set)),
        Pinned::Hash(hash) => Box::new(FieldCommands::new(hash)),
        Pinned::ZSet(zset) => Box::new(ScoreCommands::new(zset)),
        Pinned::Stream(stream) => Box::new(StreamCommands::new(stream)),
    }
}
