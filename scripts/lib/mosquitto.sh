# Finds or fetches the MQTT broker that tests and demo talk to. Sourced, not run; wants ROOT, say.sh
# and debian.sh.

BROKER="$ROOT/.cache/mosquitto"

# The broker of this machine's Debian, unpacked beside the system, with a starter that finds its libraries.
unpack_mosquitto() {
  local triplet
  triplet=$(debian_triplet) || return 1
  unpack_debian "$BROKER" "" mosquitto || return 1
  mkdir -p "$BROKER/bin"
  cat >"$BROKER/bin/mosquitto" <<STARTER
#!/bin/sh
export LD_LIBRARY_PATH="$BROKER/usr/lib/$triplet:$BROKER/lib/$triplet"
exec "$BROKER/usr/sbin/mosquitto" "\$@"
STARTER
  chmod +x "$BROKER/bin/mosquitto"
  "$BROKER/bin/mosquitto" -h | grep -q "^mosquitto version"
}

# Puts a broker on PATH. Without one the tests that need it say so: skipped, or failed where CI is true.
ensure_mosquitto() {
  PATH="$BROKER/bin:$PATH:/usr/sbin"
  export PATH
  command -v mosquitto >/dev/null 2>&1 && return
  command -v apt-get >/dev/null 2>&1 || return 0
  step "unpacking Debian's mosquitto into .cache/mosquitto" unpack_mosquitto ||
    { rm -rf "$BROKER"; say "there is no MQTT broker: install mosquitto to run everything"; }
}
