#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# glue.sh <glue> <make_model> <examples/data> <scratch folder>
#
# Every task in miniature, end to end: the files that are written and what stands in them, several tasks and seeds in one
# call, resumption, a user's own data, and that every kind of bad input ends with exit code 2 and one clear message.
set -u
glue=$1 make_model=$2 data=$3 scratch=$4
vocab=$data/vocab.txt
. "$(dirname "$0")/checks.sh"
begin_checks "$scratch"
# lines <file> <expected>: header included.
lines() { [ "$(wc -l <"$1")" = "$2" ] || fail "$1 has $(wc -l <"$1") lines, expected $2"; }
# only <file> <regular expression>: every line after the header matches.
only() { ! tail -n +2 "$1" | grep -Evq "$2" || fail "$1 has other lines than $2: $(tail -n +2 "$1" | grep -Ev "$2" | head -1)"; }

# --- data: the layouts of GLUE and IMDB -------------------------------------------------------------------------------
# pairs <rows> <label of odd rows> <label of even rows>
pairs() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { for (i = 0; i < n; i++) print i "\ta good movie " i "\ta \"bad movie\t" (i % 2 ? a : b) }'; }
plain_pairs() { printf 'index\tsentence1\tsentence2\n'; pairs "$1" x x | cut -f 1-3; }
mkdir -p all/{CoLA,SST-2,QQP,STS-B,MNLI,QNLI,WNLI,diagnostic,RTE} all/aclImdb/{train,test}/{pos,neg}
awk 'BEGIN { for (i = 0; i < 30; i++) print "gj04\t" i % 2 "\t" (i % 2 ? "" : "*") "\ta good movie " i }' | tee all/CoLA/dev.tsv >all/CoLA/train.tsv
{ printf 'index\tsentence\n'; awk 'BEGIN { for (i = 0; i < 7; i++) print i "\ta movie " i }'; } | tee all/SST-2/test.tsv >all/CoLA/test.tsv
head -65 "$data/train.tsv" >all/SST-2/train.tsv
head -41 "$data/dev.tsv" >all/SST-2/dev.tsv
{ printf 'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n'; pairs 30 0 1 | awk -F '\t' '{ print $1 "\t1\t2\t" $2 "\t" $3 "\t" $4 }'; printf '30\t1\t2\tbroken\n'; } | tee all/QQP/dev.tsv >all/QQP/train.tsv
{ printf 'index\tsentence1\tsentence2\tscore\n'; pairs 30 1.250 4.000; } | tee all/STS-B/dev.tsv >all/STS-B/train.tsv
plain_pairs 9 >all/STS-B/test.tsv
start='index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2'
mnli() { pairs 30 neutral contradiction | awk -F '\t' -v extra="$1" '{ printf "%s\tn\tn\tn\tn\tn\tn\tn\t%s\t%s", $1, $2, $3; for (i = 0; i < extra; i++) printf "\tentailment"; print "\t" $4 }'; }
{ printf "$start\tlabel1\tgold_label\n"; mnli 1; } >all/MNLI/train.tsv
{ printf "$start\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label\n"; mnli 5; } | tee all/MNLI/dev_matched.tsv >all/MNLI/dev_mismatched.tsv
{ printf "$start\n"; mnli 0 | cut -f 1-10; } | tee all/MNLI/test_matched.tsv >all/MNLI/test_mismatched.tsv
plain_pairs 11 >all/diagnostic/diagnostic.tsv
{ printf 'index\tquestion\tsentence\tlabel\n'; pairs 30 entailment not_entailment; } | tee all/QNLI/dev.tsv >all/QNLI/train.tsv
{ printf 'index\tsentence1\tsentence2\tlabel\n'; pairs 30 0 1; } | tee all/WNLI/dev.tsv >all/WNLI/train.tsv
plain_pairs 5 >all/WNLI/test.tsv
printf 'index\tsentence1\tsentence2\tlabel\n1\tno second\n' >all/RTE/train.tsv
for split in train test; do
  for i in 1 2 3 4 5 6; do printf 'a good movie' >all/aclImdb/$split/pos/${i}_9.txt; printf 'a bad movie' >all/aclImdb/$split/neg/${i}_1.txt; done
done
new=(--vocab "$vocab" --epochs 1 --batch-size 8)
whole=(--do-train --do-eval --do-predict)

