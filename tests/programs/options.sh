#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# options.sh PAGE PROGRAM...: fails when docs/options.md is not what the programs say of themselves. Written anew by
#
#   tests/programs/options.sh --write docs/options.md PROGRAM...
set -eu
write=
if [ "$1" = --write ]; then write=1; shift; fi
page=$1; shift
made=$(mktemp)
trap 'rm -f "$made"' EXIT
{
  printf '# Options of the programs\n\n'
  printf 'Written by the programs themselves (tests/programs/options.sh). All of them can stand in a JSON file given by `--config`,\n'
  printf 'names without dashes; the command line wins. What changes numbers is stored with results and may not change when a run is resumed.\n'
  for program in "$@"; do
    printf '\n'
    "$program" --help-markdown
  done
} >"$made"
if [ -n "$write" ]; then
  cp "$made" "$page"
elif ! diff -u "$page" "$made"; then
  echo "the page of options is out of date" >&2
  exit 1
fi
