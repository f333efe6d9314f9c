//! The packed node against a deque of texts.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::{Element, Packed, Room};
use crate::Rng;
use crate::listpack::Encoded;

fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(6) {
        0 => rng.below(100).to_string().into_bytes(),
        1 => vec![b'x'; rng.below(80) as usize],
        _ => format!("element:{}", rng.below(50)).into_bytes(),
    }
}

/// Checks everything that can be asked of `node`.
fn compare(node: &Packed, model: &VecDeque<Vec<u8>>, rng: &mut Rng) {
    assert_eq!(node.len(), model.len());
    assert!(node.used_bytes() <= node.capacity());
    let forwards: Vec<Vec<u8>> = node.elements_from(0).map(|(item, _)| item.to_vec()).collect();
    assert!(forwards.iter().eq(model), "{forwards:?} {model:?}");
    for (index, text) in model.iter().enumerate() {
        assert!(node.get(index).eq_bytes(text), "{index}");
    }
    let end = rng.below(model.len() as u64 + 2) as usize;
    let mut backwards = Vec::new();
    let _ = node.walk_back(end, &mut |item| {
        backwards.push(item.to_vec());
        ControlFlow::Continue(())
    });
    assert!(backwards.iter().eq(model.iter().take(end).rev()));
    let wanted = text(rng);
    let (from, limit) = (rng.below(10) as usize, rng.below(60) as usize);
    let mut found = Vec::new();
    let _ = node.find(&Encoded::of(&wanted), from, limit, &mut |index| {
        found.push(index);
        ControlFlow::Continue(())
    });
    let expected = (from..model.len().min(from + limit)).filter(|index| model[*index] == wanted);
    assert_eq!(found, expected.collect::<Vec<_>>());
}

fn change(node: &mut Packed, model: &mut VecDeque<Vec<u8>>, rng: &mut Rng, bytes_max: usize) {
    let index = rng.below(model.len() as u64 + 1) as usize;
    let text = text(rng);
    let encoded = Encoded::of(&text);
    let element = Element::of(&encoded);
    let room = [Room::Head, Room::Tail, Room::Both, Room::Snug][rng.below(4) as usize];
    match rng.below(12) {
        0..=2 => {
            if node.push_back(element, room, bytes_max) {
                model.push_back(text);
            }
        }
        3..=5 => {
            if node.push_front(element, room, bytes_max) {
                model.push_front(text);
            }
        }
        6 => {
            let popped = model.pop_front();
            node.pop_front(&mut |item| assert_eq!(Some(item.to_vec()), popped));
        }
        7 => {
            let popped = model.pop_back();
            node.pop_back(&mut |item| assert_eq!(Some(item.to_vec()), popped));
        }
        8 => {
            if node.insert(index, element, bytes_max) {
                model.insert(index, text);
            }
        }
        9 if index < model.len() => {
            if node.replace(index, element, bytes_max) {
                model[index] = text;
            }
        }
        10 => {
            let count = rng.below(6) as usize;
            node.remove(index, count);
            model.drain(index..(index + count).min(model.len()));
        }
        _ => remove_some(node, model, rng),
    }
}

fn remove_some(node: &mut Packed, model: &mut VecDeque<Vec<u8>>, rng: &mut Rng) {
    let (wanted, most, from_tail) = (text(rng), 1 + rng.below(3) as usize, rng.below(2) == 0);
    let mut places: Vec<usize> = (0..model.len()).filter(|index| model[*index] == wanted).collect();
    if from_tail {
        places.reverse();
    }
    places.truncate(most);
    places.sort_unstable();
    assert_eq!(node.remove_matching(&Encoded::of(&wanted), most, from_tail), places.len());
    places.iter().rev().for_each(|index| _ = model.remove(*index));
}

#[test]
fn behaves_like_a_deque() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let bytes_max = [200, 1000, 4096, 65_536][rng.below(4) as usize];
        let (mut node, mut model) = (Packed::with_room(bytes_max / 8), VecDeque::new());
        for _ in 0..400 {
            change(&mut node, &mut model, &mut rng, bytes_max);
            if rng.below(50) == 0 {
                node.trim();
            }
            assert!(node.capacity() <= bytes_max.next_multiple_of(64));
            compare(&node, &model, &mut rng);
        }
    }
}

#[test]
fn cut_and_joined_it_is_the_same() {
    let mut rng = Rng::new(1);
    for _ in 0..300 {
        let (mut node, mut model) = (Packed::with_room(512), VecDeque::new());
        for _ in 0..rng.below(60) {
            change(&mut node, &mut model, &mut rng, 4096);
        }
        let at = rng.below(model.len() as u64 + 1) as usize;
        let after = node.split_off(at);
        let model_after = model.split_off(at);
        compare(&node, &model, &mut rng);
        compare(&after, &model_after, &mut rng);
        assert!(node.append(&after, 8192));
        model.extend(model_after);
        compare(&node, &model, &mut rng);
    }
}

/// How full a node gets, in bytes and elements, when it grows at one end only.
fn filled(front: bool, text: impl Fn(usize) -> Vec<u8>) -> (Packed, usize) {
    let mut node = Packed::with_room(1024);
    for number in 0.. {
        let text = text(number);
        let encoded = Encoded::of(&text);
        let pushed = if front {
            node.push_front(Element::of(&encoded), Room::Head, 8192)
        } else {
            node.push_back(Element::of(&encoded), Room::Tail, 8192)
        };
        if !pushed {
            return (node, number);
        }
    }
    unreachable!("a node has a limit")
}

#[test]
fn a_node_is_filled_from_either_end() {
    for front in [false, true] {
        let (node, count) = filled(front, |number| format!("elem{number:06}").into_bytes());
        assert!(node.used_bytes() > 8192 - 40, "{front} {}", node.used_bytes());
        assert_eq!((node.capacity(), count), (8192, node.len()));
        assert!(count > 720, "{count}");
        let (node, _) = filled(front, |number| number.to_string().into_bytes());
        assert!(node.used_bytes() > 8192 - 200, "{front} {}", node.used_bytes());
    }
}

#[test]
fn no_element_is_too_many() {
    let mut node = Packed::with_room(64);
    while node.push_back(Element::stored(&[1]), Room::Tail, 65_536) {}
    assert!(node.len() > 52_000, "{}", node.len());
    assert_eq!(node.get(node.len() - 1).as_int(), Some(1));
    for left in (0..node.len()).rev() {
        node.pop_back(&mut |_| {});
        assert_eq!(node.len(), left);
    }
    node.pop_back(&mut |_| unreachable!("it is empty"));
}