# --- one task: the files of run_glue ------------------------------------------------------------------------------------
"$glue" "${new[@]}" --task sst2 --data all "${whole[@]}" --threads 2 --out one >one.out 2>one.err || { cat one.err; fail "one task: exit $?"; }
for file in config.json model.safetensors vocab.txt eval_results.json train_results.json all_results.json trainer_state.json results.json; do
  [ -s one/$file ] || fail "one/$file is missing"
done
for key in eval_accuracy eval_loss eval_runtime eval_samples eval_samples_per_second eval_steps_per_second epoch; do
  grep -q "^    \"$key\": " one/eval_results.json || fail "eval_results.json has no $key"
  grep -q "^    \"$key\": " one/all_results.json || fail "all_results.json has no $key"
done
for key in train_loss train_runtime train_samples train_samples_per_second train_steps_per_second; do
  grep -q "^    \"$key\": " one/train_results.json || fail "train_results.json has no $key"
done
grep '^ ' one/all_results.json | LC_ALL=C sort -c || fail "the keys of all_results.json are not sorted"
grep -q '^\*\*\*\*\* eval metrics \*\*\*\*\*$' one.out || fail "no block of metrics on the console"
lines one/predict_results_sst2.txt 8
only one/predict_results_sst2.txt '^[0-9]+	(negative|positive)$'
lines one/submission/SST-2.tsv 8
only one/submission/SST-2.tsv '^[0-9]+	[01]$'
grep -q 'negative' one/config.json || fail "config.json does not name the labels"
[ "$(grep -c '^training example' one.err)" = 3 ] || fail "no three training examples were shown"

# --- the same numbers for another number of threads, in another locale, spelled as run_glue does ---------------------------
LC_ALL=de_DE.UTF-8 "$glue" --vocab "$vocab" --task_name sst2 --data_dir all --do_train --do_eval --do_predict --output_dir two \
  --num_train_epochs 1 --per_device_train_batch_size 8 --threads 1 >/dev/null 2>two.err || { cat two.err; fail "options of run_glue: exit $?"; }
cmp -s one/model.safetensors two/model.safetensors || fail "the model depends on --threads or the locale"
cmp -s one/predict_results_sst2.txt two/predict_results_sst2.txt || fail "predictions depend on --threads or the locale"
printf '{"vocab": "%s", "task": "sst2", "data": "all", "do_train": true, "do-eval": true, "output_dir": "three", "epochs": 1, "batch_size": 8}' "$vocab" >job.json
"$glue" job.json >/dev/null 2>three.err || { cat three.err; fail "a job from a file: exit $?"; }
cmp -s one/model.safetensors three/model.safetensors || fail "the model differs with the options in a file"

# --- every task, two seeds, one of them broken ----------------------------------------------------------------------------
"$glue" "${new[@]}" --task all --data all "${whole[@]}" --seeds 1,2 --threads 2 --out every >every.out 2>every.err
[ $? = 1 ] || { cat every.err; fail "a job with a failing task: exit $?, expected 1"; }
grep -q 'RTE/train.tsv:2' every.err || fail "the failing task is not reported with its line"
grep -q '^MRPC: not found' every.out || fail "what is missing is not reported"
grep -q 'QQP.*1 broken rows skipped' every.err || fail "skipped rows are not reported"
for task in cola sst2 qqp stsb mnli qnli wnli imdb; do
  for seed in 1 2; do [ -s every/$task/seed-$seed/eval_results.json ] || fail "every: no results of $task, seed $seed"; done
