//! Lists of all shapes against a deque of texts, with limits so small that encodings change all the time.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::{End, List, ListLimits, PinnedList, SavedNode};
use crate::Rng;
use crate::listpack::Listpack;
use crate::portion::Portion;

type Model = VecDeque<Vec<u8>>;

fn limits(rng: &mut Rng) -> ListLimits {
    let max_listpack_size = match rng.below(3) {
        0 => 1 + rng.below(6) as i32,
        1 => 20 + rng.below(30) as i32,
        _ => -1 - rng.below(6) as i32,
    };
    let plain_from_bytes = [0, 0, 0, 30, 1][rng.below(5) as usize];
    ListLimits { max_listpack_size, compress_depth: rng.below(4) as u32, plain_from_bytes }
}

fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(12) {
        0..=2 => ((rng.next_u64() as i64) >> rng.below(64)).to_string().into_bytes(),
        3 => vec![b'a'; rng.below(300) as usize],
        4 if rng.below(6) == 0 => vec![b'b'; 3_000 + rng.below(7_000) as usize],
        _ => format!("element:{}", rng.below(12)).into_bytes(),
    }
}

fn end(rng: &mut Rng) -> End {
    if rng.below(2) == 0 { End::Head } else { End::Tail }
}

fn texts(list: &List) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    list.walk(0, |item| {
        texts.push(item.to_vec());
        ControlFlow::Continue(())
    });
    texts
}

fn of(count: usize, limits: &ListLimits) -> List {
    let mut list = List::new();
    (0..count).for_each(|number| list.push(End::Tail, [format!("elem{number:06}").as_bytes()], limits));
    list
}

