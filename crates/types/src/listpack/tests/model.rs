//! Both forms against a deque of texts.

use std::collections::VecDeque;

use super::super::{Bidirectional, Form, Forward, ForwardPack, Listpack, Pack};
use super::{texts, value};
use crate::Rng;

/// Checks everything that can be asked of `pack` against `model`.
fn compare<F: Checked>(pack: &Pack<F>, model: &VecDeque<Vec<u8>>, rng: &mut Rng) {
    assert_eq!(pack.len(), model.len());
    assert_eq!(pack.is_empty(), model.is_empty());
    assert!(pack.iter().zip(model).all(|(item, text)| item.to_vec() == *text && item.eq_bytes(text)));
    assert!(F::backwards(pack).iter().eq(model.iter().rev()));
    assert!(pack.iter().map(|item| item.len()).eq(model.iter().map(Vec::len)));
    let again = F::through_files(pack);
    assert_eq!(again.raw(), pack.raw());
    assert!(pack.bytes() <= pack.heap_bytes());
    assert!(pack.heap_bytes() - pack.bytes() <= pack.heap_bytes() / 3 + 48);
    for _ in 0..3 {
        let (from, skip) = (rng.below(4) as usize, rng.below(3) as usize);
        let wanted = match model.get(rng.below(model.len() as u64 + 1) as usize) {
            Some(text) => text.clone(),
            None => value(rng),
        };
        let expected = (from..model.len()).step_by(skip + 1).find(|index| model[*index] == wanted);
        let start = pack.seek(from as isize);
        let found = start.and_then(|start| pack.find(start, &wanted, skip));
        assert_eq!(found, expected.and_then(|index| pack.seek(index as isize)));
        let noted = start.map(|start| pack.find_noting(start, &wanted, skip));
        assert_eq!(noted.and_then(|noted| noted.ok().map(|noted| noted.pos)), found);
        let compared = (from..expected.unwrap_or(model.len())).step_by(skip + 1);
        let before = compared.clone().next_back().and_then(|index| pack.seek(index as isize));
        match noted {
            Some(Ok(noted)) => assert_eq!((noted.index, noted.before), (compared.count(), before)),
            Some(Err(last)) => assert_eq!(last, before),
            None => assert!(compared.count() == 0),
        }
        assert_eq!(found.is_some(), expected.is_some());
    }
}

fn change<F: Form>(pack: &mut Pack<F>, model: &mut VecDeque<Vec<u8>>, rng: &mut Rng) {
    let index = rng.below(model.len().max(1) as u64) as usize;
    let pos = if rng.below(2) == 0 {
        pack.seek(index as isize)
    } else {
        pack.seek(index as isize - model.len() as isize)
    };
    let text = value(rng);
    match (rng.below(10), pos) {
        (0..=1, _) => {
            pack.push_back(&text);
            model.push_back(text);
        }
        (2..=3, _) => {
            pack.push_front(&text);
            model.push_front(text);
        }
        (4, Some(pos)) => {
            let at = pack.insert_before(pos, &text);
            assert!(pack.get(at).eq_bytes(&text));
            model.insert(index, text);
        }
        (5, Some(pos)) => {
            let at = pack.insert_after(pos, &text);
            assert!(pack.get(at).eq_bytes(&text));
            model.insert(index + 1, text);
        }
        (6, Some(pos)) => {
            let at = pack.replace(pos, &text);
            assert!(pack.get(at).eq_bytes(&text));
            model[index] = text;
        }
        (7..=8, Some(pos)) => {
            model.remove(index);
            let next = pack.remove(pos).map(|pos| pack.get(pos).to_vec());
            assert_eq!(next, model.get(index).cloned());
        }
        (_, Some(pos)) => {
            let count = rng.below(5) as usize;
            pack.remove_range(pos, count);
            let end = (index + count).min(model.len());
            model.drain(index..end);
        }
        (_, None) => {}
    }
}

/// How the two forms differ in what is asked of both.
trait Checked: Form {
    /// The elements from the last to the first.
    fn backwards(pack: &Pack<Self>) -> Vec<Vec<u8>>;

    /// What is read of what is written.
    fn through_files(pack: &Pack<Self>) -> Pack<Self>;
}

impl Checked for Bidirectional {
    fn backwards(pack: &Listpack) -> Vec<Vec<u8>> {
        pack.iter().rev().map(|item| item.to_vec()).collect()
    }

    fn through_files(pack: &Listpack) -> Listpack {
        Listpack::from_bytes(pack.as_bytes()).expect("what we wrote is well-formed")
    }
}

impl Checked for Forward {
    fn backwards(pack: &ForwardPack) -> Vec<Vec<u8>> {
        let positions = pack.first().map(|first| pack.positions(first, 1, pack.len())).unwrap_or_default();
        positions.into_iter().rev().map(|pos| pack.get(pos).to_vec()).collect()
    }

    fn through_files(pack: &ForwardPack) -> ForwardPack {
        let mut expected = Listpack::new();
        pack.iter().for_each(|item| expected.push_back_item(item));
        let mut written = b"before".to_vec();
        pack.write_listpack(&mut written);
        assert_eq!(&written[6..], expected.as_bytes());
        assert_eq!(pack.to_listpack().as_bytes(), expected.as_bytes());
        ForwardPack::from_listpack(&Listpack::from_bytes(&written[6..]).expect("well-formed"))
            .expect("it is short")
    }
}

#[test]
fn both_forms_behave_like_a_deque_of_texts() {
    for seed in 0..60 {
        against_the_model::<Bidirectional>(seed);
        against_the_model::<Forward>(seed);
    }
}

fn against_the_model<F: Checked>(seed: u64) {
    let mut rng = Rng::new(seed);
    let (mut pack, mut model) = (Pack::<F>::new(), VecDeque::new());
    let most = 1 << rng.below(8);
    for _ in 0..300 {
        change(&mut pack, &mut model, &mut rng);
        while let Some(first) = pack.first().filter(|_| model.len() > most) {
            pack.remove_range(first, 2);
            model.drain(..2.min(model.len()));
        }
        compare(&pack, &model, &mut rng);
        if rng.below(50) == 0 {
            pack.shrink_to_fit();
        }
    }
    assert_eq!(texts(&pack.clone()), Vec::from(model));
    pack.clear();
    assert!(pack.is_empty() && pack.first().is_none());
}
