//! What the hot path needs to know of the configuration, readable without a lock.

use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};

use ochre_config::{ClientMemoryLimit, Config, Directive, KeyspaceEvents, RdbVersionCheck};
use ochre_keyspace::{Keyspace, Policy, event_class};
use ochre_types::hash::HashLimits;
use ochre_types::set::SetLimits;
use ochre_types::zset::ZSetLimits;

/// Settings copied out of the configuration; [`Settings::refresh`] after every change.
#[derive(Debug, Default)]
pub struct Settings {
    /// `proto-max-bulk-len`, bytes.
    pub bulk_len_max: AtomicU64,
    /// `client-query-buffer-limit`, bytes.
    pub query_buffer_limit: AtomicUsize,
    /// `latency-tracking`.
    pub latency_tracking: AtomicBool,
    /// `slowlog-log-slower-than`, us; negative: never.
    pub slower_than_us: AtomicI64,
    /// `slowlog-max-len`.
    pub slow_max_len: AtomicUsize,
    /// `commandlog-request-larger-than`, bytes; negative: never.
    pub request_larger_than: AtomicI64,
    /// `commandlog-large-request-max-len`.
    pub large_request_max_len: AtomicUsize,
    /// `commandlog-reply-larger-than`, bytes; negative: never.
    pub reply_larger_than: AtomicI64,
    /// `commandlog-large-reply-max-len`.
    pub large_reply_max_len: AtomicUsize,
    /// `latency-monitor-threshold`, ms; 0: never.
    pub latency_threshold_ms: AtomicI64,
    /// A command that takes so long is remarkable by one of the settings above, ns.
    pub remark_time_ns: AtomicU64,
    /// A request so large is, bytes.
    pub remark_request_bytes: AtomicU64,
    /// A reply so large is, bytes.
    pub remark_reply_bytes: AtomicU64,
    /// `maxclients`.
    pub max_clients: AtomicUsize,
    /// `maxmemory-clients` in bytes; 0: no limit.
    pub clients_bytes_max: AtomicU64,
    /// `import-mode`: no key is evicted.
    pub import_mode: AtomicBool,
    /// Whether `min-replicas-to-write` asks for replicas, of which there are none yet.
    pub lacks_replicas: AtomicBool,
    /// `busy-reply-threshold`, ms; 0: never.
    pub busy_after_ms: AtomicU64,
    /// `timeout`, seconds; 0: never.
    pub timeout_s: AtomicI64,
    /// `lazyfree-lazy-user-del`.
    pub lazy_user_del: AtomicBool,
    /// `lazyfree-lazy-user-flush`.
    pub lazy_user_flush: AtomicBool,
    /// `active-expire-effort`, 1 to 10.
    pub active_expire_effort: AtomicU32,
    /// Whether the keys of a batch are prefetched: not if `prefetch-batch-max-size` is 0 or 1. A larger one leaves the
    /// size of the batches to the workers.
    pub prefetch: AtomicBool,
    /// `tracking-table-max-keys`; 0: no limit.
    pub tracking_table_max_keys: AtomicUsize,
    /// `hz`.
    pub hz: AtomicU32,
    /// `hash-max-listpack-entries`.
    pub hash_max_listpack_entries: AtomicUsize,
    /// `hash-max-listpack-value`, bytes.
    pub hash_max_listpack_value: AtomicUsize,
    /// `hll-sparse-max-bytes`.
    pub hll_sparse_len_max: AtomicU64,
    /// `list-max-listpack-size`.
    pub list_max_listpack_size: AtomicI32,
    /// `list-compress-depth`.
    pub list_compress_depth: AtomicU32,
    /// `set-max-intset-entries`.
    pub set_max_intset_entries: AtomicUsize,
    /// `set-max-listpack-entries`.
    pub set_max_listpack_entries: AtomicUsize,
    /// `set-max-listpack-value`, bytes.
    pub set_max_listpack_value: AtomicUsize,
    /// `zset-max-listpack-entries`.
    pub zset_max_listpack_entries: AtomicUsize,
    /// `zset-max-listpack-value`, bytes.
    pub zset_max_listpack_value: AtomicUsize,
    /// `rdbcompression`.
    pub rdb_compression: AtomicBool,
    /// `rdb-version-check` is `relaxed`: payloads of versions that are not known are tried.
    pub rdb_version_relaxed: AtomicBool,
    /// `stream-node-max-bytes`: bytes of a node of a stream; 0 is no limit.
    pub stream_node_max_bytes: AtomicUsize,
    /// `stream-node-max-entries`: entries of a node of a stream; 0 is no limit.
    pub stream_node_max_entries: AtomicU64,
    /// `stream-idmp-duration`: seconds for which new streams know the messages of idempotent producers.
    pub stream_idmp_duration_s: AtomicU32,
    /// `stream-idmp-maxsize`: messages of each producer that new streams know.
    pub stream_idmp_maxsize: AtomicU32,
}

