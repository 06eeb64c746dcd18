# Finds or fetches the MQTT broker that tests and demo talk to. Sourced, not run; wants ROOT, say.sh
# and debian.sh.

BROKER="$ROOT/.cache/mosquitto"

# The broker of this machine's Debian with its plugin, and its command line clients, as far as they are not
# installed: unpacked beside the system, each program with a starter that finds its libraries.
unpack_mosquitto() {
  local triplet program
  triplet=$(debian_triplet) || return 1
  unpack_debian "$BROKER" "" mosquitto mosquitto-clients || return 1
  mkdir -p "$BROKER/bin"
  for program in sbin/mosquitto bin/mosquitto_pub bin/mosquitto_sub bin/mosquitto_rr; do
    [ -e "$BROKER/usr/$program" ] || continue
    cat >"$BROKER/bin/${program#*/}" <<STARTER
#!/bin/sh
export LD_LIBRARY_PATH="$BROKER/usr/lib/$triplet:$BROKER/lib/$triplet"
exec "$BROKER/usr/$program" "\$@"
STARTER
    chmod +x "$BROKER/bin/${program#*/}"
  done
  [ -e "$BROKER/usr/lib/$triplet/mosquitto_dynamic_security.so" ] ||
    [ -e "/usr/lib/$triplet/mosquitto_dynamic_security.so" ] || return 1
  # Its help ends with an error of its own.
  command -v mosquitto_rr >/dev/null && [[ $(mosquitto -h) == *"mosquitto version"* ]]
}

# Puts a broker with its command line clients on PATH. Without one the tests that need it say so: skipped, or failed where CI is true.
ensure_mosquitto() {
  PATH="$BROKER/bin:$PATH:/usr/sbin"
  export PATH
  command -v mosquitto >/dev/null 2>&1 && command -v mosquitto_rr >/dev/null 2>&1 && return
  command -v apt-get >/dev/null 2>&1 || return 0
  step "unpacking Debian's mosquitto into .cache/mosquitto" unpack_mosquitto ||
    { rm -rf "$BROKER"; say "there is no MQTT broker: install mosquitto to run everything"; }
}
