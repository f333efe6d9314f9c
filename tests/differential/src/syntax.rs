//! The notation in which a family declares its commands, as documentation writes them:
//!
//! ```text
//! SET key value [NX|XX|IFEQ value] [GET] [EX seconds|PX milliseconds|KEEPTTL]
//! ```
//!
//! Upper case is a keyword, lower case a class of arguments (see `vocabulary`), `[..]` may be left out, `|` separates
//! alternatives, `(..)` groups, `...` repeats what stands before it. Optional groups that stand side by side are sent
//! in any order, as servers accept them.

/// A node of the parsed notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Sent as it is, in any case.
    Keyword(&'static str),
    /// An argument of a class.
    Class(&'static str),
    /// All of these, in order.
    Sequence(Vec<Node>),
    /// One of these.
    Choice(Vec<Node>),
    /// This or nothing.
    Optional(Box<Node>),
    /// This once or more.
    Repeated(Box<Node>),
}

/// Parses a declaration. Panics on a malformed one: declarations are constants of this crate, and a test reads all.
pub fn parse(text: &'static str) -> Node {
    let mut parser = Parser { words: words(text), at: 0 };
    let node = parser.choice();
    assert!(parser.at == parser.words.len(), "stray word {:?} in {text:?}", parser.peek());
    node
}

/// Cuts a declaration into words; brackets, bars and the ellipsis are words of their own.
fn words(text: &'static str) -> Vec<&'static str> {
    let mut words = Vec::new();
    for chunk in text.split_ascii_whitespace() {
        let mut rest = chunk;
        while !rest.is_empty() {
            let end = match rest.find(['[', ']', '(', ')', '|']) {
                Some(0) => 1,
                Some(end) => rest[..end].find("...").filter(|&at| at > 0).unwrap_or(end),
                None => rest.find("...").filter(|&at| at > 0).unwrap_or(rest.len()),
            };
            words.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    words
}

struct Parser {
    words: Vec<&'static str>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&'static str> {
        self.words.get(self.at).copied()
    }

    fn choice(&mut self) -> Node {
        let mut alternatives = vec![self.sequence()];
        while self.peek() == Some("|") {
            self.at += 1;
            alternatives.push(self.sequence());
        }
        single_or(alternatives, Node::Choice)
    }

    fn sequence(&mut self) -> Node {
        let mut nodes = Vec::new();
        while let Some(word) = self.peek().filter(|word| !matches!(*word, "|" | "]" | ")")) {
            self.at += 1;
            let node = match word {
                "[" => Node::Optional(Box::new(self.group("]"))),
                "(" => self.group(")"),
                word if word.starts_with(|letter: char| letter.is_ascii_lowercase()) => Node::Class(word),
                word => Node::Keyword(word),
            };
            if self.peek() == Some("...") {
                self.at += 1;
                nodes.push(Node::Repeated(Box::new(node)));
            } else {
                nodes.push(node);
            }
        }
        single_or(nodes, Node::Sequence)
    }

    fn group(&mut self, end: &str) -> Node {
        let node = self.choice();
        assert!(self.peek() == Some(end), "{end:?} is missing in {:?}", self.words);
        self.at += 1;
        node
    }
}

fn single_or(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { many(nodes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Node::*;

    #[test]
    fn reads_the_notation() {
        let value = || Class("value");
        assert_eq!(parse("PING"), Keyword("PING"));
        assert_eq!(
            parse("SET key [NX|IFEQ value] [GET]"),
            Sequence(vec![
                Keyword("SET"),
                Class("key"),
                Optional(Box::new(Choice(vec![Keyword("NX"), Sequence(vec![Keyword("IFEQ"), value()])]))),
                Optional(Box::new(Keyword("GET"))),
            ])
        );
        assert_eq!(
            parse("MSET (key value)... x..."),
            Sequence(vec![
                Keyword("MSET"),
                Repeated(Box::new(Sequence(vec![Class("key"), value()]))),
                Repeated(Box::new(Class("x"))),
            ])
        );
    }

    #[test]
    #[should_panic(expected = "missing")]
    fn refuses_an_open_bracket() {
        parse("SET [NX");
    }

    #[test]
    #[should_panic(expected = "stray")]
    fn refuses_a_stray_bracket() {
        parse("SET NX]");
    }
}
