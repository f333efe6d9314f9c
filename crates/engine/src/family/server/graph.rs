//! LATENCY GRAPH: the spikes of an event as a small drawing, a column per spike, the newest at the right.
//!
//! A column has four rows of three steps each; below it stands, downwards, how long ago the spike was.

use crate::latency::Spikes;

const ROWS: usize = 4;
/// A step within a row, from low to high.
const STEPS: [char; 3] = ['_', 'o', '#'];
/// What is below the top of a column.
const FILL: char = '|';
const WIDTH: usize = 80;

/// Draws the spikes of an event as of `now_s`.
pub(super) fn draw(event: &str, spikes: &Spikes, now_s: i64) -> String {
    let skipped = spikes.history.len().saturating_sub(WIDTH);
    let shown: Vec<(i64, i64)> = spikes.history.iter().skip(skipped).copied().collect();
    let low = shown.iter().map(|spike| spike.1).min().unwrap_or(0);
    let high = shown.iter().map(|spike| spike.1).max().unwrap_or(0);
    let mut text = format!("{event} - high {high} ms, low {low} ms (all time high {} ms)\n", spikes.max_ms);
    text.push_str(&"-".repeat(WIDTH));
    text.push('\n');
    let heights: Vec<usize> = shown.iter().map(|spike| height(spike.1, low, high)).collect();
    for row in (0..ROWS).rev() {
        text.extend(heights.iter().map(|height| cell(*height, row)));
        text.push('\n');
    }
    let ages: Vec<Vec<char>> = shown.iter().map(|spike| age(now_s - spike.0).chars().collect()).collect();
    let longest = ages.iter().map(Vec::len).max().unwrap_or(0);
    text.push('\n');
    for row in 0..longest {
        text.extend(ages.iter().map(|age| age.get(row).copied().unwrap_or(' ')));
        text.push('\n');
    }
    text
}

/// The top step of a column, from 0.
fn height(value: i64, low: i64, high: i64) -> usize {
    let steps = (ROWS * STEPS.len()) as i64;
    let range = (high - low).max(1);
    (((value - low) * steps / range).min(steps - 1)) as usize
}

fn cell(height: usize, row: usize) -> char {
    match height / STEPS.len() {
        top if top == row => STEPS[height % STEPS.len()],
        top if top > row => FILL,
        _ => ' ',
    }
}

/// A time span in its largest unit.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_rise_with_their_spikes() {
        let history = [(0, 5), (86_300, 10), (86_390, 100)].into_iter().collect();
        let text = draw("command", &Spikes { history, max_ms: 300 }, 86_400);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "command - high 100 ms, low 5 ms (all time high 300 ms)");
        assert_eq!(&lines[2..], ["  #", "  |", "  |", "__|", "", "111", "dm0", "  s"]);
    }
}
