#!/bin/sh
# Packs Sapwood into one folder that runs on another Linux x86-64 machine, where no JDK and no Maven is: a Java runtime
# of the modules that are needed, the libraries, the kernels, and the conformance suite.
#
#   ./sapwood bundle --out DIR     DIR is new or empty; then: DIR/bin/sapwood COMMAND [OPTIONS]
#
# Exit codes: 0 done, 1 failed, 2 wrong usage.
set -eu

# Bundles are carried to machines that take little: above this many bytes something has slipped in.
most=60000000

# Needed by Sapwood (jdk.management for memory and allocation, java.desktop to read and write pictures) and its
# libraries (java.logging, jdk.unsupported), as jdeps --print-module-deps tells.
modules=java.desktop,java.logging,jdk.incubator.vector,jdk.management,jdk.unsupported

# Parts of those modules that nothing here reaches: windows, widgets, printing, sound, and XML. They are half of
# java.desktop and all of java.xml, and no smaller set of modules is without them.
unused='^/(java.xml/com/sun/(org/apache|xml)|java.desktop/(javax/(swing|print|sound)|sun/(awt/X11|print|swing)|com/sun/(java/swing|media)))(/|$)'

# Likewise native libraries and tools. Fonts are among them: text in pictures is drawn by io/PixelText.
unused_files='bin/keytool bin/jrunscript lib/classlist lib/jexec lib/jrt-fs.jar lib/psfont.properties.ja
  lib/psfontj2d.properties lib/libawt_xawt.so lib/libfontmanager.so lib/libfreetype.so lib/libjawt.so lib/libjsound.so
  lib/libsplashscreen.so'

# The one native library of JCuda that the driver API needs; the others are ten times as large.
jcuda_driver='lib/libJCudaDriver-*-linux-x86_64.so'

die() { # message [exit code]
  printf 'sapwood: %s\n' "$1" >&2
  exit "${2:-1}"
}

usage='usage: ./sapwood bundle --out DIR'
out=
while [ $# -gt 0 ]; do
  case $1 in
    --out)
      [ $# -ge 2 ] || die "--out needs a folder; $usage" 2
      out=$2
      shift 2
      ;;
    --out=*)
      out=${1#--out=}
      shift
      ;;
    -h | --help)
      sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *) die "unknown argument $1; $usage" 2 ;;
  esac
done
[ -n "$out" ] || die "--out is missing; $usage" 2
if [ -e "$out" ]; then
  [ -d "$out" ] || die "--out must be a new or empty folder, and $out is a file; choose another"
  [ -z "$(ls -A "$out")" ] ||
    die "--out must be a new or empty folder, and $out is not empty; delete it or choose another"
fi
case $(uname -s)-$(uname -m) in
  Linux-x86_64) ;;
  *) die "a bundle holds the Java runtime of the machine that makes it: expected Linux x86_64, got $(uname -sm)" ;;
esac

home=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
jdk=$("$home/sapwood" jdk)
[ -x "$jdk/bin/jlink" ] || die "$jdk has no jlink; install a full JDK 25 and name it by SAPWOOD_JAVA_HOME"
"$home/sapwood" build --tests

mkdir -p "$(dirname -- "$out")"
part=$(mktemp -d "$(dirname -- "$out")/.bundle.XXXXXX")
part=$(CDPATH='' cd -- "$part" && pwd -P)
trap 'rm -rf "$part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
bundle=$part/bundle
mkdir -p "$bundle/bin" "$bundle/lib/test"

# --- the Java runtime ------------------------------------------------------------------------------------------------

# Every package of a module must be there: the first class of each unused one stays.
"$jdk/bin/jimage" list "$jdk/lib/modules" | awk -v unused="$unused" '
  /^Module: / {
    module = $2
    next
  }
  {
    entry = "/" module "/" $1
    folder = entry
    sub(/\/[^\/]*$/, "", folder)
    if (folder ~ unused && seen[folder]++) {
      print entry
    }
  }' >"$part/unused"
"$jdk/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --compress zip-9 \
  --exclude-resources="@$part/unused" --output "$bundle/runtime" >"$part/log" 2>&1 ||
  die "jlink failed: $(cat "$part/log")"
for file in $unused_files; do
  rm -f "$bundle/runtime/$file"
done
if command -v strip >/dev/null 2>&1; then
  find "$bundle/runtime" -name '*.so' -exec strip --strip-unneeded {} +
else
  printf 'sapwood: strip is missing, so the bundle is larger by some megabytes; it is in binutils\n' >&2
fi

# --- the libraries ---------------------------------------------------------------------------------------------------

cp "$home/target/app/sapwood.jar" "$home"/target/lib/*.jar "$home/scripts/jvm.options" "$bundle/lib/"
for natives in "$bundle"/lib/jcuda-natives-*.jar; do
  (
    mkdir "$part/natives"
    cd "$part/natives"
    "$jdk/bin/jar" --extract --file "$natives"
    # shellcheck disable=SC2086 # a pattern
    "$jdk/bin/jar" --create --file "$natives" --no-manifest $jcuda_driver
  )
done
cp "$home"/target/test-lib/*.jar "$bundle/lib/test/"
"$jdk/bin/jar" --create --file "$bundle/lib/test/sapwood-tests.jar" -C "$home/target/test-classes" .
cp "$home/scripts/bundle-launcher.sh" "$bundle/bin/sapwood"
chmod 755 "$bundle/bin/sapwood"
cp "$home/LICENSE" "$bundle/"

case $("$jdk/bin/jar" --list --file "$bundle/lib/sapwood.jar") in
  *.fatbin*) ;;
  *) printf 'sapwood: this bundle has no GPU kernels, since nvcc is not here; see kernels/build-fatbins.sh\n' >&2 ;;
esac

# --- the check -------------------------------------------------------------------------------------------------------

# The bundle stands on its own feet: in an empty environment it starts, writes pictures, reads them and draws a sheet.
check() { # what, command line
  what=$1
  shift
  env -i "$bundle/bin/sapwood" "$@" >"$part/log" 2>&1 || die "the bundle cannot $what: $(cat "$part/log")"
}
cat >"$part/tiny.json" <<'END'
{"sample_size": 8, "in_channels": 1, "out_channels": 1, "block_out_channels": [4], "layers_per_block": 1,
 "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"], "attention_head_dim": 4, "norm_num_groups": 2}
END
check start --version
check 'write pictures' glyphs --count 20 --out "$part/pictures"
check 'read pictures, train and sample' pretrain --config "$part/tiny.json" --data "$part/pictures" --size 8 \
  --channels grey --steps 1 --batch 2 --backend scalar --out "$part/run"

bytes() { # file or folder
  du -sb "$1" | cut -f 1
}
megabytes() { # bytes
  awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'
}
total=$(bytes "$bundle")
parts="runtime $(megabytes "$(bytes "$bundle/runtime")")"
parts="$parts, program and kernels $(megabytes "$(bytes "$bundle/lib/sapwood.jar")")"
[ "$total" -le "$most" ] || die "the bundle has $(megabytes "$total") ($parts), expected at most $(megabytes $most)"

chmod 755 "$bundle"
# An empty folder that stands there goes; one that is no longer empty stays, and the move fails.
[ ! -d "$out" ] || rmdir "$out" || die "--out must be a new or empty folder, and $out is no longer empty"
mv -T "$bundle" "$out"
printf '%s: %s (%s)\n' "$out" "$(megabytes "$total")" "$parts"
