//! LOLWUT: a drawing, different every time, and the version. Ours is a quarry: layers of earth from dark to light, each
//! with its own waves, under an empty sky.

use ochre_types::Rng;

use super::BASE;
use crate::call::{Call, integer};
use crate::command::{Arg, ArgKind, Command, flags};
use crate::engine::{OCHRE_VERSION, REDIS_VERSION, clock_us};
use crate::error::Error;

pub(super) const LOLWUT: Command = Command {
    name: "lolwut",
    summary: "Draws something and tells the version.",
    since: "5.0.0",
    complexity: "",
    arity: -1,
    flags: flags::READONLY | flags::FAST,
    args: &[Arg::new("version", ArgKind::Integer).token("VERSION").optional()],
    handler: lolwut,
    ..BASE
};

const COLUMNS: usize = 66;
const ROWS: usize = 18;
const COLUMNS_MAX: i64 = 256;
const ROWS_MAX: i64 = 128;

/// `LOLWUT [VERSION number] [columns rows]`. There is one drawing, so any version is that one.
fn lolwut(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut cursor = call.args.cursor(1);
    if cursor.eat_with_value("VERSION") {
        cursor.next_i64()?;
    }
    let size = |arg: Option<&[u8]>, otherwise: usize, max: i64| match arg.map(integer) {
        Some(Ok(size)) => size.clamp(1, max) as usize,
        _ => otherwise,
    };
    let columns = size(call.args.get(cursor.index()), COLUMNS, COLUMNS_MAX);
    let rows = size(call.args.get(cursor.index() + 1), ROWS, ROWS_MAX);
    let mut text = quarry(columns, rows, clock_us() as u64);
    text.push_str(&format!(
        "\nThe quarry, drawn from the time of day. Ochre ver. {OCHRE_VERSION}, Redis ver. {REDIS_VERSION}\n"
    ));
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// The surface of one layer: a level and two waves on it.
struct Layer {
    level: f64,
    waves: [(f64, f64, f64); 2],
    grain: char,
}

impl Layer {
    /// Rows from the top at a column.
    fn surface(&self, column: usize) -> f64 {
        let wave =
            |(height, length, phase): &(f64, f64, f64)| height * (column as f64 / length + phase).sin();
        self.level + self.waves.iter().map(wave).sum::<f64>()
    }
}

fn quarry(columns: usize, rows: usize, seed: u64) -> String {
    const GRAINS: [char; 6] = ['.', ':', '-', '=', '%', '#'];
    let mut random = Rng::new(seed);
    let mut between = |low: f64, high: f64| low + (high - low) * random.next_f64();
    let thickness = rows as f64 / (GRAINS.len() + 1) as f64;
    let layers: Vec<Layer> = GRAINS
        .iter()
        .enumerate()
        .map(|(number, grain)| Layer {
            level: thickness * (number as f64 + between(0.7, 1.3)),
            waves: [
                (between(0.3, 0.9) * thickness, between(6.0, 14.0), between(0.0, 6.3)),
                (between(0.1, 0.4) * thickness, between(2.0, 4.0), between(0.0, 6.3)),
            ],
            grain: *grain,
        })
        .collect();
    let mut text = String::with_capacity((columns + 1) * rows);
    for row in 0..rows {
        for column in 0..columns {
            let deepest = layers.iter().rev().find(|layer| layer.surface(column) <= row as f64);
            text.push(deepest.map_or(' ', |layer| layer.grain));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Harness;

    #[test]
    fn the_version_is_at_the_end() {
        let mut client = Harness::new();
        for request in ["lolwut", "lolwut version 5", "lolwut version 99 10 5", "lolwut x", "lolwut version"]
        {
            assert!(client.run(request).ends_with(&format!("Redis ver. {REDIS_VERSION}\n|")), "{request}");
        }
        assert_eq!(client.run("lolwut version x"), "-ERR value is not an integer or out of range|");
        let huge = client.run("lolwut version 1 9999999999 9999999999").len();
        assert!(huge < 257 * 129 + 200, "{huge}");
    }

    #[test]
    fn a_seed_is_a_drawing() {
        let drawing = quarry(40, 12, 1);
        assert_eq!(drawing, quarry(40, 12, 1));
        assert_ne!(drawing, quarry(40, 12, 2));
        assert!(drawing.lines().count() == 12 && drawing.lines().all(|line| line.len() == 40));
        assert!(drawing.contains('#') && drawing.starts_with(' '));
    }
}
