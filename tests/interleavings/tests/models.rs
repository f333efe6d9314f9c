//! Small worlds of two or three threads, each run in all orders. Each says what must hold in every one.
#![cfg(loom)]
#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::sync::Mutex as Unseen;

use loom::sync::Arc;
use loom::thread;
use ochre_interleavings::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use ochre_interleavings::counter::Counter;
use ochre_interleavings::handover::Handover;
use ochre_interleavings::inbox::Inbox;
use ochre_interleavings::journal::{Journal, JournalSink, Unit};
use ochre_interleavings::progress::Progress;
use ochre_interleavings::sync::threads;
use ochre_interleavings::wait::Wait;
use ochre_interleavings::{StripeLocks, Wakes};

/// All orders in which no more than three threads are stopped where they could have gone on: for what takes many steps.
fn try_orders(world: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(world);
}

/// Who puts things in wakes the reader when it must, and the reader gets all of them, in each sender's order.
#[test]
fn no_wake_of_an_inbox_is_lost() {
    try_orders(|| {
        let shared = Arc::new((Inbox::default(), Wakes::default()));
        let send = |things: &'static [u32]| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for thing in things {
                    if shared.0.put(*thing) {
                        shared.1.wake();
                    }
                }
            })
        };
        let senders = [send(&[10, 11]), send(&[20])];
        let (mut taken, mut all) = (Vec::new(), Vec::new());
        while all.len() < 3 {
            shared.1.sleep();
            shared.0.take(&mut taken);
            all.append(&mut taken);
        }
        assert!(all.iter().position(|thing| *thing == 10) < all.iter().position(|thing| *thing == 11));
        all.sort_unstable();
        assert_eq!(all, [10, 11, 20]);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

/// What a wait is about, and who ends it.
struct Blocked {
    wait: Wait,
    about: AtomicU32,
    inbox: Inbox<u32>,
    wakes: Wakes,
}

/// Each of so many waits is ended once, by its own worker or by one claim, and who claims knows which wait it is.
fn waits_are_ended_once(waits: u32, claimers: usize) {
    let blocked = Arc::new(Blocked {
        wait: Wait::default(),
        about: AtomicU32::new(0),
        inbox: Inbox::default(),
        wakes: Wakes::default(),
    });
    let claim = |_| {
        let blocked = Arc::clone(&blocked);
        thread::spawn(move || {
            let claimed = blocked.wait.claim();
            // Nobody begins another wait between the claim and its message.
            if claimed && blocked.inbox.put(blocked.about.load(Relaxed)) {
                blocked.wakes.wake();
            }
            claimed
        })
    };
    let claimers: Vec<_> = (0..claimers).map(claim).collect();
    let (mut letters, mut ended_by_claims) = (Vec::new(), 0);
    for about in 1..=waits {
        blocked.about.store(about, Relaxed);
        blocked.wait.set(true);
        if !blocked.wait.end() {
            blocked.wakes.sleep();
            blocked.inbox.take(&mut letters);
            assert_eq!(std::mem::take(&mut letters), [about]);
            assert!(blocked.wait.is_claimed());
            blocked.wait.set(false);
            ended_by_claims += 1;
        }
    }
    let claims = claimers.into_iter().map(|claimer| claimer.join().unwrap());
    assert_eq!(claims.filter(|claimed| *claimed).count(), ended_by_claims);
    blocked.inbox.take(&mut letters);
    assert!(letters.is_empty() && !blocked.wait.is_claimed());
}

#[test]
fn one_of_two_claims_ends_a_wait() {
    try_orders(|| waits_are_ended_once(1, 2));
}

#[test]
fn a_claim_ends_one_of_two_waits() {
    loom::model(|| waits_are_ended_once(2, 1));
}

/// A wait that somebody can serve only on some attempts, and that `other` wants to end meanwhile: one of them does, and the
/// other one knows that it was not it.
fn a_wait_has_one_end(attempts: &'static [bool], other: fn(&Wait) -> bool) {
    let wait = Arc::new(Wait::default());
    wait.set(true);
    let ender = {
        let wait = Arc::clone(&wait);
        thread::spawn(move || other(&wait))
    };
    let served = attempts.iter().any(|succeeds| {
        let begun = wait.begin_service();
        if begun {
            wait.finish_service(*succeeds);
        }
        begun && *succeeds
    });
    let ended = ender.join().unwrap();
    // An attempt in vain hides the wait from nobody.
    assert_eq!(ended, !served);
    assert_eq!(wait.is_served(), served);
}

#[test]
fn who_serves_and_who_unblocks_are_not_both_first() {
    for attempts in [&[true][..], &[false], &[false, true]] {
        loom::model(move || a_wait_has_one_end(attempts, Wait::claim));
    }
}

#[test]
fn who_serves_and_the_clock_are_not_both_first() {
    for attempts in [&[true][..], &[false], &[false, true]] {
        loom::model(move || a_wait_has_one_end(attempts, Wait::end));
    }
}

/// Where a sink's pieces begin and end, and how far it has come.
#[derive(Clone, Default)]
struct Pieces {
    all: std::sync::Arc<Unseen<Vec<(u64, u64)>>>,
    end: Arc<AtomicU64>,
}