done
grep -q '"eval_matthews_correlation"' every/cola/seed-1/eval_results.json || fail "CoLA has no Matthews correlation"
for key in eval_accuracy eval_f1 eval_combined_score; do grep -q "\"$key\"" every/qqp/seed-1/eval_results.json || fail "QQP has no $key"; done
for key in eval_pearson eval_spearmanr eval_combined_score; do grep -q "\"$key\"" every/stsb/seed-1/eval_results.json || fail "STS-B has no $key"; done
for key in eval_accuracy eval_accuracy_mm eval_samples_mm; do grep -q "\"$key\"" every/mnli/seed-1/eval_results.json || fail "MNLI has no $key"; done
grep -q '"eval_samples": 30' every/qqp/seed-1/eval_results.json || fail "QQP's broken row was counted"
grep -q '"eval_samples": 12' every/imdb/seed-1/eval_results.json || fail "IMDB's reviews were not all read"
grep -q '"standard_deviation": [0-9]' every/results.json || fail "no deviation over the seeds"
lines every/submission/CoLA.tsv 8 && only every/submission/CoLA.tsv '^[0-9]+	[01]$'
lines every/submission/STS-B.tsv 10 && only every/submission/STS-B.tsv '^[0-9]+	[0-5]\.[0-9]{3}$'
lines every/submission/MNLI-m.tsv 31 && only every/submission/MNLI-m.tsv '^[0-9]+	(entailment|neutral|contradiction)$'
lines every/submission/MNLI-mm.tsv 31
lines every/submission/AX.tsv 12 && only every/submission/AX.tsv '^[0-9]+	(entailment|neutral|contradiction)$'
lines every/submission/WNLI.tsv 6 && only every/submission/WNLI.tsv '^[0-9]+	[01]$'
[ -s every/mnli/seed-2/predict_results_mnli-mm.txt ] || fail "no predictions for mismatched MNLI"
only every/wnli/seed-1/predict_results_wnli.txt '^[0-9]+	(not_entailment|entailment)$'
only every/stsb/seed-1/predict_results_stsb.txt '^[0-9]+	-?[0-9]+\.[0-9]{3}$'
! grep -q '"1": ' every/stsb/seed-1/config.json || fail "the regression head has two outputs"
"$glue" "${new[@]}" --task all --data all "${whole[@]}" --seeds 1,2,3 --threads 2 --out every --resume >/dev/null 2>resumed.err
[ "$(grep -c 'finished before' resumed.err)" = 18 ] || fail "$(grep -c 'finished before' resumed.err) runs were taken as finished, expected 18"
[ -s every/cola/seed-3/eval_results.json ] || fail "a seed added to a finished job did not run"
"$glue" "${new[@]}" --task all --data all "${whole[@]}" --seeds 1 --learning-rate 1e-3 --out every --resume >/dev/null 2>other.err
grep -q 'other settings' other.err || fail "resumed with other settings"

# --- several data folders ----------------------------------------------------------------------------------------------------
mkdir apart && cp -r all/diagnostic apart
"$glue" "${new[@]}" --task all --data apart,all/WNLI,absent --do-train --out bad_folder >/dev/null 2>absent.err
[ $? = 2 ] && grep -q 'absent: is no folder' absent.err || fail "a missing data folder was taken"
"$glue" "${new[@]}" --task all --data apart,all/WNLI "${whole[@]}" --out folders >folders.out 2>folders.err || { cat folders.err; fail "several folders: exit $?"; }
[ -s folders/wnli/seed-42/eval_results.json ] || fail "the second data folder was not used"
grep -q '^AX: not predicted' folders.out || fail "AX without MNLI is not reported"

# --- an interrupted run resumes to the same bits ---------------------------------------------------------------------------
longer=(--vocab "$vocab" --task sst2 --data all --do-train --do-eval --epochs 5 --batch-size 4 --threads 1 --checkpoint-seconds 0.001)
"$glue" "${longer[@]}" --out straight >/dev/null 2>straight.err || fail "uninterrupted run: exit $?"
interrupted_at checkpoint.safetensors cut "$glue" "${longer[@]}"
"$glue" "${longer[@]}" --out cut --resume >/dev/null 2>again.err || { cat again.err; fail "resumed run: exit $?"; }
cmp -s straight/model.safetensors cut/model.safetensors || fail "the model differs after interruption and resumption"
[ ! -e cut/checkpoint.safetensors ] || fail "the checkpoint was left behind"

