//! How the private cluster is tuned: one small business or a few hundred on one machine, mostly short queries.

/// Settings that make the cluster private; they come on the command line, where nothing overrides them.
/// There is no port to reach: access is the right to enter the socket's folder, which only its owner has.
pub const FIXED: &[&str] = &["listen_addresses=", "port=5432", "unix_socket_permissions=0700"];

/// The name of the file with [`TUNED`], included by postgresql.conf.
pub const FILE: &str = "patchbay.conf";

/// Written anew at each start. `alter system` overrides it.
pub const TUNED: &str = "\
# Written by Patchbay at each start. To change a setting, use: alter system set name = 'value'
max_connections = 100
shared_buffers = '256MB'
# queries are short; compiling them costs more than it saves
jit = off
max_wal_size = '2GB'
checkpoint_timeout = '15min'
wal_compression = on
# solid-state storage
random_page_cost = 1.1
log_checkpoints = off
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
timezone = 'UTC'
";

/// Last lines of `pg_hba.conf`: whoever may enter the folder of the socket is trusted, nobody else gets in.
pub const ACCESS: &str = "# Whoever may enter the folder of the socket is trusted; there is no other way in.\nlocal all all trust\n";
