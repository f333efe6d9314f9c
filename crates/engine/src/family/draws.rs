//! Very many elements at random: HRANDFIELD, SRANDMEMBER and ZRANDMEMBER with large counts. They are drawn aside (see
//! [`crate::aside`]), from the value as it was when it was asked, and replied piece by piece.

use std::sync::atomic::Ordering::Relaxed;

use ochre_types::Rng;

use super::pieces::Pieces;
use crate::aside::Compute;
use crate::call::Call;
use crate::error::{Error, OUT_OF_RANGE};
use crate::sequel::ELEMENTS_AT_ONCE;

/// So many elements are drawn before the size of the reply is looked at.
pub(super) const DRAWN_AT_ONCE: usize = 1024;

/// An element has no fewer bytes in a reply.
const BYTES_MIN: usize = "$0\r\n\r\n".len();

/// Elements that are to be drawn.
#[derive(Clone, Copy)]
pub(super) enum Draw {
    /// So many, each from all.
    FromAll(usize),
    /// So many different ones.
    Distinct(usize),
}

impl Draw {
    /// What a count means: a negative one is that of elements each drawn from all.
    pub(super) fn of(count: i64) -> Draw {
        let most = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        if count < 0 { Draw::FromAll(most) } else { Draw::Distinct(most) }
    }

    /// Whether there are too many of a value of `len` elements for one go.
    #[inline]
    pub(super) fn is_long(self, len: usize) -> bool {
        match self {
            Draw::FromAll(count) => count > ELEMENTS_AT_ONCE,
            Draw::Distinct(count) => count.min(len) > ELEMENTS_AT_ONCE,
        }
    }

    /// Has `show` write them, some at a time where the value does not bound how many there are; `None` if those have more than
    /// `bytes_max` bytes.
    fn write(
        self,
        bytes_max: usize,
        pieces: Pieces,
        mut show: impl FnMut(Draw, &mut Pieces),
    ) -> Option<Pieces> {
        let mut pieces = pieces;
        let Draw::FromAll(mut left) = self else {
            show(self, &mut pieces);
            return Some(pieces);
        };
        while left > 0 {
            let part = left.min(DRAWN_AT_ONCE);
            show(Draw::FromAll(part), &mut pieces);
            left -= part;
            if pieces.count() == 0 {
                // There is nothing to draw from.
                break;
            }
            if pieces.bytes().saturating_add(left.saturating_mul(BYTES_MIN)) > bytes_max {
                return None;
            }
        }
        Some(pieces)
    }
}

/// Elements of what `pin` pins, which `show` draws and writes; `None` if they are not known yet.
///
/// # Errors
/// They are longer than a reply may be.
#[cold]
pub(super) fn make<P: Send + 'static>(
    call: &mut Call<'_, '_>,
    draw: Draw,
    rng: Rng,
    pin: fn(&mut Call<'_, '_>) -> Option<P>,
    show: impl Fn(&P, Draw, &mut Rng, &mut Pieces) + Clone + Send + 'static,
) -> Result<Option<Pieces>, Error> {
    let bytes_max = call.engine.settings.bulk_len_max.load(Relaxed) as usize;
    let protocol = call.reply.protocol();
    let write = move |pinned: P, mut rng: Rng| {
        let show = |part, pieces: &mut Pieces| show(&pinned, part, &mut rng, pieces);
        draw.write(bytes_max, Pieces::new(protocol), show)
    };
    let (elsewhere, theirs) = (write.clone(), rng.clone());
    let made = call.make(
        &[],
        |call| {
            let pinned = pin(call)?;
            Some(Box::new(move || elsewhere(pinned, theirs)) as Compute<Option<Pieces>>)
        },
        |call| Ok(pin(call).and_then(|pinned| write(pinned, rng))),
    )?;
    made.map(|pieces| pieces.ok_or(OUT_OF_RANGE)).transpose()
}

#[cfg(test)]
mod tests {
    use ochre_resp::Protocol;

    use super::*;

    /// How many elements of two bytes come of a draw.
    fn written(draw: Draw, bytes_max: usize) -> Option<usize> {
        let show = |draw, pieces: &mut Pieces| match draw {
            Draw::FromAll(count) => (0..count).for_each(|_| pieces.add(|reply| reply.bulk(b"xy"))),
            Draw::Distinct(count) => (0..count.min(3)).for_each(|_| pieces.add(|reply| reply.bulk(b"xy"))),
        };
        draw.write(bytes_max, Pieces::new(Protocol::Resp2), show).map(|pieces| pieces.count())
    }

    #[test]
    fn what_no_value_bounds_is_bounded() {
        const ELEMENT: usize = "$2\r\nxy\r\n".len();
        assert_eq!(written(Draw::of(-5000), 5000 * ELEMENT), Some(5000));
        assert_eq!(written(Draw::of(-5000), 5000 * ELEMENT - 1), None);
        assert_eq!(written(Draw::of(-i64::MAX), 5000 * ELEMENT), None);
        assert_eq!(written(Draw::of(5000), 0), Some(3));
        let nothing = Draw::of(-i64::MAX).write(0, Pieces::new(Protocol::Resp2), |_, _| {});
        assert_eq!(nothing.map(|pieces| pieces.count()), Some(0));
    }

    #[test]
    fn many_are_those_that_would_be_replied() {
        let long = ELEMENTS_AT_ONCE as i64 + 1;
        assert!(Draw::of(-long).is_long(1) && !Draw::of(1 - long).is_long(usize::MAX));
        assert!(!Draw::of(i64::MAX).is_long(long as usize - 1) && Draw::of(long).is_long(long as usize));
    }
}
