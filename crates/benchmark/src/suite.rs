//! The default tests, as a table in the order in which they run and under the names that users know.
//!
//! `__data__` is replaced by a value of `-d` bytes; number placeholders are replaced while sending.

use crate::options::Options;
use crate::template::Template;

/// What a test sends.
#[derive(Clone, Copy, Debug)]
enum Body {
    /// These bytes, as they are.
    Inline(&'static [u8]),
    /// These words, separated by blanks.
    Words(&'static str),
    /// A command word, then these words ten times.
    TenTimes(&'static str, &'static str),
    /// ZADD, whose score is random only when there is a keyspace.
    Zadd,
    /// FUNCTION LOAD of a library with so many functions as asked for.
    FunctionLoad,
    /// FCALL of the first function.
    Fcall,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Names that select it with `-t`.
    names: &'static [&'static str],
    /// Its name in reports.
    pub title: &'static str,
    body: Body,
}

const LRANGE: &[&str] = &["lrange", "lrange_100", "lrange_300", "lrange_500", "lrange_600"];

const fn row(names: &'static [&'static str], title: &'static str, body: Body) -> Test {
    Test { names, title, body }
}

const TESTS: &[Test] = &[
    row(&["ping_inline", "ping"], "PING_INLINE", Body::Inline(b"PING\r\n")),
    row(&["ping_mbulk", "ping"], "PING_MBULK", Body::Words("PING")),
    row(&["set"], "SET", Body::Words("SET key:__rand_int__ __data__")),
    row(&["get"], "GET", Body::Words("GET key:__rand_int__")),
    row(&["incr"], "INCR", Body::Words("INCR counter:__rand_int__")),
    row(&["lpush"], "LPUSH", Body::Words("LPUSH mylist __data__")),
    row(&["rpush"], "RPUSH", Body::Words("RPUSH mylist __data__")),
    row(&["lpop"], "LPOP", Body::Words("LPOP mylist")),
    row(&["rpop"], "RPOP", Body::Words("RPOP mylist")),
    row(&["sadd"], "SADD", Body::Words("SADD myset element:__rand_int__")),
    row(&["hset"], "HSET", Body::Words("HSET myhash element:__rand_int__ __data__")),
    row(&["spop"], "SPOP", Body::Words("SPOP myset")),
    row(&["zadd"], "ZADD", Body::Zadd),
    row(&["zpopmin"], "ZPOPMIN", Body::Words("ZPOPMIN myzset")),
    row(LRANGE, "LPUSH (needed to benchmark LRANGE)", Body::Words("LPUSH mylist __data__")),
    row(&["lrange", "lrange_100"], "LRANGE_100 (first 100 elements)", Body::Words("LRANGE mylist 0 99")),
    row(&["lrange", "lrange_300"], "LRANGE_300 (first 300 elements)", Body::Words("LRANGE mylist 0 299")),
    row(&["lrange", "lrange_500"], "LRANGE_500 (first 500 elements)", Body::Words("LRANGE mylist 0 499")),
    row(&["lrange", "lrange_600"], "LRANGE_600 (first 600 elements)", Body::Words("LRANGE mylist 0 599")),
    row(&["mset"], "MSET (10 keys)", Body::TenTimes("MSET", "key:__rand_int__ __data__")),
    row(&["mget"], "MGET (10 keys)", Body::TenTimes("MGET", "key:__rand_int__")),
    row(&["xadd"], "XADD", Body::Words("XADD mystream * myfield __data__")),
    row(&["function_load"], "FUNCTION LOAD", Body::FunctionLoad),
    row(&["fcall"], "FCALL", Body::Fcall),
];

/// The first of these names that selects nothing.
pub fn unknown(names: &[String]) -> Option<&String> {
    names.iter().find(|name| !TESTS.iter().any(|test| test.names.contains(&name.as_str())))
}

/// All names that select tests, each once.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for name in TESTS.iter().flat_map(|test| test.names) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    names
}

/// The tests that `-t` selects (all of them without it).
pub fn selected(names: Option<&[String]>) -> impl Iterator<Item = &'static Test> {
    TESTS.iter().filter(move |test| {
        names.is_none_or(|names| names.iter().any(|name| test.names.contains(&name.as_str())))
    })
}

