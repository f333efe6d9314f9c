//! FIELDS, the number of fields, and that many fields: the last arguments of a request, at a fixed place.

use crate::call::Args;
use crate::error::Error;

const MISSING: Error = Error::new("ERR Mandatory argument FIELDS is missing or not at the right position");
const NOT_POSITIVE: Error = Error::new("ERR Number of fields must be a positive integer");
const NOT_AS_MANY: Error = Error::new("ERR The `numfields` parameter must match the number of arguments");

/// The fields that FIELDS at an index of the arguments announces.
///
/// # Errors
/// The word is not there, its number is none, or another number of arguments follows.
pub(super) fn fields_at<'a>(
    args: Args<'a>,
    index: usize,
) -> Result<impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a>, Error> {
    if !args.is(index, "FIELDS") {
        return Err(MISSING);
    }
    let number = args.get(index + 1).and_then(ochre_types::parse_i64).filter(|number| *number > 0);
    let number = number.ok_or(NOT_POSITIVE)?;
    let fields = args.from(index + 2);
    if usize::try_from(number) == Ok(fields.len()) { Ok(fields) } else { Err(NOT_AS_MANY) }
}
