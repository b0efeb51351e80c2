#!/bin/sh
# Compiles the kernels for GPUs: each kernels/FAMILY.cu becomes OUTDIR/FAMILY.fatbin, which the jar carries.
#
#   kernels/build-fatbins.sh [--all] OUTDIR
#
# A fatbin holds machine code for compute capability 9.0 and for the GPU of this machine, if there is one, and PTX of
# 8.0, which the driver of any other GPU compiles when it first loads it. --all adds machine code for 8.0, 10.0 and
# 12.0. It is not the default because it takes almost three times as long, 4 minutes of processor time instead of 1.5,
# at every change of a shared header.
#
# All is made in target/nvcc and copied to OUTDIR from there. What the assembler says about registers, shared memory
# and spills stays there as FAMILY.ptxas.txt; kernels/ptxas-table.sh makes a table of it. Only what is out of date is
# compiled: a family whose source, headers, compiler or flags have changed, or that lacks an architecture. Without nvcc
# there are no GPU kernels, which is said on one line and is no error: the other backends need none.
#
# SAPWOOD_NVCC       the nvcc to use (otherwise the one on the PATH, or of CUDA_HOME); `off` builds without GPU kernels
# SAPWOOD_NVCC_JOBS  how many families compile at a time (otherwise one per processor)
set -eu

name=build-fatbins

die() { # message [exit code]
  printf '%s: %s\n' "$name" "$1" >&2
  exit "${2:-1}"
}

# Sets nvcc to its path, or to nothing and $lacks to the reason.
find_nvcc() {
  nvcc=
  lacks='no nvcc found'
  case ${SAPWOOD_NVCC:-} in
    '') ;;
    off)
      lacks='SAPWOOD_NVCC=off'
      return
      ;;
    *)
      nvcc=$(command -v "$SAPWOOD_NVCC") || die "SAPWOOD_NVCC must name an nvcc or be 'off', got $SAPWOOD_NVCC"
      return
      ;;
  esac
  for candidate in nvcc "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" /usr/local/cuda/bin/nvcc; do
    nvcc=$(command -v "$candidate") && return
  done
  nvcc=
}

# The compute capability of each GPU here, such as 90; nothing without one.
local_architectures() {
  nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | tr -d '. ' | grep -x '[0-9]*' || true
}

# The code that a family's fatbin was made of: its source and headers (those of the toolkit count as the version).
fingerprint() { # depfile
  {
    printf '%s\n' "$version" "$flags"
    sed -e 's/^[^:]*://' -e 's/\\$//' "$1" | tr -s ' ' '\n' | while read -r input; do
      [ -z "$input" ] || cat "$input"
    done
  } | sha256sum
}

# Whether a family has all that is wanted, made of what stands there now. FAMILY.key names the architectures on its
# first line and holds the fingerprint on its second.
is_current() { # family
  for part in fatbin ptxas.txt d key; do
    [ -f "$made/$1.$part" ] || return 1
  done
  { read -r built && read -r key; } <"$made/$1.key" || return 1
  for architecture in $architectures; do
    case " $built " in
      *" $architecture "*) ;;
      *) return 1 ;;
    esac
  done
  [ "$key" = "$(fingerprint "$made/$1.d" 2>/dev/null)" ]
}

# Compiles one family. A file appears under its name when it is complete, the key last. The fingerprint is taken first:
# a source that is edited meanwhile compiles again next time.
compile() { # source
  family=$(basename "$1" .cu)
  part=$made/.part.$$.$family
  trap 'rm -f "$part".*' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  targets='-gencode arch=compute_80,code=compute_80'
  for architecture in $architectures; do
    # Warpgroups, which 9.0 alone has, are in no code that runs elsewhere.
    case $architecture in
      90) own=90a ;;
      *) own=$architecture ;;
    esac
    targets="$targets -gencode arch=compute_$own,code=sm_$own"
  done
  printf '%s: %s\n' "$name" "$1"
  # shellcheck disable=SC2086 # the flags are meant to split into words
  if ! "$nvcc" $flags -MM -MF "$part.d" "$1" >"$part.txt" 2>&1 ||
    ! { printf '%s\n' "$architectures" && fingerprint "$part.d"; } >"$part.key" ||
    ! "$nvcc" $flags $targets -fatbin -o "$part.fatbin" "$1" >"$part.txt" 2>&1; then
    grep -v '^ptxas info\|bytes stack frame' "$part.txt" >&2
    die "$1 does not compile"
  fi
  rm -f "$made/$family.key"
  mv -f "$part.fatbin" "$made/$family.fatbin"
  mv -f "$part.txt" "$made/$family.ptxas.txt"
  mv -f "$part.d" "$made/$family.d"
  mv -f "$part.key" "$made/$family.key"
}

# This script calls itself so, once per family and in parallel.
if [ "${1:-}" = --compile ]; then
  compile "$2"
  exit
fi

architectures=90
if [ "${1:-}" = --all ]; then
  architectures='80 90 100 120'
  shift
fi
case ${1:-} in
  '' | -*) die 'usage: kernels/build-fatbins.sh [--all] OUTDIR' 2 ;;
esac
[ $# -eq 1 ] || die 'usage: kernels/build-fatbins.sh [--all] OUTDIR' 2
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd -P)
cd -- "$(dirname -- "$0")/.."
made=target/nvcc
mkdir -p "$made"

find_nvcc
if [ -z "$nvcc" ]; then
  rm -f "$out"/*.fatbin
  printf '%s: %s, so this build has no GPU kernels; %s\n' "$name" "$lacks" \
    'install the CUDA toolkit 13 (https://developer.nvidia.com/cuda-downloads) and put its bin folder on the PATH' >&2
  exit 0
fi
version=$("$nvcc" --version) || die "$nvcc --version failed"
architectures=$(printf '%s\n' $architectures "$(local_architectures)" | sort -nu | xargs)
# Compressed for size, a fatbin is a sixth of its plain size; the jar's own compression would leave a quarter.
flags='-std=c++17 -O3 -Ikernels/include -Xptxas -v --compress-mode size'

stale=
for source in kernels/*.cu; do
  is_current "$(basename "$source" .cu)" || stale="$stale $source"
done
if [ -n "$stale" ]; then
  export nvcc flags version architectures made
  # shellcheck disable=SC2086 # one word per family
  printf '%s\n' $stale |
    xargs -n 1 -P "${SAPWOOD_NVCC_JOBS:-$(getconf _NPROCESSORS_ONLN)}" kernels/build-fatbins.sh --compile ||
    die 'the GPU kernels do not compile; nvcc says why above'
fi

# A family that is gone leaves nothing.
for fatbin in "$made"/*.fatbin "$out"/*.fatbin; do
  family=$(basename "$fatbin" .fatbin)
  [ -f "kernels/$family.cu" ] || rm -f "$out/$family.fatbin" "$made/$family".*
done
for fatbin in "$made"/*.fatbin; do
  copy=$out/$(basename "$fatbin")
  cmp -s "$fatbin" "$copy" || {
    cp "$fatbin" "$made/.copy.$$"
    mv -f "$made/.copy.$$" "$copy"
  }
done