impl Test {
    /// The test's request.
    pub fn template(&self, options: &Options) -> Template {
        let words =
            |text: &str| text.split(' ').map(|word| fill_in(word.as_bytes(), options)).collect::<Vec<_>>();
        let mut template = Template::default();
        match self.body {
            Body::Inline(bytes) => return Template::verbatim(bytes),
            Body::Words(text) => template.push(&words(text)),
            Body::TenTimes(command, text) => {
                template.push(&[words(command), vec![words(text); 10].concat()].concat())
            }
            Body::Zadd if options.keyspace.is_some() => {
                template.push(&["ZADD", "myzset", "__rand_int__", "element:__rand_1st__"]);
            }
            Body::Zadd => template.push(&["ZADD", "myzset", "0", "element:__rand_1st__"]),
            Body::FunctionLoad => template.push(&load_command(options.functions, false)),
            Body::Fcall => template.push(&call_command(options.function_keys)),
        }
        template
    }

    /// A command that has to succeed once before the test can run.
    pub fn preparation(&self, options: &Options) -> Option<Vec<String>> {
        matches!(self.body, Body::Fcall).then(|| load_command(1, options.function_keys > 0))
    }

    /// A command that shows whether the server can run the test at all.
    pub fn probe(&self) -> Option<Vec<String>> {
        self.is_optional().then(|| ["FUNCTION", "LIST"].map(str::to_owned).to_vec())
    }

    /// Whether servers exist that lack what the test needs; such a test is skipped unless it was asked
    /// for by name.
    pub fn is_optional(&self) -> bool {
        matches!(self.body, Body::FunctionLoad | Body::Fcall)
    }
}

/// `word` with every `__data__` replaced by a value.
pub fn fill_in(word: &[u8], options: &Options) -> Vec<u8> {
    const PLACEHOLDER: &[u8] = b"__data__";
    let (mut filled, mut rest) = (Vec::with_capacity(word.len()), word);
    while let Some(at) = rest.windows(PLACEHOLDER.len()).position(|window| window == PLACEHOLDER) {
        filled.extend_from_slice(&rest[..at]);
        filled.extend((0..options.data_size).map(value_byte));
        rest = &rest[at + PLACEHOLDER.len()..];
    }
    filled.extend_from_slice(rest);
    filled
}

/// Byte number `index` of a value: printable, without runs, never a number (which servers store in
/// another way).
fn value_byte(index: usize) -> u8 {
    b'A' + (index.wrapping_mul(7) % 26) as u8
}

fn load_command(functions: u32, with_keys: bool) -> Vec<String> {
    let (parameters, result) = if with_keys { ("keys, args", "keys[1]") } else { ("", "0") };
    let mut library = String::from("#!lua name=benchlib\n");
    for number in (1..=functions).rev() {
        library.push_str(&format!(
            "local function foo{number}({parameters}) return {result} end\n\
             redis.register_function('foo{number}', foo{number})\n"
        ));
    }
    ["FUNCTION", "LOAD", "REPLACE", &library].map(str::to_owned).to_vec()
}

fn call_command(keys: u32) -> Vec<String> {
    let mut command = vec!["FCALL".to_owned(), "foo1".to_owned(), keys.to_string()];
    command.extend((1..=keys).map(|number| format!("key{number}")));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(names: &str) -> Vec<&'static str> {
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        selected(Some(&names)).map(|test| test.title).collect()
    }

    #[test]
    fn names_select_rows_in_the_tables_order() {
        assert_eq!(selected(None).count(), TESTS.len());
        assert_eq!(titles("get,ping,nonsense"), ["PING_INLINE", "PING_MBULK", "GET"]);
        assert_eq!(
            titles("lrange_300"),
            ["LPUSH (needed to benchmark LRANGE)", "LRANGE_300 (first 300 elements)"]
        );
        assert!(titles("").is_empty());
    }

    #[test]
    fn every_row_is_a_request_with_one_reply() {
        let options = Options { data_size: 5, ..Options::default() };
        for test in TESTS {
            let template = test.template(&options);
            assert_eq!(template.replies(), 1, "{}", test.title);
            assert!(template.bytes().ends_with(b"\r\n"), "{}", test.title);
            assert!(!template.bytes().windows(8).any(|window| window == b"__data__"), "{}", test.title);
        }
    }

    #[test]
    fn values_have_the_size_that_was_asked_for() {
        let options = Options { data_size: 64, ..Options::default() };
        assert_eq!(fill_in(b"<__data__|__data__>", &options).len(), 3 + 2 * 64);
        assert_eq!(fill_in(b"plain", &options), b"plain");
    }

    #[test]
    fn ten_times_repeats_the_words_but_not_the_command() {
        let test = TESTS.iter().find(|test| test.title.starts_with("MSET")).unwrap();
        assert!(test.template(&Options::default()).bytes().starts_with(b"*21\r\n$4\r\nMSET\r\n"));
    }
}
