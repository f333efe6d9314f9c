//! Packs of both forms agree, whatever bytes come from outside and whatever is done to them.

use ochre_types::listpack::{Form, ForwardPack, Listpack, Pack};

/// A listpack from outside is refused, or reads the same from both ends and comes back as the bytes it gives, which the other
/// form gives, too; and whatever is done to both comes to the same.
pub fn listpack(input: &[u8]) {
    let mut bytes = input.to_vec();
    // A right length and end, so that what is between gets looked at.
    if let [length @ .., _, _, end] = &mut bytes[..]
        && let Some(field) = length.first_chunk_mut()
    {
        *field = (input.len() as u32).to_le_bytes();
        *end = 0xff;
    }
    let Ok(listpack) = Listpack::from_bytes(&bytes) else { return };
    let elements: Vec<Vec<u8>> = listpack.iter().map(|item| item.to_vec()).collect();
    let mut backwards: Vec<Vec<u8>> = listpack.iter().rev().map(|item| item.to_vec()).collect();
    backwards.reverse();
    assert_eq!(elements, backwards);
    assert_eq!(elements.len(), listpack.len());
    let mut written = Listpack::new();
    elements.iter().for_each(|element| written.push_back(element));
    assert_eq!(written.as_bytes(), listpack.as_bytes());
    for (index, element) in elements.iter().enumerate() {
        let found = listpack.first().and_then(|first| listpack.find(first, element, 0));
        assert!(found.is_some() && found <= listpack.seek(index as isize));
    }
    let mut forward = ForwardPack::from_listpack(&listpack).expect("an input is short");
    assert_eq!(written_from(&forward), listpack.as_bytes());
    let mut listpack = listpack;
    for operation in input.chunks_exact(3).take(200) {
        change_pack(&mut listpack, operation);
        change_pack(&mut forward, operation);
        assert_eq!(written_from(&forward), listpack.as_bytes());
    }
    let positions =
        forward.first().map(|first| forward.positions(first, 1, forward.len())).unwrap_or_default();
    let backwards = positions.into_iter().rev().map(|pos| forward.get(pos));
    assert!(backwards.eq(listpack.iter().rev()));
}

fn written_from(pack: &ForwardPack) -> Vec<u8> {
    let mut written = Vec::new();
    pack.write_listpack(&mut written);
    written
}

/// Does one thing, chosen by three bytes, to a pack of either form.
fn change_pack<F: Form>(pack: &mut Pack<F>, operation: &[u8]) {
    let [what, index, seed] = *operation else { return };
    let text = match seed % 4 {
        0 => vec![seed; usize::from(seed)],
        1 => (i64::from(seed) << (seed % 50)).to_string().into_bytes(),
        _ => vec![b'0' + seed % 16; usize::from(seed % 8)],
    };
    let pos = pack.seek(isize::from(index as i8));
    match (what % 8, pos) {
        (0, _) => pack.push_back(&text),
        (1, _) => pack.push_front(&text),
        (_, None) => {}
        (2, Some(pos)) => assert!(pack.insert_before(pos, &text) == pos),
        (3, Some(pos)) => assert!(pack.insert_after(pos, &text) > pos),
        (4, Some(pos)) => assert!(pack.replace(pos, &text) == pos),
        (5, Some(pos)) => assert!(pack.remove(pos).is_none_or(|next| next == pos)),
        (6, Some(pos)) => pack.remove_range(pos, usize::from(seed % 5)),
        (_, Some(pos)) => assert!(pack.replace_int(pos, i64::from(seed) - 100) == pos),
    }
}
