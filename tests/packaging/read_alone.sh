#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# read_alone.sh <list of files> <compiler> <flag>...
# Has the compiler read every file of the list (one a line) as if it were included first, and fails when one leans on what
# others include or does not fit the library. Nothing is generated, and where clang is at hand nothing is instantiated
# either, which takes half the time.
set -u
list=$1
shift
[ -s "$list" ] || { echo "no files in $list: nothing was checked"; exit 1; }
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
xargs -P 2 -I{} sh -c '
  file=$1
  shift
  unit=$work/$(echo "$file" | tr / _)
  printf "#include \"%s\"\n" "$file" > "$unit"
  "$@" "$unit" || { echo "cannot be read alone: $file"; exit 1; }' read_alone {} "$@" < "$list"
