//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{auth, bench, serve::Role};

#[derive(Parser)]
#[command(
    name = "patchbay",
    version,
    about = "Leads, messages and quotes for small businesses, on PostgreSQL."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// The folder that holds the private database and the master key [default: ./data, or PATCHBAY_DATA_DIR]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run the web server, the workers, or both
    Serve {
        /// Address and port [default: 127.0.0.1:3000, or PATCHBAY_LISTEN]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
        #[arg(long, value_enum, default_value_t = Role::All)]
        role: Role,
    },
    /// Run with a tenant full of believable data and a carrier that only pretends
    Demo {
        /// Address and port [default: 127.0.0.1:3000, or PATCHBAY_LISTEN]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Manage tenants
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Manage the people of a tenant
    #[command(subcommand)]
    User(UserCommand),
    /// Make a link that signs somebody in
    LoginLink {
        #[arg(long)]
        email: String,
    },
    /// Manage API keys
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Import contacts, or numbers not to be contacted, from a CSV or XLSX file
    Import(ImportArguments),
    /// Print the URL of the database, for any PostgreSQL client
    DatabaseUrl,
    /// Bring the database's schema up to date
    Migrate,
    /// Write all data to a file
    Backup { file: PathBuf },
    /// Read all data back from a file
    Restore {
        file: PathBuf,
        /// Replace the data that is there
        #[arg(long)]
        force: bool,
    },
    /// Try the whole way of a campaign with twenty messages: against a simulator, or a running server
    Pilot(PilotArguments),
    /// Erase everything about a person, of every tenant or of one; it cannot be undone
    Erase {
        /// Their phone number, as +61491570006
        #[arg(long, required_unless_present = "email", conflicts_with = "email")]
        phone: Option<String>,
        #[arg(long)]
        email: Option<String>,
        /// Only for the tenant with this slug
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Hold all sending, or let it go on (after a restore, or beside a copy of this database)
    #[command(subcommand)]
    Sending(SendingCommand),
    /// Check the installation and say what to mend
    Doctor,
    /// Seal all stored credentials with the current master key
    Reseal {
        /// Make a new master key first (only for the key in the data folder; stop the server before)
        #[arg(long)]
        new_key: bool,
    },
    /// Look after short links
    #[command(subcommand)]
    Links(LinksCommand),
    /// Simulate Twilio's Messages API
    Carrier(CarrierArguments),
    /// Measure speed and size on a database of its own, and print a table
    Bench(bench::Options),
}

#[derive(Subcommand)]
pub enum TenantCommand {
    /// Create a tenant
    Create {
        #[arg(long)]
        name: String,
        /// Its name in addresses and commands [default: made from the name]
        #[arg(long)]
        slug: Option<String>,
        /// Such as Australia/Perth
        #[arg(long)]
        timezone: Option<String>,
        /// Two letters, such as AU
        #[arg(long)]
        country: Option<String>,
    },
}

#[derive(Subcommand)]
pub enum LinksCommand {
    /// Judge all recorded clicks anew: which were people's
    Rescore,
}

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add somebody to a tenant, or change their role
    Add {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        #[arg(long)]
        email: String,
        #[arg(long, value_enum)]
        role: RoleName,
    },
}

#[derive(Subcommand)]
pub enum SendingCommand {
    /// Let nothing leave until an owner confirms
    Hold(SendingTarget),
    /// Let messages leave again
    Release {
        #[command(flatten)]
        target: SendingTarget,
        /// What happens to the messages that were waiting when sending was held
        #[arg(long, value_enum)]
        waiting: WaitingName,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct SendingTarget {
    /// The tenant's slug
    #[arg(long)]
    pub tenant: Option<String>,
    /// Every tenant
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum WaitingName {
    /// They are sent, through the gates as ever
    Send,
    /// They are canceled: the original has sent them
    Cancel,
}

#[derive(Subcommand)]
pub enum ApiKeyCommand {
    /// Create a key; it is shown this once
    Create {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        #[arg(long)]
        name: String,
        #[arg(long, value_enum, default_value_t = ScopeName::Full)]
        scope: ScopeName,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl From<RoleName> for auth::Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Member => Self::Member,
            RoleName::Viewer => Self::Viewer,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ScopeName {
    Full,
    Read,
    Ingest,
}

impl From<ScopeName> for auth::Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Full => Self::Full,
            ScopeName::Read => Self::Read,
            ScopeName::Ingest => Self::Ingest,
        }
    }
}

#[derive(Args)]
pub struct ImportArguments {
    pub file: PathBuf,
    /// The tenant's slug
    #[arg(long)]
    pub tenant: String,
    /// A JSON file that says where columns go; guessed when left out
    #[arg(long, value_name = "FILE", conflicts_with = "map")]
    pub mapping: Option<PathBuf>,
    /// Where one column goes, such as "Mobile=phone"; may be given again and again
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub map: Vec<String>,
    /// utf-8, windows-1252, utf-16le or utf-16be; guessed when left out
    #[arg(long)]
    pub encoding: Option<String>,
    /// The character between the cells, or comma, semicolon, tab or pipe; guessed when left out
    #[arg(long)]
    pub delimiter: Option<String>,
    /// Whether the first row names the columns: true or false; guessed when left out
    #[arg(long)]
    pub header: Option<String>,
    /// Which sheet of a workbook, 1 for the first
    #[arg(long)]
    pub sheet: Option<String>,
    /// A label for every contact of the file; may be given again
    #[arg(long)]
    pub label: Vec<String>,
    /// Leave contacts alone that are there already
    #[arg(long)]
    pub skip_existing: bool,
    /// Change nothing, and tell what the import would do
    #[arg(long)]
    pub dry_run: bool,
    /// Write the rows that cannot be imported, with the reason, to this CSV file
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

#[derive(Args)]
pub struct PilotArguments {
    /// The running server; without it the pilot brings its own, with a simulated carrier
    #[arg(long, requires = "key", requires = "to")]
    pub url: Option<String>,
    /// An API key of scope full
    #[arg(long, requires = "url")]
    pub key: Option<String>,
    /// A number of somebody who agreed to take part; once per person
    #[arg(long, requires = "url", value_name = "NUMBER")]
    pub to: Vec<String>,
}

#[derive(Args)]
pub struct CarrierArguments {
    #[arg(long, default_value = "127.0.0.1:4010", value_name = "ADDRESS")]
    pub listen: String,
    /// The secret of every account, with which webhooks are signed
    #[arg(long, value_name = "TOKEN")]
    pub auth_token: String,
    /// Where messages posted to /inbound are delivered
    #[arg(long, value_name = "URL")]
    pub inbound_url: Option<String>,
    /// How long an answer takes
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub latency_ms: u64,
    /// Share of messages refused, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    pub reject_rate: f64,
    /// Share of messages accepted whose answer is lost, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    pub lost_reply_rate: f64,
    /// Share of requests answered with 429, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    pub throttle_rate: f64,
    /// Post no callbacks at all
    #[arg(long, conflicts_with_all = ["duplicate_callbacks", "reorder_callbacks"])]
    pub no_callbacks: bool,
    /// Post every callback twice
    #[arg(long)]
    pub duplicate_callbacks: bool,
    /// Let the callbacks of a message overtake each other
    #[arg(long)]
    pub reorder_callbacks: bool,
    /// What chance is drawn from; the same seed gives the same run
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
}
