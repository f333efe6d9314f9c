//! Operations at random, the same for the same seed: changes of every type, transactions, scripts, functions, several
//! databases, values longer than a sector.

use ochre_persist::disk::{Choose, Seeded};

/// Requests that belong together: one, or a transaction.
pub(super) type Operation = Vec<Vec<Vec<u8>>>;

/// Unix time in ms that is far away.
const FAR_MS: u64 = 4_000_000_000_000;

/// Makes operations.
pub(super) struct Program {
    pub(super) choose: Seeded,
    number: u64,
}

fn request(words: &str) -> Vec<Vec<u8>> {
    words.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

impl Program {
    pub(super) fn new(seed: u64) -> Program {
        // Programs that follow each other on one disk name nothing alike.
        Program { choose: Seeded::new(seed), number: seed % 1_000_000_000 * 1000 }
    }

    /// The next operation. It makes a state that was not there before, most of the time.
    pub(super) fn operation(&mut self) -> Operation {
        match self.choose.pick(12) {
            0..=1 => self.transaction(),
            2 => vec![self.script()],
            3 => vec![self.library()],
            4 => vec![self.long_value()],
            _ => vec![self.change()],
        }
    }

    fn next(&mut self) -> (u64, usize) {
        self.number += 1;
        (self.number, self.choose.pick(4))
    }

    fn change(&mut self) -> Vec<Vec<u8>> {
        let (number, key) = self.next();
        let words = match self.choose.pick(24) {
            0 => format!("set k{key} v{number}"),
            1 => format!("set k{key} v{number} pxat {}", FAR_MS + number),
            2 => format!("append k{key} +{number}"),
            3 => "incr counter".to_owned(),
            4 => format!("rpush l{key} a{number} b{number}"),
            5 => format!("lpop l{key}"),
            6 => format!("lmove l{key} l0 left right"),
            7 => format!("sadd s{key} m{number} n{number} {number}"),
            8 => format!("spop s{key}"),
            9 => format!("hset h{key} f{number} v{number} g {number}"),
            10 => format!("hsetex h{key} pxat {} fields 1 t{number} v", FAR_MS + number),
            11 => format!("hdel h{key} g"),
            12 => format!("zadd z{key} {number}.5 m{number} 1 n"),
            13 => format!("zpopmin z{key}"),
            14 => format!("xadd x{key} maxlen ~ 100 * f v{number}"),
            15 => format!("xgroup create x{key} g{number} 0 mkstream"),
            16 => format!("pfadd p{key} {number}"),
            17 => format!("del k{key} h{key}"),
            18 => format!("pexpireat l{key} {}", FAR_MS + number),
            19 => format!("pexpireat s{key} 1"),
            20 => format!("select {key}"),
            21 => format!("copy k{key} c{number}"),
            22 => format!("setrange k{key} {} x{number}", number % 50),
            _ => format!("sort l{key} alpha store l0"),
        };
        request(&words)
    }

    /// One that takes several sectors.
    fn long_value(&mut self) -> Vec<Vec<u8>> {
        let (number, key) = self.next();
        let value = format!("{number:06}").repeat(50 + self.choose.pick(400));
        vec![b"set".to_vec(), format!("long{key}").into_bytes(), value.into_bytes()]
    }

    fn transaction(&mut self) -> Operation {
        let mut requests = vec![request("multi")];
        for _ in 0..=self.choose.pick(4) {
            let next = if self.choose.pick(4) == 0 { self.long_value() } else { self.change() };
            requests.push(next);
        }
        requests.push(request("exec"));
        requests
    }

    fn script(&mut self) -> Vec<Vec<u8>> {
        let (number, key) = self.next();
        let code = format!(
            "redis.call('set', 'k{key}', '{number}') redis.call('rpush', 'e', '{number}', redis.call('incr', 'counter'))"
        );
        vec![b"eval".to_vec(), code.into_bytes(), b"0".to_vec()]
    }

    fn library(&mut self) -> Vec<Vec<u8>> {
        let (number, key) = self.next();
        let code =
            format!("#!lua name=lib{key}\nredis.register_function('f{key}', function() return {number} end)");
        vec![b"function".to_vec(), b"load".to_vec(), b"replace".to_vec(), code.into_bytes()]
    }
}
