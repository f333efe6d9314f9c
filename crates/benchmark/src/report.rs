//! What a run says, in the formats that people and their scripts know.

use std::io::{self, Write};
use std::time::Duration;

use crate::histogram::{Histogram, Step};
use crate::options::{Format, Options};

/// The figures of one test.
pub struct Outcome {
    /// The test's name or the command line.
    pub title: String,
    /// Latencies of all answered requests.
    pub histogram: Histogram,
    /// From the first request to the last reply.
    pub elapsed: Duration,
    /// Bytes of payload that the report names.
    pub payload: usize,
}

/// What the server says about its persistence, for the long report.
#[derive(Clone, Debug, Default)]
pub struct ServerConfig {
    /// Value of `save`.
    pub save: String,
    /// Value of `appendonly`.
    pub appendonly: String,
}

const CSV_HEADER: &str = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\
    \"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"";
const JSON_PERCENTILES: [(&str, f64); 6] =
    [("p50", 50.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0), ("p99.9", 99.9), ("p99.99", 99.99)];

/// Writes results as the options ask.
pub struct Report<'run, W: Write> {
    /// The command line.
    pub options: &'run Options,
    /// The server's settings, where it told them.
    pub config: Option<ServerConfig>,
    /// Where results go.
    pub out: W,
}

impl<W: Write> Report<'_, W> {
    /// What comes before the first test.
    ///
    /// # Errors
    /// When the output is gone.
    pub fn begin(&mut self) -> io::Result<()> {
        if self.options.format == Format::Csv {
            writeln!(self.out, "{CSV_HEADER}")?;
        }
        self.out.flush()
    }

    /// One test's result.
    ///
    /// # Errors
    /// When the output is gone.
    pub fn result(&mut self, outcome: &Outcome) -> io::Result<()> {
        match self.options.format {
            Format::Text => self.text(outcome)?,
            Format::Quiet => self.quiet(outcome)?,
            Format::Csv => self.csv(outcome)?,
            Format::Json => self.json(outcome)?,
        }
        self.out.flush()
    }

    fn quiet(&mut self, outcome: &Outcome) -> io::Result<()> {
        let median = self.ms(outcome.histogram.percentile_us(50.0));
        writeln!(self.out, "{}: {:.2} requests per second, p50={median} msec", outcome.title, rate(outcome))
    }

    fn csv(&mut self, outcome: &Outcome) -> io::Result<()> {
        write!(self.out, "{},\"{:.2}\"", quoted(&outcome.title), rate(outcome))?;
        for value in self.summary(&outcome.histogram) {
            write!(self.out, ",\"{value}\"")?;
        }
        writeln!(self.out)
    }

    /// Mean, minimum, p50, p95, p99 and maximum in milliseconds.
    fn summary(&self, histogram: &Histogram) -> [String; 6] {
        let percentile = |percent| self.ms(histogram.percentile_us(percent));
        [
            format!("{:.*}", self.options.precision, histogram.mean_us() / 1000.0),
            self.ms(histogram.min_us()),
            percentile(50.0),
            percentile(95.0),
            percentile(99.0),
            self.ms(histogram.max_us()),
        ]
    }

    fn json(&mut self, outcome: &Outcome) -> io::Result<()> {
        let histogram = &outcome.histogram;
        write!(
            self.out,
            "{{\"test\":{},\"requests\":{},\"seconds\":{:.6},\"rps\":{:.2},\
             \"avg_us\":{:.3},\"min_us\":{},\"max_us\":{}",
            json_text(&outcome.title),
            histogram.total(),
            outcome.elapsed.as_secs_f64(),
            rate(outcome),
            histogram.mean_us(),
            histogram.min_us(),
            histogram.max_us(),
        )?;
        for (name, percent) in JSON_PERCENTILES {
            write!(self.out, ",\"{name}_us\":{}", histogram.percentile_us(percent))?;
        }
        writeln!(self.out, "}}")
    }

    fn text(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.heading(outcome)?;
        writeln!(self.out, "Latency by percentile distribution:")?;
        self.steps(&outcome.histogram.percentiles())?;
        writeln!(self.out, "\nCumulative distribution of latencies:")?;
        self.steps(&outcome.histogram.cumulative())?;
        writeln!(self.out, "\nSummary:")?;
        writeln!(self.out, "  throughput summary: {:.2} requests per second", rate(outcome))?;
        writeln!(self.out, "  latency summary (msec):")?;
        for name in ["avg", "min", "p50", "p95", "p99", "max"] {
            let width = if name == "avg" { 13 } else { 10 };
            write!(self.out, "{name:>width$}")?;
        }
        writeln!(self.out)?;
        for (column, value) in self.summary(&outcome.histogram).iter().enumerate() {
            let width = if column == 0 { 13 } else { 10 };
            write!(self.out, "{value:>width$}")?;
        }
        writeln!(self.out)
    }

    fn heading(&mut self, outcome: &Outcome) -> io::Result<()> {
        let options = self.options;
        writeln!(self.out, "====== {} ======", outcome.title)?;
        writeln!(
            self.out,
            "  {} requests completed in {:.2} seconds",
            outcome.histogram.total(),
            outcome.elapsed.as_secs_f64()
        )?;
        writeln!(self.out, "  {} parallel clients", options.clients)?;
        writeln!(self.out, "  {} bytes payload", outcome.payload)?;
        writeln!(self.out, "  keep alive: {}", u8::from(options.keep_alive))?;
        if let Some(config) = &self.config {
            writeln!(self.out, "  host configuration \"save\": {}", config.save)?;
            writeln!(self.out, "  host configuration \"appendonly\": {}", config.appendonly)?;
        }
        writeln!(self.out, "  multi-thread: {}", if options.threads.is_some() { "yes" } else { "no" })?;
        if let Some(threads) = options.threads {
            writeln!(self.out, "  threads: {threads}")?;
        }
        if let Some(rate) = options.rate {
            writeln!(self.out, "  rate: {rate} requests per second, latency from the intended time")?;
        }
        writeln!(self.out)
    }

    fn steps(&mut self, steps: &[Step]) -> io::Result<()> {
        for step in steps {
            let value = self.ms(step.value_us);
            writeln!(
                self.out,
                "{:.3}% <= {value} milliseconds (cumulative count {})",
                step.percent, step.count
            )?;
        }
        Ok(())
    }

    fn ms(&self, value_us: u64) -> String {
        format!("{:.*}", self.options.precision, value_us as f64 / 1000.0)
    }
}

