#!/bin/sh
# Starts the broker of a community. Made by `scripts/broker init`; needs nothing but mosquitto.
set -eu
cd "$(dirname "$0")"

# The plugin of mosquitto 2.0 writes its file in place: a power cut meanwhile leaves a part of it, or
# nothing, and then nobody has any right. A whole one ends with a brace at the beginning of a line.
# Put back is the first one, where the hub alone has rights; it then tells the broker all the others.
rights=dynamic-security.json
if [ "$(tail -n 1 "$rights" 2>/dev/null)" != "}" ]; then
  echo "$rights was cut short: the hub will give all homes their rights again" >&2
  cp -p first-rights.json "$rights"
fi

exec "${MOSQUITTO:-mosquitto}" -c mosquitto.conf
