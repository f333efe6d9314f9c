//! The versions that scripts can ask for.

/// What the server says that it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Versions {
    /// `redis.REDIS_VERSION`
    pub redis: &'static str,
    /// `server.VALKEY_VERSION`
    pub valkey: &'static str,
    /// `server.SERVER_NAME`
    pub server_name: &'static str,
}

impl Versions {
    /// A version as a number with a byte for each of its parts: 8.6.3 is 0x080603.
    pub fn number(version: &str) -> u32 {
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default() & 0xff);
        (0..3).fold(0, |number, _| number << 8 | parts.next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        for (version, number) in [("8.6.3", 525_827), ("7.2.4", 459_268), ("9.1.2", 590_082), ("1", 65_536)] {
            assert_eq!(Versions::number(version), number, "{version}");
        }
    }
}
