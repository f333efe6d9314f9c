//! Cases as data: what a client sends and what it must get, once written, run in many ways.
//!
//! A file holds cases, one after the other:
//!
//! ```text
//! case GET of a key that holds a list
//! except: inline redis/bytes      (modes in which this case means nothing, or only on one kind of server)
//! only: ochre                     (kinds of servers: ochre, redis, valkey; all if not said)
//! config: maxmemory 100mb         (a setting for the time of this case; may be repeated)
//! > SET key "two words"           (a request, quoted as on an inline line)
//! +OK
//! > CLIENT ID
//! <int as id>                     (a pattern; what it matched has a name from here on)
//! b> CLIENT KILL ID ${id}         (another client, and the name's value)
//! :1
//! >> "*1\r\n$4\r\nPI" "NG\r\n"    (bytes as they are)
//! +PONG
//! ?> EXISTS key                   (asked again until the reply matches)
//! :0
//! ```
//!
//! Replies are written in the vocabulary of RESP3; a client of RESP2 expects what RESP2 has instead: arrays for maps and
//! sets, strings for doubles, integers for booleans. Lines that begin with `2|` and `3|` tell the two apart where a
//! server does something else. [`Pattern`] lists the forms. `?` stands for a reply that is not known yet:
//! `ochre-cases --record --peer PATH` writes it (and corrects those that do not match the peer).
//!
//! A [`Mode`] is one way to send a case. All of them must give the same replies.

mod file;
mod mode;
mod pattern;
mod print;
mod record;
mod run;
mod session;
mod syntax;

pub use file::{Case, CaseFile, Expect, Send, Step};
pub use mode::{Delivery, Mode};
pub use pattern::{Captures, Pattern};
pub use print::print_pair;
pub use record::record;
pub use run::{Kind, Outcome, Runner};