impl JournalSink for Pieces {
    fn append(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        self.all.lock().unwrap().push((offset, end));
        self.end.store(end, Relaxed);
    }
}

fn unit(key: &str) -> Unit {
    let mut unit = Unit::default();
    unit.push(0, [&b"DEL"[..], key.as_bytes()].into_iter());
    unit
}

/// A listener gets everything from the offset that it was told, in one piece after another, whoever appends.
#[test]
fn a_listener_of_the_journal_misses_nothing() {
    loom::model(|| {
        let (journal, first) = (Arc::new(Journal::default()), Pieces::default());
        // Somebody listens already: the journal is active.
        journal.attach(Box::new(first.clone()));
        let appenders = ["a", "b"].map(|key| {
            let journal = Arc::clone(&journal);
            thread::spawn(move || journal.append(&unit(key)))
        });
        let second = Pieces::default();
        let (_, start) = journal.attach(Box::new(second.clone()));
        appenders.into_iter().for_each(|appender| assert!(appender.join().unwrap() > 0));
        for (pieces, start) in [(&first, 0), (&second, start)] {
            let pieces = pieces.all.lock().unwrap();
            let end = pieces.iter().fold(start, |end, piece| {
                assert_eq!(piece.0, end, "{pieces:?} from {start}");
                piece.1
            });
            assert_eq!(end, journal.offset());
        }
        assert_eq!(first.all.lock().unwrap().len(), 2);
    });
}

/// Who sees an offset can rely on it that all listeners have what is before it.
#[test]
fn an_offset_of_the_journal_comes_after_its_bytes() {
    loom::model(|| {
        let (journal, pieces) = (Arc::new(Journal::default()), Pieces::default());
        journal.attach(Box::new(pieces.clone()));
        let appender = {
            let journal = Arc::clone(&journal);
            thread::spawn(move || journal.append(&unit("a")))
        };
        let offset = journal.offset();
        assert!(pieces.end.load(Relaxed) >= offset, "offset {offset}");
        appender.join().unwrap();
    });
}

/// What the owner of a counter adds is never lost, and readers see it grow.
#[test]
fn a_counter_only_grows() {
    loom::model(|| {
        let counter = Arc::new(Counter::default());
        let owner = {
            let counter = Arc::clone(&counter);
            thread::spawn(move || [1, 2, 3].into_iter().for_each(|amount| counter.add(amount)))
        };
        let seen = [(), ()].map(|()| counter.get());
        assert!([0, 1, 3, 6].contains(&seen[0]) && seen[0] <= seen[1] && seen[1] <= 6, "{seen:?}");
        owner.join().unwrap();
        assert_eq!(counter.get(), 6);
    });
}

/// What is done under the lock of a stripe is done by one thread at a time, which sees all that was done before; who starves
/// gets it, and nobody starves for ever.
#[test]
fn a_stripe_has_one_user_at_a_time() {
    try_orders(|| {
        let locks = stripes(1);
        let adder = {
            let locks = Arc::clone(&locks);
            as_thread(1, move || locks.with(0, Counts::add))
        };
        let added = u32::from(locks.try_with(0, Counts::add).is_some());
        locks.with(0, Counts::add);
        adder.join().unwrap();
        let sum = locks.try_with(0, |counts| counts.sum()).expect("nobody has the lock or starves");
        assert_eq!(sum, 2 + added);
    });
}

/// What is under a lock: loads and stores that know nothing of other threads, as those of plain memory.
#[derive(Default)]
struct Counts([AtomicU32; 2]);

impl Counts {
    fn add(&mut self) {
        let [a, b] = [0, 1].map(|at| self.0[at].load(Relaxed) + 1);
        assert_eq!(a, b);
        self.0[0].store(a, Relaxed);
        self.0[1].store(b, Relaxed);
    }

    fn sum(&self) -> u32 {
        self.0[0].load(Relaxed)
    }
}

fn stripes(count: usize) -> Arc<StripeLocks<Counts>> {
    Arc::new(StripeLocks::new((0..count).map(|_| Counts::default())))
}

fn as_thread<R: 'static>(number: usize, work: impl FnOnce() -> R + 'static) -> thread::JoinHandle<R> {
    thread::spawn(move || {
        threads::choose(number);
        work()
    })
}

/// What one thread does to both of two stripes is done by it alone, whatever another one is on the way to.
fn both_beside(
    both: impl Fn(&StripeLocks<Counts>) + Send + Sync + Copy + 'static,
    other: impl Fn(&StripeLocks<Counts>) + Send + Sync + Copy + 'static,
    others: u32,
) {
    try_orders(move || {
        let locks = stripes(2);
        let beside = {
            let locks = Arc::clone(&locks);
            as_thread(1, move || other(&locks))
        };
        both(&locks);
        beside.join().unwrap();
        let mut sum = 0;
        locks.with_all(|counts| sum += counts.sum());
        assert_eq!(sum, 2 + others);
    });
}

