//! Changing who owns a pending entry: claiming it, claiming whatever is idle, and giving it back.

use super::consumer::ConsumerIndex;
use super::group::Group;
use super::groups::NoGroup;
use super::id::StreamId;
use super::log::Log;
use super::pending::Pending;
use super::read::DELIVERIES_MAX;
use super::state::Stream;

/// XAUTOCLAIM looks at so many entries for each that it may claim.
const LOOKS_PER_CLAIM: u64 = 10;

/// When a claimed entry counts as delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClaimTime {
    /// Now.
    #[default]
    Now,
    /// So many milliseconds ago.
    Idle(i64),
    /// At this time. What is negative or in the future is taken as now, here and for [`ClaimTime::Idle`].
    At(i64),
}

/// How XCLAIM claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClaimOptions {
    /// Only what has been idle so long, unless it has no owner.
    pub min_idle_ms: i64,
    /// The time of delivery to set.
    pub time: ClaimTime,
    /// The count of deliveries to set; else it goes up by one, unless `just_id`.
    pub deliveries: Option<u64>,
    /// Whether entries that are not pending become so.
    pub force: bool,
    /// Whether only IDs are wanted, which is no delivery.
    pub just_id: bool,
    /// Raises the group's last delivered ID to this one.
    pub last_id: Option<StreamId>,
}

/// How XAUTOCLAIM claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoClaimOptions {
    /// Only what has been idle so long.
    pub min_idle_ms: i64,
    /// The first ID to look at.
    pub start: StreamId,
    /// The most entries to claim or drop; ten times as many are looked at.
    pub count: u64,
    /// Whether only IDs are wanted, which is no delivery.
    pub just_id: bool,
}

/// A pending entry as it is after it was claimed or given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The entry.
    pub id: StreamId,
    /// When it counts as last delivered.
    pub delivered_ms: i64,
    /// How often it counts as delivered.
    pub deliveries: u64,
}

/// What XCLAIM did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimReport {
    /// What was claimed, in the order asked for.
    pub claimed: Vec<Claim>,
    /// What was pending but does not exist any more, and is no longer pending.
    pub dropped: Vec<StreamId>,
    /// Whether the group's last delivered ID was raised.
    pub last_id_raised: bool,
}

/// What XAUTOCLAIM did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoClaimReport {
    /// Where to go on; `0-0` at the end.
    pub next: StreamId,
    /// What was claimed, by ID.
    pub claimed: Vec<Claim>,
    /// What was pending but does not exist any more, and is no longer pending.
    pub dropped: Vec<StreamId>,
}

/// Why an entry is given back, which decides its count of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NackMode {
    /// SILENT: as if it had not been delivered this time.
    Silent,
    /// FAIL: it stays as it is.
    Fail,
    /// FATAL: the greatest there is, so that readers can tell that it will never be processed.
    Fatal,
}

impl Stream {
    /// Claims pending entries for a consumer, which is made if needed. O(log n) per entry.
    pub fn claim(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        ids: &[StreamId],
        options: &ClaimOptions,
        now_ms: i64,
    ) -> Result<ClaimReport, NoGroup> {
        let inner = &mut *self.0;
        let group = inner.groups.get_mut(group).ok_or(NoGroup)?;
        let mut report = ClaimReport::default();
        if let Some(last_id) = options.last_id.filter(|id| *id > group.last_delivered) {
            group.last_delivered = last_id;
            report.last_id_raised = true;
        }
        let (consumer, _) = group.see(consumer, now_ms);
        for id in ids {
            if !inner.log.contains(*id) {
                report.dropped.extend(group.remove_pending(*id).map(|pending| pending.id));
            } else if let Some(claim) = claim_one(group, *id, consumer, options, now_ms) {
                report.claimed.push(claim);
            }
        }
        if !report.claimed.is_empty() {
            group.mark_active(consumer, now_ms);
        }
        Ok(report)
    }

