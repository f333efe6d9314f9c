//! Quoting a text such that [`ochre_resp::split_args`], which reads the lines, gives it back.

/// Appends a text in double quotes, with everything but printable ASCII escaped.
pub(crate) fn append_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', *byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            7 => out.extend(b"\\a"),
            8 => out.extend(b"\\b"),
            b' '..=b'~' => out.push(*byte),
            _ => out.extend(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use ochre_resp::split_args;

    #[test]
    fn any_text_survives_quoting() {
        let text: Vec<u8> = (0..=255).collect();
        let mut line = Vec::new();
        append_quoted(&mut line, &text);
        assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
        assert_eq!(split_args(&line), Some(vec![text]));
    }
}
