#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# read_alone.sh <list of files> <include roots, separated by :> <compiler> <flag>...
# Has the compiler read every file of the list (one a line) as if it were included first, and fails when one leans on what
# others include or does not fit the library.
#
# Reading Eigen or a JSON library takes far longer than reading one of our headers, so each set of big libraries that some
# file of the list includes, itself or through others of ours, is precompiled once. A file is read after exactly its own
# set, which makes up for nothing that it does not include. Where clang is at hand nothing is instantiated either.
set -u
list=$1
roots=$2
shift 2
[ -s "$list" ] || { echo "no files in $list: nothing was checked"; exit 1; }
if command -v clang++ > /dev/null; then
  shift
  set -- clang++ "$@"
  read_only="-x c++-header -o /dev/null"
else
  read_only="-x c++ -fsyntax-only"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export work read_only

# "<set of libraries> <file>" for each file of the list; a set is "Eigen/Core+xsimd/xsimd.hpp" and the like, or "none".
{
  printf '%s\n' "$roots" | tr : '\n' | while read -r root; do find "$root" -name '*.hpp'; done
  cat "$list"
} | sort -u | tr '\n' '\0' | xargs -0 grep -H '^ *#include' > "$work/includes"
awk -v roots="$roots" -v list="$list" '
  BEGIN { root_count = split(roots, root, ":") }
  {
    at = index($0, ":")
    file = substr($0, 1, at - 1)
    name = substr($0, at + 1)
    sub(/^ *#include *["<]/, "", name)
    sub(/[">].*$/, "", name)
    is_file[file] = 1
    includes[file, ++count[file]] = name
  }
  function visit(file,    i, r, name, found) {
    if (seen[file]++) return
    for (i = 1; i <= count[file]; ++i) {
      name = includes[file, i]
      if (name ~ /^(Eigen|xsimd|nlohmann|CLI|fmt|benchmark)\/|^immintrin.h$/) { if (!libraries[name]++) order[++size] = name; continue }
      found = ""
      for (r = 1; r <= root_count && found == ""; ++r) if ((root[r] "/" name) in is_file) found = root[r] "/" name
      if (found != "") visit(found)
    }
  }
  END {
    while ((getline file < list) > 0) {
      split("", seen); split("", libraries); split("", order); size = 0
      visit(file)
      set = ""
      for (i = 1; i <= size; ++i) {  # sorted, so that equal sets have one name
        least = i
        for (j = i + 1; j <= size; ++j) if (order[j] < order[least]) least = j
        swap = order[i]; order[i] = order[least]; order[least] = swap
        set = set (i > 1 ? "+" : "") order[i]
      }
      print (set == "" ? "none" : set), file
    }
  }' "$work/includes" > "$work/sets"

cut -d' ' -f1 "$work/sets" | sort -u | while read -r set; do
  [ "$set" = none ] && continue
  prelude=$work/$(echo "$set" | tr / _).h
  echo "$set" | tr + '\n' | sed 's/.*/#include <&>/' > "$prelude"
  "$@" -x c++-header "$prelude" -o "$prelude.gch" || { echo "cannot be read: $set"; exit 1; }
done || exit 1

# Two at a time: other tests run beside this one.
xargs -P 2 -I{} sh -c '
  set=${1%% *}
  file=${1#* }
  shift
  unit=$work/$(echo "$file" | tr / _).cpp
  printf "#include \"%s\"\n" "$file" > "$unit"
  [ "$set" = none ] || set -- "$@" -include "$work/$(echo "$set" | tr / _).h"
  "$@" $read_only "$unit" || { echo "cannot be read alone: $file"; exit 1; }' read_alone {} "$@" < "$work/sets"
