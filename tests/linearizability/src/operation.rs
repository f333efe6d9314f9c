//! What clients do: operations on numbered keys, and the commands they are sent as.
//!
//! An operation is what must look atomic: a command, or a whole MULTI/EXEC block. WATCH is an operation of its own, so
//! that whatever happens between it and EXEC is part of the history. A command that waits is one that may take effect
//! later than it comes (see `model`). A script, and a function, run the commands that they are given as arguments, so they are
//! as good as a transaction; whether the keys are declared makes no difference to them.

use ochre_differential::{Random, Reply};

/// A key of the round, by number.
pub type Key = usize;

/// How long commands wait that do, seconds: long enough to be served now and then, too short to hold a round up.
const PATIENCE_S: &str = "0.004";

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `GET key`
    Get(Key),
    /// `SET key value`
    Set(Key, Vec<u8>),
    /// `SETNX key value`
    SetNx(Key, Vec<u8>),
    /// `GETSET key value`
    GetSet(Key, Vec<u8>),
    /// `APPEND key value`
    Append(Key, Vec<u8>),
    /// `INCR key`
    Incr(Key),
    /// `DEL key...`
    Del(Vec<Key>),
    /// `MSET key value...`
    MSet(Vec<(Key, Vec<u8>)>),
    /// `MGET key...`
    MGet(Vec<Key>),
    /// `RENAME from to`, of different keys
    Rename(Key, Key),
    /// `COPY from to`, with REPLACE or without, of different keys
    Copy(Key, Key, bool),
    /// `WATCH key...`
    Watch(Vec<Key>),
    /// `RPUSH key value...`; keys of lists are others than those of strings
    Push(Key, Vec<Vec<u8>>),
    /// `LRANGE key 0 -1`
    Range(Key),
    /// `BLPOP key...`, for a short time
    Take(Vec<Key>),
    /// `BLMOVE from to LEFT RIGHT`, for a short time, of different keys
    Move(Key, Key),
    /// `MULTI`, these, `EXEC`
    Transaction(Vec<Operation>),
    /// A script that runs these, or a function that does
    Script(Runner, Vec<Operation>),
}

/// What runs the operations of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runner {
    /// `EVAL`
    Script,
    /// `FCALL` of the function that [`library`] has.
    Function,
}

/// Runs commands one after the other, each preceded by the number of its words, and returns their replies.
const RUN_ALL: &str = "local replies, at = {}, 1 \
    while at <= #ARGV do \
        local count = tonumber(ARGV[at]) \
        replies[#replies + 1] = redis.pcall(unpack(ARGV, at + 1, at + count)) \
        at = at + count + 1 \
    end \
    return replies";

/// A library with a function that does the same.
pub fn library() -> String {
    let body = RUN_ALL.replace("ARGV", "args");
    format!("#!lua name=linearizability\nredis.register_function('run_all', function(keys, args) {body} end)")
}

impl Operation {
    /// The keys it reads or writes.
    pub fn keys(&self) -> Vec<Key> {
        match self {
            Self::Get(key) | Self::Incr(key) => vec![*key],
            Self::Set(key, _) | Self::SetNx(key, _) | Self::GetSet(key, _) | Self::Append(key, _) => {
                vec![*key]
            }
            Self::Push(key, _) | Self::Range(key) => vec![*key],
            Self::Del(keys) | Self::MGet(keys) | Self::Watch(keys) | Self::Take(keys) => keys.clone(),
            Self::MSet(pairs) => pairs.iter().map(|(key, _)| *key).collect(),
            Self::Rename(from, to) | Self::Copy(from, to, _) | Self::Move(from, to) => vec![*from, *to],
            Self::Transaction(operations) | Self::Script(_, operations) => {
                operations.iter().flat_map(Self::keys).collect()
            }
        }
    }

    /// Whether it waits where there is nothing.
    pub fn can_wait(&self) -> bool {
        matches!(self, Self::Take(_) | Self::Move(..))
    }

    /// Whether it waits for this key.
    pub fn awaits(&self, key: Key) -> bool {
        match self {
            Self::Take(keys) => keys.contains(&key),
            Self::Move(from, _) => *from == key,
            _ => false,
        }
    }

