#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# train_vocab.sh <train-vocab> <embedded data> <scratch folder>
#
# A vocabulary from plain and packed text, the same bytes for any number of threads; bad input ends with exit code 2, one
# line, and no vocabulary.
set -u
train=$1 data=$2 scratch=$3
. "$(dirname "$0")/checks.sh"
begin_checks "$scratch"

cut -f1 "$data/train.tsv" >text.txt
"$train" --input text.txt --out one.txt --size 120 --threads 1 >report.txt || fail "exit $?"
[ "$(wc -l <one.txt)" = 120 ] || fail "$(wc -l <one.txt) lines, expected 120"
[ "$(head -5 one.txt | tr '\n' ' ')" = '[PAD] [UNK] [CLS] [SEP] [MASK] ' ] || fail "the special tokens do not come first"
[ "$(sort one.txt | uniq -d | wc -l)" = 0 ] || fail "a token occurs twice"
grep -q '^one.txt: 120 tokens, .* per word, 0.0000 % of words unknown' report.txt || { fail "report:"; cat report.txt; }

gzip -c text.txt >text.txt.gz
"$train" --input text.txt.gz --out packed.txt --size 120 --threads 2 >/dev/null || fail "packed: exit $?"
cmp -s one.txt packed.txt || fail "packed text or two threads give another vocabulary"

printf 'Upper lower\n' >case.txt
"$train" --input case.txt --out lower.txt --min-frequency 1 >/dev/null || fail "lower case: exit $?"
"$train" --input case.txt --out cased.txt --min-frequency 1 --cased >/dev/null || fail "cased: exit $?"
grep -qx upper lower.txt || fail "no lower case"
grep -qx Upper cased.txt || fail "--cased does not keep case"

printf 'lower zebra\n' >held.txt
"$train" --input case.txt --out lower.txt --min-frequency 1 --held-out held.txt --compare one.txt >report.txt ||
  fail "--held-out: exit $?"
grep -q '^lower.txt: .* 50.0000 % of words unknown' report.txt || { fail "held-out report:"; cat report.txt; }
grep -q '^one.txt: 120 tokens' report.txt || fail "--compare is not reported"

refuse() {
  local text=$1
  shift
  "$train" "$@" >/dev/null 2>err.txt
  local code=$?
  [ $code = 2 ] || fail "$*: exit $code, expected 2"
  grep -qF -- "$text" err.txt || { fail "$*: expected \"$text\" in:"; cat err.txt; }
  [ ! -e refused.txt ] || fail "$*: left a vocabulary"
}
refuse 'absent.txt' --input absent.txt --out refused.txt
: >empty.txt
refuse 'empty.txt: is empty' --input empty.txt --out refused.txt
printf ' \n' >blank.txt
refuse 'no words' --input blank.txt --out refused.txt
refuse 'has no room' --input text.txt --size 10 --out refused.txt
head -c 100 text.txt.gz >cut.txt.gz
refuse 'cut.txt.gz: is cut off' --input cut.txt.gz --out refused.txt
cp text.txt plain.txt.gz
refuse 'plain.txt.gz: is no gzip' --input plain.txt.gz --out refused.txt
refuse '--size' --input text.txt --size many --out refused.txt
refuse 'absent/refused.txt' --input text.txt --out absent/refused.txt
refuse 'cased' --input text.txt --cased --lower-case --out refused.txt

end_checks train-vocab