# --- saved models: evaluation alone, another task's head --------------------------------------------------------------------
"$glue" --model one --task sst2 --data all --do-eval --do-predict --out saved >/dev/null 2>saved.err || { cat saved.err; fail "saved model: exit $?"; }
[ "$(grep eval_accuracy saved/eval_results.json)" = "$(grep eval_accuracy one/eval_results.json | sed 's/,*$/,/')" ] || fail "a saved model evaluates differently"
cmp -s one/predict_results_sst2.txt saved/predict_results_sst2.txt || fail "a saved model predicts differently"
[ ! -e saved/model.safetensors ] || fail "a model was saved without training"
"$glue" --model one --task stsb --data all "${whole[@]}" --epochs 1 --out moved >/dev/null 2>moved.err || { cat moved.err; fail "another task: exit $?"; }
grep -q 'negative, positive' moved.err || fail "the replaced head is not reported"
"$glue" --model every/mnli/seed-1 --task ax --data all --do-predict --out ax >/dev/null 2>ax.err || { cat ax.err; fail "AX: exit $?"; }
cmp -s ax/submission/AX.tsv every/submission/AX.tsv || fail "AX alone differs from AX after MNLI"
"$glue" --model 'every/{task}/seed-{seed}' --task cola,mnli,ax --seeds 1,2 --data all --do-eval --do-predict --out again >/dev/null 2>again.err ||
  { cat again.err; fail "models of a job: exit $?"; }
for file in submission/CoLA.tsv submission/AX.tsv mnli/seed-2/predict_results_mnli-mm.txt; do
  cmp -s every/$file again/$file || fail "models of a job: $file differs"
done

# --- one's own data ------------------------------------------------------------------------------------------------------------
{ printf 'text,label\n'; awk 'BEGIN { for (i = 0; i < 24; i++) print "\"a good, " i " movie\"," (i % 2 ? "ham" : "spam") }'; } >own.csv
sed 's/,[hs].*am$//; s/,label//' own.csv >own_test.csv
awk 'BEGIN { for (i = 0; i < 24; i++) printf "{\"sentence1\": \"a movie\", \"sentence2\": \"%d\", \"label\": %s}\n", i, i % 2 ? "1.5" : "3" }' >own.jsonl
"$glue" "${new[@]}" --train-file own.csv --validation-file own.csv --test-file own_test.csv "${whole[@]}" --out own >/dev/null 2>own.err || { cat own.err; fail "own csv: exit $?"; }
lines own/predict_results_custom.txt 25
only own/predict_results_custom.txt '^[0-9]+	(ham|spam)$'
"$glue" --model own --validation-file own.csv --do-eval --out own_eval >/dev/null 2>own_eval.err || { cat own_eval.err; fail "own model: exit $?"; }
{ printf ',text,label\n'; awk 'BEGIN { for (i = 0; i < 24; i++) printf "%d,a good movie %d,\"%s\"\n", i, i, i % 2 ? "good\tone" : "bad\nsad" }'; } >breaks.csv
"$glue" "${new[@]}" --train-file breaks.csv --test-file breaks.csv --do-train --do-predict --out breaks >/dev/null 2>breaks.err ||
  { cat breaks.err; fail "labels with line breaks: exit $?"; }
lines breaks/predict_results_custom.txt 25
only breaks/predict_results_custom.txt '^[0-9]+	(good[?]one|bad[?]sad)$'
grep -q '"a good movie [0-9]*" -> ' breaks.err || fail "the nameless index column of pandas was taken as a text: $(grep example breaks.err)"
sed 's/spam$/HAM/; s/ham$/Ham/' own.csv >case.csv
"$glue" "${new[@]}" --train-file case.csv --do-train --out case >/dev/null 2>case.err &&
  "$glue" --model case --validation-file case.csv --do-eval --out case_eval >/dev/null 2>case.err ||
  { cat case.err; fail "labels equal but for case: exit $?"; }
"$glue" "${new[@]}" --train-file own.jsonl --validation-file own.jsonl --do-train --do-eval --attention inhibitor --out own_scores >/dev/null 2>scores.err ||
  { cat scores.err; fail "own jsonl: exit $?"; }
grep -q '"eval_mse"' own_scores/eval_results.json || fail "own scores are not judged by their error"

# --- a model whose tokenizer is in tokenizer.json alone: trained further, saved, evaluated ------------------------------------------
cp -r own five && rm five/vocab.txt
{ printf '{"normalizer": {"type": "BertNormalizer", "lowercase": true}, "model": {"type": "WordPiece", "vocab": {'
  sed 's/[\\"]/\\&/g' "$vocab" | awk '{ printf "%s\"%s\": %d", (NR > 1 ? ", " : ""), $0, NR - 1 }'; printf '}}}'; } >five/tokenizer.json
for model in own five; do
  "$glue" --model $model --train-file own.csv --validation-file own.csv --do-train --do-eval --epochs 1 --out ${model}_more >/dev/null 2>five.err ||
    { cat five.err; fail "$model trained further: exit $?"; }