    /// A reply as the model gives it: with the number of a key instead of its name, which begins with `prefix`.
    pub fn normalized(&self, reply: Reply, prefix: &str) -> Reply {
        match (self, reply) {
            (Self::Take(_), Reply::Array(mut elements)) => {
                if let Some(Reply::Bulk(name)) = elements.first_mut()
                    && name.starts_with(prefix.as_bytes())
                {
                    name.drain(..prefix.len());
                }
                Reply::Array(elements)
            }
            (_, reply) => reply,
        }
    }

    /// The commands to send, with `prefix` before every key. The reply that counts is the last one's.
    pub fn commands(&self, prefix: &str) -> Vec<Vec<Vec<u8>>> {
        if let Self::Transaction(operations) = self {
            let mut commands = vec![vec![b"MULTI".to_vec()]];
            commands.extend(operations.iter().flat_map(|operation| operation.commands(prefix)));
            commands.push(vec![b"EXEC".to_vec()]);
            return commands;
        }
        vec![self.command(&|key| format!("{prefix}{key}").into_bytes())]
    }

    fn command(&self, name: &dyn Fn(Key) -> Vec<u8>) -> Vec<Vec<u8>> {
        let (verb, rest): (&str, Vec<Vec<u8>>) = match self {
            Self::Get(key) => ("GET", vec![name(*key)]),
            Self::Incr(key) => ("INCR", vec![name(*key)]),
            Self::Set(key, value) => ("SET", vec![name(*key), value.clone()]),
            Self::SetNx(key, value) => ("SETNX", vec![name(*key), value.clone()]),
            Self::GetSet(key, value) => ("GETSET", vec![name(*key), value.clone()]),
            Self::Append(key, value) => ("APPEND", vec![name(*key), value.clone()]),
            Self::Del(keys) => ("DEL", keys.iter().map(|key| name(*key)).collect()),
            Self::MGet(keys) => ("MGET", keys.iter().map(|key| name(*key)).collect()),
            Self::Watch(keys) => ("WATCH", keys.iter().map(|key| name(*key)).collect()),
            Self::MSet(pairs) => {
                ("MSET", pairs.iter().flat_map(|(key, value)| [name(*key), value.clone()]).collect())
            }
            Self::Rename(from, to) => ("RENAME", vec![name(*from), name(*to)]),
            Self::Copy(from, to, false) => ("COPY", vec![name(*from), name(*to)]),
            Self::Copy(from, to, true) => ("COPY", vec![name(*from), name(*to), b"REPLACE".to_vec()]),
            Self::Push(key, values) => {
                ("RPUSH", std::iter::once(name(*key)).chain(values.iter().cloned()).collect())
            }
            Self::Range(key) => ("LRANGE", vec![name(*key), b"0".to_vec(), b"-1".to_vec()]),
            Self::Take(keys) => {
                let keys = keys.iter().map(|key| name(*key));
                ("BLPOP", keys.chain([PATIENCE_S.into()]).collect())
            }
            Self::Move(from, to) => {
                let ends = [b"LEFT".to_vec(), b"RIGHT".to_vec(), PATIENCE_S.into()];
                ("BLMOVE", [name(*from), name(*to)].into_iter().chain(ends).collect())
            }
            Self::Transaction(_) => ("EXEC", Vec::new()),
            Self::Script(runner, operations) => script(*runner, operations, name),
        };
        std::iter::once(verb.as_bytes().to_vec()).chain(rest).collect()
    }
}

/// The command that runs operations in a script.
fn script(
    runner: Runner,
    operations: &[Operation],
    name: &dyn Fn(Key) -> Vec<u8>,
) -> (&'static str, Vec<Vec<u8>>) {
    let (verb, what) = match runner {
        Runner::Script => ("EVAL", RUN_ALL),
        Runner::Function => ("FCALL", "run_all"),
    };
    let mut rest = vec![what.as_bytes().to_vec(), b"0".to_vec()];
    for operation in operations {
        let command = operation.command(name);
        rest.push(command.len().to_string().into_bytes());
        rest.extend(command);
    }
    (verb, rest)
}

/// Which operations a round is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// One key each: histories fall apart into keys, so they may be long.
    Single,
    /// Commands with several keys too.
    Multi,
    /// Transactions and WATCH too.
    Transactions,
    /// Lists that clients wait for, and transactions that push to several.
    Queues,
}