impl Settings {
    /// Copies everything anew.
    pub fn refresh(&self, config: &Config, keyspace: &Keyspace) {
        use Directive as D;
        self.bulk_len_max.store(config.uint(D::ProtoMaxBulkLen), Relaxed);
        self.query_buffer_limit.store(config.uint(D::ClientQueryBufferLimit) as usize, Relaxed);
        self.latency_tracking.store(config.bool(D::LatencyTracking), Relaxed);
        self.slower_than_us.store(config.int(D::SlowlogLogSlowerThan), Relaxed);
        self.slow_max_len.store(config.uint(D::SlowlogMaxLen) as usize, Relaxed);
        self.request_larger_than.store(config.int(D::CommandlogRequestLargerThan), Relaxed);
        self.large_request_max_len.store(config.uint(D::CommandlogLargeRequestMaxLen) as usize, Relaxed);
        self.reply_larger_than.store(config.int(D::CommandlogReplyLargerThan), Relaxed);
        self.large_reply_max_len.store(config.uint(D::CommandlogLargeReplyMaxLen) as usize, Relaxed);
        self.latency_threshold_ms.store(config.int(D::LatencyMonitorThreshold), Relaxed);
        self.refresh_remarks();
        self.max_clients.store(config.uint(D::Maxclients) as usize, Relaxed);
        self.clients_bytes_max.store(clients_bytes_max(config), Relaxed);
        self.import_mode.store(config.bool(D::ImportMode), Relaxed);
        self.lacks_replicas.store(lacks_replicas(config), Relaxed);
        self.busy_after_ms.store(config.int(D::BusyReplyThreshold).max(0) as u64, Relaxed);
        self.timeout_s.store(config.int(D::Timeout), Relaxed);
        self.lazy_user_del.store(config.bool(D::LazyfreeLazyUserDel), Relaxed);
        self.lazy_user_flush.store(config.bool(D::LazyfreeLazyUserFlush), Relaxed);
        self.active_expire_effort.store(config.uint(D::ActiveExpireEffort) as u32, Relaxed);
        self.prefetch.store(config.uint(D::PrefetchBatchMaxSize) > 1, Relaxed);
        self.tracking_table_max_keys.store(config.uint(D::TrackingTableMaxKeys) as usize, Relaxed);
        self.hz.store(config.uint(D::Hz) as u32, Relaxed);
        self.hash_max_listpack_entries.store(config.uint(D::HashMaxListpackEntries) as usize, Relaxed);
        self.hash_max_listpack_value.store(config.uint(D::HashMaxListpackValue) as usize, Relaxed);
        self.hll_sparse_len_max.store(config.uint(D::HllSparseMaxBytes), Relaxed);
        self.rdb_compression.store(config.bool(D::Rdbcompression), Relaxed);
        let version_check: RdbVersionCheck = config.choice(D::RdbVersionCheck);
        self.rdb_version_relaxed.store(version_check == RdbVersionCheck::Relaxed, Relaxed);
        self.refresh_encodings(config);
        refresh_keyspace(config, keyspace);
    }

    /// When values change their encodings.
    fn refresh_encodings(&self, config: &Config) {
        use Directive as D;
        self.stream_node_max_bytes.store(config.uint(D::StreamNodeMaxBytes) as usize, Relaxed);
        self.stream_node_max_entries.store(config.uint(D::StreamNodeMaxEntries), Relaxed);
        self.stream_idmp_duration_s.store(config.uint(D::StreamIdmpDuration) as u32, Relaxed);
        self.stream_idmp_maxsize.store(config.uint(D::StreamIdmpMaxsize) as u32, Relaxed);
        let int = |directive| config.int(directive).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        self.list_max_listpack_size.store(int(D::ListMaxListpackSize), Relaxed);
        self.list_compress_depth.store(int(D::ListCompressDepth).max(0) as u32, Relaxed);
        self.set_max_intset_entries.store(config.uint(D::SetMaxIntsetEntries) as usize, Relaxed);
        self.set_max_listpack_entries.store(config.uint(D::SetMaxListpackEntries) as usize, Relaxed);
        self.set_max_listpack_value.store(config.uint(D::SetMaxListpackValue) as usize, Relaxed);
        self.zset_max_listpack_entries.store(config.uint(D::ZsetMaxListpackEntries) as usize, Relaxed);
        self.zset_max_listpack_value.store(config.uint(D::ZsetMaxListpackValue) as usize, Relaxed);
    }

