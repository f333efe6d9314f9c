//! The ways in which a case is sent.

/// How requests go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// One after the other, each after the reply to the last.
    Each,
    /// As many as possible in one write.
    Pipelined,
    /// One byte per write.
    Bytes,
    /// As lines.
    Inline,
    /// All of a case within MULTI and EXEC.
    Multi,
}

/// One way to send a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// What files call it.
    pub name: &'static str,
    /// Whether the clients speak RESP3.
    pub resp3: bool,
    /// How requests go out.
    pub delivery: Delivery,
}

impl Mode {
    /// All of them.
    pub const ALL: &'static [Mode] = &[
        Mode::new("resp2", false, Delivery::Each),
        Mode::new("resp3", true, Delivery::Each),
        Mode::new("pipelined", false, Delivery::Pipelined),
        Mode::new("pipelined3", true, Delivery::Pipelined),
        Mode::new("bytes", false, Delivery::Bytes),
        Mode::new("inline", false, Delivery::Inline),
        Mode::new("multi", false, Delivery::Multi),
        Mode::new("multi3", true, Delivery::Multi),
    ];

    const fn new(name: &'static str, resp3: bool, delivery: Delivery) -> Mode {
        Mode { name, resp3, delivery }
    }

    /// The mode of a name.
    pub fn from_name(name: &str) -> Option<Mode> {
        Mode::ALL.iter().copied().find(|mode| mode.name == name)
    }

    /// Whether a word after `except:` or `modes:` means this mode: its name, or its name without the protocol.
    pub fn is_called(&self, word: &str) -> bool {
        word == self.name || (self.delivery != Delivery::Each && word == self.name.trim_end_matches('3'))
    }
}
