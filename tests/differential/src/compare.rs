//! When two replies are the same. Equal bytes always are; a rule may allow less, for what no two servers share.

use crate::reply::Reply;

/// How far two right replies may differ. Errors are always compared byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// Not at all.
    Exact,
    /// Positive integers by this much: clocks read at different instants.
    Near(i64),
    /// In the order of elements, at any depth: hash order is each server's own.
    Unordered,
    /// Only the kind of reply must agree.
    Kind,
    /// Only the kind of reply must agree, and for text whether there is any.
    Shape,
    /// The fields of HELLO that name the server, its version, its modules and the connection may differ.
    Hello,
}

const HELLO_OWN: &[&str] = &["server", "version", "id", "availability_zone", "modules"];

/// Whether replies `a` and `b`, as bytes, are the same under `tolerance`.
pub fn same(a: &[u8], b: &[u8], tolerance: Tolerance) -> bool {
    if a == b {
        return true;
    }
    if tolerance == Tolerance::Exact || a.first() == Some(&b'-') {
        return false;
    }
    match (Reply::read(a), Reply::read(b)) {
        (Ok((a, _)), Ok((b, _))) => same_reply(&a, &b, tolerance),
        _ => false,
    }
}

/// The replies inside an array reply, as bytes; `None` when it is no array.
pub fn elements(reply: &[u8]) -> Option<Vec<&[u8]>> {
    let body = reply.iter().position(|&byte| byte == b'\n').filter(|_| reply.first() == Some(&b'*'))? + 1;
    let mut rest = &reply[body..];
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let (element, after) = rest.split_at(Reply::length(rest).ok()?);
        elements.push(element);
        rest = after;
    }
    Some(elements)
}

fn same_reply(a: &Reply, b: &Reply, tolerance: Tolerance) -> bool {
    if a == b {
        return true;
    }
    if matches!(a, Reply::Error(_)) || matches!(b, Reply::Error(_)) {
        return false;
    }
    match tolerance {
        Tolerance::Exact => false,
        Tolerance::Near(distance) => near(a, b, distance),
        Tolerance::Unordered => sorted(a) == sorted(b),
        Tolerance::Kind => a.kind() == b.kind(),
        Tolerance::Shape => a.kind() == b.kind() && is_empty(a) == is_empty(b),
        Tolerance::Hello => hello_fields(a) == hello_fields(b),
    }
}

/// Equal, or both positive and no further apart than `distance`: -1 and -2 mean something else than a time. In an array,
/// that holds for each pair of elements.
fn near(a: &Reply, b: &Reply, distance: i64) -> bool {
    match (a, b) {
        (Reply::Integer(a), Reply::Integer(b)) => {
            a == b || *a >= 0 && *b >= 0 && a.abs_diff(*b) <= distance.unsigned_abs()
        }
        (Reply::Array(a), Reply::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b, distance))
        }
        _ => false,
    }
}

/// The reply with the elements of every array and map in one order.
fn sorted(reply: &Reply) -> String {
    let in_order = |mut texts: Vec<String>| {
        texts.sort();
        format!("{}{texts:?}", reply.kind())
    };
    match reply {
        Reply::Array(elements) => in_order(elements.iter().map(sorted).collect()),
        Reply::Map(pairs) => {
            in_order(pairs.iter().map(|(key, value)| format!("{}={}", sorted(key), sorted(value))).collect())
        }
        other => format!("{other:?}"),
    }
}

fn is_empty(reply: &Reply) -> bool {
    match reply {
        Reply::Array(_) | Reply::Map(_) | Reply::Integer(_) => false,
        other => other.text().is_none_or(<[u8]>::is_empty),
    }
}

/// What must agree of a greeting, in its order, and the kind of container it came in.
fn hello_fields(reply: &Reply) -> (char, Vec<(Reply, Reply)>) {
    let pairs: Vec<(Reply, Reply)> = match reply {
        Reply::Map(pairs) => pairs.clone(),
        other => other
            .elements()
            .chunks(2)
            .filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())))
            .collect(),
    };
    let own = |name: &Reply| HELLO_OWN.iter().any(|field| name.text() == Some(field.as_bytes()));
    (reply.kind(), pairs.into_iter().filter(|(name, _)| !own(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Tolerance::*;

    #[test]
    fn tolerances() {
        for (a, b, tolerance, expected) in [
            (":5\r\n", ":6\r\n", Exact, false),
            (":5\r\n", ":6\r\n", Near(1), true),
            (":5\r\n", ":7\r\n", Near(1), false),
            (":-1\r\n", ":-2\r\n", Near(5), false),
            (":0\r\n", ":-1\r\n", Near(5), false),
            ("*2\r\n:-2\r\n:5\r\n", "*2\r\n:-2\r\n:6\r\n", Near(5), true),
            ("*2\r\n:-2\r\n:5\r\n", "*2\r\n:-1\r\n:5\r\n", Near(5), false),
            ("*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n", Unordered, true),
            ("*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:2\r\n", Unordered, false),
            ("*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n", Exact, false),
            ("$1\r\na\r\n", "$2\r\nbc\r\n", Shape, true),
            ("$1\r\na\r\n", "$0\r\n\r\n", Shape, false),
            ("$1\r\na\r\n", "$-1\r\n", Shape, false),
            ("$1\r\na\r\n", "$0\r\n\r\n", Kind, true),
            ("$1\r\na\r\n", "$-1\r\n", Kind, false),
            ("-ERR a\r\n", "-ERR b\r\n", Shape, false),
            ("%1\r\n+id\r\n:1\r\n", "%1\r\n+id\r\n:2\r\n", Hello, true),
            ("%1\r\n+proto\r\n:2\r\n", "%1\r\n+proto\r\n:3\r\n", Hello, false),
            ("%1\r\n+id\r\n:1\r\n", "*2\r\n+id\r\n:1\r\n", Hello, false),
        ] {
            assert_eq!(same(a.as_bytes(), b.as_bytes(), tolerance), expected, "{a:?} {b:?} {tolerance:?}");
        }
    }

    #[test]
    fn arrays_fall_apart() {
        let expected: [&[u8]; 3] = [b":1\r\n", b"*1\r\n+a\r\n", b"$-1\r\n"];
        assert_eq!(elements(b"*3\r\n:1\r\n*1\r\n+a\r\n$-1\r\n").unwrap(), expected);
        assert_eq!(elements(b"*0\r\n").unwrap().len(), 0);
        assert_eq!(elements(b"+OK\r\n"), None);
        assert_eq!(elements(b"*1\r\n:1"), None);
    }
}
