//! The notation of replies, written.

use ochre_resp::Value;

/// Longest line of a reply; what is longer has one element per line.
const LINE_MAX: usize = 100;

/// What a file says about a reply that is `resp2` for the one protocol and `resp3` for the other.
pub fn print_pair(resp2: &Value, resp3: &Value) -> String {
    match both(resp2, resp3) {
        Some(notation) => outermost(resp2, notation).unwrap_or_else(|nested| broken(resp2, resp3, nested)),
        None => format!("2| {}\n3| {}", print_one(resp2), print_one(resp3)),
    }
}

/// A reply of either protocol, on one line.
pub fn print_one(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(print_one).collect::<Vec<_>>().join(" ");
    match value {
        Value::Simple(text) => format!("+{}", word(text)),
        Value::Error(text) => format!("-{}", word(text)),
        Value::Integer(number) => format!(":{number}"),
        Value::Bulk(Some(text)) => quote(text),
        Value::Bulk(None) | Value::Null => "nil".to_owned(),
        Value::Array(None) => "nil[]".to_owned(),
        Value::Array(Some(values)) => format!("[{}]", list(values)),
        Value::Set(values) => format!("~[{}]", list(values)),
        Value::Push(values) => format!(">[{}]", list(values)),
        Value::Map(pairs) => {
            let pairs: Vec<String> =
                pairs.iter().map(|(key, value)| format!("{} {}", print_one(key), print_one(value))).collect();
            format!("{{{}}}", pairs.join(" "))
        }
        Value::Double(text) => format!(",{}", String::from_utf8_lossy(text)),
        Value::Boolean(truth) => if *truth { "#t" } else { "#f" }.to_owned(),
        Value::BigNumber(text) => format!("({}", String::from_utf8_lossy(text)),
        Value::Verbatim { format, text } => format!("={}:{}", String::from_utf8_lossy(format), quote(text)),
        Value::Attribute { value, .. } => print_one(value),
    }
}

/// One notation for both, if RESP2 has just what stands for the reply of RESP3.
fn both(resp2: &Value, resp3: &Value) -> Option<String> {
    let list = |values: &[Value], others: &[Value]| -> Option<String> {
        let same = values.len() == others.len();
        let parts: Option<Vec<String>> = values.iter().zip(others).map(|(a, b)| both(a, b)).collect();
        parts.filter(|_| same).map(|parts| parts.join(" "))
    };
    Some(match (resp2, resp3) {
        (Value::Bulk(None), Value::Null) => "nil".to_owned(),
        (Value::Array(None), Value::Null) => "nil[]".to_owned(),
        (Value::Array(Some(a)), Value::Array(Some(b))) => format!("[{}]", list(a, b)?),
        (Value::Array(Some(a)), Value::Set(b)) => format!("~[{}]", list(a, b)?),
        (Value::Array(Some(a)), Value::Push(b)) => format!(">[{}]", list(a, b)?),
        (Value::Array(Some(a)), Value::Map(pairs)) => {
            let flat: Vec<Value> =
                pairs.iter().flat_map(|(key, value)| [key.clone(), value.clone()]).collect();
            format!("{{{}}}", list(a, &flat)?)
        }
        (Value::Bulk(Some(a)), Value::Double(b)) if a == b => print_one(resp3),
        (Value::Integer(a), Value::Boolean(b)) if *a == i64::from(*b) => print_one(resp3),
        (Value::Bulk(Some(a)), Value::Verbatim { text, .. }) if a == text => print_one(resp3),
        (Value::Bulk(None) | Value::Array(None), _) => return None,
        (a, b) if a == b => print_one(a),
        _ => return None,
    })
}

/// A status or an error that is the whole reply stands without quotes.
fn outermost(value: &Value, nested: String) -> Result<String, String> {
    match value {
        Value::Simple(text) | Value::Error(text) if is_sentence(text) => {
            let marker = if matches!(value, Value::Simple(_)) { '+' } else { '-' };
            Ok(format!("{marker}{}", String::from_utf8_lossy(text)))
        }
        _ if nested.len() <= LINE_MAX => Ok(nested),
        _ => Err(nested),
    }
}

/// A long array with an element per line.
fn broken(resp2: &Value, resp3: &Value, nested: String) -> String {
    let (Value::Array(Some(a)), Value::Array(Some(b))) = (resp2, resp3) else { return nested };
    let lines: Option<Vec<String>> = a.iter().zip(b).map(|(a, b)| both(a, b)).collect();
    lines.map_or(nested, |lines| format!("[\n  {}\n]", lines.join("\n  ")))
}

fn is_sentence(text: &[u8]) -> bool {
    let printable = text.iter().all(|byte| (b' '..=b'~').contains(byte));
    printable && !text.starts_with(b"\"") && text.trim_ascii() == text
}

/// Without quotes if it is a single plain word.
fn word(text: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    if !text.is_empty() && text.iter().all(plain) {
        String::from_utf8_lossy(text).into_owned()
    } else {
        quote(text)
    }
}

/// Quoted, with the escapes of inline requests.
pub fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in text {
        match byte {
            b'\r' => quoted.push_str("\\r"),
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::Captures;
    use crate::cases::syntax::parse_reply;

    #[test]
    fn what_is_written_reads_as_the_same() {
        let bulk = |text: &[u8]| Value::Bulk(Some(text.to_vec()));
        let pairs = [
            (Value::Simple(b"OK".to_vec()), Value::Simple(b"OK".to_vec())),
            (Value::Error(b"ERR a 'b' c".to_vec()), Value::Error(b"ERR a 'b' c".to_vec())),
            (Value::Bulk(None), Value::Null),
            (Value::Array(None), Value::Null),
            (bulk(b"a\r\n\xff\"\\ b"), bulk(b"a\r\n\xff\"\\ b")),
            (
                Value::Array(Some(vec![bulk(b"a"), bulk(b"1")])),
                Value::Map(vec![(bulk(b"a"), Value::Double(b"1".into()))]),
            ),
            (Value::Array(Some(vec![bulk(&[b'x'; 90]); 3])), Value::Array(Some(vec![bulk(&[b'x'; 90]); 3]))),
            (
                Value::Array(Some(vec![Value::Error(b"ERR no".to_vec()), Value::Integer(1)])),
                Value::Array(Some(vec![Value::Error(b"ERR no".to_vec()), Value::Boolean(true)])),
            ),
        ];
        for (resp2, resp3) in pairs {
            let text = print_pair(&resp2, &resp3);
            let pattern = parse_reply(&text).unwrap();
            assert!(pattern.matches(&resp2, false, &mut Captures::new()), "{text}");
            assert!(pattern.matches(&resp3, true, &mut Captures::new()), "{text}");
        }
        assert_eq!(print_pair(&Value::Integer(1), &Value::Simple(b"x".to_vec())), "2| :1\n3| +x");
    }
}
