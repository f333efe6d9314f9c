//! DEBUG PROTOCOL and ERROR: replies of every type, for the tests of clients.

use ochre_resp::Protocol;

use crate::call::Call;
use crate::error::Error;

/// The double that the peers reply.
#[allow(clippy::approx_constant, reason = "it is not meant to be pi, only to look like it")]
const DOUBLE: f64 = 3.141;

/// Replies with an error of the client's choice. It counts as no error: nothing went wrong.
pub(super) fn error(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let text = call.args.at(2);
    call.reply.error_bytes(text);
    Ok(())
}

pub(super) fn protocol(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let numbers = 0..3;
    match call.args.at(2).to_ascii_lowercase().as_slice() {
        b"string" => call.reply.bulk(b"Hello World"),
        b"integer" => call.reply.integer(12345),
        b"double" => call.reply.double(DOUBLE),
        b"bignum" => call.reply.big_number("1234567999999999999999999999999999999"),
        b"null" => call.reply.null(),
        b"array" => {
            call.reply.array(3);
            numbers.for_each(|number| call.reply.integer(number));
        }
        b"set" => {
            call.reply.set(3);
            numbers.for_each(|number| call.reply.integer(number));
        }
        b"map" => {
            call.reply.map(3);
            for number in numbers {
                call.reply.integer(number);
                call.reply.boolean(number == 1);
            }
        }
        b"attrib" => attribute(call),
        b"push" => push(call)?,
        b"true" => call.reply.boolean(true),
        b"false" => call.reply.boolean(false),
        b"verbatim" => call.reply.verbatim("txt", b"This is a verbatim\nstring"),
        _ => {
            return Err(Error::new(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}

/// An attribute is no reply by itself, so one follows it.
fn attribute(call: &mut Call<'_, '_>) {
    if call.reply.attribute(1) {
        call.reply.bulk(b"key-popularity");
        call.reply.array(2);
        call.reply.bulk(b"key:123");
        call.reply.integer(90);
    }
    call.reply.bulk(b"Some real reply following the attribute");
}

/// A push is no reply to a request, so there is one, too: first, because pushes wait for the end of a command.
fn push(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.reply.protocol() == Protocol::Resp2 {
        return Err(Error::new("ERR RESP2 is not supported by this command"));
    }
    call.reply.bulk(b"Some real reply following the push reply");
    call.reply.push(2);
    call.reply.bulk(b"server-cpu-usage");
    call.reply.integer(42);
    Ok(())
}
