//! Whether elements come once: what listpacks from outside must fulfil where they stand for sets.

use std::collections::HashSet;

use super::item::Item;

/// Up to as many elements are compared with each other, which is quicker than a table.
const FEW: usize = 16;

/// Whether no two of these elements are equal. They are from packs, so equal texts are stored equally. O(n).
pub(crate) fn are_distinct<'a>(items: impl Iterator<Item = Item<'a>>) -> bool {
    let items: Vec<Item<'a>> = items.collect();
    if items.len() <= FEW {
        return items.iter().enumerate().all(|(index, item)| !items[..index].contains(item));
    }
    let mut seen = HashSet::with_capacity(items.len());
    items.into_iter().all(|item| seen.insert(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many() {
        for len in [0, 1, 2, 16, 17, 200] {
            let texts: Vec<String> = (0..len).map(|at| format!("text{at}")).collect();
            let items = || texts.iter().map(|text| Item::Bytes(text.as_bytes())).chain([Item::Int(7)]);
            assert!(are_distinct(items()));
            assert!(!are_distinct(items().chain([Item::Int(7)])));
            if let Some(first) = texts.first() {
                assert!(!are_distinct(items().chain([Item::Bytes(first.as_bytes())])), "{len}");
            }
        }
    }
}
