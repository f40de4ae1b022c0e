#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs libFuzzer programs side by side and fails when one of them does.
#
#   run_fuzzers.sh SECONDS WORK_FOLDER SEEDS_FOLDER fuzz_NAME...
set -u
seconds=$1 work=$2 seeds=$3
shift 3

for program in "$@"; do
  name=$(basename "$program")
  folder=$work/${name#fuzz_}
  mkdir -p "$folder"
  # An input that takes twenty seconds or two gigabytes is a failure too.
  { "$program" "-max_total_time=$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
      "-artifact_prefix=$folder/" "$folder" "$seeds/${name#fuzz_}" >"$folder.log" 2>&1; echo $? >"$folder.status"; } &
done
wait

failed=0
for program in "$@"; do
  folder=$work/$(basename "$program" | sed 's/^fuzz_//')
  echo "$program: exit status $(cat "$folder.status"), $(sed -n 's/^stat::number_of_executed_units: *//p' "$folder.log") inputs"
  if [ "$(cat "$folder.status")" -ne 0 ]; then
    tail -n 60 "$folder.log"
    failed=1
  fi
done
exit $failed
