//! How the private cluster is tuned: one small business or a few hundred on one machine, mostly short queries.

use std::fs;

/// Settings that make the cluster private; they come on the command line, where nothing overrides them.
/// There is no port to reach: access is the right to enter the socket's folder, which only its owner has.
pub const FIXED: &[&str] = &["listen_addresses=", "port=5432", "unix_socket_permissions=0700"];

/// The name of the file with [`TUNED`], included by postgresql.conf.
pub const FILE: &str = "patchbay.conf";

/// The file's text. It is written anew at each start; `alter system` overrides it.
pub fn tuned() -> String {
    format!("{TUNED}shared_buffers = '{}MB'\n", shared_megabytes(memory_megabytes()))
}

const TUNED: &str = "\
# Written by Patchbay at each start. To change a setting, use: alter system set name = 'value'
max_connections = 100
# queries are short; compiling them costs more than it saves
jit = off
max_wal_size = '2GB'
checkpoint_timeout = '15min'
wal_compression = on
# a business that grows in a minute is planned for as it has become
autovacuum_naptime = '15s'
# solid-state storage
random_page_cost = 1.1
log_checkpoints = off
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
# the log tells what went wrong, not with whose row: no details, no statements, no parameters
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
timezone = 'UTC'
";

/// Last lines of `pg_hba.conf`: whoever may enter the folder of the socket is trusted, nobody else gets in.
pub const ACCESS: &str = "# Whoever may enter the folder of the socket is trusted; there is no other way in.\nlocal all all trust\n";

/// How much PostgreSQL keeps in its own memory: an eighth of the machine's, because a page that has to be fetched from the
/// system's cache costs ten times as much as one at hand. Memory that is never used is never taken.
fn shared_megabytes(memory: Option<u64>) -> u64 {
    memory.map_or(256, |memory| (memory / 8).clamp(128, 2048))
}

/// The machine's memory, or the part of it that this container may use. `None` where the system does not tell.
fn memory_megabytes() -> Option<u64> {
    // Linux: proc(5), and the kernel's documentation of cgroup v2.
    let all = fs::read_to_string("/proc/meminfo").ok()?;
    let kilobytes: u64 = all
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|limit| limit.trim().parse::<u64>().ok()).map(|bytes| bytes >> 20);
    Some(limit.unwrap_or(u64::MAX).min(kilobytes >> 10))
}

#[cfg(test)]
mod tests {
    use super::shared_megabytes;

    #[test]
    fn postgresql_gets_an_eighth_within_bounds() {
        let given = [None, Some(512), Some(4096), Some(24_000), Some(1_000_000)];
        assert_eq!(given.map(shared_megabytes), [256, 128, 512, 2048, 2048]);
    }
}
