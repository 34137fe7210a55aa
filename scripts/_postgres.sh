# Sourced: a database of its own for scripts that need one before the program is built.

# scratch_database: a fresh cluster in a temporary folder, with all migrations; sets DATABASE_URL. It goes away with
# the script.
scratch_database() {
  local bin file
  bin=$(postgres_folder) || die "PostgreSQL 15 or newer is needed."
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/patchbay-sql.XXXXXX")
  chmod 711 "$scratch"
  mkdir -m 700 "$scratch/data" "$scratch/socket"
  runner=
  if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    runner=postgres
    id postgres >/dev/null 2>&1 || runner=nobody
    chown "$runner" "$scratch/data" "$scratch/socket"
  fi
  scratch_bin=$bin
  trap drop_scratch EXIT
  trap 'exit 130' INT TERM
  as_runner "$bin/initdb" -D "$scratch/data" -U patchbay --auth=trust --encoding=UTF8 --locale=C --no-sync >"$scratch/log" 2>&1 ||
    die "$(tail -n 3 "$scratch/log")"
  as_runner "$bin/pg_ctl" -D "$scratch/data" -s -w -l "$scratch/data/log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$scratch/socket' -c fsync=off" start ||
    die "The scratch database did not start."
  # A role like that of a real installation: it owns the database and is no superuser.
  as_runner "$bin/psql" -q -h "$scratch/socket" -U patchbay -d postgres \
    -c "create role owner login createrole" -c "create database patchbay owner owner"
  for file in crates/patchbay/migrations/*.sql; do
    as_runner "$bin/psql" -q -h "$scratch/socket" -U owner -d patchbay -v ON_ERROR_STOP=1 -1 -f - <"$file" >/dev/null ||
      die "$file does not apply."
  done
  # Readable for root whoever runs the server.
  export DATABASE_URL="postgresql://owner@localhost/patchbay?host=$scratch/socket"
}

as_runner() {
  if [ -n "$runner" ]; then
    (cd / && setpriv --reuid="$runner" --regid="$(id -g "$runner")" --clear-groups env -u PGDATA -u PGHOST -u PGPORT -u PGUSER -u PGOPTIONS LC_ALL=C "$@")
  else
    env -u PGDATA -u PGHOST -u PGPORT -u PGUSER -u PGOPTIONS LC_ALL=C "$@"
  fi
}

drop_scratch() {
  as_runner "$scratch_bin/pg_ctl" -D "$scratch/data" -s -m immediate stop >/dev/null 2>&1 || :
  rm -rf "$scratch"
}
