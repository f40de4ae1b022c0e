#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# translate.sh <translate> <scratch folder>
#
# A small model is trained, interrupted and resumed to the byte; it translates a line for every line, the same in batches
# of any size; bad input is refused in one line.
set -u
translate=$1
. "$(dirname "$0")/checks.sh"
begin_checks "$2"

# Numbers and their German words.
english=(one two three four five six seven eight nine)
german=(eins zwei drei vier fünf sechs sieben acht neun)
for ((i = 0; i < 120; ++i)); do
  a=$((i % 9)) b=$((i * 7 % 9)) c=$((i / 9 % 9))
  echo "${english[a]} ${english[b]} ${english[c]} ${english[b]}" >&3
  echo "${german[a]} ${german[b]} ${german[c]} ${german[b]}" >&4
done 3>train.en 4>train.de
head -20 train.en >dev.en
head -20 train.de >dev.de
options=(--train-source train.en --train-target train.de --dev-source dev.en --dev-target dev.de --merges 40 --layers 1
         --d-model 32 --ffn-dim 64 --positions 16 --norm pre --encoder-attention inhibitor --dropout 0 --epochs 20
         --batch-tokens 200 --learning-rate 0.005 --warmup 30 --beams 2)

"$translate" "${options[@]}" --out whole >whole.txt 2>whole.log || fail "training: $(cat whole.log)"
grep -q '^BLEU .*case:mixed|eff:no|tok:13a' whole.txt || fail "no BLEU with a signature: $(cat whole.txt)"
[ "$(grep -c 'BLEU on dev' whole.log)" = 20 ] || fail "BLEU on dev not for every epoch"

# Interrupted as soon as the first epoch is done, then resumed with another number of threads.
interrupted_at best/epoch.json parts "$translate" "${options[@]}" --threads 1
"$translate" "${options[@]}" --out parts --resume --threads 2 >parts.txt 2>parts.log || fail "resuming: $(cat parts.log)"
for file in model.safetensors best/model.safetensors best/epoch.json vocab.json bpe.codes; do
  cmp "whole/$file" "parts/$file" || fail "$file differs after an interruption"
done

printf 'one two three\n\n   \nnine seven one\n' >input
"$translate" --model whole <input >output
[ "$(wc -l <output)" = 4 ] || fail "not a line for every line"
[ -z "$(sed -n 2,3p output | tr -d '\n')" ] || fail "blank lines are not blank"
[ -n "$(sed -n 4p output)" ] || fail "nothing translated"
for batch in 1 7; do
  cmp <("$translate" --model whole --batch-size $batch <train.en) <("$translate" --model whole <train.en) ||
    fail "translations depend on the batch"
done
"$translate" --model whole --test-source dev.en --test-target dev.de | grep -q '^chrF2' || fail "no chrF"
yes one | head -40 | tr '\n' ' ' | "$translate" --model whole 2>long.log >/dev/null
grep -q "line 1 is cut to the model's 16 positions" long.log || fail "a cut line is not told"

refused() {
  local expected=$1
  shift
  if "$@" >/dev/null 2>error.log </dev/null; then fail "$* was accepted"; fi
  grep -q -- "$expected" error.log || fail "$*: expected '$expected', got $(cat error.log)"
  [ "$(wc -l <error.log)" = 1 ] || fail "$*: more than one line"
}
refused 'dev.de: has 20 lines; expected as many as train.en, 120' \
  "$translate" --train-source train.en --train-target dev.de --out other
[ ! -e other ] || fail "a refused training left a folder"
refused 'is not empty; add --resume' "$translate" "${options[@]}" --out whole
refused 'give either --model' "$translate"
printf 'one\n\xff\n' >invalid
if "$translate" --model whole <invalid >/dev/null 2>error.log; then fail "invalid UTF-8 was accepted"; fi
grep -q 'standard input:2: byte 0' error.log || fail "invalid UTF-8: $(cat error.log)"
sed 's/"<unk>": 2/"<unk>": 99/' whole/vocab.json >vocab.json
cp -r whole broken
cp vocab.json broken/vocab.json
refused 'vocab.json: gives <unk> the id 99' "$translate" --model broken

end_checks translate
