//! What the log says of a client that does not keep to the protocol: as much of its input as helps to find the fault,
//! unless the log may not show what clients send.

use ochre_config::Directive;
use ochre_engine::{ClientShared, Engine};
use ochre_resp::ProtocolError;

/// Bytes that the log shows of an input that is no request.
const SAMPLE_BYTES: usize = 128;

/// Notes that a client's `input` begins with what is no request.
pub fn note(engine: &Engine, client: &ClientShared, error: &ProtocolError, input: &[u8]) {
    if !log::log_enabled!(log::Level::Info) {
        return;
    }
    let hidden = engine.config.read().bool(Directive::HideUserDataFromLog);
    let sample = if hidden { "*redacted*".to_owned() } else { sample(input) };
    log::info!("Protocol error ({error}) from client: {}. Query buffer: {sample}", crate::describe(client));
}

/// What people are shown of an input: its beginning and its end, in characters that can be printed.
fn sample(input: &[u8]) -> String {
    let text = |bytes: &[u8]| -> String {
        bytes.iter().map(|byte| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' }).collect()
    };
    if input.len() < SAMPLE_BYTES {
        return format!("'{}'", text(input));
    }
    let (first, last) = (&input[..SAMPLE_BYTES / 2], &input[input.len() - SAMPLE_BYTES / 2..]);
    format!("'{}' (... more {} bytes ...) '{}'", text(first), input.len() - SAMPLE_BYTES, text(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_short_and_printable() {
        assert_eq!(sample(b"$x\r\n\xff'"), "'$x...''");
        let long: Vec<u8> = [b"a".repeat(100), b"b".repeat(100)].concat();
        let (first, last) = ("a".repeat(64), "b".repeat(64));
        assert_eq!(sample(&long), format!("'{first}' (... more 72 bytes ...) '{last}'"));
    }
}
