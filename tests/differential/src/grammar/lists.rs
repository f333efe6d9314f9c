//! Lists. What waits does so for a millisecond: neither server has anybody who could push meanwhile.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::new("RPUSH key value...").weight(30),
    Rule::new("LPUSH key value...").weight(30),
    Rule::new("RPUSHX key value..."),
    Rule::new("LPUSHX key value..."),
    Rule::new("LPOP key [small]").weight(15),
    Rule::new("RPOP key [small]").weight(15),
    Rule::new("LLEN key"),
    Rule::new("LRANGE key index index").weight(15),
    Rule::new("LRANGE key 0 -1").weight(15),
    Rule::new("LINDEX key index").weight(15),
    Rule::new("LSET key small value").weight(15),
    // Of an index the peers keep 32 bits, so that a large one means another element.
    Rule::new("LSET key (small|word|2147483647|-2147483648) value").weight(5),
    Rule::new("LINSERT key (BEFORE|AFTER|word) value value").weight(20),
    Rule::new("LREM key small value").weight(15),
    Rule::new("LREM key integer value").weight(4),
    Rule::new("LTRIM key small index").weight(6),
    Rule::new("LTRIM key small -1").weight(8),
    Rule::new("LTRIM key 0 small").weight(3),
    Rule::new("LPOS key value [RANK small] [COUNT small] [MAXLEN small]").weight(20),
    Rule::new("LPOS key value [RANK integer] [COUNT integer] [MAXLEN integer]").weight(5),
    Rule::new("LMOVE key key (LEFT|RIGHT) (LEFT|RIGHT|word)").weight(20),
    Rule::new("RPOPLPUSH key key").weight(10),
    Rule::new("LMPOP 1 key (LEFT|RIGHT) [COUNT small]").weight(8),
    Rule::new("LMPOP 2 key key (LEFT|RIGHT|word) [COUNT small]").weight(8),
    Rule::new("LMPOP small key... (LEFT|RIGHT) [COUNT integer]").weight(3),
    Rule::new("BLPOP key... (0.001|0.002|-1|word|1E300)").weight(3),
    Rule::new("BRPOP key key (0.001|0.002|NAN)").weight(3),
    Rule::new("BLMPOP (0.001|word) 2 key key (LEFT|RIGHT) [COUNT small]").weight(3),
    Rule::new("BLMOVE key key (LEFT|RIGHT) (LEFT|RIGHT) (0.001|word)").weight(3),
    Rule::new("BRPOPLPUSH key key (0.001|-0.5)").weight(3),
    Rule::new("DEBUG DIGEST-VALUE key key").weight(3),
];
