//! SORT with STORE of very many elements where no other keys are needed: the list is made aside (see [`crate::aside`]) from the value as
//! it is now.

use ochre_keyspace::ValueRef;
use ochre_types::list::{End, List, ListLimits};
use ochre_types::{ObjectRef, Pinned};

use super::elements::Texts;
use super::kept::Kept;
use super::options::Options;
use super::order::{self, Weights};
use super::parts::read;
use crate::aside::Compute;
use crate::call::Call;
use crate::error::Error;
use crate::family::list_limits;
use crate::sequel::ELEMENTS_AT_ONCE;

/// Has the list that is to be stored made aside, if that takes long.
pub(super) fn made_aside(
    call: &mut Call<'_, '_>,
    options: &Options<'_>,
) -> Option<Compute<Result<List, Error>>> {
    let (db, key, options) = (call.client.db, call.keys[0], options.without_keys()?);
    let object = match call.view.peek(db, key)?.value() {
        ValueRef::Object(object) => object,
        _ => return None,
    };
    let (is_set, len) = match object {
        ObjectRef::List(list) => (false, list.len()),
        ObjectRef::Set(set) => (true, set.len()),
        ObjectRef::ZSet(zset) => (false, zset.len()),
        _ => return None,
    };
    // Members of sets, which are in no order, are sorted in any case.
    let keeps_order = options.unsorted && !is_set;
    let kept = Kept::of(object, &options).filter(|_| keeps_order);
    if kept.as_ref().map_or(len, |kept| kept.window.end) <= ELEMENTS_AT_ONCE {
        return None;
    }
    // The read that it is.
    call.view.read(db, key)?;
    let pinned = match &kept {
        Some(kept) => kept.pin(call)?,
        None => call.view.pin_any(db, key)?,
    };
    let limits = list_limits(call.engine);
    Some(Box::new(move || made(pinned, kept, &options, &limits)))
}

fn made(
    mut pinned: Pinned,
    kept: Option<Kept>,
    options: &Options<'_>,
    limits: &ListLimits,
) -> Result<List, Error> {
    let mut elements = Texts::default();
    while read(&mut pinned, &mut |item| elements.push_item(item)) {}
    let mut order: Vec<usize> = match &kept {
        Some(_) => (0..elements.len()).collect(),
        None => {
            let weights = Weights::of_elements(options, &elements)?;
            order::sorted(&elements, &weights, options, options.window(elements.len()))
        }
    };
    if kept.is_some_and(|kept| kept.is_reversed) {
        order.reverse();
    }
    let (mut list, shown) = (List::new(), options.shown());
    for element in order.iter().map(|index| elements.get(*index)) {
        list.push(End::Tail, shown.iter().map(|shows| if *shows { element } else { b"" }), limits);
    }
    Ok(list)
}
