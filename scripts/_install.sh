# Sourced by the other scripts: looks for what they need, and installs what is missing through the system's package
# manager, saying so. Whatever is there already is left alone.

say() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND…: runs it with the rights that installing takes.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    return 1
  fi
}

# install_packages WHAT APT DNF BREW APK: installs the names after the first for the package manager that is here.
install_packages() {
  local what=$1 apt=$2 dnf=$3 brew=$4 apk=$5
  # Word splitting is meant: each of these may be several packages.
  # shellcheck disable=SC2086
  if have apt-get; then
    say "Installing $what: apt-get install $apt"
    { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $apt; } ||
      die "$what could not be installed. As an administrator, run: apt-get install $apt"
  elif have dnf; then
    say "Installing $what: dnf install $dnf"
    as_root dnf install -y $dnf || die "$what could not be installed. As an administrator, run: dnf install $dnf"
  elif have brew; then
    say "Installing $what: brew install $brew"
    brew install $brew || die "$what could not be installed. Run: brew install $brew"
  elif have apk; then
    say "Installing $what: apk add $apk"
    as_root apk add $apk || die "$what could not be installed. As an administrator, run: apk add $apk"
  else
    die "$what is missing, and no package manager was found that could install it."
  fi
}

# The folder of PostgreSQL's programs, version 15 or newer, that Patchbay itself would choose.
postgres_folder() {
  local folder version best=0 chosen=
  for folder in ${PATCHBAY_PG_BIN:+"$PATCHBAY_PG_BIN"} "$(pg_config --bindir 2>/dev/null || :)" /usr/lib/postgresql/*/bin \
    /usr/lib/postgresql*/bin /usr/libexec/postgresql* /usr/pgsql-*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin \
    /usr/local/opt/postgresql*/bin /home/linuxbrew/.linuxbrew/opt/postgresql*/bin "$(dirname "$(command -v initdb 2>/dev/null || echo /)")"; do
    [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] || continue
    version=$("$folder/postgres" --version | sed -n 's/.*(PostgreSQL) \([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 15 ] || continue
    [ "$version" -gt "$best" ] && best=$version chosen=$folder
  done
  [ -n "$chosen" ] && printf '%s\n' "$chosen"
}

need_postgres() {
  postgres_folder >/dev/null && return
  install_packages "PostgreSQL's server programs" postgresql "postgresql-server postgresql-contrib" postgresql@17 "postgresql postgresql-contrib"
  postgres_folder >/dev/null ||
    die "The PostgreSQL that this system offers is older than 15. Install a newer one from postgresql.org/download, or set PATCHBAY_PG_BIN."
}

# need_rust [COMPONENT…]: a compiler new enough for us, with rustfmt, clippy or whatever else is named.
need_rust() {
  local wanted component
  have cargo || { [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"; } || install_rust
  have cc || install_packages "a C compiler, which some libraries need" "gcc libc6-dev" gcc gcc "gcc musl-dev"
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  at_least "$wanted" "$(rustc --version | cut -d' ' -f2)" || {
    have rustup && say "Renewing Rust: rustup update stable" && rustup update --no-self-update stable
    at_least "$wanted" "$(rustc --version | cut -d' ' -f2)" || die "Rust is older than $wanted. Install a newer one from https://rustup.rs."
  }
  for component in "$@"; do
    "cargo-$component" --version >/dev/null 2>&1 || { have rustup && rustup component add "${component/fmt/rustfmt}"; } ||
      die "cargo $component is missing. Install it with the package that cargo came from, or get Rust from https://rustup.rs."
  done
}

install_rust() {
  have curl || install_packages "curl, which fetches Rust" "curl ca-certificates" curl curl curl
  say "Installing Rust for $(id -un): rustup, into ~/.rustup and ~/.cargo"
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --no-modify-path --profile minimal ||
    die "Rust could not be installed. Install it from https://rustup.rs, then run this again."
  PATH="$HOME/.cargo/bin:$PATH"
}

# at_least OLDEST VERSION: compares numbers such as 1.90 and 1.95.0.
at_least() {
  [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

need_node() {
  { have node && have npm; } || install_packages "Node and npm, which fetch the front-end libraries" "nodejs npm" "nodejs npm" node "nodejs npm"
}

browser() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    have "$name" && { command -v "$name"; return; }
  done
  [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] && echo "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
}

need_browser() {
  browser >/dev/null && return
  install_packages "Chromium, for the browser tests" chromium chromium "--cask chromium" chromium
}

# node_modules FOLDER: exactly what the lock file says, fetched only when that has changed.
node_modules() {
  local folder=$1
  [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] && return
  say "Fetching the libraries of $folder"
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error) || die "npm ci failed in $folder."
  touch "$folder/node_modules/.package-lock.json"
}
