# Finds or fetches the PostgreSQL server that the community's statements are tried on. Sourced, not
# run; wants ROOT, say.sh and debian.sh. The tests find what is unpacked here by themselves.

DATABASE="$ROOT/.cache/postgresql"

# The server of this machine's Debian, unpacked beside the system.
unpack_postgresql() {
  unpack_debian "$DATABASE" "" postgresql || return 1
  compgen -G "$DATABASE/usr/lib/postgresql/*/bin/initdb" >/dev/null
}

# Without a server the tests that need it say so: skipped, or failed where CI is true.
ensure_postgresql() {
  compgen -G "$DATABASE/usr/lib/postgresql/*/bin/initdb" >/dev/null && return
  compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null && return
  command -v apt-get >/dev/null 2>&1 || return 0
  step "unpacking Debian's PostgreSQL into .cache/postgresql" unpack_postgresql ||
    { rm -rf "$DATABASE"; say "there is no PostgreSQL: install it to run everything"; }
}
