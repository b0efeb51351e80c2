#!/bin/sh
# Prints what the assembler said about each kernel as a table in Markdown, for docs/cuda.md.
#
#   kernels/ptxas-table.sh [REPORTDIR [ARCHITECTURE]]
#
# REPORTDIR holds the FAMILY.ptxas.txt that kernels/build-fatbins.sh left (otherwise target/nvcc), ARCHITECTURE is such
# as 90a (the default). Shared memory is the static one; what a launch asks for comes on top. Spills are bytes stored and
# loaded per thread, 0 in a kernel that keeps everything in registers.
set -eu

reports=${1:-$(dirname -- "$0")/../target/nvcc}
architecture=${2:-90a}
set -- "$reports"/*.ptxas.txt
[ -f "$1" ] || {
  printf 'ptxas-table: %s must hold FAMILY.ptxas.txt files, found none; %s\n' "$reports" \
    './sapwood build makes them in target/nvcc' >&2
  exit 1
}

printf '| kernel | registers | shared memory, bytes | spills, bytes |\n|---|---|---|---|\n'
awk -v architecture="sm_$architecture" '
  # ptxas info    : Compiling entry function '\''gemm_nn'\'' for '\''sm_90'\''
  /Compiling entry function/ {
    split($0, quoted, "'\''")
    kernel = quoted[4] == architecture ? quoted[2] : ""
  }
  # 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
  kernel != "" && /bytes spill stores/ && spills == "" {
    spills = $5 + $9
  }
  # ptxas info    : Used 89 registers, used 1 barriers, 4096 bytes smem, 444 bytes cmem[0]
  kernel != "" && match($0, /Used [0-9]+ registers/) {
    registers = substr($0, RSTART + 5, RLENGTH - 15)
    shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
    printf "| `%s` | %s | %s | %s |\n", kernel, registers, shared, spills
    kernel = spills = ""
  }' "$@" | sort