    /// Claims pending entries that have been idle, by ID, for a consumer, which is made if needed. O(log n) per entry
    /// looked at.
    pub fn auto_claim(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        options: &AutoClaimOptions,
        now_ms: i64,
    ) -> Result<AutoClaimReport, NoGroup> {
        let inner = &mut *self.0;
        let group = inner.groups.get_mut(group).ok_or(NoGroup)?;
        let (consumer, _) = group.see(consumer, now_ms);
        let Found { idle, dropped, next } = find_idle(group, &inner.log, options, now_ms);
        for id in &dropped {
            group.remove_pending(*id);
        }
        let options = ClaimOptions { just_id: options.just_id, ..ClaimOptions::default() };
        let claim = |id| claim_one(group, id, consumer, &options, now_ms);
        let claimed: Vec<Claim> = idle.into_iter().filter_map(claim).collect();
        if !claimed.is_empty() {
            group.mark_active(consumer, now_ms);
        }
        Ok(AutoClaimReport { next: next.unwrap_or(StreamId::MIN), claimed, dropped })
    }

    /// Gives pending entries back: they have no owner, and whoever claims next gets them first. Sets their count of
    /// deliveries to `deliveries`, or what the mode says. With `force`, entries that exist become pending without an
    /// owner if they were not. Returns those that were given back. O(log n) per entry.
    pub fn give_back(
        &mut self,
        group: &[u8],
        ids: &[StreamId],
        mode: NackMode,
        deliveries: Option<u64>,
        force: bool,
    ) -> Result<Vec<Claim>, NoGroup> {
        let inner = &mut *self.0;
        let group = inner.groups.get_mut(group).ok_or(NoGroup)?;
        let mut given = Vec::new();
        for id in ids {
            let before = match group.get_pending(*id) {
                Some(pending) => pending.deliveries,
                None if force && inner.log.contains(*id) => 0,
                None => continue,
            };
            let deliveries = deliveries.unwrap_or(match mode {
                NackMode::Silent => before.saturating_sub(1),
                NackMode::Fail => before,
                NackMode::Fatal => DELIVERIES_MAX,
            });
            group.put_pending(Pending { id: *id, delivered_ms: 0, deliveries, consumer: None });
            given.push(Claim { id: *id, delivered_ms: 0, deliveries });
        }
        Ok(given)
    }
}

/// Claims an entry that exists, if it is pending or made so, and idle for long enough.
fn claim_one(
    group: &mut Group,
    id: StreamId,
    consumer: ConsumerIndex,
    options: &ClaimOptions,
    now_ms: i64,
) -> Option<Claim> {
    let before = match group.get_pending(id) {
        Some(pending) => {
            let idle_ms = now_ms.saturating_sub(pending.delivered_ms);
            if pending.consumer.is_some() && options.min_idle_ms > 0 && idle_ms < options.min_idle_ms {
                return None;
            }
            pending.deliveries
        }
        None if options.force => 1,
        None => return None,
    };
    let deliveries = match options.deliveries {
        Some(deliveries) => deliveries,
        None if options.just_id => before,
        None => before.saturating_add(1),
    };
    let claim =
        Claim { id, delivered_ms: options.time.resolve(now_ms), deliveries: deliveries.min(DELIVERIES_MAX) };
    group.put_pending(Pending {
        id,
        delivered_ms: claim.delivered_ms,
        deliveries: claim.deliveries,
        consumer: Some(consumer),
    });
    Some(claim)
}

/// What a walk over the pending entries found.
struct Found {
    idle: Vec<StreamId>,
    dropped: Vec<StreamId>,
    next: Option<StreamId>,
}

fn find_idle(group: &Group, log: &Log, options: &AutoClaimOptions, now_ms: i64) -> Found {
    let mut found = Found { idle: Vec::new(), dropped: Vec::new(), next: None };
    let mut looks = options.count.saturating_mul(LOOKS_PER_CLAIM);
    for pending in group.pending_from(options.start) {
        if looks == 0 || (found.idle.len() + found.dropped.len()) as u64 >= options.count {
            found.next = Some(pending.id);
            break;
        }
        looks -= 1;
        let idle_ms = now_ms.saturating_sub(pending.delivered_ms);
        if !log.contains(pending.id) {
            found.dropped.push(pending.id);
        } else if options.min_idle_ms <= 0 || idle_ms >= options.min_idle_ms {
            found.idle.push(pending.id);
        }
    }
    found
}

impl ClaimTime {
    fn resolve(self, now_ms: i64) -> i64 {
        let time = match self {
            ClaimTime::Now => now_ms,
            ClaimTime::Idle(idle_ms) => now_ms.saturating_sub(idle_ms),
            ClaimTime::At(time_ms) => time_ms,
        };
        if (0..=now_ms).contains(&time) { time } else { now_ms }
    }
}