/// Draws the operations of one client, in order.
#[derive(Debug)]
pub struct Draw {
    random: Random,
    mix: Mix,
    keys: usize,
    client: usize,
    values: usize,
}

impl Draw {
    /// For client number `client` of a round with `keys` keys.
    pub fn new(random: Random, mix: Mix, keys: usize, client: usize) -> Self {
        Self { random, mix, keys, client, values: 0 }
    }

    /// `count` operations or one more (a WATCH brings its transaction along).
    pub fn operations(&mut self, count: usize) -> Vec<Operation> {
        let mut operations = Vec::new();
        while operations.len() < count {
            match (self.mix, self.random.below(10)) {
                (Mix::Queues, _) => operations.push(self.queue()),
                (Mix::Transactions, 0) => self.watched(&mut operations),
                (Mix::Transactions, 1 | 2) => operations.push(self.transaction()),
                (Mix::Transactions | Mix::Multi, 3..=5) => operations.push(self.multi()),
                _ => operations.push(self.single()),
            }
        }
        operations
    }

    /// How many operations the client sends at once.
    pub fn burst(&mut self) -> usize {
        if self.random.one_in(4) { 1 + self.random.below(3) } else { 1 }
    }

    fn key(&mut self) -> Key {
        self.random.below(self.keys)
    }

    /// Two different keys.
    fn two_keys(&mut self) -> (Key, Key) {
        let first = self.key();
        (first, (first + 1 + self.random.below(self.keys.max(2) - 1)) % self.keys.max(2))
    }

    /// A value that nobody else writes, or a number for INCR to meet.
    fn value(&mut self) -> Vec<u8> {
        self.values += 1;
        let unique = self.client * 1000 + self.values;
        if self.random.one_in(3) {
            format!("v{unique}.").into_bytes()
        } else {
            (unique * 100).to_string().into_bytes()
        }
    }

    fn single(&mut self) -> Operation {
        let key = self.key();
        match self.random.below(10) {
            0..=2 => Operation::Get(key),
            3 => Operation::Set(key, self.value()),
            4 => Operation::SetNx(key, self.value()),
            5 => Operation::GetSet(key, self.value()),
            6 => Operation::Append(key, self.value()),
            7 | 8 => Operation::Incr(key),
            _ => Operation::Del(vec![key]),
        }
    }

    fn multi(&mut self) -> Operation {
        let (first, second) = self.two_keys();
        match self.random.below(8) {
            0 | 1 => Operation::MGet((0..self.keys).collect()),
            2 => Operation::MGet(vec![first, second]),
            3 | 4 => Operation::MSet(vec![(first, self.value()), (second, self.value())]),
            5 => Operation::Rename(first, second),
            6 => Operation::Copy(first, second, self.random.one_in(2)),
            _ => Operation::Del(vec![first, second]),
        }
    }

    fn queue(&mut self) -> Operation {
        let (first, second) = self.two_keys();
        match self.random.below(10) {
            0 | 1 => Operation::Push(first, vec![self.value()]),
            2 => Operation::Push(first, vec![self.value(), self.value()]),
            3 | 4 => Operation::Take(vec![first]),
            5 => Operation::Take(vec![first, second]),
            6 | 7 => Operation::Move(first, second),
            8 => Operation::Range(first),
            _ => {
                let pushes = [first, second].map(|key| Operation::Push(key, vec![self.value()]));
                self.whole(pushes.into())
            }
        }
    }

    fn transaction(&mut self) -> Operation {
        let count = 1 + self.random.below(4);
        let operations = (0..count).map(|_| if self.random.one_in(3) { self.multi() } else { self.single() });
        let operations = operations.collect();
        self.whole(operations)
    }

    /// Operations that are to look like one: as a transaction, a script or a function.
    fn whole(&mut self, operations: Vec<Operation>) -> Operation {
        match self.random.below(4) {
            0 => Operation::Script(Runner::Script, operations),
            1 => Operation::Script(Runner::Function, operations),
            _ => Operation::Transaction(operations),
        }
    }

    /// The usual optimistic loop: watch, read, write what depends on it.
    fn watched(&mut self, operations: &mut Vec<Operation>) {
        let key = self.key();
        operations.push(Operation::Watch(vec![key]));
        if self.random.one_in(2) {
            operations.push(Operation::Get(key));
        }
        operations.push(self.transaction());
    }
}