done
cmp -s own_more/model.safetensors five_more/model.safetensors || fail "tokenizer.json gives another model than vocab.txt"
cmp -s five/tokenizer.json five_more/tokenizer.json && [ ! -e five_more/vocab.txt ] || fail "tokenizer.json is not saved with the model"
"$glue" --model five_more --validation-file own.csv --do-eval --out five_eval >/dev/null 2>five.err || { cat five.err; fail "tokenizer.json: exit $?"; }
"$glue" --vocab five/tokenizer.json --train-file own.csv --do-train --epochs 1 --out five_new >/dev/null 2>five.err || { cat five.err; fail "--vocab tokenizer.json: exit $?"; }
[ -e five_new/tokenizer.json ] && [ ! -e five_new/vocab.txt ] || fail "--vocab tokenizer.json is not saved as such"

# --- test files of GLUE, where they are at hand ----------------------------------------------------------------------------------
if [ -n "${INHIBITOR_SHARED_DATA:-}" ]; then
  "$glue" "${new[@]}" --task sst2,stsb --data "$INHIBITOR_SHARED_DATA/glue" "${whole[@]}" --max-train-samples 32 --max-eval-samples 32 \
    --out real >/dev/null 2>real.err || { cat real.err; fail "real test files: exit $?"; }
  lines real/submission/SST-2.tsv 1822 && only real/submission/SST-2.tsv '^[0-9]+	[01]$'
  lines real/submission/STS-B.tsv 1380 && only real/submission/STS-B.tsv '^[0-9]+	[0-5]\.[0-9]{3}$'
  only real/sst2/seed-42/predict_results_sst2.txt '^[0-9]+	(negative|positive)$'
  [ "$(tail -1 real/submission/STS-B.tsv | cut -f 1)" = 1378 ] || fail "the last line of STS-B is not that of the last row"
else
  echo "skipped: INHIBITOR_SHARED_DATA is not set"
fi

# --- bad input -------------------------------------------------------------------------------------------------------------------
# refuse <what> <expected in the message> <options...>: exit code 2, message, no results.
refuse() {
  local what=$1 expected=$2
  shift 2
  rm -rf refused
  "$glue" "$@" --out refused >refused.out 2>refused.err
  local code=$?
  [ $code = 2 ] || fail "$what: exit $code, expected 2"
  grep -qF -- "$expected" refused.err || { fail "$what: expected \"$expected\" in:"; cat refused.err; }
  [ -z "$(find refused -name '*results*' -o -name model.safetensors 2>/dev/null)" ] || fail "$what: results were written"
}
# table <name> <train.tsv content>: a task folder whose dev.tsv is good.
table() {
  mkdir -p "$1"
  printf "$2" >"$1/train.tsv"
  cp all/SST-2/dev.tsv "$1/dev.tsv"
}
train=("${new[@]}" --do-train --do-eval)
refuse "nothing to do" "nothing to do" "${new[@]}" --task sst2 --data all
refuse "no task" "--task" "${train[@]}" --data all
refuse "unknown task" "sst3" "${train[@]}" --data all --task sst3
refuse "task without data" "--data" "${train[@]}" --task sst2
refuse "new model without training" "--do-train" --vocab "$vocab" --task sst2 --data all --do-eval
refuse "new model without vocabulary" "--vocab" --task sst2 --data all --do-train
refuse "missing folder" "absent" "${train[@]}" --task sst2 --data absent
refuse "folder of another task" "these are columns of" "${train[@]}" --task sst2 --data all/WNLI
mkdir -p no_dev/SST-2 && cp all/SST-2/train.tsv no_dev/SST-2
refuse "missing split" "holds no dev.tsv" "${train[@]}" --task sst2 --data no_dev
refuse "missing test file" "no test file" --model every/qqp/seed-1 --task qqp --data all --do-predict
table label 'sentence\tlabel\na good movie\t1\na bad movie\t2\n'
refuse "label out of range" "label/train.tsv:3" "${train[@]}" --task sst2 --data label
table few 'sentence\tlabel\na good movie\t1\na bad movie\n'
refuse "too few columns" "few/train.tsv:3" "${train[@]}" --task sst2 --data few
table header_only 'sentence\tlabel\n'
refuse "no examples" "header_only/train.tsv" "${train[@]}" --task sst2 --data header_only
table no_labels 'index\tsentence\n0\ta movie\n'
refuse "no labels" "no_labels/train.tsv: has no labels" "${train[@]}" --task sst2 --data no_labels
mkdir -p score && printf 'index\tsentence1\tsentence2\tscore\n0\ta\tb\t5.5\n' | tee score/train.tsv >score/dev.tsv
refuse "score out of range" "score/train.tsv:2" "${train[@]}" --task stsb --data score
mkdir -p cut_gzip && gzip -c all/SST-2/train.tsv | head -c 300 >cut_gzip/train.tsv.gz && cp all/SST-2/dev.tsv cut_gzip
refuse "truncated gzip" "cut_gzip/train.tsv.gz: is cut off" "${train[@]}" --task sst2 --data cut_gzip
refuse "scores for a model of classes" "the task has scores" --model one --task stsb --data all --do-eval
refuse "classes for a model of scores" "the model gives one score" --model every/stsb/seed-1 --task sst2 --data all --do-eval
refuse "labels the model does not know" "the model has the labels negative, positive; the task has the labels unacceptable, acceptable" \
  --model one --task cola --data all --do-eval
