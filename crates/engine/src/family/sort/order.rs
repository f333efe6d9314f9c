//! In which order elements come.
//!
//! Numbers are compared first and, where they are equal, the elements themselves, byte by byte. Texts are compared as C
//! compares strings in the C locale, up to a NUL, whatever `locale-collate` says; where the result is stored, byte by byte.
//! What is equal then stays in the order it had, also where the order is turned around.

use std::cmp::Ordering;
use std::ops::Range;

use super::elements::Texts;
use super::options::Options;
use super::pattern::Pattern;
use crate::call::Call;
use crate::error::Error;

pub(super) const NO_NUMBER: Error = Error::new("ERR One or more scores can't be converted into double");

/// What elements are compared by.
pub(super) enum Weights {
    /// Their own text.
    Own,
    /// A text for each, which may be missing.
    Texts(Vec<bool>, Texts),
    /// A number for each.
    Numbers(Vec<f64>),
}

impl Weights {
    /// What the elements are compared by: looks at the keys that BY leads to.
    ///
    /// # Errors
    /// Something that is no number.
    pub fn collect(
        call: &mut Call<'_, '_>,
        options: &Options<'_>,
        elements: &Texts,
    ) -> Result<Weights, Error> {
        // An order that was to be kept but cannot be (see `elements`) is that of the texts.
        let by = options.by.filter(|_| !options.unsorted);
        match (options.alpha || options.unsorted, by) {
            (_, None) => Weights::of_elements(options, elements),
            (true, Some(pattern)) => Ok(texts_of(call, pattern, elements)),
            (false, Some(pattern)) => numbers_of(call, pattern, elements),
        }
    }

    /// What they are compared by if that is themselves.
    ///
    /// # Errors
    /// One that is no number.
    pub fn of_elements(options: &Options<'_>, elements: &Texts) -> Result<Weights, Error> {
        match options.alpha || options.unsorted {
            true => Ok(Weights::Own),
            false => {
                let numbers = elements.iter().map(number).collect::<Option<Vec<f64>>>();
                numbers.map(Weights::Numbers).ok_or(NO_NUMBER)
            }
        }
    }

    /// What is compared first, as integers of the same order, with the index of each element.
    fn first(&self, elements: &Texts, stores: bool) -> Vec<(u64, usize)> {
        let texts = match self {
            Weights::Own => elements,
            Weights::Texts(_, texts) => texts,
            Weights::Numbers(numbers) => return number_all(numbers.iter().copied().map(weight_of_number)),
        };
        let compared = |text| if stores { text } else { before_nul(text) };
        let mut common: Option<&[u8]> = None;
        for text in texts.iter().map(compared) {
            common = Some(common.map_or(text, |common| &common[..common_len(common, text)]));
        }
        let skipped = common.map_or(0, <[u8]>::len);
        number_all(texts.iter().map(|text| weight_of_text(&compared(text)[skipped..])))
    }
}

fn texts_of(call: &mut Call<'_, '_>, by: Pattern<'_>, elements: &Texts) -> Weights {
    let (mut there, mut texts) = (Vec::with_capacity(elements.len()), Texts::default());
    for element in elements.iter() {
        by.with_value(call.view, call.client.db, element, |value| {
            there.push(value.is_some());
            texts.push(value.unwrap_or_default());
        });
    }
    Weights::Texts(there, texts)
}

fn numbers_of(call: &mut Call<'_, '_>, by: Pattern<'_>, elements: &Texts) -> Result<Weights, Error> {
    let db = call.client.db;
    let number_of =
        |element| by.with_value(call.view, db, element, |value| number(value.unwrap_or_default()));
    // All are looked at even if one of them is none, so that it makes no difference to the keys that are looked at.
    let numbers: Vec<Option<f64>> = elements.iter().map(number_of).collect();
    numbers.into_iter().collect::<Option<Vec<f64>>>().map(Weights::Numbers).ok_or(NO_NUMBER)
}

/// The number that a text is, up to a NUL: decimal or an infinity, 0 if it is empty. What is too large or too small is
/// rounded.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    str::from_utf8(text).ok()?.parse().ok().filter(|number: &f64| !number.is_nan())
}

