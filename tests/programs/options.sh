#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# options.sh <docs/options.md> <programs...>
#
# The page of options is what the programs say of themselves. To write it anew: options.sh --write <page> <programs...>
set -eu
write=
if [ "$1" = --write ]; then
  write=yes
  shift
fi
page=$1
shift
says() {
  printf '<!-- Written by tests/programs/options.sh from what the programs say of themselves (--help-markdown). -->\n\n'
  printf '# Options of the programs\n\n'
  printf 'Where a table has the column, "changes numbers" marks the options that results depend on. A run stores them, and is\n'
  printf 'resumed only with the same ones.\n'
  for program in "$@"; do
    printf '\n'
    "$program" --help-markdown
  done
}
if [ -n "$write" ]; then
  says "$@" >"$page"
elif ! says "$@" | diff -u "$page" -; then
  echo "docs/options.md is not what the programs say: write it anew with options.sh --write"
  exit 1
fi
