# shellcheck shell=bash
# Sourced by the other scripts: makes sure of what a build needs, and goes to the package root.
# Asks apt only for what is missing, so a second run touches neither the network nor root.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

fail() {
  echo "error: $*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "these packages are needed: ${missing[*]}; install them as root, or install sudo"
  fi
}

require_swift() {
  command -v swift >/dev/null ||
    fail "swift is not on the PATH; install Swift 6.2 or later (https://www.swift.org/install/linux/)"
  # A toolchain that was only unpacked lacks the libraries that it loads itself.
  if ! swift --version >/dev/null 2>&1; then
    missing=(binutils libcurl4-openssl-dev libedit-dev libncurses-dev libsqlite3-dev libxml2-dev tzdata)
    install_missing
  fi
  local version
  version=$(swift --version 2>&1 | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9.]+')
  [ -n "$version" ] || fail "swift does not run: $(swift --version 2>&1 | head -n 1)"
  [ "$(printf '%s\n' 6.2 "$version" | sort -V | head -n 1)" = 6.2 ] ||
    fail "Swift 6.2 or later is needed, this is Swift $version"
}

# Whether the toolchain's own compiler finds a header.
has_header() {
  local compiler
  compiler=$(dirname "$(command -v swift)")/clang
  [ -x "$compiler" ] || compiler=$(command -v clang || command -v cc) || return 1
  echo "#include <$2>" | "$compiler" -fsyntax-only -x "$1" - 2>/dev/null
}

find_missing() {
  missing=()
  command -v git >/dev/null || missing+=(git ca-certificates)
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  has_header c stdlib.h || missing+=(gcc libc6-dev)
  has_header c++ vector || missing+=(g++)
  has_header c zlib.h || missing+=(zlib1g-dev)
  has_header c pcap.h || missing+=(libpcap-dev)
}

# Waits for the locks of other package managers: apt does for dpkg's, the loop for the lists'.
install_missing() {
  command -v apt-get >/dev/null || fail "no apt-get here; install what Debian calls ${missing[*]}"
  echo "installing ${missing[*]}"
  local attempt
  for attempt in 1 2 3 4 5 6; do
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install \
      -y --no-install-recommends "${missing[@]}"; then
      return
    fi
    [ "$attempt" -eq 1 ] || sleep 10
    as_root apt-get -q update || true
  done
  fail "apt-get could not install ${missing[*]}"
}

require_swift
find_missing
if [ "${#missing[@]}" -gt 0 ]; then
  install_missing
  find_missing
  [ "${#missing[@]}" -eq 0 ] || fail "installed, but still not found: ${missing[*]}"
fi