/// The indexes of the elements of a `window` of all that are sorted.
///
/// What decides nearly always, the number or the beginning of what texts do not have in common, is sorted along with the index:
/// looking it up for every comparison would be a miss of the cache each time.
pub(super) fn sorted(
    elements: &Texts,
    weights: &Weights,
    options: &Options<'_>,
    window: Range<usize>,
) -> Vec<usize> {
    let order = |a: &(u64, usize), b: &(u64, usize)| {
        let order = a.0.cmp(&b.0).then_with(|| compare(elements, weights, options.stores, a.1, b.1));
        // No two are equal, so a sort that is not stable will do.
        if options.descending { order.reverse() } else { order }.then(a.1.cmp(&b.1))
    };
    let mut weighted = weights.first(elements, options.stores);
    if window.end < weighted.len() {
        weighted.select_nth_unstable_by(window.end, order);
        weighted.truncate(window.end);
    }
    if window.start > 0 && window.start < weighted.len() {
        weighted.select_nth_unstable_by(window.start, order);
    }
    weighted.drain(..window.start);
    weighted.sort_unstable_by(order);
    weighted.into_iter().map(|(_, index)| index).collect()
}

/// The order of two elements with equal first weights.
fn compare(elements: &Texts, weights: &Weights, stores: bool, a: usize, b: usize) -> Ordering {
    match weights {
        Weights::Own => collate(elements.get(a), elements.get(b), stores),
        Weights::Texts(there, texts) => {
            let by_text = || collate(texts.get(a), texts.get(b), stores);
            // Those without a text come first.
            there[a].cmp(&there[b]).then_with(by_text)
        }
        Weights::Numbers(_) => elements.get(a).cmp(elements.get(b)),
    }
}

/// A number as an integer of the same order. Zeros are equal.
pub(super) fn weight_of_number(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn number_all(weights: impl Iterator<Item = u64>) -> Vec<(u64, usize)> {
    weights.enumerate().map(|(index, weight)| (weight, index)).collect()
}

/// How many bytes two texts have in common at their beginning.
pub(super) fn common_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The beginning of a text as an integer of the same order: of texts that are the same up to there it is equal.
pub(super) fn weight_of_text(text: &[u8]) -> u64 {
    let mut beginning = [0; 8];
    let len = text.len().min(8);
    beginning[..len].copy_from_slice(&text[..len]);
    u64::from_be_bytes(beginning)
}

fn collate(a: &[u8], b: &[u8], stores: bool) -> Ordering {
    if stores { a.cmp(b) } else { before_nul(a).cmp(before_nul(b)) }
}

pub(super) fn before_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_numbers() {
        let cases: &[(&[u8], Option<f64>)] = &[
            (b"", Some(0.0)),
            (b"1", Some(1.0)),
            (b"+.5", Some(0.5)),
            (b"-1e+5", Some(-1e5)),
            (b"5.", Some(5.0)),
            (b"1e400", Some(f64::INFINITY)),
            (b"1e-400", Some(0.0)),
            (b"-INFinity", Some(f64::NEG_INFINITY)),
            (b"3\0abc", Some(3.0)),
            (b"\0abc", Some(0.0)),
            (b" 1", None),
            (b"1 ", None),
            (b"0x10", None),
            (b"nan", None),
            (b"+-1", None),
            (b"1e", None),
            (b"+", None),
            (b".", None),
            (b"\xff", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn weights_have_the_order_of_numbers() {
        let numbers = [f64::NEG_INFINITY, -1e300, -2.5, -1e-300, 0.0, 1e-300, 1.0, 2.0, 1e300, f64::INFINITY];
        assert!(numbers.map(weight_of_number).is_sorted());
        assert_eq!(weight_of_number(0.0), weight_of_number(-0.0));
    }

    #[test]
    fn weights_have_the_order_of_texts() {
        let texts: [&[u8]; 7] = [b"", b"a", b"a\0", b"a\0z", b"ab", b"abcdefgh", b"b"];
        assert!(texts.map(weight_of_text).is_sorted());
    }
}
