#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pretrain.sh <pretrain> <glue> <distill> <examples/data> <scratch folder>
#
# Pretraining of small models on the corpus of the examples: the same files for any number of threads and for jobs that
# were killed; what comes out is a model for the other programs; bad input ends with exit code 2, one line and no model.
# SEED repeats a run.
set -u
pretrain=$1 glue=$2 distill=$3 data=$4 scratch=$5
. "$(dirname "$0")/checks.sh"
begin_checks "$scratch"
RANDOM=${SEED:-$$}
echo "SEED=${SEED:-$$}"

# Documents of five sentences, in a plain file and a packed one.
documents() { cut -f1 "$data/train.tsv" | sed -n "$1p" | awk '{ print } NR % 5 == 0 { print "" }'; }
mkdir corpus
documents '2,1500' >corpus/a.txt
documents '1501,3000' | gzip -c >corpus/b.txt.gz
common=(--corpus corpus --vocab "$data/vocab.txt" --size 1x64 --cache cache)
start() { # <folder> <further options>
  local folder=$1
  shift
  exec "$pretrain" "${common[@]}" --steps 24 --length 12,24 --shares 1,2 --batch 4 --masks pieces,words --mask-rate 0.4,0.15 \
    --accumulate 2 --average 0.9 --dropout 0.1 --initialize-output-bias --held-out-every 20 --held-out-interval 10 \
    --held-out-tokens 600 --snapshot-interval 20 --learning-rate 3e-3 --attention inhibitor --checkpoint-seconds 0.001 \
    --out "$folder" "$@"
}
# What stands in a folder, without times: of text what the numbers are, of the rest a checksum.
told() {
  (cd "$1" && find . -type f | LC_ALL=C sort | while read -r file; do
    echo "== $file"
    case $file in
      *.jsonl) sed -E 's#,"seconds":[^}]*##' "$file" ;;
      ./results.json | *.txt) sed -E "s#--(out|threads) [a-z0-9]+#--\1 X#g; s#^( *\"[a-z_]*(seconds|per_second|peak_memory_mib|threads)[a-z_]*\": )[^,]*#\1T#" "$file" ;;
      *) cksum <"$file" ;;
    esac
  done)
}

begin=$(date +%s%N)
(start whole --threads 1) >log 2>&1 || { cat log; fail "exit $?"; }
took=$((($(date +%s%N) - begin) / 1000000)) # ms
grep -q '^corpus: 600 documents, 2999 lines, ' log || { cat log; fail "no report on the corpus"; }
[ "$(grep -c '"loss"' whole/metrics.jsonl)" = 24 ] || fail "metrics.jsonl has not one line per step"
[ "$(grep -c '"held_out_loss"' whole/metrics.jsonl)" = 4 ] || fail "metrics.jsonl has not four looks at the held-out text"
[ -e whole/average/model.safetensors ] && [ -e whole/step-20/model.safetensors ] || fail "no average or no snapshot"
grep -q '"DistilBertForMaskedLM"' whole/config.json || fail "architecture"
[ ! -e whole/checkpoint.safetensors ] || fail "the checkpoint was left"
first=$(sed -nE '1s/.*"held_out_loss":([0-9.]+).*/\1/p' whole/metrics.jsonl)
last=$(sed -nE '$s/.*"held_out_loss":([0-9.]+).*/\1/p' whole/metrics.jsonl)
awk "BEGIN { exit !($last < $first) }" || fail "the held-out loss rose from $first to $last"
told whole >whole.txt

(start two --threads 2) >log 2>&1 || { cat log; fail "two threads: exit $?"; }
told two >two.txt
cmp -s whole.txt two.txt || { fail "two threads give other files:"; diff whole.txt two.txt | head; }

for ((i = 0; i < 3; ++i)); do
  rm -rf cut
  resume=() code=1 cuts=0
  for ((attempt = 0; attempt < 4; ++attempt)); do
    (start cut --threads 1 "${resume[@]}") >log 2>&1 &
    pid=$!
    if [ $attempt -lt 3 ]; then
      wait_ms=$((1 + RANDOM % (took + took / 8)))
      sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
      kill -KILL $pid 2>/dev/null && cuts=$((cuts + 1))
    fi
    wait $pid 2>/dev/null
    code=$?
    [ $code = 0 ] && break
    [ $code = 137 ] || { cat log; fail "killed: ended with $code"; break; }
    resume=(--resume)
    if [ ! -e cut/steps.json ]; then
      [ -e cut/results.json ] && { code=0; rm -f cut/checkpoint.safetensors*; break; }
      rm -rf cut
      resume=()
    fi
  done
  [ $code = 0 ] || fail "killed: the job did not end"
  told cut >cut.txt
  cmp -s whole.txt cut.txt || { fail "other files after $cuts kills:"; diff whole.txt cut.txt | head -20; }
done

