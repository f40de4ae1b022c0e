#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# resume.sh <distill> <glue> <examples/data> <scratch folder> <times>
#
# A job that is killed (SIGKILL) or interrupted (SIGINT, and SIGINT twice) at random moments, again and again until it is
# done, leaves the same files as one that was left alone: every byte of every file but times. Each way is tried <times>
# times per program. SEED repeats a run.
set -u
distill=$1 glue=$2 data=$3 scratch=$4 times=$5
. "$(dirname "$0")/checks.sh"
begin_checks "$scratch"
mkdir small
RANDOM=${SEED:-$$}
echo "SEED=${SEED:-$$}"

head -81 "$data/train.tsv" >small/train.tsv
head -21 "$data/dev.tsv" >small/dev.tsv
start() { # <program> <folder> <further options>
  local program=$1 folder=$2
  shift 2
  case $program in
    distill) exec "$distill" --data small --vocab "$data/vocab.txt" --epochs 2 --batch-size 8 --threads 1 --stages teacher,e1 --checkpoint-seconds 0.02 --out "$folder" "$@" ;;
    glue) exec "$glue" --vocab "$data/vocab.txt" --task sst2 --data small --do-train --do-eval --epochs 3 --batch-size 8 --seeds 1,2 --threads 1 --checkpoint-seconds 0.02 --out "$folder" "$@" ;;
  esac
}
# What stands in a folder, without times: everything measured is a number on a line of its own in the JSON files; report.md
# holds the table of times and the command.
told() {
  (cd "$1" && find . -type f ! -name report.md | LC_ALL=C sort | while read -r file; do
    echo "== $file"
    case $file in
      *.json | *.txt) sed -E "s#--out [a-z]+#--out X#; s#^( *\"[a-z_]*(seconds|per_second|runtime|peak_memory_mib)[a-z_]*\": )[^,]*#\1T#" "$file" ;;
      *) cksum <"$file" ;;
    esac
  done)
}

for program in distill glue; do
  begin=$(date +%s%N)
  (start $program "whole$program") >log 2>&1 || { cat log; fail "$program: the whole job ended with $?"; }
  took=$((($(date +%s%N) - begin) / 1000000))  # ms
  told "whole$program" >whole.txt
  for how in KILL INT INT2; do
    for ((i = 0; i < times; ++i)); do
      rm -rf cut
      resume=() cuts=0 code=1
      for ((attempt = 0; attempt < 40; ++attempt)); do
        (start $program cut "${resume[@]}") >log 2>&1 &
        pid=$!
        # The first cuts fall anywhere in the job; the last attempt is left alone.
        if [ $attempt -lt 3 ]; then
          wait_ms=$((1 + RANDOM % (took + took / 8)))
          sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
          kill -${how%2} $pid 2>/dev/null && cuts=$((cuts + 1))
          [ $how = INT2 ] && kill -INT $pid 2>/dev/null
        fi
        wait $pid 2>/dev/null
        code=$?
        [ $code = 0 ] && break
        case $how-$code in
          KILL-137 | INT*-130) ;;
          *) cat log; fail "$program $how: ended with $code"; break ;;
        esac
        # Before the first file there is nothing to go on with; a job that was cut after its end says so.
        resume=(--resume)
        if [ $program = distill ] && [ ! -e cut/progress.json ]; then
          [ -e cut/results.json ] && { code=0; break; }
          resume=()
        fi
        [ -e cut ] || resume=()
      done
      [ $code = 0 ] || fail "$program $how: the job did not end"
      told cut >cut.txt
      cmp -s whole.txt cut.txt || { fail "$program $how $i: other files than those of a job left alone after $cuts cuts:"; diff whole.txt cut.txt | head -20; }
    done
  done
done

# --- other data, other settings --------------------------------------------------------------------------------------------
for program in distill glue; do
  rm -rf cut other
  (start $program cut) >log 2>&1 &
  pid=$!
  until [ -n "$(find cut -name checkpoint.safetensors 2>/dev/null)" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
  kill -KILL $pid 2>/dev/null
  wait $pid 2>/dev/null
  (start $program cut --resume --weight-decay 0.5 --learning-rate 0.01) >log 2>&1
  [ $? = 2 ] && grep -q 'other settings (learning-rate: 0.0005, now 0.01; weight-decay: 0.01, now 0.5)' log || { cat log; fail "$program: other settings were taken"; }
  cp small/train.tsv kept.tsv
  sed -E '2,20s/1$/X/; 2,20s/0$/1/; 2,20s/X$/0/' kept.tsv >small/train.tsv
  cp -r cut other
  (start $program other --resume) >log 2>&1
  [ $? = 2 ] && grep -q 'small/train.tsv has changed' log || { cat log; fail "$program: other data was taken"; }
  cp kept.tsv small/train.tsv
  newest=$(find cut -name checkpoint.safetensors)
  if [ -n "$newest" ] && [ -e "$newest.previous" ]; then
    printf 'x' | dd of="$newest" bs=1 seek=20000 conv=notrunc 2>/dev/null
  fi
  (start $program cut --resume) >log 2>&1 || { cat log; fail "$program: resumed with $?"; }
  told "whole$program" >whole.txt
  told cut >cut.txt
  cmp -s whole.txt cut.txt || { fail "$program: other files after a damaged checkpoint:"; diff whole.txt cut.txt | head; }
done

end_checks resume
