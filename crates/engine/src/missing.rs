//! Directives of features that are not there yet: they are known and kept, and the log says that they do nothing, both at
//! the start and when CONFIG SET changes them. A feature that comes takes its row away.

use ochre_config::{Config, Directive};

/// A directive and the feature it belongs to.
type Row = (Directive, &'static str, fn(&Config) -> bool);

const ROWS: &[Row] = &[(Directive::TlsPort, "TLS", |config| config.uint(Directive::TlsPort) != 0)];

/// Says in the log which of the directives that are `concerned` ask for what is not there.
pub fn warn_of_missing(config: &Config, concerned: impl Fn(Directive) -> bool) {
    for (directive, feature, is_wanted) in ROWS {
        if concerned(*directive) && is_wanted(config) {
            log::error!(
                "This version of Ochre has no {feature} yet: the directive '{}' has no effect.",
                directive.name()
            );
        }
    }
}
