#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# distill.sh <distill> <examples/data> <scratch folder>
#
# The embedded job in tiny form, end to end: what it writes, that an interrupted run resumes to the same bits, and that
# every kind of bad input ends with exit code 2, one clear message and no model under its final name.
set -u
distill=$1 data=$2 scratch=$3
. "$(dirname "$0")/checks.sh"
begin_checks "$scratch"

# The beginning of the embedded corpus: sanitized builds take half a second for a step.
vocab=$data/vocab.txt
mkdir small
head -81 "$data/train.tsv" >small/train.tsv
head -21 "$data/dev.tsv" >small/dev.tsv
tiny=(--data small --vocab "$vocab" --epochs 1 --batch-size 16)

# --- the whole job ---------------------------------------------------------------------------------------------------
"$distill" "${tiny[@]}" --threads 2 --out whole >whole.out 2>whole.err || { cat whole.err; fail "the embedded job ended with $?"; }
for name in E0 E1 E2 control; do
  grep -q "^| $name " whole.out || fail "the table has no line for $name"
  grep -q "\"name\": \"$name\"" whole/results.json || fail "results.json has no run $name"
  for file in config.json model.safetensors vocab.txt; do
    [ -s "whole/$name/$file" ] || fail "whole/$name/$file is missing"
  done
done
for key in task size seed commit accuracy train_seconds examples_per_second; do
  grep -q "\"$key\":" whole/results.json || fail "results.json has no \"$key\""
done
grep -q '^| E0 ' whole/report.md || fail "report.md has no table"
grep -q '"attention_type"' whole/E1/config.json || fail "E1's config.json does not name its attention"
[ -z "$(find whole -name '*.tmp-*' -o -name checkpoint.safetensors -o -name progress.json)" ] ||
  fail "files of the unfinished job were left behind"

# --- the same numbers for another number of threads --------------------------------------------------------------------
"$distill" "${tiny[@]}" --threads 1 --stages teacher,e2 --out one_thread >/dev/null 2>one.err || fail "one thread: exit $?"
for name in E0 E2; do
  cmp -s "whole/$name/model.safetensors" "one_thread/$name/model.safetensors" || fail "$name depends on --threads"
done

# --- interrupted and resumed ---------------------------------------------------------------------------------------------
longer=(--data small --vocab "$vocab" --epochs 2 --batch-size 8 --threads 1 --stages teacher,e1 --checkpoint-seconds 0.001)
"$distill" "${longer[@]}" --out straight >/dev/null 2>straight.err || fail "uninterrupted run: exit $?"
for target in checkpoint.safetensors E0; do  # once inside the teacher, once inside E1
  interrupted_at $target cut "$distill" "${longer[@]}"
  [ -e cut/checkpoint.safetensors ] || fail "no checkpoint after an interruption"
  "$distill" "${longer[@]}" --out cut >/dev/null 2>again.err
  [ $? = 2 ] && grep -q 'unfinished' again.err || fail "an unfinished job was overwritten without --resume"
  "$distill" "${longer[@]}" --seed 7 --out cut --resume >/dev/null 2>other.err
  [ $? = 2 ] && grep -q 'other settings' other.err || fail "resumed with other settings"
  "$distill" "${longer[@]}" --out cut --resume >/dev/null 2>resume.err || { cat resume.err; fail "resume: exit $?"; }
  for name in E0 E1; do
    cmp -s "straight/$name/model.safetensors" "cut/$name/model.safetensors" ||
      fail "$name differs after interruption and resumption ($target)"
  done
done

# --- a saved teacher, a configuration file -------------------------------------------------------------------------------
printf '{"data": "small", "vocab": "%s", "epochs": 1, "batch-size": 16, "stages": ["e2"], "teacher": "whole/E0"}' "$vocab" >job.json
"$distill" --config job.json --out saved_teacher >/dev/null 2>saved.err || { cat saved.err; fail "saved teacher: exit $?"; }
cmp -s whole/E2/model.safetensors saved_teacher/E2/model.safetensors || fail "E2 differs with the saved teacher"