refuse "own labels the model does not know" "own.csv:2: found the label \"spam\"" --model one --validation-file own.csv --do-eval
cp -r one damaged && head -c 1000 one/model.safetensors >damaged/model.safetensors
refuse "truncated checkpoint" "damaged/model.safetensors" --model damaged --task sst2 --data all --do-eval
cp -r one several && sed -i 's/single_label_classification/multi_label_classification/' several/config.json
for work in --do-eval --do-predict --do-train; do
  refuse "several labels at once" "several/config.json: 'problem_type' is multi_label_classification" --model several --task sst2 --data all $work
done
refuse "missing model" "absent" --model absent --task sst2 --data all --do-eval
for task in sst2 stsb; do
  outputs=$([ $task = sst2 ] && echo 2 || echo 1)
  "$make_model" nan_$task "$vocab" labels=$outputs fill=classifier.bias:nan && "$make_model" vast_$task "$vocab" labels=$outputs fill=classifier.weight:3e38
  for work in --do-eval --do-predict; do
    refuse "a number that is not finite" "nan_$task: tensor \"classifier.bias\" holds nan at [0]" --model nan_$task --task $task --data all --max-seq-length 32 $work
    refuse "answers that are not finite" "for example 0; expected finite numbers" --model vast_$task --task $task --data all --max-seq-length 32 $work
  done
done
cp -r one wordless && rm wordless/vocab.txt
refuse "model without vocabulary" "wordless/vocab.txt" --model wordless --task sst2 --data all --do-eval
cp -r one wordy && printf 'extra\n' >>wordy/vocab.txt
refuse "more words than embeddings" "wordy/vocab.txt: holds" --model wordy --task sst2 --data all --do-eval
printf 'text,label\n"a,1\n' >open.csv
refuse "unclosed quote" "open.csv:2" "${train[@]}" --train-file open.csv --validation-file open.csv
refuse "one text and two" "two texts per example" "${train[@]}" --train-file own.csv --validation-file own.jsonl
refuse "evaluation without a file" "--validation-file" "${train[@]}" --train-file own.csv
printf 'not json' >bad.json
refuse "configuration that is no JSON" "JSON" --config bad.json
"$glue" "${train[@]}" --task sst2 --data all --out one >/dev/null 2>used.err
[ $? = 2 ] && grep -q -- '--overwrite-output-dir' used.err || fail "a used folder was written into"
(trap '' XFSZ; ulimit -f 200; "$glue" "${train[@]}" --task sst2 --data all --out full >/dev/null 2>full.err)
[ $? = 2 ] && grep -q 'full/.*writing failed' full.err || { fail "disk full:"; cat full.err; }
[ ! -e full/model.safetensors ] || fail "disk full: a partial model was left"
"$glue" "${train[@]}" --task sst2 --data all --learning-rate 1e30 --out diverged >/dev/null 2>diverged.err
[ $? = 1 ] && grep -Eq 'loss is -?(nan|inf) at step' diverged.err || { fail "diverged run:"; cat diverged.err; }

end_checks glue
