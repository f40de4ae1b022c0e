#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# self_containment.sh <header folder> <compiler> <flag>...
# Reads every header below the folder alone, as if it were included first, and fails when one leans on what others include.
# Nothing is instantiated or written where the compiler is clang, which takes half the time; what programs make of these
# headers is compiled with them. examples/engine is an outside project with headers of its own.
set -u
root=$1
shift
if command -v clang++ > /dev/null; then
  shift
  set -- clang++ "$@" -x c++-header -o /dev/null
else
  set -- "$@" -x c++ -fsyntax-only
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export work
# Two at a time: other tests run beside this one.
(cd "$root" && find . -name '*.hpp' ! -path './engine/*') | sed 's,^\./,,' | sort > "$work/headers"
[ -s "$work/headers" ] || { echo "no headers below $root: nothing was checked"; exit 1; }
xargs -P 2 -I{} sh -c '
  header=$1
  shift
  unit=$work/$(echo "$header" | tr / _)
  printf "#include \"%s\"\n" "$header" > "$unit"
  "$@" "$unit" || { echo "does not compile alone: $header"; exit 1; }' self_containment {} "$@" < "$work/headers"