/// Who has all stripes is alone, whoever is on the way to one, or has one and goes on to another.
fn all_or_one(single: impl Fn(&StripeLocks<Counts>) + Send + Sync + Copy + 'static, singles: u32) {
    both_beside(|locks| locks.with_all(Counts::add), single, singles);
}

#[test]
fn who_has_all_stripes_is_alone() {
    all_or_one(|locks| locks.with(1, Counts::add), 1);
}

#[test]
fn who_has_a_stripe_may_take_another_while_all_are_waited_for() {
    let add = |first: &mut Counts, second: &mut Counts| [first, second].into_iter().for_each(Counts::add);
    all_or_one(move |locks| locks.with_both((0, 1), add), 2);
}

#[test]
fn all_stripes_have_one_user_at_a_time() {
    all_or_one(|locks| locks.with_all(Counts::add), 2);
}

#[test]
fn who_takes_all_stripes_in_passing_is_alone() {
    let each: fn(&StripeLocks<Counts>) = |locks| locks.with_all_or_each(Counts::add);
    both_beside(each, |locks| locks.with(1, Counts::add), 1);
    both_beside(each, |locks| locks.with_all(Counts::add), 2);
    both_beside(each, each, 2);
}

/// Who has a lease is alone, whatever the other one is on the way to.
fn lease_beside(other: impl Fn(&StripeLocks<Counts>) + Send + Sync + Copy + 'static, others: u32) {
    let each =
        |locks: &StripeLocks<Counts>| [0, 1].into_iter().for_each(|index| locks.with(index, Counts::add));
    both_beside(move |locks| locks.with_lease(each), other, others);
}

#[test]
fn who_has_a_lease_is_alone_with_a_stripe() {
    lease_beside(|locks| locks.with(1, Counts::add), 1);
}

#[test]
fn who_has_a_lease_is_alone_with_all_stripes() {
    lease_beside(|locks| locks.with_all(Counts::add), 2);
}

/// Who is on its way to a stripe when a lease ends gets it as if there had been none: for itself.
#[test]
fn who_comes_during_a_lease_has_the_stripe_for_itself() {
    try_orders(|| {
        let locks = stripes(1);
        let others = [1, 2].map(|number| {
            let locks = Arc::clone(&locks);
            as_thread(number, move || locks.try_with(0, Counts::add).is_some())
        });
        locks.with_lease(|locks| locks.with(0, Counts::add));
        let added = others.map(|other| other.join().unwrap()).into_iter().filter(|has_added| *has_added);
        let expected = 1 + added.count() as u32;
        assert_eq!(locks.with(0, |counts| counts.sum()), expected);
    });
}

#[test]
fn leases_are_had_by_one_at_a_time() {
    lease_beside(|locks| locks.with_lease(|locks| locks.with(0, Counts::add)), 1);
}

/// A log: what is handed over, how far it is durable, and who sleeps where.
#[derive(Default)]
struct Log {
    handover: Handover<Vec<u64>>,
    progress: Progress,
    writer: Wakes,
    worker: Wakes,
    /// What the disk has, and how much, as a thread sees it that was not told.
    disk: Unseen<Vec<u64>>,
    disk_len: AtomicU64,
}

impl Log {
    fn append(&self, unit: u64) {
        if self.handover.put(|units| units.push(unit)) {
            self.writer.wake();
        }
    }

    /// Writes until so many units were there.
    fn write(&self, units: usize) {
        let mut written = 0;
        while written < units {
            let mut taken = Vec::new();
            if !self.handover.take(&mut taken) {
                self.writer.sleep();
                continue;
            }
            assert!(!taken.is_empty(), "an announcement of nothing");
            written += taken.len();
            self.disk.lock().unwrap().extend(taken);
            self.disk_len.store(written as u64, Relaxed);
            if self.progress.publish_durable(written as u64) {
                self.worker.wake();
            }
        }
    }

    /// Waits until so many units are durable.
    fn wait(&self, units: u64) {
        while self.progress.must_wait(units) {
            self.worker.sleep();
        }
        assert!(self.disk_len.load(Relaxed) >= units, "called durable too early");
    }
}

/// The writer sleeps only while there is nothing, and takes each unit once and in order; who waits for its unit to be durable
/// is told, and it is.
#[test]
fn a_log_writes_all_and_tells_who_waits() {
    try_orders(|| {
        let log = Arc::new(Log::default());
        let writer = {
            let log = Arc::clone(&log);
            thread::spawn(move || log.write(2))
        };
        log.append(1);
        log.wait(1);
        log.append(2);
        log.wait(2);
        writer.join().unwrap();
        assert_eq!(*log.disk.lock().unwrap(), [1, 2]);
    });
}

/// Two workers append; whoever sees an offset as durable finds that much on the disk.
#[test]
fn workers_share_the_writer_of_a_log() {
    try_orders(|| {
        let log = Arc::new(Log::default());
        let threads = [true, false].map(|appends| {
            let log = Arc::clone(&log);
            thread::spawn(move || if appends { log.append(1) } else { log.write(2) })
        });
        log.append(2);
        log.wait(2);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut disk = log.disk.lock().unwrap().clone();
        disk.sort_unstable();
        assert_eq!(disk, [1, 2]);
    });
}