# --- pairs and scores, a teacher folder per task, several tasks in one call ----------------------------------------------
# rows <count> <label of odd rows> <label of even rows>: sentence pairs.
rows() { awk -v n="$1" -v odd="$2" -v even="$3" 'BEGIN { for (i = 1; i <= n; i++) print i "\ta good movie " i "\ta bad movie\t" (i % 2 ? odd : even) }'; }
mkdir -p many/RTE many/STS-B many/MRPC
for split in train dev; do
  { printf 'index\tsentence1\tsentence2\tlabel\n'; rows 16 entailment not_entailment; } >many/RTE/$split.tsv
  { printf 'index\tsentence1\tsentence2\tscore\n'; rows 16 1.5 4.0; } >many/STS-B/$split.tsv
  printf 'Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t2\tbroken\n' >many/MRPC/$split.tsv
done
many=(--data many --vocab "$vocab" --task all --epochs 1 --batch-size 8 --threads 2)
"$distill" "${many[@]}" --seeds 1,2 --out series >series.out 2>series.err
[ $? = 1 ] || fail "a series with a failing task: exit $?, expected 1"
grep -q 'MRPC/train.tsv:2' series.err || fail "the failing task is not reported"
grep -q 'CoLA: not found' series.out || fail "missing tasks are not reported"
for run in rte/seed-1 rte/seed-2 stsb/seed-1 stsb/seed-2; do
  for name in E0 E1 E2 control; do grep -q "\"name\": \"$name\"" series/$run/results.json || fail "series: no $name in $run"; done
done
grep -q '"metric": "combined_score"' series/stsb/seed-1/results.json || fail "STS-B is not judged by its combined score"
grep -q '"spearmanr":' series/stsb/seed-1/results.json || fail "STS-B has no spearmanr"
grep -q '"0": "LABEL_0"' series/stsb/seed-1/E2/config.json || fail "the regression head has names"
! grep -q '"1": ' series/stsb/seed-1/E2/config.json || fail "the regression head has two outputs"
"$distill" "${many[@]}" --seeds 1,2 --out series --resume >series2.out 2>/dev/null
[ "$(grep -c 'finished before' series2.out)" = 4 ] || fail "finished jobs of a series ran again"
"$distill" --data many --task rte,stsb --teacher 'series/{task}/seed-{seed}/E0' --seeds 2 --epochs 1 --batch-size 8 --stages e2 --threads 1 \
  --out from_series >/dev/null 2>from.err || { cat from.err; fail "teachers from a series: exit $?"; }
"$distill" --data many --task rte --teacher series/rte/seed-2/E0 --student series/rte/seed-2/E1 --seeds 2 --epochs 1 \
  --batch-size 8 --stages e2 --out student >/dev/null 2>student.err || { cat student.err; fail "saved student: exit $?"; }

# --- a deeper teacher ------------------------------------------------------------------------------------------------------
"$distill" --data many --task rte --teacher series/rte/seed-2/E0 --teacher-layers 1 --epochs 1 --batch-size 8 --stages e1,e2 \
  --out shallow >/dev/null 2>shallow.err || { cat shallow.err; fail "a student of fewer layers: exit $?"; }
grep -q '"n_layers": 1' shallow/E1/config.json || fail "the student has other layers than were named"

