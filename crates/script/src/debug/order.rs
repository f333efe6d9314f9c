//! From the words of a command to what the debugger is asked for.

/// What the debugger is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// Show what orders there are.
    Help,
    /// Go on to the next line.
    Step,
    /// Go on to the next breakpoint.
    Continue,
    /// Show the lines so far around one; around the present one if that is 0.
    List {
        /// A line.
        line: i32,
        /// How many before and behind it.
        around: i32,
    },
    /// Show a variable; all of them if none is named.
    Print(Option<Vec<u8>>),
    /// Change breakpoints, or show them if nothing is said of any.
    Break(Vec<Vec<u8>>),
    /// Show which function was called from where.
    Trace,
    /// Run a text of Lua.
    Eval(Vec<u8>),
    /// Run a command.
    Command(Vec<Vec<u8>>),
    /// Set what lines are cut at, or tell it.
    MaxLen(Option<i32>),
    /// End the script.
    Abort,
}

impl Order {
    /// What words ask for; `None` if that is nothing. Case does not matter, and letters stand for words.
    pub(super) fn read(words: &[Vec<u8>]) -> Option<Order> {
        let (name, rest) = words.split_first()?;
        let number = |index: usize| rest.get(index).map(|word| leading_i32(word));
        Some(match (name.to_ascii_lowercase().as_slice(), rest.len()) {
            (b"h" | b"help", _) => Order::Help,
            (b"s" | b"step" | b"n" | b"next", _) => Order::Step,
            (b"c" | b"continue", _) => Order::Continue,
            (b"t" | b"trace", _) => Order::Trace,
            (b"m" | b"maxlen", _) => Order::MaxLen(number(0)),
            (b"e" | b"eval", _) => Order::Eval(rest.join(&b' ')),
            (b"a" | b"abort", _) => Order::Abort,
            (b"r" | b"redis" | b"v" | b"valkey" | b"server", 1..) => Order::Command(rest.to_vec()),
            (b"p" | b"print", _) => Order::Print(rest.first().cloned()),
            (b"l" | b"list", _) => {
                Order::List { line: number(0).unwrap_or_default(), around: number(1).unwrap_or(5) }
            }
            (b"w" | b"whole", _) => Order::List { line: 1, around: 1_000_000 },
            (b"b" | b"break", _) => Order::Break(rest.to_vec()),
            _ => return None,
        })
    }
}

/// The number that a text begins with, 0 if it begins with none: as C's `atoi` on machines where it gives up no bit but the
/// upper ones.
pub(super) fn leading_i32(text: &[u8]) -> i32 {
    let text = text.trim_ascii_start();
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let number =
        digits.fold(0_i64, |number, byte| number.saturating_mul(10).saturating_add(i64::from(byte - b'0')));
    (if is_negative { -number } else { number }) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Order> {
        let words: Vec<Vec<u8>> = text.split(' ').map(Into::into).collect();
        Order::read(&words)
    }

    #[test]
    fn orders_are_read() {
        let words = |text: &str| text.split(' ').map(Into::into).collect::<Vec<Vec<u8>>>();
        for (text, expected) in [
            ("help", Order::Help),
            ("H", Order::Help),
            ("h x", Order::Help),
            ("STEP", Order::Step),
            ("n", Order::Step),
            ("c x", Order::Continue),
            ("l", Order::List { line: 0, around: 5 }),
            ("list 40 2", Order::List { line: 40, around: 2 }),
            ("list 40 x", Order::List { line: 40, around: 0 }),
            ("l 2147483648", Order::List { line: i32::MIN, around: 5 }),
            ("w x", Order::List { line: 1, around: 1_000_000 }),
            ("p", Order::Print(None)),
            ("p a b", Order::Print(Some(b"a".to_vec()))),
            ("b 1 -2", Order::Break(words("1 -2"))),
            ("t", Order::Trace),
            ("e 1 + 1", Order::Eval(b"1 + 1".to_vec())),
            ("e", Order::Eval(Vec::new())),
            ("Redis get k", Order::Command(words("get k"))),
            ("m", Order::MaxLen(None)),
            ("maxlen 60x", Order::MaxLen(Some(60))),
            ("maxlen 99999999999", Order::MaxLen(Some(1_215_752_191))),
            ("m -5", Order::MaxLen(Some(-5))),
            ("a x", Order::Abort),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in ["quit", "foo", "r", "redis", ""] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(Order::read(&[]), None);
    }
}
