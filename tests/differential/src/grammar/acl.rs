//! Users and their rules. The default user, which the connections are, stays as it is; nobody becomes another, so that
//! nobody is locked out. What a user may do is asked by DRYRUN. Valkey shows users otherwise than Redis.

use super::{Known, Rule};
use crate::compare::Tolerance::{Kind, Shape};

pub(super) const RULES: &[Rule] = &[
    Rule::new("ACL SETUSER user [aclrule...]").weight(40),
    Rule::new("ACL GETUSER user").weight(12).only(Known::Redis),
    Rule::new("ACL LIST").weight(6).only(Known::Redis),
    Rule::new("ACL USERS").weight(2),
    Rule::new("ACL DELUSER user...").weight(4),
    Rule::new("ACL WHOAMI").weight(1),
    Rule::new("ACL CAT").weight(1),
    Rule::new("ACL CAT word [word]").weight(1).tolerance(Shape),
    Rule::new("ACL GENPASS [integer]").weight(2).tolerance(Kind),
    Rule::new("ACL LOG [integer|RESET|word]").weight(1),
    Rule::new("ACL LOAD").weight(1).only(Known::Redis),
    Rule::new("ACL SAVE").weight(1).only(Known::Redis),
    Rule::new("ACL HELP").weight(1).tolerance(Shape),
    Rule::new("ACL word [value]").weight(1),
    Rule::new("ACL DRYRUN user (GET|STRLEN|EXISTS|TYPE|INCR|GETDEL|LPOP|HGETALL|SMEMBERS) key").weight(20),
    Rule::new("ACL DRYRUN user SET key value [GET] [XX|NX]").weight(8),
    Rule::new("ACL DRYRUN user (MGET|DEL|WATCH|SINTER|PFCOUNT) key...").weight(6),
    Rule::new("ACL DRYRUN user (COPY|RENAME|LCS|SMOVE) key key").weight(6),
    Rule::new("ACL DRYRUN user SORT key [BY sortpattern] [GET sortpattern] [STORE key]").weight(6),
    Rule::new("ACL DRYRUN user ZUNIONSTORE key small key...").weight(4),
    Rule::new("ACL DRYRUN user XREAD [COUNT small] STREAMS key streamid").weight(4),
    Rule::new("ACL DRYRUN user BITFIELD key [GET fieldtype offset] [SET fieldtype offset integer]").weight(4),
    Rule::new("ACL DRYRUN user CONFIG (GET|SET|RESETSTAT|word) [word]").weight(4),
    Rule::new("ACL DRYRUN user CLIENT (ID|GETNAME|LIST)").weight(4),
    Rule::new("ACL DRYRUN user (PING|SELECT|AUTH|KEYS|FLUSHALL|DBSIZE) [small]").weight(6),
    Rule::new("ACL DRYRUN name command [key]").weight(1),
];
