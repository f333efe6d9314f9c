//! Quoting a text such that [`ochre_resp::split_args`], which reads the lines, gives it back.

use ochre_resp::append_quoted;

/// Words with a blank between, each as it is if [`ochre_resp::split_args`] takes it so, blanks within it left aside, and
/// else in quotes.
#[must_use]
pub fn join_words(words: &[Vec<u8>]) -> Vec<u8> {
    let is_plain = |word: &[u8]| {
        !word.is_empty() && word.iter().all(|byte| matches!(byte, b' '..=b'~') && !b"\"'".contains(byte))
    };
    let mut line = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            line.push(b' ');
        }
        match is_plain(word) {
            true => line.extend_from_slice(word),
            false => append_quoted(&mut line, word),
        }
    }
    line
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

    #[test]
    fn words_are_quoted_where_they_have_to_be() {
        let words: [&[u8]; 6] = [b"u", b"~a\\(b", b"", b"a\"b", b"\xff", b"(\"~a)\" +@all)"];
        let words = words.map(<[u8]>::to_vec);
        let line = join_words(&words);
        assert_eq!(line, br#"u ~a\(b "" "a\"b" "\xff" "(\"~a)\" +@all)""#);
        assert_eq!(split_args(&line), Some(words.to_vec()));
        assert_eq!(join_words(&[b"(~a +get)".to_vec()]), b"(~a +get)");
    }
}
