//! Steps from a grammar: valid commands, and invalid ones by mutation of valid ones.
//!
//! A part of a run ("epoch") depends on its seed and number alone, so any part can be run again without the ones
//! before it. Nothing here looks at replies.

use crate::exceptions::Exceptions;
use crate::grammar::{Grammar, Oracle};
use crate::random::Random;
use crate::step::Step;
use crate::syntax::Node;
use crate::{session, tame, text, vocabulary};

/// How many commands pass between two comparisons of the whole state.
const CHECK_EVERY: usize = 500;

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The commands.
    pub grammar: &'a Grammar,
    /// Commands that exceptions say to avoid are not generated.
    pub exceptions: &'a Exceptions,
    /// How many clients take turns.
    pub clients: usize,
    /// Whether to add sessions of raw bytes.
    pub sessions: bool,
    /// Commands in one epoch.
    pub epoch_commands: usize,
}

/// The steps of epoch `number` of the run with `seed`.
pub fn epoch(plan: Plan<'_>, seed: u64, number: u64) -> Vec<Step> {
    let mut generator =
        Generator { plan, random: Random::for_part(seed, number), in_transaction: vec![false; plan.clients] };
    let mut steps = Vec::with_capacity(plan.epoch_commands + 16);
    let mut client = 0;
    for count in 1..=plan.epoch_commands {
        // Turns of a few commands each let pipelines form, and transactions be interrupted.
        if generator.random.one_in(if plan.clients > 1 { 4 } else { 64 }) {
            client = generator.random.below(plan.clients);
        }
        if plan.sessions && generator.random.one_in(200) {
            steps.push(Step::Session(session::bytes(&mut generator.random)));
        }
        steps.push(Step::Command { client, arguments: generator.command(client) });
        if count % CHECK_EVERY == 0 {
            steps.push(Step::Check);
        }
    }
    steps.push(Step::Check);
    steps
}

struct Generator<'a> {
    plan: Plan<'a>,
    random: Random,
    in_transaction: Vec<bool>,
}

