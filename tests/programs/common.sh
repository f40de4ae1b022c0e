#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# common.sh <programs...>
#
# What docs/programs.md says of all programs: version, usage, errors with their name, exit codes, completion, man pages.
set -u
. "$(dirname "$0")/checks.sh"
for program in "$@"; do
  name=$(basename "$program")
  out=$("$program" --version) || fail "$name --version: exit code"
  [[ $out =~ ^"$name (inhibitor) "[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$name --version: $out"
  out=$("$program" --help) || fail "$name --help: exit code"
  [[ $out == *"Usage: $name "* && $out == *--version* && $out == *--completion* ]] || fail "$name --help: $out"
  out=$("$program" --no-such-option 2>&1 >/dev/null)
  [ $? = 2 ] || fail "$name --no-such-option: exit code"
  [[ $out == "$name: "* && $out == *"Run $name --help"* ]] || fail "$name --no-such-option: $out"
  out=$("$program" --completion zsh 2>&1 >/dev/null)
  [ $? = 2 ] || fail "$name --completion zsh: exit code"
  [[ $out == "$name: --completion: "* ]] || fail "$name --completion zsh: $out"

  # Completed as bash would: --vers is the start of --version alone, and files are left to bash.
  script=$("$program" --completion bash) || fail "$name --completion bash: exit code"
  function=$(sed -n 's/^complete .*-F \([a-z_]*\) .*/\1/p' <<<"$script")
  out=$(bash -c "$script
    COMP_WORDS=($name --vers) COMP_CWORD=1; $function; echo \"\${COMPREPLY[*]}\"
    COMP_WORDS=($name /tm) COMP_CWORD=1; $function; echo \"\${COMPREPLY[*]}\"")
  [ "$out" = "--version"$'\n' ] || [ "$out" = --version ] || fail "$name: completed --vers and /tm to: $out"
  if [ "$name" = inspect ]; then
    out=$(bash -c "$script
      COMP_WORDS=(inspect ten) COMP_CWORD=1; $function; echo \"\${COMPREPLY[*]}\"
      COMP_WORDS=(inspect dump --embed) COMP_CWORD=2; $function; echo \"\${COMPREPLY[*]}\"")
    [ "$out" = $'tensors\n--embeddings' ] || fail "inspect: completed ten and dump --embed to: $out"
    out=$("$program" dump --no-such-option 2>&1)
    [[ $out == "inspect dump: "* ]] || fail "inspect dump --no-such-option: $out"
  fi
  if command -v help2man >/dev/null; then
    page=$(help2man --no-info "$program") || fail "$name: help2man"
    [[ $page == *".SH OPTIONS"* || $page == *".SS \"Options"* || $page == *"\\fB\\-\\-version"* ]] || fail "$name: a man page without options"
  fi
done

end_checks "what programs share"
