# Makes and updates the virtual environments. Sourced, not run; wants ROOT, say.sh and python.sh.

# environment_folder KIND: where run, dev or next lives. run and dev share one: dev holds all of run.
environment_folder() {
  case $1 in
    run | dev) echo "$ROOT/.venv" ;;
    next) echo "$ROOT/.venv-next" ;;
    *) die "no environment is called $1: choose run, dev or next" ;;
  esac
}

# environment_stamp KIND FOLDER: what the environment is made from; changes when it must be made anew.
environment_stamp() {
  local file="$ROOT/requirements/$1.txt"
  echo "$1 $(sha256sum <"$file" | cut -d ' ' -f 1) $(readlink -f "$2/bin/python")"
}

# environment_is_current KIND FOLDER: true when there is nothing to do.
environment_is_current() {
  [ -f "$2/.stamp" ] && [ "$(cat "$2/.stamp")" = "$(environment_stamp "$1" "$2")" ] &&
    python_is_new_enough "$2/bin/python"
}

# ensure_environment KIND: sets VENV to the folder of an environment that holds requirements/KIND.txt.
ensure_environment() {
  local kind=$1
  VENV=$(environment_folder "$kind")
  # What was set up for development stays so.
  if [ "$kind" = run ] && [[ $(cat "$VENV/.stamp" 2>/dev/null) == dev\ * ]]; then
    kind=dev
  fi
  if environment_is_current "$kind" "$VENV"; then
    return
  fi
  ensure_uv
  rm -f "$VENV/.stamp"
  if ! python_is_new_enough "$VENV/bin/python"; then
    ensure_python
    "$UV" venv --quiet --clear --no-project --python "$PYTHON" "$VENV" || die "no virtual environment could be made in $VENV"
  fi
  step "installing requirements/$kind.txt into ${VENV#"$ROOT"/}" \
    "$UV" pip sync --python "$VENV/bin/python" "$ROOT/requirements/$kind.txt" ||
    die "the packages could not be installed: see above, and run this again"
  environment_stamp "$kind" "$VENV" >"$VENV/.stamp"
}
