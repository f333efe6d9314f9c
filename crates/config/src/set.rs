//! CONFIG SET: all of the pairs or none of them.

use crate::Directive;
use crate::choices::ProtectedAction;
use crate::config::Config;
use crate::error::SetError;
use crate::number::Refusal;
use crate::record::{Effect, Mutability, Record};
use crate::table::{self, Named};
use crate::value::{Value, until_nul};

/// What CONFIG SET must know about the moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct SetContext {
    /// A data set is being loaded.
    pub loading: bool,
    /// The client is on this machine.
    pub local_client: bool,
}

/// What CONFIG SET changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Directives to apply: those whose value changed, and those that are applied again in any case.
    pub directives: Vec<Directive>,
    /// Directives that were set and mean nothing to this server.
    pub ignored: Vec<Directive>,
}

impl Changes {
    /// Whether a directive is to be applied.
    #[must_use]
    pub fn contains(&self, id: Directive) -> bool {
        self.directives.contains(&id)
    }
}

impl Config {
    /// Sets directives by name. On an error nothing has changed. The caller keeps a clone from before, applies the
    /// changes, and puts the clone back if that fails ([`SetError::failed`]).
    ///
    /// An alias and its directive may be set together, as with the peers; the last one stays.
    ///
    /// # Errors
    /// The first name that must not be set, else the first value that is refused.
    pub fn set<K, V>(&mut self, pairs: &[(K, V)], context: SetContext) -> Result<Changes, SetError>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut targets: Vec<&'static Named> = Vec::with_capacity(pairs.len());
        for (name, _) in pairs {
            let target = self.settable(name.as_ref(), context)?;
            if targets.iter().any(|earlier| earlier.name == target.name) {
                return Err(SetError::failed(shown_name(name.as_ref()), "duplicate parameter"));
            }
            targets.push(target);
        }
        let mut next = self.clone();
        let mut changes = Changes::default();
        for (target, (_, value)) in targets.iter().zip(pairs) {
            let changed = next
                .set_one(target.record, value.as_ref())
                .map_err(|reason| SetError::failed(target.name, reason))?;
            note(&mut changes, target.record, changed);
        }
        *self = next;
        Ok(changes)
    }

    /// Whether the value of this directive is a secret, by any of its names; what CONFIG SET's argument must be hidden
    /// by in logs, also when the command fails.
    #[must_use]
    pub fn is_sensitive(name: &[u8]) -> bool {
        table::find(name).is_some_and(|named| named.record.sensitive)
    }

    fn settable(&self, name: &[u8], context: SetContext) -> Result<&'static Named, SetError> {
        let target = table::find(name).ok_or_else(|| SetError::Unknown(until_nul(name).to_vec()))?;
        match target.record.mutability {
            Mutability::Immutable => Err(SetError::failed(shown_name(name), "can't set immutable config")),
            Mutability::Protected if !self.may_set_protected(context) => {
                Err(SetError::failed(shown_name(name), "can't set protected config"))
            }
            _ if context.loading && target.record.denied_while_loading => Err(SetError::Loading),
            _ => Ok(target),
        }
    }

    fn may_set_protected(&self, context: SetContext) -> bool {
        match self.choice(Directive::EnableProtectedConfigs) {
            ProtectedAction::No => false,
            ProtectedAction::Yes => true,
            ProtectedAction::Local => context.local_client,
        }
    }

    /// Sets one directive and tells whether its value is another one now.
    fn set_one(&mut self, record: &Record, text: &[u8]) -> Result<bool, Refusal> {
        let old = self.value(record.id);
        let args: Vec<&[u8]> = if !record.takes_many() {
            vec![text]
        } else if text.is_empty() {
            Vec::new()
        } else {
            text.split(|byte| *byte == b' ').collect()
        };
        let new = Value::parse(record, &args, old)?;
        if let Some(check) = record.live_check {
            check(old, &new)?;
        }
        let changed = *old != new;
        self.put(record.id, new);
        Ok(changed)
    }
}

fn note(changes: &mut Changes, record: &Record, changed: bool) {
    let ignored = record.effect == Effect::Meaningless;
    let list = if ignored { &mut changes.ignored } else { &mut changes.directives };
    if (changed || record.always_applied || ignored) && !list.contains(&record.id) {
        list.push(record.id);
    }
}

/// A name as an error text shows it.
fn shown_name(name: &[u8]) -> String {
    String::from_utf8_lossy(until_nul(name)).into_owned()
}
