//! Requests as clients send them.

use crate::reply::{Protocol, ReplyWriter};

/// Appends the request with these arguments: an array of strings.
///
/// ```
/// let mut out = Vec::new();
/// ochre_resp::encode_request(&mut out, &["GET", "k"]);
/// assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
/// ```
pub fn encode_request<A: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[A]) {
    let mut writer = ReplyWriter::new(out, Protocol::Resp2);
    writer.array(args.len());
    args.iter().for_each(|arg| writer.bulk(arg.as_ref()));
}
