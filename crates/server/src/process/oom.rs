//! `oom-score-adj` and `oom-score-adj-values`: how readily the kernel kills this process when memory runs out.
//!
//! The value found before the first change is the base of relative values and is put back when the setting returns to
//! `no`. The file's path is a parameter of the tests only.

use std::io;
use std::path::PathBuf;

/// `oom-score-adj`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OomScoreAdj {
    /// Leave the kernel's value alone.
    #[default]
    No,
    /// Add the configured value to the one found (`relative`, or `yes`).
    Relative,
    /// Use the configured value.
    Absolute,
}

/// The three of `oom-score-adj-values`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OomScoreValues {
    /// While this server is a primary.
    pub primary: i32,
    /// While it is a replica.
    pub replica: i32,
    /// For child processes, which Ochre does not have; kept for CONFIG GET.
    pub child: i32,
}

impl Default for OomScoreValues {
    fn default() -> Self {
        Self { primary: 0, replica: 200, child: 800 }
    }
}

impl OomScoreValues {
    /// Whether a process without privileges can follow them: it may only raise its score from role to role.
    pub fn rise(&self) -> bool {
        self.primary <= self.replica && self.replica <= self.child
    }
}

/// The process's score, and what it was before the server changed it.
#[derive(Debug)]
pub struct OomScore {
    path: PathBuf,
    base: Option<i32>,
}

impl Default for OomScore {
    fn default() -> Self {
        Self { path: PathBuf::from("/proc/self/oom_score_adj"), base: None }
    }
}

impl OomScore {
    /// Applies the setting for the current role. An error is logged here; CONFIG SET then fails and rolls back.
    pub fn apply(&mut self, setting: OomScoreAdj, values: &OomScoreValues, replica: bool) -> io::Result<()> {
        let configured = if replica { values.replica } else { values.primary };
        let score = match (setting, self.base) {
            (OomScoreAdj::No, None) => return Ok(()),
            (OomScoreAdj::No, Some(base)) => base,
            (OomScoreAdj::Absolute, _) => self.base().map(|_| configured)?,
            (OomScoreAdj::Relative, _) => self.base()?.saturating_add(configured),
        };
        if setting == OomScoreAdj::No {
            self.base = None;
        }
        self.write(score.clamp(-1000, 1000))
    }

    fn base(&mut self) -> io::Result<i32> {
        if let Some(base) = self.base {
            return Ok(base);
        }
        let read = std::fs::read_to_string(&self.path);
        let text =
            read.inspect_err(|e| crate::warning!("Unable to read oom_score_adj: {}", super::error_text(e)))?;
        Ok(*self.base.insert(text.trim().parse().unwrap_or(0)))
    }

    fn write(&self, score: i32) -> io::Result<()> {
        let written = std::fs::OpenOptions::new()
            .write(true)
            .open(&self.path)
            .and_then(|mut f| io::Write::write_all(&mut f, format!("{score}\n").as_bytes()));
        written.inspect_err(|e| crate::warning!("Unable to write oom_score_adj: {}", super::error_text(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_settings_and_restores() {
        let path = std::env::temp_dir().join(format!("ochre-oom-{}", std::process::id()));
        std::fs::write(&path, "7\n").unwrap();
        let mut score = OomScore { path: path.clone(), base: None };
        let values = OomScoreValues { primary: 10, replica: 2000, child: 30 };
        let steps = [
            (OomScoreAdj::No, false, 7),
            (OomScoreAdj::Relative, false, 17),
            (OomScoreAdj::Relative, true, 1000),
            (OomScoreAdj::Absolute, false, 10),
            (OomScoreAdj::No, false, 7),
            (OomScoreAdj::Absolute, true, 1000),
        ];
        for (setting, replica, expected) in steps {
            score.apply(setting, &values, replica).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(
                text.lines().next().unwrap().parse::<i32>().unwrap(),
                expected,
                "{setting:?} {replica}"
            );
            std::fs::write(&path, text.lines().next().unwrap()).unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        assert!(score.apply(OomScoreAdj::Absolute, &values, false).is_err());
    }

    #[test]
    fn rising_values() {
        assert!(OomScoreValues::default().rise());
        assert!(!OomScoreValues { primary: 1, replica: 0, child: 2 }.rise());
    }
}
