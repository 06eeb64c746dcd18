# Fetches Debian packages and unpacks them into a folder: nothing of the system is touched, and
# nobody has to be root. Sourced, not run; wants ROOT.

# The mirror that this machine's apt uses for Debian proper, as apt itself prints it.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -E '/debian/?$' | sort -u | head -n 1
}

# The folder of libraries of this machine's processor.
debian_triplet() {
  case $(dpkg --print-architecture) in
    amd64) echo x86_64-linux-gnu ;;
    arm64) echo aarch64-linux-gnu ;;
    *) echo "no unpacking recipe for $(dpkg --print-architecture)" >&2; return 1 ;;
  esac
}

# unpack_debian FOLDER SOURCE PACKAGE...: packages with all they need that is not there already.
#   SOURCE is a line of apt's sources.list, whose packages are then unpacked with every library down
#   to the C library; empty means the sources of this machine, and what it has installed counts.
unpack_debian() {
  local folder=$1 source=$2 apt="$ROOT/.cache/apt" package
  shift 2
  rm -rf "$apt" "$folder"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/log" "$folder"
  # A mirror may be a snapshot of an earlier day; its signatures are checked all the same.
  local options=(
    -o "Acquire::Check-Valid-Until=false"
    -qq -o "Dir::State=$apt" -o "Dir::State::Lists=$apt/lists"
    -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives" -o "Dir::Log=$apt/log"
    -o "APT::Sandbox::User=$(id -un)" -o "Debug::NoLocking=1" -o "Acquire::Languages=none"
  )
  if [ -n "$source" ]; then
    : >"$apt/status"
    echo "$source" >"$apt/sources.list"
    options+=(
      -o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::Etc::sourceparts=-"
      -o "Dir::State::status=$apt/status"
    )
  else
    options+=(-o "Dir::State::status=/var/lib/dpkg/status")
  fi
  apt-get "${options[@]}" update || return 1
  apt-get "${options[@]}" install --yes --download-only --no-install-recommends "$@" || return 1
  for package in "$apt"/archives/*.deb; do
    dpkg -x "$package" "$folder" || return 1
  done
  rm -rf "$apt"
}
