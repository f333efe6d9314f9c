//! Checks of single directives beyond type and range, with the texts of their refusals.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::choices::{SHUTDOWN_NOSAVE, SHUTDOWN_SAVE};
use crate::value::Value;

type Verdict = Result<(), &'static str>;

fn text(value: &Value) -> &[u8] {
    match value {
        Value::Text(text) => text,
        _ => b"",
    }
}

fn verdict(good: bool, refusal: &'static str) -> Verdict {
    if good { Ok(()) } else { Err(refusal) }
}

fn is_base_name(name: &[u8]) -> bool {
    !name.contains(&b'/') && !name.contains(&b'\\')
}

/// Redis accepts an empty name (snapshots fail then), Valkey does not.
pub(crate) fn dbfilename(value: &Value) -> Verdict {
    verdict(is_base_name(text(value)), "dbfilename can't be a path, just a filename")
}

pub(crate) fn appendfilename(value: &Value) -> Verdict {
    verdict(!text(value).is_empty(), "appendfilename can't be empty")?;
    verdict(is_base_name(text(value)), "appendfilename can't be a path, just a filename")
}

pub(crate) fn appenddirname(value: &Value) -> Verdict {
    verdict(!text(value).is_empty(), "appenddirname can't be empty")?;
    verdict(is_base_name(text(value)), "appenddirname can't be a path, just a dirname")
}

pub(crate) fn shutdown_flags(value: &Value) -> Verdict {
    const BOTH: u32 = SHUTDOWN_SAVE | SHUTDOWN_NOSAVE;
    let both = matches!(value, Value::Code(code) if code & BOTH == BOTH);
    verdict(!both, "shutdown options SAVE and NOSAVE can't be used simultaneously")
}

pub(crate) fn hash_seed(value: &Value) -> Verdict {
    verdict(text(value).len() <= 256, "hash-seed must be less than or equal to 256 characters")
}

fn parses_as<T: std::str::FromStr>(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<T>().is_ok())
}

pub(crate) fn ipv4(value: &Value) -> Verdict {
    let text = text(value);
    verdict(text.is_empty() || parses_as::<Ipv4Addr>(text), "Invalid IPv4 address")
}

pub(crate) fn ipv6(value: &Value) -> Verdict {
    let text = text(value);
    verdict(text.is_empty() || parses_as::<Ipv6Addr>(text), "Invalid IPv6 address")
}

pub(crate) fn announced_ip(value: &Value) -> Verdict {
    verdict(
        ipv4(value).is_ok() || ipv6(value).is_ok(),
        "Cluster announce IP must be a valid IPv4 or IPv6 address",
    )
}

pub(crate) fn announced_hostname(value: &Value) -> Verdict {
    let name = text(value);
    verdict(name.len() < 256, "Hostnames must be less than 256 characters")?;
    let good = name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    verdict(good, "Hostnames may only contain alphanumeric characters, hyphens or dots")
}

/// The name goes into a line of the cluster's file, so bytes that have a meaning there are refused.
pub(crate) fn announced_nodename(value: &Value) -> Verdict {
    let is_good = |byte: &u8| *byte > b',' && *byte != 0x7f && !b":;<=>?@[]^{|}~\\".contains(byte);
    verdict(text(value).iter().all(is_good), "Announced human node name contained invalid character")
}

/// The template must hold known variables only, and must not come out empty where no title is given.
pub(crate) fn proc_title_template(value: &Value) -> Verdict {
    let expanded = expand_title(text(value));
    let good = expanded.is_some_and(|title| !title.trim_ascii().is_empty());
    verdict(good, "template format is invalid or contains unknown variables")
}

/// Expands with sample values; `None` if the template is malformed.
fn expand_title(template: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some((byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'{', [b'{', after @ ..]) => {
                out.push(b'{');
                after
            }
            (b'{', _) => {
                let end = after.iter().position(|byte| *byte == b'}')?;
                out.extend_from_slice(title_sample(&after[..end])?);
                &after[end + 1..]
            }
            _ => {
                out.push(*byte);
                after
            }
        };
    }
    Some(out)
}

fn title_sample(variable: &[u8]) -> Option<&'static [u8]> {
    match variable {
        b"title" | b"unixsocket" | b"server-mode" => Some(b""),
        b"listen-addr" | b"port" | b"tls-port" | b"config-file" => Some(b"x"),
        _ => None,
    }
}

pub(crate) fn key_memory_histograms(old: &Value, new: &Value) -> Verdict {
    let turned_on = *old == Value::Bool(false) && *new == Value::Bool(true);
    verdict(!turned_on, "memory tracking cannot be enabled at runtime")
}
