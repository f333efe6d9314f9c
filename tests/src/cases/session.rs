//! One client of a case, sending as a mode says.

use std::io;

use ochre_resp::{Value, encode_request};

use super::file::Send;
use super::mode::{Delivery, Mode};
use super::print::quote;
use crate::Address;
use crate::client::{Client, is_closed};

/// A connection, and the protocol that it speaks at the moment.
pub(super) struct Session {
    client: Client,
    delivery: Delivery,
    pub(super) resp3: bool,
}

impl Session {
    pub(super) fn open(address: &Address, mode: Mode) -> io::Result<Session> {
        let mut client = Client::connect(address)?;
        if mode.resp3 {
            client.request(&["HELLO", "3"])?;
        }
        Ok(Session { client, delivery: mode.delivery, resp3: mode.resp3 })
    }

    /// Sends these, in one write if the mode allows it.
    pub(super) fn send(&mut self, sends: &[Send]) -> io::Result<()> {
        let bytes: Vec<u8> = sends.iter().flat_map(|send| encode(send, self.delivery)).collect();
        let sent = match self.delivery {
            Delivery::Bytes => bytes.chunks(1).try_for_each(|byte| self.client.send(byte)),
            _ => self.client.send(&bytes),
        };
        match sent {
            // A server that has closed already has said why, or will be found silent.
            Err(error) if is_closed(&error) => Ok(()),
            other => other,
        }
    }

    /// The reply to what was sent. A HELLO that succeeds and a RESET change the protocol of the replies.
    pub(super) fn receive(&mut self, send: &Send) -> io::Result<Value> {
        let reply = self.client.read()?;
        if let Send::Request(args) = send {
            self.follow(args, &reply);
        }
        Ok(reply)
    }

    /// Whether the server closed the connection, without a word before.
    pub(super) fn is_closed(&mut self) -> io::Result<bool> {
        self.client.read_to_end().map(|rest| rest.is_empty())
    }

    fn follow(&mut self, args: &[Vec<u8>], reply: &Value) {
        let is =
            |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
        if reply.as_error().is_some() || matches!(reply, Value::Simple(text) if text == b"QUEUED") {
            return;
        }
        if is(0, "RESET") || (is(0, "HELLO") && is(1, "2")) {
            self.resp3 = false;
        } else if is(0, "HELLO") && is(1, "3") {
            self.resp3 = true;
        }
    }
}

fn encode(send: &Send, delivery: Delivery) -> Vec<u8> {
    match send {
        Send::Raw(bytes) => bytes.clone(),
        Send::Request(args) if delivery == Delivery::Inline => {
            let words: Vec<String> = args.iter().map(|arg| quote(arg)).collect();
            (words.join(" ") + "\r\n").into_bytes()
        }
        Send::Request(args) => {
            let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
            let mut bytes = Vec::new();
            encode_request(&mut bytes, &args);
            bytes
        }
    }
}