    /// So many keys at most are remembered for those who have read them.
    pub fn tracked_keys_max(&self) -> usize {
        match self.tracking_table_max_keys.load(Relaxed) {
            0 => usize::MAX,
            max => max,
        }
    }

    /// When a set changes its encoding.
    #[inline]
    pub fn set_limits(&self) -> SetLimits {
        SetLimits {
            intset_entries: self.set_max_intset_entries.load(Relaxed),
            listpack_entries: self.set_max_listpack_entries.load(Relaxed),
            listpack_value: self.set_max_listpack_value.load(Relaxed),
        }
    }

    /// When a hash changes its encoding.
    #[inline]
    pub fn hash_limits(&self) -> HashLimits {
        HashLimits {
            entries_max: self.hash_max_listpack_entries.load(Relaxed),
            value_bytes_max: self.hash_max_listpack_value.load(Relaxed),
        }
    }

    /// When a sorted set changes its encoding.
    #[inline]
    pub fn zset_limits(&self) -> ZSetLimits {
        ZSetLimits {
            listpack_entries_max: self.zset_max_listpack_entries.load(Relaxed),
            listpack_value_bytes_max: self.zset_max_listpack_value.load(Relaxed),
        }
    }
}

impl Settings {
    /// Derives what the hot path compares with: one limit for each figure, out of reach where nothing is set.
    pub(crate) fn refresh_remarks(&self) {
        let limit = |value: i64, scale: u64| {
            u64::try_from(value).map_or(u64::MAX, |value| value.saturating_mul(scale))
        };
        let slow_ns = limit(self.slower_than_us.load(Relaxed), 1_000);
        let spike_ms = self.latency_threshold_ms.load(Relaxed);
        let spike_ns = limit(if spike_ms > 0 { spike_ms } else { -1 }, 1_000_000);
        self.remark_time_ns.store(slow_ns.min(spike_ns), Relaxed);
        self.remark_request_bytes.store(limit(self.request_larger_than.load(Relaxed), 1), Relaxed);
        self.remark_reply_bytes.store(limit(self.reply_larger_than.load(Relaxed), 1), Relaxed);
    }
}

/// A lower limit than this would lock everybody out who could raise it again.
const CLIENTS_BYTES_MAX_LEAST: u64 = 128 * 1024;

/// `maxmemory-clients` in bytes; 0 if there is no limit, or only a share of a `maxmemory` that is none.
/// Either of the two at 0 asks for none.
fn lacks_replicas(config: &Config) -> bool {
    config.uint(Directive::MinReplicasToWrite) != 0 && config.uint(Directive::MinReplicasMaxLag) != 0
}

fn clients_bytes_max(config: &Config) -> u64 {
    let maxmemory = config.uint(Directive::Maxmemory);
    match config.maxmemory_clients() {
        ClientMemoryLimit::None => 0,
        ClientMemoryLimit::Percent(_) if maxmemory == 0 => 0,
        ClientMemoryLimit::Percent(percent) => {
            let bytes = u128::from(maxmemory) * u128::from(percent) / 100;
            u64::try_from(bytes).unwrap_or(u64::MAX).max(CLIENTS_BYTES_MAX_LEAST)
        }
        ClientMemoryLimit::Bytes(bytes) => bytes.max(CLIENTS_BYTES_MAX_LEAST),
    }
}

/// What waits to be freed may be this part of `maxmemory`.
const PENDING_PART: u64 = 8;

