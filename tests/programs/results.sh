#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# results.sh <results> <docs> <scratch folder>
#
# The page of the stored runs, with plots where gnuplot is installed and without where it is not; that docs/results.md is
# this page and nothing else; bad input ends with exit code 2 and leaves no page.
set -u
results=$1 docs=$2 scratch=$3
raw=$docs/results
. "$(dirname "$0")/checks.sh"
begin_checks "$scratch"

printf '# Title\n\n<!-- scores -->\nIn between.\n<!-- runs -->\n' >notes.md
"$results" "$raw" --notes notes.md >page.md || fail "exit $?"
grep -q '^| SST-2 ' page.md || fail "no row for SST-2"
grep -q 'published E0' page.md || fail "no published scores"
grep -q '^In between.$' page.md || fail "the notes are missing"
grep -q '^    distill ' page.md || fail "no command"

"$results" "$raw" --notes "$docs/results.notes.md" >docs.md || fail "the notes of docs/results.md: exit $?"
cmp -s <(grep -v '^!\[' "$docs/results.md" | cat -s) <(cat -s docs.md) ||
  fail "docs/results.md is not what results writes: run the command at its top"

if command -v gnuplot >/dev/null; then
  "$results" "$raw" --notes notes.md --out written.md --plots plots >/dev/null || fail "plots: exit $?"
  svg=$(sed -n 's/^!\[.*\](\(plots\/.*\.svg\))$/\1/p' written.md | head -1)
  grep -q '</svg>' "$svg" || fail "the page shows \"$svg\", which is no SVG"
  grep -q 'SST-2' "$svg" || fail "the plot does not name its task"
fi
mkdir bin && ln -s "$(command -v sh)" bin/sh
PATH=$PWD/bin "$results" "$raw" --out bare.md --plots none >/dev/null 2>err.txt || fail "without gnuplot: exit $?"
grep -q 'gnuplot is not installed' err.txt || fail "a missing gnuplot is not reported"
grep -q '!\[' bare.md && fail "a page without plots shows one"

refuse() {
  local text=$1
  shift
  "$results" "$@" >/dev/null 2>err.txt
  local code=$?
  [ $code = 2 ] || fail "$*: exit $code, expected 2"
  grep -qF -- "$text" err.txt || { fail "$*: expected \"$text\" in:"; cat err.txt; }
  [ ! -e refused.md ] || fail "$*: left a page"
}
refuse 'is not a folder' absent --out refused.md
mkdir empty
refuse 'holds no results.json' empty --out refused.md
mkdir broken && echo '{"runs": 1}' >broken/results.json
refuse 'broken/results.json' broken --out refused.md
refuse 'again' "$raw" "$raw" --out refused.md
refuse 'absent.md' "$raw" --notes absent.md --out refused.md
refuse 'absent/refused.md' "$raw" --out absent/refused.md
refuse '--plots needs --out' "$raw" --plots none2

end_checks results
