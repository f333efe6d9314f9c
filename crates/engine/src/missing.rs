//! Directives of features that are not there yet: they are known and kept, and the log says that they do nothing, both at
//! the start and when CONFIG SET changes them. Which they are is said in their records.

use ochre_config::{Config, Directive, Effect};

/// Says in the log which of the directives that are `concerned` ask for what is not there.
pub fn warn_of_missing(config: &Config, concerned: impl Fn(Directive) -> bool) {
    for directive in missing(config).filter(|directive| concerned(*directive)) {
        log::error!(
            "This version of Ochre does not have what it is for yet: the directive '{}' has no effect.",
            directive.name()
        );
    }
}

/// Those that are something else than their defaults, which ask for nothing.
fn missing(config: &Config) -> impl Iterator<Item = Directive> {
    let is_missing = |directive: &Directive| {
        directive.record().effect == Effect::StoredForLater && !config.is_default(*directive)
    };
    Directive::ALL.iter().copied().filter(is_missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_asks_for_something_is_missed() {
        let mut config = Config::new();
        assert_eq!(missing(&config).count(), 0);
        let given: [(Directive, &[u8]); 4] = [
            (Directive::Masterauth, b"secret"),
            (Directive::ReplicaReadOnly, b"yes"),
            (Directive::ClusterAnnounceIp, b"10.0.0.1"),
            (Directive::MinReplicasToWrite, b"1"),
        ];
        for (directive, value) in given {
            config.assign(directive, &[value]).expect("it is right");
        }
        let found: Vec<Directive> = missing(&config).collect();
        assert_eq!(found, [Directive::Masterauth, Directive::ClusterAnnounceIp]);
    }
}
