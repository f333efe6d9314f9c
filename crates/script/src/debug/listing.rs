//! The lines of a script, and at which of them it stops.

use super::log::Log;

/// Lines at which a script may stop.
const BREAKPOINTS_MAX: usize = 64;

/// The text of a script by lines, which count from 1, and its breakpoints.
#[derive(Debug)]
pub(super) struct Listing {
    lines: Vec<Vec<u8>>,
    breakpoints: Vec<i32>,
    /// The line that is about to run.
    pub(super) current: i32,
}

impl Listing {
    /// The lines of a text. Empty ones at its end are none.
    pub(super) fn new(text: &[u8]) -> Listing {
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        let text = &text[..end.map_or(0, |last| last + 1)];
        let mut lines: Vec<Vec<u8>> = text.split(|&byte| byte == b'\n').map(Into::into).collect();
        if text.is_empty() {
            lines.clear();
        }
        Listing { lines, breakpoints: Vec::new(), current: 0 }
    }

    fn text(&self, line: i32) -> Option<&[u8]> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.lines.get(index).map(Vec::as_slice)
    }

    /// Whether the script stops at a line.
    pub(super) fn has_breakpoint(&self, line: i32) -> bool {
        self.breakpoints.contains(&line)
    }

    /// Forgets all breakpoints.
    pub(super) fn clear_breakpoints(&mut self) {
        self.breakpoints.clear();
    }

    /// Shows a line with its number, an arrow if it is the present one, and a mark if the script stops there.
    pub(super) fn show(&self, line: i32, log: &mut Log) {
        let text = self.text(line).unwrap_or(b"<out of range source code line>");
        let arrow = if line == self.current { "->" } else { "  " };
        let mark = if self.has_breakpoint(line) { "#" } else { " " };
        log.add(&[format!("{arrow}{mark}{line:<3} ").as_bytes(), text].concat());
    }

    /// Shows the lines around one; around the present one if that is no line's number.
    pub(super) fn list(&self, line: i32, around: i32, log: &mut Log) {
        let middle = if line <= 0 { self.current } else { line };
        let first = middle.saturating_sub(around).max(1);
        let last = middle.saturating_add(around).min(i32::try_from(self.lines.len()).unwrap_or(i32::MAX));
        for line in first..=last {
            self.show(line, log);
        }
    }

    /// Does what words say of breakpoints: a line sets one, `-` before it removes it, 0 removes all. Without words it shows them.
    pub(super) fn change_breakpoints(&mut self, words: &[Vec<u8>], log: &mut Log) {
        if words.is_empty() {
            return self.show_breakpoints(log);
        }
        for word in words {
            match ochre_types::parse_i64(word) {
                None => log.add(&[b"Invalid argument:'", word.as_slice(), b"'"].concat()),
                Some(0) => {
                    self.clear_breakpoints();
                    log.add(b"All breakpoints removed.");
                }
                Some(line) if line > 0 => self.set_breakpoint(line, log),
                Some(line) => self.remove_breakpoint(line, log),
            }
        }
    }

    fn show_breakpoints(&self, log: &mut Log) {
        if self.breakpoints.is_empty() {
            return log.add(b"No breakpoints set. Use 'b <line>' to add one.");
        }
        log.add(format!("{} breakpoints set:", self.breakpoints.len()).as_bytes());
        self.breakpoints.iter().for_each(|line| self.show(*line, log));
    }

    fn set_breakpoint(&mut self, line: i64, log: &mut Log) {
        if self.breakpoints.len() >= BREAKPOINTS_MAX {
            return log.add(b"Too many breakpoints set.");
        }
        let is_new = |line: &i32| self.text(*line).is_some() && !self.has_breakpoint(*line);
        let line = i32::try_from(line).ok().filter(is_new);
        let Some(line) = line else { return log.add(b"Wrong line number.") };
        self.breakpoints.push(line);
        self.list(line, 1, log);
    }

    fn remove_breakpoint(&mut self, line: i64, log: &mut Log) {
        let place = self.breakpoints.iter().position(|one| Some(i64::from(*one)) == line.checked_neg());
        match place {
            Some(place) => {
                self.breakpoints.remove(place);
                log.add(b"Breakpoint removed.");
            }
            None => log.add(b"No breakpoint in the specified line."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(work: impl FnOnce(&mut Log)) -> Vec<String> {
        let mut log = Log::default();
        work(&mut log);
        let text = String::from_utf8(log.take()).expect("the lines are texts");
        text.split("\r\n").skip(1).filter_map(|line| line.strip_prefix('+').map(str::to_owned)).collect()
    }

    fn breakpoints(listing: &mut Listing, words: &str) -> Vec<String> {
        let words: Vec<Vec<u8>> = words.split(' ').map(Into::into).collect();
        shown(|log| listing.change_breakpoints(&words, log))
    }

    #[test]
    fn lines_are_listed_around_one() {
        let mut listing = Listing::new(b"a\nb\nc\nd\ne\r\n\n");
        listing.current = 4;
        assert_eq!(shown(|log| listing.list(0, 1, log)), ["   3   c", "-> 4   d", "   5   e"]);
        assert_eq!(shown(|log| listing.list(-7, 0, log)), ["-> 4   d"]);
        assert_eq!(shown(|log| listing.list(1, 1, log)), ["   1   a", "   2   b"]);
        assert_eq!(shown(|log| listing.list(1, 1_000_000, log)).len(), 5);
        assert_eq!(shown(|log| listing.list(100, 5, log)).len(), 0);
        assert_eq!(shown(|log| listing.list(2, -2, log)).len(), 0);
        assert_eq!(shown(|log| Listing::new(b"").show(1, log)), ["   1   <out of range source code line>"]);
    }

    #[test]
    fn breakpoints_come_and_go() {
        let mut listing = Listing::new(&b"x\n".repeat(100));
        listing.current = 1;
        assert_eq!(breakpoints(&mut listing, "5"), ["   4   x", "  #5   x", "   6   x"]);
        assert_eq!(
            breakpoints(&mut listing, "101 -7 +5 5x -0"),
            [
                "Wrong line number.",
                "No breakpoint in the specified line.",
                "Invalid argument:'+5'",
                "Invalid argument:'5x'",
                "Invalid argument:'-0'",
            ]
        );
        assert!(listing.has_breakpoint(5));
        assert_eq!(shown(|log| listing.change_breakpoints(&[], log)), ["1 breakpoints set:", "  #5   x"]);
        assert_eq!(breakpoints(&mut listing, "-5"), ["Breakpoint removed."]);
        assert!(!listing.has_breakpoint(5));
        for line in 1..=64 {
            assert!(breakpoints(&mut listing, &line.to_string()).len() > 1);
        }
        assert_eq!(breakpoints(&mut listing, "65"), ["Too many breakpoints set."]);
        assert_eq!(breakpoints(&mut listing, "-64 63"), ["Breakpoint removed.", "Wrong line number."]);
        assert_eq!(breakpoints(&mut listing, "0"), ["All breakpoints removed."]);
        let none = "No breakpoints set. Use 'b <line>' to add one.";
        assert_eq!(shown(|log| listing.change_breakpoints(&[], log)), [none]);
    }
}