/// Checks everything that can be asked of `list`.
fn compare(list: &List, model: &Model, limits: &ListLimits, rng: &mut Rng) {
    assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
    assert!(texts(list).iter().eq(model));
    let index = rng.below(model.len() as u64 + 2) as usize;
    assert_eq!(list.get(index, |item| item.to_vec()), model.get(index).cloned());
    let (count, mut range) = (rng.below(20) as usize, Vec::new());
    list.range(index, count, |item| range.push(item.to_vec()));
    assert!(range.iter().eq(model.iter().skip(index).take(count)));
    let mut back = Vec::new();
    list.walk_back(index, |item| {
        back.push(item.to_vec());
        if back.len() < 40 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(back.iter().eq(model.iter().take(index).rev().take(40)));
    compare_positions(list, model, rng);
    compare_nodes(list, limits);
}

fn compare_positions(list: &List, model: &Model, rng: &mut Rng) {
    let (wanted, from, compared) = (text(rng), end(rng), rng.below(60) as usize);
    let mut found = Vec::new();
    list.find(&wanted, from, compared, |index| {
        found.push(index);
        if found.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let mut order: Vec<usize> = (0..model.len()).collect();
    if from == End::Tail {
        order.reverse();
    }
    order.truncate(compared);
    let expected: Vec<usize> = order.into_iter().filter(|index| model[*index] == wanted).take(3).collect();
    assert_eq!(found, expected);
}

fn compare_nodes(list: &List, limits: &ListLimits) {
    let Some(figures) = list.quicklist_figures(limits) else { return };
    let nodes: Vec<_> = list.quicklist_nodes().collect();
    assert_eq!((figures.nodes, list.free_effort()), (nodes.len(), nodes.len()));
    assert!(nodes.iter().all(|(len, ..)| *len > 0), "{nodes:?}");
    assert_eq!(nodes.iter().map(|(len, ..)| len).sum::<usize>(), list.len());
    let most = if limits.max_listpack_size > 0 { limits.max_listpack_size as usize } else { usize::MAX };
    assert!(nodes.iter().all(|(len, ..)| *len <= most), "{nodes:?}");
    let depth = limits.compress_depth as usize;
    for (number, (_, bytes, compressed)) in nodes.iter().enumerate() {
        let middle = depth > 0 && number >= depth && number + depth < nodes.len();
        assert!(middle || compressed.is_none(), "{number} {nodes:?} {depth}");
        // What is repeated often is compressed at once; what is compressed has become shorter.
        assert!(compressed.is_none_or(|compressed| compressed < *bytes));
    }
}

fn change(list: &mut List, model: &mut Model, limits: &ListLimits, rng: &mut Rng) {
    let (text, end) = (text(rng), end(rng));
    let index = rng.below(model.len() as u64 + 1) as usize;
    match rng.below(12) {
        0..=4 => push_some(list, model, limits, rng),
        5 => pop_some(list, model, limits, rng),
        6 => {
            let set = list.set(index, &text, limits);
            assert_eq!(set, index < model.len());
            if set {
                model[index] = text;
            }
        }
        7 => {
            list.insert(index, &text, limits);
            model.insert(index, text);
        }
        8 => {
            let (pivot, after) = (self::text(rng), rng.below(2) == 0);
            let at = model.iter().position(|text| *text == pivot);
            assert_eq!(list.insert_beside(&pivot, after, &text, limits), at.is_some());
            if let Some(at) = at {
                model.insert(at + usize::from(after), text);
            }
        }
        9 => {
            let most = if rng.below(3) == 0 { usize::MAX } else { 1 + rng.below(4) as usize };
            assert_eq!(list.remove(&text, most, end, limits), remove(model, &text, most, end));
        }
        10 if rng.below(4) == 0 => {
            let (from, count) = (rng.below(40) as usize, rng.below(200) as usize);
            let nodes = list.free_effort();
            let gone = list.trim(from, count, limits);
            assert!(gone.is_none_or(|gone| gone.free_effort() <= nodes));
            model.drain(..from.min(model.len()));
            model.truncate(count);
        }
        _ => *list = list.clone(),
    }
}

fn push_some(list: &mut List, model: &mut Model, limits: &ListLimits, rng: &mut Rng) {
    let end = end(rng);
    let values: Vec<Vec<u8>> = (0..1 + rng.below(5)).map(|_| text(rng)).collect();
    list.push(end, values.iter().map(Vec::as_slice), limits);
    match end {
        End::Head => values.into_iter().for_each(|value| model.push_front(value)),
        End::Tail => model.extend(values),
    }
}

fn pop_some(list: &mut List, model: &mut Model, limits: &ListLimits, rng: &mut Rng) {
    let end = end(rng);
    let count = if rng.below(10) == 0 { rng.below(300) } else { rng.below(4) } as usize;
    let mut popped = Vec::new();
    list.pop(end, count, limits, |item| popped.push(item.to_vec()));
    let expected: Vec<Vec<u8>> = (0..count)
        .map_while(|_| match end {
            End::Head => model.pop_front(),
            End::Tail => model.pop_back(),
        })
        .collect();
    assert_eq!(popped, expected);
}

fn remove(model: &mut Model, value: &[u8], most: usize, from: End) -> usize {
    let mut places: Vec<usize> = (0..model.len()).filter(|index| model[*index] == value).collect();
    if from == End::Tail {
        places.reverse();
    }
    places.truncate(most);
    places.sort_unstable();
    places.iter().rev().for_each(|index| _ = model.remove(*index));
    places.len()
}

#[test]
fn behaves_like_a_deque_whatever_the_limits() {
    let mut encodings = [0; 2];
    for seed in 0..150 {
        let mut rng = Rng::new(seed);
        let limits = limits(&mut rng);
        let (mut list, mut model) = (List::new(), Model::new());
        for _ in 0..250 {
            change(&mut list, &mut model, &limits, &mut rng);
            compare(&list, &model, &limits, &mut rng);
            encodings[usize::from(list.encoding_name() == "quicklist")] += 1;
        }
        assert_eq!(list, reloaded(&list, &limits));
    }
    assert!(encodings.iter().all(|count| *count > 2_000), "{encodings:?}");
}

#[test]
fn stays_right_when_the_limits_change_on_the_way() {
    for seed in 1000..1100 {
        let mut rng = Rng::new(seed);
        let (mut list, mut model) = (List::new(), Model::new());
        for _ in 0..300 {
            let limits = limits(&mut rng);
            change(&mut list, &mut model, &limits, &mut rng);
            assert!(texts(&list).iter().eq(&model));
        }
    }
}

/// The list as it comes back from a file.
fn reloaded(list: &List, limits: &ListLimits) -> List {
    let mut again = List::new();
    for node in list.saved_nodes() {
        if let SavedNode::Listpack(listpack) = &node {
            assert!(Listpack::from_bytes(listpack.as_bytes()).is_ok());
        }
        again.push_saved(&node, limits);
    }
    again.loaded(limits);
    again
}

#[test]
fn encodings_change_where_rediss_do() {
    let limits = ListLimits { max_listpack_size: 4, ..ListLimits::default() };
    let mut list = of(4, &limits);
    assert_eq!(list.encoding_name(), "listpack");
    list.push(End::Head, [b"x".as_slice()], &limits);
    assert_eq!(list.encoding_name(), "quicklist");
    list.pop(End::Head, 2, &limits, |_| {});
    assert_eq!((list.len(), list.encoding_name()), (3, "quicklist"));
    list.pop(End::Tail, 1, &limits, |_| {});
    assert_eq!((list.len(), list.encoding_name()), (2, "listpack"));

    let limits = ListLimits { max_listpack_size: -1, ..ListLimits::default() };
    let mut list = List::new();
    list.push(End::Tail, [vec![b'x'; 4080].as_slice()], &limits);
    assert_eq!(list.encoding_name(), "listpack");
    assert!(list.set(0, &[b'x'; 4], &limits));
    list.push(End::Tail, [vec![b'x'; 4090].as_slice()], &limits);
    assert_eq!(list.encoding_name(), "quicklist");
    list.pop(End::Tail, 1, &limits, |_| {});
    assert_eq!((texts(&list), list.encoding_name()), (vec![b"xxxx".to_vec()], "listpack"));
}

#[test]
fn the_middle_of_a_long_list_is_compressed() {
    let limits = ListLimits { compress_depth: 2, ..ListLimits::default() };
    let mut list = of(20_000, &limits);
    let nodes: Vec<_> = list.quicklist_nodes().collect();
    let compressed = nodes.iter().filter(|(.., compressed)| compressed.is_some()).count();
    assert_eq!((compressed, nodes.len() > 25), (nodes.len() - 4, true), "{nodes:?}");
    assert!(list.heap_bytes() < of(20_000, &ListLimits::default()).heap_bytes() / 4 * 3);
    assert!(list.set(10_000, b"changed", &limits));
    assert_eq!(list.get(10_000, |item| item.to_vec()), Some(b"changed".to_vec()));
    let again = list.quicklist_nodes().filter(|(.., compressed)| compressed.is_some()).count();
    assert_eq!(again, compressed);
}

#[test]
fn an_element_of_a_long_list_takes_little_more_than_its_bytes() {
    let limits = ListLimits::default();
    for end in [End::Head, End::Tail] {
        let mut list = List::new();
        (0..200_000).for_each(|number| list.push(end, [format!("elem{number:06}").as_bytes()], &limits));
        let per_element = list.heap_bytes() as f64 / list.len() as f64;
        assert!(per_element < 11.5, "{end:?} {per_element}");
    }
}

#[test]
fn a_list_is_one_word() {
    assert_eq!((size_of::<List>(), size_of::<super::node::Node>()), (8, 32));
}

#[test]
fn a_large_element_has_a_node_of_its_own() {
    let limits = ListLimits::default();
    let mut list = of(1000, &limits);
    let large = vec![b'x'; 9000];
    list.insert(500, &large, &limits);
    assert_eq!(list.get(500, |item| item.to_vec()), Some(large.clone()));
    assert!(list.saved_nodes().any(|node| node == SavedNode::Plain(large.clone().into())));
    assert_eq!(list.remove(&large, 1, End::Head, &limits), 1);
    assert_eq!(list, of(1000, &limits));
}

/// A pin, with the elements that it has still to show.
struct Pin {
    pinned: PinnedList,
    expected: Model,
}

impl Pin {
    fn of(list: &mut List, model: &Model, rng: &mut Rng) -> Pin {
        if rng.below(2) == 0 {
            return Pin { pinned: list.pin(), expected: model.clone() };
        }
        let (from, count) = (rng.below(model.len() as u64 + 2) as usize, rng.below(300) as usize);
        let expected = model.iter().skip(from).take(count).cloned().collect();
        Pin { pinned: list.pin_range(from, count), expected }
    }

    fn read(&mut self, most: usize) {
        let mut shown = Vec::new();
        let more = self.pinned.read(Portion::of_elements(most), &mut |item| shown.push(item.to_vec()));
        let expected: Vec<Vec<u8>> = self.expected.drain(..most.min(self.expected.len())).collect();
        assert_eq!(shown, expected);
        assert_eq!((more, self.pinned.len()), (!self.expected.is_empty(), self.expected.len()));
    }
}

/// One step with pins: some begin, some are read on, some end before they have been read.
fn change_pins(pins: &mut Vec<Pin>, list: &mut List, model: &Model, rng: &mut Rng) {
    match rng.below(8) {
        0 if pins.len() < 6 => pins.push(Pin::of(list, model, rng)),
        1 if !pins.is_empty() => drop(pins.swap_remove(rng.below(pins.len() as u64) as usize)),
        2 | 3 if !pins.is_empty() => {
            let at = rng.below(pins.len() as u64) as usize;
            pins[at].read(rng.below(60) as usize);
        }
        _ => {}
    }
}

#[test]
fn pins_show_the_list_as_it_was() {
    for seed in 2000..2060 {
        let mut rng = Rng::new(seed);
        let fixed = limits(&mut rng);
        let (mut list, mut model, mut pins) = (List::new(), Model::new(), Vec::new());
        for _ in 0..400 {
            let limits = if seed % 3 == 0 { limits(&mut rng) } else { fixed };
            change(&mut list, &mut model, &limits, &mut rng);
            change_pins(&mut pins, &mut list, &model, &mut rng);
            if seed % 3 == 0 {
                assert!(texts(&list).iter().eq(&model));
            } else {
                compare(&list, &model, &limits, &mut rng);
            }
            if rng.below(100) == 0 {
                (list, model) = (List::new(), Model::new());
            }
        }
        drop(list);
        pins.iter_mut().for_each(|pin| pin.read(usize::MAX));
    }
}

#[test]
fn a_pin_of_a_long_list_survives_any_change_to_it() {
    let limits = ListLimits { max_listpack_size: 3, compress_depth: 1, plain_from_bytes: 0 };
    let changes: [fn(&mut List, &ListLimits); 8] = [
        |list, limits| list.push(End::Tail, [b"more".as_slice(); 500], limits),
        |list, limits| list.push(End::Head, [b"more".as_slice(); 500], limits),
        |list, limits| (0..1500).for_each(|at| list.insert(at * 3, b"between", limits)),
        |list, limits| (0..1500).for_each(|at| _ = list.set(at, b"other", limits)),
        |list, limits| (0..1500).for_each(|_| _ = list.remove(b"elem000700", 1, End::Tail, limits)),
        |list, limits| list.pop(End::Tail, 1400, limits, |_| {}),
        |list, limits| (0..10).for_each(|_| drop(list.trim(70, list.len().saturating_sub(140), limits))),
        |list, _| *list = List::new(),
    ];
    let all: Vec<Vec<u8>> = texts(&of(1500, &limits));
    for first in changes {
        for second in changes {
            let mut list = of(1500, &limits);
            let mut pins = [list.pin(), list.pin()];
            first(&mut list, &limits);
            let between = texts(&list);
            let mut later = list.pin();
            second(&mut list, &limits);
            for pinned in &mut pins {
                let mut shown = Vec::new();
                while pinned.read(Portion::of_elements(7), &mut |item| shown.push(item.to_vec())) {}
                assert_eq!(shown, all);
            }
            let mut shown = Vec::new();
            later.read(Portion::of_elements(usize::MAX), &mut |item| shown.push(item.to_vec()));
            assert_eq!(shown, between);
        }
    }
}

#[test]
fn pins_give_the_nodes_for_a_file() {
    for limits in [
        ListLimits::default(),
        ListLimits { max_listpack_size: 5, compress_depth: 2, plain_from_bytes: 10 },
        ListLimits { max_listpack_size: 5, compress_depth: 2, plain_from_bytes: 0 },
    ] {
        for count in [0, 3, 1000] {
            let mut list = of(count, &limits);
            let (expected, mut pinned) = (list.saved_nodes().collect::<Vec<_>>(), list.pin());
            list.push(End::Head, [b"x".as_slice()], &limits);
            list.remove(b"elem000500", 1, End::Head, &limits);
            let mut saved = Vec::new();
            loop {
                assert_eq!(pinned.nodes_len(), if count == 0 { 0 } else { expected.len() - saved.len() });
                let Some(node) = pinned.next_node() else { break };
                saved.push(node);
            }
            assert_eq!(saved, if count == 0 { Vec::new() } else { expected });
        }
    }
}

#[test]
fn a_list_is_read_on_other_threads_while_it_changes() {
    let limits = ListLimits { compress_depth: 3, ..ListLimits::default() };
    let mut list = of(20_000, &limits);
    let mut expected = texts(&list);
    std::thread::scope(|scope| {
        for round in 0..8 {
            let (mut pinned, expect) = (list.pin(), expected.clone());
            scope.spawn(move || {
                let mut shown = Vec::new();
                while pinned.read(Portion::of_elements(500), &mut |item| shown.push(item.to_vec())) {}
                assert_eq!(shown, expect);
            });
            for step in 0..2000 {
                let (at, text) = (step * 7919 % expected.len(), format!("text{round}{step}").into_bytes());
                list.set(at, &text, &limits);
                expected[at] = text;
            }
            list.pop(End::Tail, 1000, &limits, |_| {});
            expected.truncate(expected.len() - 1000);
        }
    });
    assert_eq!(texts(&list), expected);
}
