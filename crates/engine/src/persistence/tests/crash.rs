//! The power goes before every call on the disk that changes something, and whatever may survive does.

use ochre_persist::disk::{Choose, Seeded, TwinDisk};

use super::history::{History, Mark};
use super::program::Program;
use super::seeds;
use super::server::{Became, Form, Server};

/// Acts of a program.
const ACTS: usize = 40;
/// States that are tried of what a loss of power leaves.
const CHOICES: u64 = 2;

/// A server with a history, whose disk keeps what a loss of power would have left.
struct Run {
    form: Form,
    disk: TwinDisk,
    server: Server,
    history: History,
    program: Program,
    /// Of a snapshot in the background: its point.
    snapshot: Option<usize>,
}

impl Run {
    /// Goes on with what is on a disk.
    fn start(disk: &TwinDisk, form: Form, seed: u64) -> Run {
        let mut server = Server::start(disk, form).expect("a start on a disk that works");
        let history = History::new(server.state());
        disk.cut_power_always(history.ask());
        Run { form, disk: disk.clone(), server, history, program: Program::new(seed), snapshot: None }
    }

    fn point(&mut self) -> usize {
        let state = self.server.state();
        self.history.add(state)
    }

    fn act(&mut self) {
        match (self.program.choose.pick(20), self.form.has_log) {
            (0, true) => drop(self.server.client.run("bgrewriteaof")),
            (1, true) => self.server.wait_for_rewrite(),
            (0, false) => self.save(),
            (1, false) => self.save_in_background(),
            (2, false) => self.end_snapshot(),
            _ => self.change(),
        }
    }

    /// An operation; with a log it makes a point, for which the client waits or not.
    fn change(&mut self) {
        let operation = self.program.operation();
        if !self.form.has_log {
            assert_eq!(self.server.run(&operation), Became::Done);
            return;
        }
        self.history.issue();
        assert_eq!(self.server.run(&operation), Became::Done, "the disk works");
        let waits = self.form.appendfsync == "always" && self.program.choose.pick(3) > 0;
        let is_durable = if waits { self.server.settle() } else { self.server.is_durable() };
        let point = self.point();
        if is_durable {
            self.history.acknowledge(point);
        }
    }

    fn save(&mut self) {
        self.end_snapshot();
        self.history.issue();
        let point = self.point();
        self.server.engine.save_now().expect("the disk works");
        self.history.acknowledge(point);
    }

    fn save_in_background(&mut self) {
        self.end_snapshot();
        self.history.issue();
        let point = self.point();
        assert_eq!(self.server.client.run("bgsave"), "+Background saving started|");
        self.snapshot = Some(point);
    }

    fn end_snapshot(&mut self) {
        if let Some(point) = self.snapshot.take() {
            assert!(self.server.wait_for_snapshot());
            self.history.acknowledge(point);
        }
    }

    /// Ends it, and shows that every loss of power until then would have left what it may leave.
    fn check_cuts(mut self, shown: &str) -> usize {
        self.end_snapshot();
        self.server.wait_for_rewrite();
        let cuts = self.disk.power_cuts();
        let count = cuts.len();
        for (call, (left, answer)) in cuts.into_iter().enumerate() {
            for choice in 0..CHOICES {
                let after = left.crash(&mut Seeded::new(choice * 1000 + call as u64));
                let found = Server::found_on(&after, self.form);
                let found = found.unwrap_or_else(|error| panic!("{shown}, call {call}: no start: {error}"));
                let checked = self.history.check(&found, Mark(answer));
                checked.unwrap_or_else(|error| panic!("{shown}, call {call}, choice {choice}: {error}"));
            }
        }
        self.server.end().expect("the disk works");
        count
    }
}

/// Runs a program on a new disk and looks at every loss of power on its way.
fn try_program(form: Form, seed: u64) {
    let mut run = Run::start(&TwinDisk::default(), form, seed);
    (0..ACTS).for_each(|_| run.act());
    let last = run.server.state();
    let disk = run.disk.clone();
    let cuts = run.check_cuts(&format!("{form:?}, seed {seed}"));
    // Without anybody who waits, a busy machine may write nothing before the end.
    assert!(cuts > 5 || form.appendfsync != "always", "{form:?}, seed {seed}: {cuts} calls");
    if form.has_log {
        // It was ended as it should be: everything is there.
        assert_eq!(Server::found_on(&disk.crash(&mut Seeded::new(seed)), form).as_ref(), Ok(&last));
    }
}

#[test]
fn a_log_has_what_was_acknowledged_whenever_the_power_goes() {
    for seed in seeds(1) {
        Form::LOGS.into_iter().for_each(|form| try_program(form, seed));
    }
}

#[test]
fn a_snapshot_is_the_old_one_or_the_new_one_whenever_the_power_goes() {
    seeds(2).for_each(|seed| try_program(Form::SNAPSHOTS, seed));
}

/// Generations of servers on one disk, each of which ends with the power.
#[test]
fn generations_go_on_from_what_the_last_one_left() {
    for seed in seeds(2) {
        for form in Form::LOGS.into_iter().chain([Form::SNAPSHOTS]) {
            let (mut disk, mut choose) = (TwinDisk::default(), Seeded::new(seed));
            for generation in 0..5 {
                let mut run = Run::start(&disk, form, choose.next_u64());
                (0..choose.pick(ACTS)).for_each(|_| run.act());
                run.end_snapshot();
                run.server.wait_for_rewrite();
                // Before the log is closed: nothing is promised beyond what was.
                let mark = run.history.mark();
                disk = disk.crash(&mut choose);
                let found = Server::found_on(&disk, form).expect("a start");
                let checked = run.history.check(&found, mark);
                checked.unwrap_or_else(|error| {
                    panic!("{form:?}, seed {seed}, generation {generation}: {error}")
                });
                run.server.end().expect("the disk works");
            }
        }
    }
}

/// Threads load a log side by side, and yet as if it were read by one.
#[test]
fn a_long_log_is_loaded_in_its_order() {
    for seed in seeds(2) {
        let (disk, mut program) = (TwinDisk::default(), Program::new(seed));
        let mut server = Server::start(&disk, Form::NEVER).expect("a disk that works");
        for _ in 0..1500 {
            assert_eq!(server.run(&program.operation()), Became::Done);
        }
        let state = server.state();
        server.end().expect("the disk works");
        assert_eq!(Server::found_on(&disk, Form::NEVER), Ok(state), "seed {seed}");
    }
}

/// A log that is switched on while there are data counts once it has a base; until then the snapshot does.
#[test]
fn a_log_that_is_switched_on_is_whole_or_not_there() {
    for seed in seeds(2) {
        let disk = TwinDisk::default();
        let mut run = Run::start(&disk, Form::SNAPSHOTS, seed);
        (0..ACTS / 2).for_each(|_| run.change());
        run.save();
        run.form = Form::ALWAYS;
        run.history.issue();
        let point = run.point();
        run.server.engine.switch_log(true).expect("the disk works");
        (0..ACTS / 2).for_each(|_| run.change());
        run.server.wait_for_rewrite();
        assert!(run.server.settle());
        run.history.acknowledge(point);
        run.change();
        let cuts = run.disk.power_cuts();
        for (call, (left, answer)) in cuts.into_iter().enumerate() {
            let after = left.crash(&mut Seeded::new(call as u64));
            let found = Server::found_on(&after, Form::ALWAYS).expect("a start");
            let checked = run.history.check(&found, Mark(answer));
            checked.unwrap_or_else(|error| panic!("seed {seed}, call {call}: {error}"));
        }
        run.server.end().expect("the disk works");
    }
}
