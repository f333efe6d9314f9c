//! Arbitrary bytes: nothing panics, and what was accepted is read back from what is written.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use ochre_config::{Appendix, Config, Directive, NoFiles, SetContext, TABLE};

/// A small generator of numbers with a period of 2^64 - 1, so that every run sees the same texts.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn value(&mut self) -> Vec<u8> {
        const PARTS: &[&[u8]] = &[
            b"",
            b" ",
            b"\t",
            b"0",
            b"1",
            b"-1",
            b"65536",
            b"9223372036854775807",
            b"99999999999999999999",
            b"mb",
            b"%",
            b"yes",
            b"no",
            b"always",
            b"normal",
            b"slave",
            b"AKE",
            b"*",
            b"::1",
            b"\"",
            b"'",
            b"\\",
            b"\\x4",
            b"\0",
            b"\xff",
            b"#",
            b"no one",
            b"save",
            b"now",
            b"50.5",
            b"nan",
            b"1e9",
            b"{title}",
            b"{",
            b"[",
            b"?",
            b"/",
            b".",
        ];
        (0..self.below(6)).flat_map(|_| self.pick(PARTS).iter().copied()).collect()
    }

    fn line(&mut self) -> Vec<u8> {
        const STATEMENTS: &[&str] =
            &["include", "user", "rename-command", "sentinel", "loadmodule", "#", "", "x"];
        let name = match self.below(8) {
            0 => self.pick(STATEMENTS),
            1 => TABLE[self.below(TABLE.len())].aliases.first().copied().unwrap_or("port"),
            _ => TABLE[self.below(TABLE.len())].name,
        };
        [name.as_bytes(), b" ", &self.value(), b" ", &self.value()].concat()
    }
}

#[test]
fn any_text_can_be_loaded_or_refused() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20_000 {
        let text = (0..random.below(4)).map(|_| random.line()).collect::<Vec<_>>().join(&b'\n');
        let mut config = Config::new();
        let accepted = config.load_text(&text, random.below(2) == 0, &NoFiles).is_ok();
        let rewritten = config.rewrite(&text, &Appendix::default());
        let mut read = Config::new();
        if accepted {
            // A file that was accepted but for `include` lines is accepted again, with the same values.
            read.load_text(&rewritten, true, &NoFiles).unwrap_or_else(|error| {
                panic!("{error}\nof\n{}", String::from_utf8_lossy(&rewritten));
            });
            for id in Directive::ALL {
                let (one, other) = (config.shown(*id), read.shown(*id));
                assert_eq!(one, other, "{} of {}", id.name(), String::from_utf8_lossy(&text));
            }
        }
    }
}

#[test]
fn any_value_can_be_set_or_refused() {
    let mut random = Random(42);
    for _ in 0..20_000 {
        let record = &TABLE[random.below(TABLE.len())];
        let value = random.value();
        let mut config = Config::new();
        let before = config.clone();
        if config.set(&[(record.name, &value)], SetContext { loading: false, local_client: true }).is_err() {
            assert_eq!(config, before);
        }
        let _ = config.get(&[random.value(), record.name.into()]);
    }
}

#[test]
fn any_command_line_can_be_loaded_or_refused() {
    let mut random = Random(7);
    for _ in 0..5_000 {
        let args: Vec<Vec<u8>> = (0..random.below(5))
            .map(|_| match random.below(4) {
                0 => random.value(),
                1 => b"-".to_vec(),
                2 => [b"--", TABLE[random.below(TABLE.len())].name.as_bytes()].concat(),
                _ => [b"--".as_slice(), &random.line()].concat(),
            })
            .collect();
        let stdin = random.line();
        let _ = Config::new().load_args(&args, false, &mut || Ok(stdin.clone()), &NoFiles);
    }
}