# --- bad input -----------------------------------------------------------------------------------------------------------
# refuse <what> <expected in the message> <options...>: exit code 2, message, nothing under a final name.
refuse() {
  local what=$1 expected=$2
  shift 2
  rm -rf refused
  "$distill" "$@" --out refused >refused.out 2>refused.err
  local code=$?
  [ $code = 2 ] || fail "$what: exit $code, expected 2"
  grep -qF -- "$expected" refused.err || { fail "$what: expected \"$expected\" in:"; cat refused.err; }
  [ -z "$(find refused -name results.json -o -name model.safetensors 2>/dev/null)" ] || fail "$what: results were written"
}
# table <name> <train.tsv content>: a data folder whose dev.tsv is good.
table() {
  mkdir -p "$1"
  printf "$2" >"$1/train.tsv"
  head -20 "$data/dev.tsv" >"$1/dev.tsv"
}
refuse "missing data" "absent: is no folder" --data absent --vocab "$vocab"
refuse "missing vocabulary option" "--vocab" --data "$data"
refuse "missing vocabulary" "absent.txt" --data "$data" --vocab absent.txt
table empty ''
refuse "empty file" "empty/train.tsv" --data empty --vocab "$vocab"
table header_only 'sentence\tlabel\n'
refuse "no examples" "header_only/train.tsv" --data header_only --vocab "$vocab"
table label 'sentence\tlabel\na good movie\t1\na bad movie\t2\n'
refuse "label out of range" "label/train.tsv:3" --data label --vocab "$vocab"
table columns 'sentence\tlabel\na good movie\t1\na bad movie\n'
refuse "too few columns" "columns/train.tsv:3" --data columns --vocab "$vocab"
table no_labels 'index\tsentence\n0\ta good movie\n'
refuse "no labels" "no_labels/train.tsv: has no labels" --data no_labels --vocab "$vocab"
table invalid_utf8 'sentence\tlabel\na g\xff\xfeood movie\t1\na bad movie\t0\n'
"$distill" --data invalid_utf8 --vocab "$vocab" --epochs 1 --stages teacher --out invalid_utf8_run >/dev/null 2>utf8.err ||
  fail "invalid UTF-8 is dropped as BERT's clean-up does, but distill ended with $?"
printf 'one\ntwo\n' >no_special.txt
refuse "vocabulary without special tokens" "no_special.txt" --data "$data" --vocab no_special.txt
: >empty_vocab.txt
refuse "empty vocabulary" "empty_vocab.txt" --data "$data" --vocab empty_vocab.txt
refuse "size of the teacher" "--size mini" --teacher whole/E0 --size mini --stages e2
refuse "missing teacher" "absent" --teacher absent --stages e2
sed 's/"0": "negative"/"0": "bad"/; s/"negative": 0/"bad": 0/' whole/E0/config.json >config.json
cp -r whole/E0 other_labels && mv config.json other_labels/config.json
refuse "teacher with other labels" "the labels bad, positive" --teacher other_labels --stages e2
refuse "layers the teacher lacks" "layer 2 is named" --teacher whole/E0 --teacher-layers 0,2 --stages e2
refuse "students without a teacher" "--teacher" --stages e1
cp -r whole/E0 damaged && head -c 1000 whole/E0/model.safetensors >damaged/model.safetensors
refuse "truncated checkpoint" "damaged/model.safetensors" --teacher damaged --stages e2
cp -r whole/E0 broken_config && printf '{"dim": "wide"}' >broken_config/config.json
refuse "malformed config" "broken_config/config.json" --teacher broken_config --stages e2
refuse "unknown option" "--color" --color red
refuse "size" "huge" --size huge
refuse "negative epochs" "--epochs" --epochs -1
printf 'not json' >bad.json
refuse "configuration that is no JSON" "JSON" --config bad.json
refuse "empty text" "--text" --text empty_vocab.txt --stages teacher
"$distill" "${tiny[@]}" --out whole >/dev/null 2>finished.err
[ $? = 2 ] && grep -q 'another --out' finished.err || fail "finished results were overwritten"

# --- a loss that is not finite --------------------------------------------------------------------------------------------
"$distill" "${tiny[@]}" --learning-rate 1e30 --stages teacher --out diverged >/dev/null 2>diverged.err
[ $? = 1 ] || fail "diverged run: exit $?, expected 1"
grep -Eq 'loss is -?(nan|inf) at step [0-9]+; .*(layer|embeddings)' diverged.err || { fail "diverged run:"; cat diverged.err; }
[ ! -e diverged/E0 ] || fail "a diverged model was saved"

end_checks distill
