//! Units that can be counted, and a data set that knows which of them it has.

use super::record::Unit;
use super::recovery::Load;
use crate::disk::DiskFile;

/// A command as bytes.
pub(super) fn command(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend(format!("${}\r\n", arg.len()).bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// A value of the unit of this number: not the same for any two, and long enough to cross sectors now and then.
fn value(number: u64) -> Vec<u8> {
    let len = [3, 40, 700, 9, 5000][(number % 5) as usize];
    (0..len).map(|at: u64| b'a' + ((number * 7 + at * (number + 3)) % 26) as u8).collect()
}

/// The unit of this number: a command, or a transaction of two.
pub(super) fn unit(number: u64) -> Vec<u8> {
    let (key, value) = (number.to_string(), value(number));
    let set = command(&[b"SET", key.as_bytes(), &value]);
    if number % 3 != 2 {
        return set;
    }
    [command(&[b"MULTI"]), set, command(&[b"INCR", key.as_bytes()]), command(&[b"EXEC"])].concat()
}

/// What stands for all units before this number.
pub(super) fn base(number: u64) -> Vec<u8> {
    command(&[b"BASE", number.to_string().as_bytes()])
}

/// A data set that holds the units before `next`.
#[derive(Default, Debug)]
pub(super) struct Model {
    pub(super) next: u64,
}

impl Load for Model {
    fn snapshot(&mut self, _: &dyn DiskFile) -> Result<u64, String> {
        Err("no snapshots here".to_owned())
    }

    fn unit(&mut self, unit: &Unit<'_>) -> Result<(), String> {
        let commands: Vec<Vec<&[u8]>> = unit.commands().map(|command| command.args().collect()).collect();
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<u64>().ok());
        if let [name, base] = commands[0][..]
            && name == b"BASE"
        {
            self.next = number(base).ok_or("a base without a number")?;
            return Ok(());
        }
        let expected = self::unit(self.next);
        let mut found: Vec<u8> = commands.iter().flat_map(|args| command(args)).collect();
        if unit.is_transaction {
            found = [command(&[b"MULTI"]), found, command(&[b"EXEC"])].concat();
        }
        if found != expected {
            return Err(format!("unit {} is \"{}\"", self.next, found.escape_ascii()));
        }
        self.next += 1;
        Ok(())
    }
}