impl Generator<'_> {
    /// A command that is neither dangerous nor to be avoided.
    fn command(&mut self, client: usize) -> Vec<Vec<u8>> {
        loop {
            let mut arguments = self.draw(client);
            if self.random.one_in(8) {
                self.mutate(&mut arguments);
            }
            if tame::tame(&mut arguments, &mut self.random)
                && !self.aborts_in_valkey(client, &arguments)
                && !self.plan.exceptions.avoids(&text::show(&arguments))
            {
                self.note_transaction(client, &arguments);
                return arguments;
            }
        }
    }

    fn draw(&mut self, client: usize) -> Vec<Vec<u8>> {
        if self.in_transaction[client] && self.random.one_in(8) {
            let end: &[u8] = if self.random.one_in(6) { b"DISCARD" } else { b"EXEC" };
            return vec![end.to_vec()];
        }
        let rules = self.plan.grammar.rules();
        let index = self.random.weighted(rules.iter().map(|(_, rule)| rule.weight));
        let mut arguments = Vec::new();
        self.expand(&rules[index].0, &mut arguments);
        arguments
    }

    /// MULTI and WATCH inside a transaction: Redis refuses them and goes on, Valkey gives the transaction up, so that
    /// everything after it would differ.
    fn aborts_in_valkey(&self, client: usize, arguments: &[Vec<u8>]) -> bool {
        let name = arguments.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
        self.plan.grammar.oracle() == Oracle::Valkey
            && self.in_transaction[client]
            && matches!(name.as_slice(), b"MULTI" | b"WATCH")
    }

    /// Follows who is in a transaction, as far as that can be told without the replies.
    fn note_transaction(&mut self, client: usize, arguments: &[Vec<u8>]) {
        let [name] = arguments else { return };
        match name.to_ascii_uppercase().as_slice() {
            b"MULTI" => self.in_transaction[client] = true,
            b"EXEC" | b"DISCARD" | b"RESET" => self.in_transaction[client] = false,
            _ => {}
        }
    }

    fn expand(&mut self, node: &Node, arguments: &mut Vec<Vec<u8>>) {
        match node {
            Node::Keyword(word) => arguments.push(self.any_case(word)),
            Node::Class(class) => vocabulary::argument(class, &mut self.random, arguments),
            Node::Sequence(nodes) => self.expand_sequence(nodes, arguments),
            Node::Choice(nodes) => {
                let index = self.random.below(nodes.len());
                self.expand(&nodes[index], arguments);
            }
            Node::Optional(node) => {
                if self.random.one_in(3) {
                    self.expand(node, arguments);
                }
            }
            Node::Repeated(node) => {
                for _ in 0..=self.random.below(4).min(self.random.below(4)) {
                    self.expand(node, arguments);
                }
            }
        }
    }

    /// Neighbouring options come in any order.
    fn expand_sequence(&mut self, nodes: &[Node], arguments: &mut Vec<Vec<u8>>) {
        for run in nodes.chunk_by(|a, b| matches!((a, b), (Node::Optional(_), Node::Optional(_)))) {
            let mut order: Vec<&Node> = run.iter().collect();
            if order.len() > 1 && self.random.one_in(2) {
                self.random.shuffle(&mut order);
            }
            order.into_iter().for_each(|node| self.expand(node, arguments));
        }
    }

    fn any_case(&mut self, word: &str) -> Vec<u8> {
        match self.random.below(10) {
            0..=5 => word.as_bytes().to_vec(),
            6..=8 => word.to_ascii_lowercase().into_bytes(),
            _ => word
                .bytes()
                .map(|byte| if self.random.one_in(2) { byte } else { byte.to_ascii_lowercase() })
                .collect(),
        }
    }

    /// One or two changes that a careless or hostile client makes.
    fn mutate(&mut self, arguments: &mut Vec<Vec<u8>>) {
        for _ in 0..=self.random.below(2) {
            let last = arguments.len() - 1;
            let at = self.random.below(last + 1);
            match self.random.below(8) {
                0 if arguments.len() > 1 => drop(arguments.remove(at)),
                1 => arguments.insert(at + 1, arguments[at].clone()),
                2 => arguments.push(vocabulary::junk(&mut self.random)),
                3 => arguments.truncate(at + 1),
                4 => {
                    let keyword = *self.random.pick(self.plan.grammar.keywords());
                    arguments.insert(at + 1, self.any_case(keyword));
                }
                5 if at > 0 => arguments.swap(at, last),
                6 => arguments[at].push(*self.random.pick(b"x0\0 \r")),
                _ if at > 0 => arguments[at] = vocabulary::junk(&mut self.random),
                _ => arguments.push(arguments[at].clone()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::FAMILIES;

    fn steps(seed: u64, number: u64) -> Vec<Step> {
        let families: Vec<String> = FAMILIES.iter().map(|family| family.name.to_owned()).collect();
        let grammar = Grammar::new(Oracle::Redis, &families).unwrap();
        let exceptions =
            Exceptions::parse("command: GETDEL*\navoid: yes\nreason: test\n", Oracle::Redis).unwrap();
        epoch(
            Plan {
                grammar: &grammar,
                exceptions: &exceptions,
                clients: 3,
                sessions: true,
                epoch_commands: 3000,
            },
            seed,
            number,
        )
    }

    #[test]
    fn epochs_repeat_and_differ() {
        assert_eq!(steps(1, 0), steps(1, 0));
        assert_ne!(steps(1, 0), steps(1, 1));
    }

    #[test]
    fn epochs_hold_what_they_promise() {
        let steps = steps(3, 0);
        let shown: Vec<String> = steps.iter().map(Step::show).collect();
        let count = |wanted: &str| shown.iter().filter(|line| line.contains(wanted)).count();
        assert_eq!(steps.last(), Some(&Step::Check));
        for wanted in ["0> ", "1> ", "2> ", "session> ", "SET ", "set ", "MULTI", "EXEC", "WATCH"] {
            assert!(count(wanted) > 0, "{wanted}");
        }
        assert_eq!(shown.iter().filter(|line| line.to_ascii_uppercase().contains("> GETDEL ")).count(), 0);
    }
}
