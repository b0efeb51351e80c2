#!/bin/sh
# Builds the driver for machines without a GPU, with the kernels of kernels/*.cu in it.
#
#   kernels/build-emulator.sh             target/emulator/libcuda.so.1
#   kernels/build-emulator.sh --if-possible   the same; without a compiler it says so and succeeds
#   kernels/build-emulator.sh --checked   target/emulator-checked/libcuda.so.1: every access of a kernel is checked
#   kernels/build-emulator.sh --tests     target/emulator-tests/: checked, with the kernels of kernels/emulator/tests
#
# Only what is out of date is compiled: a file whose source, headers, compiler or flags have changed.
#
# CXX                          the compiler (otherwise g++)
# SAPWOOD_EMULATOR_JOBS        how many files compile at a time (otherwise one per processor)
# SAPWOOD_EMULATOR_KEEP_GOING  if set, a kernel file that does not compile is left out: its kernels are then missing
set -eu

die() {
  printf 'build-emulator: %s\n' "$1" >&2
  exit 1
}

home=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$home"
driver=kernels/emulator
kernels=kernels
out=target/emulator
checked=false
tests=false
needed=true
case "${1-}" in
  '') ;;
  --if-possible) needed=false ;;
  --checked)
    out=target/emulator-checked
    checked=true
    ;;
  --tests)
    out=target/emulator-tests
    checked=true
    tests=true
    kernels=$driver/tests
    ;;
  *) die "unknown option $1; use --if-possible, --checked, --tests or none" ;;
esac

cxx=${CXX:-g++}
if ! command -v "$cxx" >/dev/null 2>&1; then
  lacks="$cxx is missing; install g++ 12 or later, or name a compiler in CXX"
  $needed && die "$lacks"
  # Not one of an earlier build, either: it may be of other kernels.
  rm -f "$out/libcuda.so.1"
  printf 'build-emulator: %s; the CUDA backend is not tested\n' "$lacks" >&2
  exit 0
fi

flags='-std=c++20 -O2 -ffp-contract=off -fno-math-errno -fPIC -fvisibility=hidden -pthread -Wall -Wextra'
if grep -q '\bavx2\b.*\bfma\b\|\bfma\b.*\bavx2\b' /proc/cpuinfo 2>/dev/null; then
  flags="$flags -march=x86-64-v3"
fi
kernel_flags="$flags -x c++ -DSAPWOOD_EMULATOR -Ikernels/include -Wno-unknown-pragmas"
if $checked; then
  # The calls that -fsanitize=thread inserts are answered by checked_calls.cpp, not by the sanitizer's library. The
  # optimisations that are off would make accesses that the kernel does not: vectors of neighbours, loads moved ahead of
  # the condition they stand behind.
  flags="$flags -DSAPWOOD_EMULATOR_CHECKED"
  kernel_flags="$kernel_flags -DSAPWOOD_EMULATOR_CHECKED -O1 -g1 -fsanitize=thread,alignment,bounds"
  kernel_flags="$kernel_flags --param tsan-instrument-func-entry-exit=0 -fno-tree-vectorize -fno-tree-loop-im"
fi

objects=$out/objects
mkdir -p "$objects"

# One build at a time in a folder: several tests may ask for it at once.
if command -v flock >/dev/null 2>&1; then
  exec 9>"$out/lock"
  flock 9
fi

# Other flags mean other objects.
signature="$cxx $flags | $kernel_flags"
if [ "$(cat "$objects/flags" 2>/dev/null || true)" != "$signature" ]; then
  rm -f "$objects"/*.o "$objects"/*.d
  printf '%s\n' "$signature" >"$objects/flags"
fi

# Whether an object is older than its source or a header of it.
is_stale() { # object depfile source
  [ -f "$1" ] && [ -f "$2" ] || return 0
  [ "$3" -nt "$1" ] && return 0
  for input in $(sed -e 's/^[^:]*://' -e 's/\\$//' "$2"); do
    [ -e "$input" ] && [ ! "$input" -nt "$1" ] || return 0
  done
  return 1
}

all=
stale=$objects/stale
: >"$stale"
add() { # kind source object
  all="$all $3"
  if is_stale "$3" "${3%.o}.d" "$2"; then
    printf '%s %s %s\n' "$1" "$2" "$3" >>"$stale"
  fi
}

for source in "$driver"/*.cpp; do
  case $(basename "$source") in
    checked*.cpp) $checked || continue ;;
    unchecked.cpp) ! $checked || continue ;;
  esac
  add driver "$source" "$objects/driver_$(basename "$source" .cpp).o"
done
for source in "$kernels"/*.cu; do
  [ -e "$source" ] || continue
  add kernel "$source" "$objects/kernel_$(basename "$source" .cu).o"
done

library=$out/libcuda.so.1
if [ -s "$stale" ]; then
  export cxx flags kernel_flags
  jobs=${SAPWOOD_EMULATOR_JOBS:-$(nproc 2>/dev/null || echo 1)}
  # An object appears under its name only when it is complete, so that an interrupted build leaves nothing half done.
  xargs -P "$jobs" -L 1 sh -c '
    kind=$1 source=$2 object=$3
    if [ "$kind" = kernel ]; then options=$kernel_flags; else options=$flags; fi
    rm -f "$object"
    $cxx $options -MMD -MF "${object%.o}.d" -c "$source" -o "$object.part" && mv "$object.part" "$object"
  ' compile <"$stale" || [ -n "${SAPWOOD_EMULATOR_KEEP_GOING:-}" ] || die "compilation failed"
  present=
  for object in $all; do
    [ ! -f "$object" ] || present="$present $object"
  done
  all=$present
fi

# A kernel file that is gone leaves the library, too.
current=$objects/linked
if [ -s "$stale" ] || [ ! -f "$library" ] || [ "$(cat "$current" 2>/dev/null || true)" != "$all" ]; then
  # shellcheck disable=SC2086
  $cxx -shared -pthread -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -Wl,-z,defs -o "$library.part" $all \
    || die "linking failed"
  mv "$library.part" "$library"
  printf '%s' "$all" >"$current"
fi

if $tests; then
  "$cxx" -std=c++20 -O1 -pthread -Wall -Wextra "$driver/tests/run_tests.cpp" -o "$out/run_tests" "$library" \
    -Wl,-rpath,'$ORIGIN' || die "the test program does not compile"
fi
printf 'built %s\n' "$library"
