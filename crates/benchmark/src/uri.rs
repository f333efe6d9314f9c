//! Server addresses of the form `redis://user:password@host:port/database`.

use crate::failure::Failure;
use crate::options::Options;

const SCHEMES: [&str; 3] = ["redis://", "valkey://", "ochre://"];

/// Fills `options` from `uri`; the parts that it leaves out keep their values.
///
/// # Errors
/// [`Failure::Usage`] when the scheme is not one of ours or a part is malformed.
pub fn apply(uri: &str, options: &mut Options) -> Result<(), Failure> {
    let invalid = || Failure::Usage(format!("Invalid URI \"{uri}\""));
    let rest = SCHEMES.iter().find_map(|scheme| uri.strip_prefix(scheme)).ok_or_else(invalid)?;
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, place) =
        authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
    if let Some(login) = login {
        let (user, password) = login.split_once(':').ok_or_else(invalid)?;
        options.user = if user.is_empty() { None } else { Some(decode(user).ok_or_else(invalid)?) };
        options.password = Some(decode(password).ok_or_else(invalid)?);
    }
    let (host, port) = split_port(place);
    if !host.is_empty() {
        options.set_host(decode(host).ok_or_else(invalid)?);
    }
    if let Some(port) = port {
        options.set_port(port.parse().map_err(|_| invalid())?);
    }
    if !database.is_empty() {
        options.database = database.parse().map_err(|_| invalid())?;
    }
    Ok(())
}

/// `host:port`, where an IPv6 address stands in brackets.
fn split_port(place: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = place.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)))
}

/// Undoes percent encoding; none when it is broken or not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_optional() {
        for (uri, target, user, password, database) in [
            ("redis://", "127.0.0.1:6379", None, None, 0),
            ("redis://box", "box:6379", None, None, 0),
            ("valkey://box:7/3", "box:7", None, None, 3),
            ("redis://:p%40ss@box", "box:6379", None, Some("p@ss"), 0),
            ("redis://me:a:b@[::1]:8/", "::1:8", Some("me"), Some("a:b"), 0),
        ] {
            let mut options = Options::default();
            apply(uri, &mut options).unwrap();
            assert_eq!(options.target.to_string(), target, "{uri}");
            assert_eq!((options.user.as_deref(), options.password.as_deref()), (user, password), "{uri}");
            assert_eq!(options.database, database, "{uri}");
        }
    }

    #[test]
    fn broken_ones_are_refused() {
        for uri in [
            "http://box",
            "redis://x:y",
            "redis://me@box",
            "redis://box/x",
            "redis://a:%4@box",
            "redis://a:%zz@b",
        ] {
            assert!(apply(uri, &mut Options::default()).is_err(), "{uri}");
        }
    }
}
