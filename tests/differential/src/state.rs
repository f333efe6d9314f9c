//! Everything a server holds, as a list of facts that two servers must share: for each key its type, encoding, value
//! and expiry. DBSIZE is no such fact: keys past their time count until a server gets round to them.

use std::io;

use crate::client::{Client, encode};
use crate::compare::{Tolerance, same};
use crate::reply::Reply;
use crate::text;

const DATABASES: usize = 16;

/// One fact: which command says it, and the reply.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The command that asks for it, with its database.
    pub question: String,
    /// The reply, in bytes.
    pub answer: Vec<u8>,
    tolerance: Tolerance,
}

/// Reads all facts from the server that `client` is connected to, in an order that both servers share.
pub fn read(client: &mut Client) -> io::Result<Vec<Fact>> {
    let mut facts = Vec::new();
    for database in 0..DATABASES {
        let number = database.to_string();
        client.call(&[b"SELECT", number.as_bytes()])?;
        read_keys(client, database, &mut facts)?;
    }
    Ok(facts)
}

fn read_keys(client: &mut Client, database: usize, facts: &mut Vec<Fact>) -> io::Result<()> {
    let reply = client.call(&[b"KEYS", b"*"])?;
    let mut keys: Vec<&[u8]> = reply.elements().iter().filter_map(Reply::text).collect();
    keys.sort_unstable();
    for key in keys {
        let one = |name: &str| (vec![name.as_bytes().to_vec(), key.to_vec()], Tolerance::Exact);
        let mut questions = vec![one("TYPE")];
        questions.push((vec![b"OBJECT".to_vec(), b"ENCODING".to_vec(), key.to_vec()], Tolerance::Exact));
        questions.push((vec![b"PEXPIRETIME".to_vec(), key.to_vec()], Tolerance::Near(5000)));
        let answers = ask(client, &questions, database)?;
        questions = vec![value_question(&answers[0].answer, key)];
        facts.extend(answers);
        facts.extend(ask(client, &questions, database)?);
    }
    Ok(())
}

/// The command that shows the value of a key whose TYPE is `kind`.
fn value_question(kind: &[u8], key: &[u8]) -> (Vec<Vec<u8>>, Tolerance) {
    let words = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect();
    match kind {
        b"+list\r\n" => (words(&[b"LRANGE", key, b"0", b"-1"]), Tolerance::Exact),
        b"+set\r\n" => (words(&[b"SMEMBERS", key]), Tolerance::Unordered),
        b"+zset\r\n" => (words(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]), Tolerance::Exact),
        b"+hash\r\n" => (words(&[b"HGETALL", key]), Tolerance::Unordered),
        b"+stream\r\n" => (words(&[b"XRANGE", key, b"-", b"+"]), Tolerance::Exact),
        _ => (words(&[b"GET", key]), Tolerance::Exact),
    }
}

fn ask(
    client: &mut Client,
    questions: &[(Vec<Vec<u8>>, Tolerance)],
    database: usize,
) -> io::Result<Vec<Fact>> {
    let mut bytes = Vec::new();
    questions.iter().for_each(|(question, _)| encode(question, &mut bytes));
    client.send(&bytes)?;
    let fact = |(question, tolerance): &(Vec<Vec<u8>>, Tolerance)| {
        let question = format!("state {} (database {database})", text::show(question));
        Ok(Fact { question, answer: client.receive()?, tolerance: *tolerance })
    };
    questions.iter().map(fact).collect()
}

/// The first fact on which two servers disagree.
pub fn first_difference<'a>(a: &'a [Fact], b: &'a [Fact]) -> Option<(&'a Fact, &'a Fact)> {
    // Facts are in key order, so the first pair that differs in question names the key that only one side has.
    a.iter().zip(b).find(|(a, b)| a.question != b.question || !same(&a.answer, &b.answer, a.tolerance))
}