fn rate(outcome: &Outcome) -> f64 {
    let seconds = outcome.elapsed.as_secs_f64();
    if seconds > 0.0 { outcome.histogram.total() as f64 / seconds } else { 0.0 }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn json_text(text: &str) -> String {
    let mut escaped = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            letter if letter < ' ' => escaped.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => escaped.push(letter),
        }
    }
    escaped.push('"');
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, threads: Option<usize>) -> String {
        let mut histogram = Histogram::default();
        histogram.record(100, 99);
        histogram.record(1500, 1);
        let outcome = Outcome {
            title: "SET \"x\"".to_owned(),
            histogram,
            elapsed: Duration::from_millis(10),
            payload: 3,
        };
        let options = Options { format, threads, ..Options::default() };
        let mut report = Report { options: &options, config: None, out: Vec::new() };
        report.begin().unwrap();
        report.result(&outcome).unwrap();
        String::from_utf8(report.out).unwrap()
    }

    #[test]
    fn one_line_formats() {
        assert_eq!(written(Format::Quiet, None), "SET \"x\": 10000.00 requests per second, p50=0.100 msec\n");
        let csv = written(Format::Csv, None);
        let expected =
            "\"SET \"\"x\"\"\",\"10000.00\",\"0.114\",\"0.100\",\"0.100\",\"0.100\",\"0.100\",\"1.500\"";
        assert_eq!(csv.lines().collect::<Vec<_>>(), [CSV_HEADER, expected]);
        let json = written(Format::Json, None);
        assert!(json.starts_with(
            "{\"test\":\"SET \\\"x\\\"\",\"requests\":100,\"seconds\":0.010000,\"rps\":10000.00"
        ));
        assert!(json.ends_with("\"p99.9_us\":1500,\"p99.99_us\":1500}\n"), "{json}");
    }

    #[test]
    fn the_long_report() {
        let text = written(Format::Text, Some(2));
        let expected = "\
====== SET \"x\" ======
  100 requests completed in 0.01 seconds
  50 parallel clients
  3 bytes payload
  keep alive: 1
  multi-thread: yes
  threads: 2

Latency by percentile distribution:
0.000% <= 0.100 milliseconds (cumulative count 99)
99.219% <= 1.500 milliseconds (cumulative count 100)
100.000% <= 1.500 milliseconds (cumulative count 100)

Cumulative distribution of latencies:
99.000% <= 0.100 milliseconds (cumulative count 99)
100.000% <= 1.500 milliseconds (cumulative count 100)

Summary:
  throughput summary: 10000.00 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.114     0.100     0.100     0.100     0.100     1.500
";
        assert_eq!(text, expected);
    }
}