fn refresh_keyspace(config: &Config, keyspace: &Keyspace) {
    use Directive as D;
    let most = match config.uint(D::Maxmemory) {
        0 => u64::MAX,
        maxmemory => maxmemory / PENDING_PART,
    };
    keyspace.reclaimer.bound_pending_bytes(most as usize);
    let keyspace = &keyspace.settings;
    keyspace.maxmemory_bytes.store(config.uint(D::Maxmemory), Relaxed);
    let name = config.shown(D::MaxmemoryPolicy);
    keyspace.set_policy(Policy::from_name(&String::from_utf8_lossy(&name)).unwrap_or_default());
    keyspace.samples.store(config.uint(D::MaxmemorySamples) as u32, Relaxed);
    keyspace.tenacity.store(config.uint(D::MaxmemoryEvictionTenacity) as u32, Relaxed);
    keyspace.lfu_log_factor.store(config.uint(D::LfuLogFactor) as u32, Relaxed);
    keyspace.lfu_decay_minutes.store(config.uint(D::LfuDecayTime) as u32, Relaxed);
    keyspace.notify_classes.store(notify_classes(config.keyspace_events()), Relaxed);
    keyspace.import_mode.store(config.bool(D::ImportMode), Relaxed);
    keyspace.lazyfree_expire.store(config.bool(D::LazyfreeLazyExpire), Relaxed);
    keyspace.lazyfree_eviction.store(config.bool(D::LazyfreeLazyEviction), Relaxed);
    keyspace.lazyfree_server_del.store(config.bool(D::LazyfreeLazyServerDel), Relaxed);
}

/// The classes of events that are published, and how; none if they are published nowhere (none of `KESTIV`).
fn notify_classes(events: KeyspaceEvents) -> u32 {
    const CLASSES: [(KeyspaceEvents, u32); 13] = [
        (KeyspaceEvents::GENERIC, event_class::GENERIC),
        (KeyspaceEvents::STRING, event_class::STRING),
        (KeyspaceEvents::LIST, event_class::LIST),
        (KeyspaceEvents::SET, event_class::SET),
        (KeyspaceEvents::HASH, event_class::HASH),
        (KeyspaceEvents::ZSET, event_class::ZSET),
        (KeyspaceEvents::EXPIRED, event_class::EXPIRED),
        (KeyspaceEvents::EVICTED, event_class::EVICTED),
        (KeyspaceEvents::STREAM, event_class::STREAM),
        (KeyspaceEvents::KEY_MISS, event_class::KEY_MISS),
        (KeyspaceEvents::NEW, event_class::NEW),
        (KeyspaceEvents::OVERWRITTEN, event_class::OVERWRITTEN),
        (KeyspaceEvents::TYPE_CHANGED, event_class::TYPE_CHANGED),
    ];
    let ways = [
        (KeyspaceEvents::KEYSPACE, event_class::KEYSPACE),
        (KeyspaceEvents::KEYEVENT, event_class::KEYEVENT),
        (KeyspaceEvents::SUBKEYSPACE, event_class::SUBKEYSPACE),
        (KeyspaceEvents::SUBKEYEVENT, event_class::SUBKEYEVENT),
        (KeyspaceEvents::SUBKEYSPACEITEM, event_class::SUBKEYSPACEITEM),
        (KeyspaceEvents::SUBKEYSPACEEVENT, event_class::SUBKEYSPACEEVENT),
    ];
    if !ways.iter().any(|(way, _)| events.contains(*way)) {
        return 0;
    }
    let wanted = CLASSES.iter().chain(&ways).filter(|(set, _)| events.contains(*set));
    wanted.fold(0, |classes, (_, class)| classes | class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_clients_has_a_limit_in_bytes() {
        let cases: [(&[u8], &[u8], u64); 6] = [
            (b"0", b"0", 0),
            (b"0", b"10%", 0),
            (b"100mb", b"10%", 10 << 20),
            (b"1mb", b"1%", CLIENTS_BYTES_MAX_LEAST),
            (b"0", b"1", CLIENTS_BYTES_MAX_LEAST),
            (b"1mb", b"5mb", 5 << 20),
        ];
        for (maxmemory, clients, expected) in cases {
            let mut config = Config::new();
            let pairs: [(&[u8], &[u8]); 2] = [(b"maxmemory", maxmemory), (b"maxmemory-clients", clients)];
            config.set(&pairs, ochre_config::SetContext::default()).expect("both are valid");
            assert_eq!(clients_bytes_max(&config), expected, "{maxmemory:?} {clients:?}");
        }
    }
}
