# Progress lines of the scripts: what is being done, and how long it took.
# Sourced, not run.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

die() {
  printf '\033[1;31merror:\033[0m %s\n' "$*" >&2
  exit 1
}

# step WHAT COMMAND...: runs the command with its output kept in a log; shows the log only when it fails.
step() {
  local what=$1 log begin
  shift
  log=$(mktemp)
  begin=$SECONDS
  printf '\033[1m==>\033[0m %s ... ' "$what" >&2
  if "$@" >"$log" 2>&1; then
    printf '%s s\n' "$((SECONDS - begin))" >&2
    rm -f "$log"
  else
    printf 'failed after %s s\n' "$((SECONDS - begin))" >&2
    sed 's/^/    /' "$log" | tail -n 40 >&2
    rm -f "$log"
    return 1
  fi
}
