//! What a script declares about itself, as the flags of the command that runs it: admission, pauses and transactions go by
//! these. A script without a shebang is what its command is: it may write, and what it writes is refused command by command.

use ochre_script::{ScriptFlags, Shebang};

use super::interpreter::with_stage;
use crate::call::Args;
use crate::command::{CommandEntry, flags};
use crate::engine::Engine;

/// The flags of a command with these arguments.
#[inline]
pub(crate) fn effective_flags(engine: &Engine, entry: &CommandEntry, args: Args<'_>) -> u64 {
    match entry.flags & flags::RUNS_SCRIPT {
        0 => entry.flags,
        _ => of_script(engine, entry, args).map_or(entry.flags, |declared| replace(entry.flags, declared)),
    }
}

/// What the script or the function that a command runs declares, if that is known.
fn of_script(engine: &Engine, entry: &CommandEntry, args: Args<'_>) -> Option<ScriptFlags> {
    let text = args.get(1)?;
    match entry.command.name {
        "eval" | "eval_ro" => Shebang::parse(text).ok()?.flags,
        "evalsha" | "evalsha_ro" => {
            with_stage(engine, |stage| stage.script(engine, text)?.flags()).ok().flatten()
        }
        _ => engine.scripting.function(text).map(|function| function.record().flags),
    }
}

/// The flags of a command, with those in place of its own that a script declares.
fn replace(command_flags: u64, declared: ScriptFlags) -> u64 {
    let mut replaced = command_flags & !(flags::STALE | flags::DENYOOM | flags::WRITE | flags::MAY_REPLICATE);
    if !declared.has(ScriptFlags::ALLOW_OOM) && !declared.has(ScriptFlags::NO_WRITES) {
        replaced |= flags::DENYOOM;
    }
    if !declared.has(ScriptFlags::NO_WRITES) {
        replaced |= flags::WRITE;
    }
    if declared.has(ScriptFlags::ALLOW_STALE) {
        replaced |= flags::STALE;
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_take_the_place_of_flags() {
        let own = flags::STALE | flags::MAY_REPLICATE | flags::NOSCRIPT;
        let cases = [
            (ScriptFlags::default(), flags::NOSCRIPT | flags::WRITE | flags::DENYOOM),
            (ScriptFlags::NO_WRITES, flags::NOSCRIPT),
            (ScriptFlags::ALLOW_OOM, flags::NOSCRIPT | flags::WRITE),
            (ScriptFlags::NO_WRITES.with(ScriptFlags::ALLOW_STALE), flags::NOSCRIPT | flags::STALE),
        ];
        for (declared, expected) in cases {
            assert_eq!(replace(own, declared), expected, "{declared:?}");
        }
    }
}
