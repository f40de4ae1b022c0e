# SPDX-License-Identifier: Apache-2.0
# What the tests of programs share; they source it. A script calls begin_checks, notes with `fail` what does not hold, and
# ends with end_checks.

failures=0
fail() { printf 'FAILED: %s\n' "$*"; failures=$((failures + 1)); }

# begin_checks <scratch folder>: from now on in that folder, which is empty.
begin_checks() {
  rm -rf "$1"
  mkdir -p "$1"
  cd "$1" || exit 1
}

# end_checks <name>: ends the script, with 1 when anything failed.
end_checks() {
  [ $failures = 0 ] && echo "$1: all checks passed"
  exit $((failures > 0))
}

# interrupted_at <file> <out> <command...>: SIGINT as soon as <out>/<file> is there; what the command said is in
# interrupted.err. A machine that looks away until the command has ended gets another chance.
interrupted_at() {
  local file=$1 out=$2 pid code
  shift 2
  for _ in 1 2 3 4 5; do
    rm -rf "$out"
    "$@" --out "$out" >/dev/null 2>interrupted.err &
    pid=$!
    until [ -e "$out/$file" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
    kill -INT $pid 2>/dev/null
    wait $pid
    code=$?
    [ $code = 0 ] || break
  done
  [ $code = 130 ] || { cat interrupted.err; fail "interrupted run ($file): exit $code, expected 130"; }
  grep -q -- '--resume' interrupted.err || fail "interrupted run ($file) does not mention --resume"
}