# --- a job goes on with its own settings and data only ---------------------------------------------------------------------
(start job --threads 1) >log 2>&1 &
pid=$!
until [ -e job/checkpoint.safetensors.previous ] || ! kill -0 $pid 2>/dev/null; do sleep 0.005; done
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
[ -e job/steps.json ] || fail "the job ended before it could be killed"
(start job --threads 1) >log 2>&1
[ $? = 2 ] && grep -q 'job holds an unfinished job' log || { cat log; fail "a job was begun over another"; }
(start job --resume --weight-decay 0.5 --seed 1) >log 2>&1
[ $? = 2 ] && grep -q 'other settings (seed: 42, now 1; weight-decay: 0.01, now 0.5)' log || { cat log; fail "other settings were taken"; }
cp corpus/a.txt kept
sed -i '3s/.*/other words/' corpus/a.txt
(start job --resume) >log 2>&1
[ $? = 2 ] && grep -q 'corpus/a.txt has changed' log || { cat log; fail "other data was taken"; }
cp kept corpus/a.txt
printf 'x' | dd of=job/checkpoint.safetensors bs=1 seek=20000 conv=notrunc 2>/dev/null
(start job --resume) >log 2>&1 || { cat log; fail "resumed after a damaged checkpoint: exit $?"; }
told job >job.txt
cmp -s whole.txt job.txt || { fail "other files after a damaged checkpoint:"; diff whole.txt job.txt | head; }

# --- other models -------------------------------------------------------------------------------------------------------------
"$pretrain" "${common[@]}" --family bert --steps 3 --length 16 --batch 4 --out bert >log 2>&1 || { cat log; fail "bert: exit $?"; }
grep -q '"BertForMaskedLM"' bert/config.json || fail "bert: architecture"
"$pretrain" "${common[@]}" --tokens 640 --length 16 --batch 4 --model whole --attention inhibitor --out on >log 2>&1 || { cat log; fail "--model: exit $?"; }
[ "$(grep -c '"loss"' on/metrics.jsonl)" = 10 ] || fail "--tokens 640 are not 10 steps"
"$pretrain" "${common[@]}" --hours 0.0001 --length 16 --batch 4 --out timed >log 2>&1 || { cat log; fail "--hours: exit $?"; }

# --- what comes out is a model ------------------------------------------------------------------------------------------------
mkdir small
head -41 "$data/train.tsv" >small/train.tsv
head -21 "$data/dev.tsv" >small/dev.tsv
for model in whole bert; do
  "$glue" --model $model --task sst2 --data small --do-train --do-eval --epochs 1 --threads 1 --out "glue-$model" >log 2>&1 || { cat log; fail "glue --model $model: exit $?"; }
  grep -q 'training starts from a new head' log || { cat log; fail "glue --model $model: no new head"; }
done
"$distill" --data small --teacher bert --stages e1 --threads 1 --out distilled >log 2>&1 || { cat log; fail "distill --teacher: exit $?"; }

# --- bad input ----------------------------------------------------------------------------------------------------------------
refuse() { # <text> <options>
  local text=$1
  shift
  rm -rf refused
  "$pretrain" --vocab "$data/vocab.txt" --steps 1 --batch 4 --out refused "$@" >/dev/null 2>err.txt
  local code=$?
  [ $code = 2 ] || fail "$*: exit $code, expected 2"
  grep -qF -- "$text" err.txt || { fail "$*: expected \"$text\" in:"; cat err.txt; }
  [ ! -e refused/config.json ] || fail "$*: left a model"
}
printf 'text\n\n\001\002\n' >binary.txt
refuse 'binary.txt:3: holds the byte 1' --corpus binary.txt
printf 'text\n\377\n' >bad.txt
refuse 'bad.txt:2: is not valid UTF-8' --corpus bad.txt
printf '\377\376t\0e\0' >wide.txt
refuse 'wide.txt: is UTF-16 text' --corpus wide.txt
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' >pointer.txt
refuse 'pointer.txt: is a Git LFS pointer' --corpus pointer.txt
head -c 1200000 /dev/zero | tr '\0' 'a' >long.txt
refuse 'long.txt:1: the line has 1200000 bytes' --corpus long.txt
printf ' \n\n' >blank.txt
refuse 'blank.txt: holds no text' --corpus blank.txt
refuse 'absent.txt: does not exist' --corpus absent.txt
mkdir none
refuse 'none: holds no .txt' --corpus none
printf 'one short text\n' >short.txt
refuse 'the corpus has ' --corpus short.txt
refuse 'give one of --steps, --tokens and --hours' --corpus corpus --tokens 5
refuse '--length is 600' --corpus corpus --length 600
refuse '--size is "3x100"' --corpus corpus --size 3x100
refuse '--shares: expected one for each of the 2 phases' --corpus corpus --length 16,32 --shares 1
printf 'cafe\314\201 time\n\n' | cat - corpus/a.txt >decomposed.txt
"$pretrain" --corpus decomposed.txt --vocab "$data/vocab.txt" --size 1x64 --steps 1 --length 16 --batch 4 --out normal >log 2>&1 || { cat log; fail "decomposed text: exit $?"; }
grep -q 'decomposed.txt:1: warning: the text is not in Unicode' log || { cat log; fail "no word on the normal form"; }

end_checks pretrain
