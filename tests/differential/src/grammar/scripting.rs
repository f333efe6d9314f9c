//! Scripts and functions. Their texts are drawn from a list (`scripts`): each does the same in any server, and what it does
//! depends on its keys and arguments.

use super::{Known, Rule};
use crate::compare::Tolerance;

pub(super) const RULES: &[Rule] = &[
    Rule::new("EVAL script 1 key value").weight(40),
    Rule::new("EVAL script 2 key key value value").weight(20),
    Rule::new("EVAL script 0").weight(4),
    Rule::new("EVAL script small key...").weight(4),
    Rule::new("EVAL_RO script 1 key value").weight(15),
    Rule::new("EVALSHA scriptdigest 1 key value").weight(20),
    Rule::new("EVALSHA_RO scriptdigest 1 key value").weight(8),
    Rule::new("SCRIPT LOAD script").weight(8),
    Rule::new("SCRIPT EXISTS scriptdigest...").weight(5),
    Rule::new("SCRIPT FLUSH [SYNC|ASYNC]").weight(1),
    Rule::new("SCRIPT SHOW scriptdigest").weight(3).only(Known::Valkey),
    Rule::new("SCRIPT KILL").weight(1),
    Rule::new("FUNCTION LOAD library").weight(6),
    Rule::new("FUNCTION LOAD REPLACE library").weight(10),
    Rule::new("FUNCTION DELETE libraryname").weight(3),
    Rule::new("FUNCTION FLUSH [SYNC|ASYNC]").weight(1),
    Rule::new("FUNCTION LIST [LIBRARYNAME libraryname] [WITHCODE]").weight(4).tolerance(Tolerance::Unordered),
    Rule::new("FUNCTION STATS").weight(2),
    Rule::new("FUNCTION KILL").weight(1),
    Rule::new("FUNCTION RESTORE value [FLUSH|APPEND|REPLACE]").weight(2),
    Rule::new("FCALL function 1 key value").weight(25),
    Rule::new("FCALL_RO function 1 key value").weight(10),
    Rule::new("FCALL function small key value").weight(3),
];
