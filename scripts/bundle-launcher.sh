#!/bin/sh
# Runs Sapwood from this folder, which needs neither a JDK nor anything else installed; a GPU needs its driver.
#
#   bin/sapwood COMMAND [OPTIONS]          run a command; bin/sapwood --help lists them
#   bin/sapwood selftest [--backend NAME]  run the conformance suite here
#
# SAPWOOD_JAVA_OPTS   further JVM options; they come last and so override the ones set here
# SAPWOOD_VECTOR=off  start the JVM without the Vector API: everything works, slower
set -eu

# The folder this script stands in, through symbolic links; the caller's working directory stays as it is.
script=$0
while [ -h "$script" ]; do
  link=$(readlink "$script")
  case $link in
    /*) script=$link ;;
    *) script=$(dirname "$script")/$link ;;
  esac
done
home=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd -P)

vector='--add-modules jdk.incubator.vector'
[ "${SAPWOOD_VECTOR:-on}" != off ] || vector=
# 2 MiB pages where the system offers them: 5 % of a training step on the CPU.
case $(cat /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null) in
  *'[madvise]'* | *'[always]'*) pages=-XX:+UseTransparentHugePages ;;
  *) pages= ;;
esac
classes="$home/lib/*"
main=org.sapwood.cli.Main
if [ "${1:-}" = selftest ]; then
  shift
  classes="$classes:$home/lib/test/*"
  main=org.sapwood.tensor.tck.SelfTestCommand
fi
# shellcheck disable=SC2086 # the flags are meant to split into words
exec "$home/runtime/bin/java" "@$home/lib/jvm.options" $pages $vector ${SAPWOOD_JAVA_OPTS:-} -cp "$classes" "$main" "$@"
