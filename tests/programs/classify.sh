#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# classify.sh <classify> <encode> <inspect> <make_model> <examples/data> <scratch folder>
#
# Both programs on small models of random weights: formats, order, streaming, agreement with a dump of the same texts,
# and every kind of bad input: exit code 2, one clear message and no output file.
set -u
classify=$1 encode=$2 inspect=$3 make_model=$4 data=$5 scratch=$6
. "$(dirname "$0")/checks.sh"
begin_checks "$scratch"

vocab=$data/vocab.txt
"$make_model" m "$vocab" || exit 1
"$make_model" bert "$vocab" family=bert labels=3 attention=inhibitor || exit 1
"$make_model" score "$vocab" labels=1 || exit 1
"$make_model" masked "$vocab" heads=masked_lm || exit 1
head -201 "$data/dev.tsv" >dev.tsv
tail -n +2 dev.tsv | cut -f1 >dev.txt

# --- the same answers whatever the input format, the batches and the threads ----------------------------------------------
"$classify" --model m dev.txt >text.tsv || fail "text: exit $?"
[ "$(wc -l <text.tsv)" = 201 ] || fail "200 texts and a header give $(wc -l <text.tsv) lines"
[ "$(head -1 text.tsv)" = $'label\tprobability' ] || fail "header: $(head -1 text.tsv)"
[ "$(tail -n +2 text.tsv | cut -f1 | sort -u | tr '\n' ' ')" = 'negative positive ' ] || fail "labels: not by name, or all the same"
"$classify" --model m dev.tsv | cmp -s - text.tsv || fail "tsv input gives other answers"
"$classify" --model m - <dev.txt | cmp -s - text.tsv || fail "standard input gives other answers"
"$classify" --model m --threads 1 --batch-size 7 dev.txt | cmp -s - text.tsv || fail "answers depend on threads or batches"
while IFS= read -r line; do printf '{"sentence": "%s", "id": 1}\n' "$line"; done <dev.txt >dev.jsonl
"$classify" --model m dev.jsonl | cmp -s - text.tsv || fail "jsonl input gives other answers"
"$classify" --model m dev.jsonl --text-column sentence --no-header | cmp -s - <(tail -n +2 text.tsv) || fail "--no-header"
gzip -c dev.jsonl >packed.jsonl.gz && "$classify" --model m packed.jsonl.gz | cmp -s - text.tsv || fail "jsonl.gz input gives other answers"
gzip -c dev.tsv >packed.tsv.gz && "$classify" --model m packed.tsv.gz | cmp -s - text.tsv || fail "tsv.gz input gives other answers"
gzip -c dev.txt >packed.txt.gz && "$classify" --model m packed.txt.gz | cmp -s - text.tsv || fail "txt.gz input gives other answers"
{ printf ',sentence,label\n'; awk '{ gsub(/"/, "\"\""); printf "%d,\"%s\",1\n", NR, $0 }' dev.txt; } >dev.csv
"$classify" --model m dev.csv 2>guess.txt | cmp -s - text.tsv || fail "csv input gives other answers"
[ ! -s guess.txt ] || fail "the column sentence is no guess: $(cat guess.txt)"
"$classify" --model m --input csv - <dev.csv | cmp -s - text.tsv || fail "csv by standard input gives other answers"
{ echo '['; sed 's/$/,/; $ s/,$//' dev.jsonl; echo ']'; } >dev.json
"$classify" --model m dev.json | cmp -s - text.tsv || fail "json input gives other answers"
"$encode" --model m dev.json >vectors.tsv && "$encode" --model m dev.txt | cmp -s - vectors.tsv || fail "encode: json input gives other vectors"
sed 's/$/\n/' dev.jsonl >blank.jsonl
"$classify" --model m blank.jsonl | cmp -s - text.tsv || fail "blank lines of jsonl are not skipped"
printf 'sentence,label\n"clever, ""very"" clever\nsecond line",1\n' >one.csv
"$classify" --model m --no-header one.csv | wc -l | grep -qx 1 || fail "a quoted text of two lines is not one answer"
printf 'question,answer\na,b\n' >guess.csv
"$classify" --model m guess.csv 2>&1 >/dev/null | grep -qxF 'guess.csv: texts from "question" and "answer"' || fail "the columns in use are not told"
sed 's/$/\r/' dev.txt | "$classify" --model m | cmp -s - text.tsv || fail "CR LF gives other answers"
printf 'one text without line end' | "$classify" --model m --no-header | wc -l | grep -qx 1 || fail "last line without LF"
printf '\n\n' | "$classify" --model m --no-header | wc -l | grep -qx 2 || fail "empty lines are texts too"
: | "$classify" --model m | cmp -s - <(head -1 text.tsv) || fail "no input gives more than a header"

# --- output formats --------------------------------------------------------------------------------------------------------
"$classify" --model m dev.txt --probabilities | head -2 | tail -1 |
  awk -F'\t' '{ exit !(NF == 4 && $3 + $4 > 0.999999 && $3 + $4 < 1.000001) }' || fail "--probabilities"
"$classify" --model m dev.txt --output jsonl --probabilities >out.jsonl || fail "jsonl: exit $?"
grep -c '^{"label": "[a-z]*", "probability": 0\.[0-9]*, "probabilities": {"negative": 0\.[0-9]*, "positive": 0\.[0-9]*}}$' out.jsonl |
  grep -qx 200 || fail "jsonl output: $(head -1 out.jsonl)"
"$classify" --model m dev.txt --out file.tsv || fail "--out: exit $?"
cmp -s file.tsv text.tsv || fail "--out differs from standard output"
"$classify" --model m dev.txt --output safetensors --out out.safetensors || fail "safetensors: exit $?"
"$inspect" tensors out.safetensors | grep -q '^labels .*\[200\]' || fail "safetensors output has no labels"
"$classify" --model score dev.txt | head -1 | grep -qx score || fail "a regression model prints scores"
"$classify" --model score dev.txt --no-header | grep -vqE '^-?[0-9.e-]+$' && fail "scores are numbers"
"$classify" --model m dev.txt --verbose 2>&1 >/dev/null | grep -q 'linear layers by' || fail "--verbose does not name the product"

# --- the numbers are those of a dump of the same text -----------------------------------------------------------------------
text=$(head -1 dev.txt) second=$(tail -1 dev.txt)
for model in m bert; do
  printf 'a\tb\n%s\t%s\n' "$text" "$second" >pair.tsv
  "$classify" --model $model pair.tsv --text-column a --pair-column b --output safetensors --out pair.safetensors ||
    fail "pair: exit $?"
  "$inspect" dump --model $model --text "$text" --text-pair "$second" --out dump.safetensors >/dev/null || fail "dump: exit $?"
  "$inspect" compare pair.safetensors dump.safetensors >compared || { cat compared; fail "$model: logits of a pair differ"; }
  "$encode" --model $model pair.tsv --text-column a --pair-column b --pooling pooled --output safetensors --out e.safetensors ||
    fail "encode: exit $?"
  printf '{"embeddings": "pooled"}' >map.json
  "$inspect" compare e.safetensors dump.safetensors --map map.json --tolerance 1e-5 >compared ||
    { cat compared; fail "$model: pooled vectors differ"; }
done
"$encode" --model m dev.txt --pooling cls --normalize --no-header | head -1 |
  awk -F'\t' '{ for (i = 1; i <= NF; ++i) s += $i * $i; exit !(NF == 16 && s > 0.9999 && s < 1.0001) }' || fail "encode --normalize"
"$encode" --model masked dev.txt --output jsonl | grep -c '^{"embedding": \[.*\]}$' | grep -qx 200 || fail "encode jsonl"
"$encode" --model m dev.txt --threads 1 --batch-size 3 | cmp -s - <("$encode" --model m dev.txt) || fail "encode depends on batches"

# --- folders of sentence-transformers ------------------------------------------------------------------------------------------
mkdir -p sentence/1_Pooling
"$make_model" sentence/0_Transformer "$vocab" family=bert heads=none || exit 1
printf '[{"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"},
 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
 {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]' >sentence/modules.json
printf '{"word_embedding_dimension": 16, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}' >sentence/1_Pooling/config.json
printf '{"max_seq_length": 8, "do_lower_case": true}' >sentence/0_Transformer/sentence_bert_config.json
printf '{"do_lower_case": false}' >sentence/0_Transformer/tokenizer_config.json
tr '[:lower:]' '[:upper:]' <dev.txt >upper.txt
"$encode" --model sentence upper.txt 2>/dev/null >sentence.tsv || fail "encode: a folder of sentence-transformers"
"$encode" --model sentence/0_Transformer dev.txt --pooling mean --normalize --max-seq-length 8 2>/dev/null | cmp -s - sentence.tsv ||
  fail "encode: mean, length, lower case or normalization of sentence-transformers"
printf '{"pooling_mode_max_tokens": true}' >sentence/1_Pooling/config.json
"$encode" --model sentence dev.txt --no-header 2>/dev/null | head -1 | awk -F'\t' '{ for (i = 1; i <= NF; ++i) s += $i * $i; exit !(NF == 32 && s > 0.9999 && s < 1.0001) }' ||
  fail "encode: two pooling modes"
paste <("$encode" --model sentence/0_Transformer dev.txt --pooling max) <("$encode" --model sentence/0_Transformer dev.txt) | tail -n +2 >parts.tsv
sed -i 's/models.Normalize"/models.Dropout"/' sentence/modules.json
"$encode" --model sentence dev.txt --no-header --max-seq-length 32 | cmp -s - parts.tsv || fail "encode: max, then mean"
"$encode" --model sentence dev.txt --pooling cls --max-seq-length 32 | cmp -s - <("$encode" --model sentence/0_Transformer dev.txt --pooling cls) ||
  fail "encode: --pooling does not win over the folder"
sed -i 's/models.Dropout"/models.Dense"/' sentence/modules.json

# --- streaming: an answer before the next line is written ------------------------------------------------------------------
mkfifo in out
"$classify" --model m --no-header <in >out &
pid=$!
exec 3>in 4<out
for i in 1 2 3; do
  echo "line $i" >&3
  read -r -t 20 -u 4 answer || fail "no answer to line $i"
done
exec 3>&-
wait $pid || fail "stream: exit $?"
exec 4<&-

# --- interrupted: no file -----------------------------------------------------------------------------------------------------
mkfifo slow
"$classify" --model m --out interrupted.tsv <slow &
pid=$!
exec 3>slow
echo 'a line' >&3
for _ in $(seq 100); do [ -n "$(find . -name 'interrupted.tsv*')" ] && break; sleep 0.02; done
sleep 0.1
kill -INT $pid 2>/dev/null || kill -TERM $pid
for _ in $(seq 100); do kill -0 $pid 2>/dev/null || break; kill -TERM $pid 2>/dev/null; sleep 0.02; done
exec 3>&-
wait $pid
[ $? -ge 130 ] || fail "interrupted: expected exit code 130 or a signal"
[ ! -e interrupted.tsv ] || fail "an interrupted run left a file"

# --- bad input ------------------------------------------------------------------------------------------------------------------
# refuse <text> <program> <arguments...>: exit code 2, message, no file called refused*.
exec </dev/null
refuse() {
  local text=$1
  shift
  "$@" >out.txt 2>err.txt
  local code=$?
  [ $code = 2 ] || fail "$*: exit $code, expected 2"
  grep -qF -- "$text" err.txt || { fail "$*: expected \"$text\" in:"; cat err.txt; }
  [ -z "$(find . -name 'refused*')" ] || fail "$*: left $(find . -name 'refused*')"
}
refuse 'absent.txt: cannot be opened' "$classify" --model m absent.txt
refuse 'cannot be read' "$classify" --model m .
refuse 'absent/config.json' "$classify" --model absent dev.txt
refuse 'missing: pre_classifier' "$classify" --model masked dev.txt
refuse 'gives a score' "$classify" --model score dev.txt --probabilities
refuse 'needs --out' "$classify" --model m dev.txt --output safetensors
refuse 'absent/refused.tsv' "$classify" --model m dev.txt --out absent/refused.tsv
refuse '32 positions' "$classify" --model m dev.txt --max-seq-length 33
refuse 'special tokens take 2' "$classify" --model m dev.txt --max-seq-length 1
refuse 'need a table: --input' "$classify" --model m dev.txt --text-column sentence
refuse 'dev.tsv:1' "$classify" --model m dev.tsv --text-column review
printf 'sentence\tlabel\ngood\t1\nbad\n' >columns.tsv
refuse 'columns.tsv:3: found 1' "$classify" --model m columns.tsv
printf 'id\tlabel\n' >names.tsv
refuse 'found the columns "id, label"' "$classify" --model m names.tsv
printf 'text;label\na;1\n' >semicolon.csv
refuse 'semicolon.csv:1: is separated by semicolons' "$classify" --model m semicolon.csv
printf '\xff\xfet\0e\0' >wide.txt
refuse 'wide.txt: is UTF-16 text' "$classify" --model m wide.txt
printf 'a\rb\r' >mac.txt
refuse 'mac.txt: ends its lines with CR alone' "$classify" --model m mac.txt
echo x >sheet.xlsx
refuse '.txt, .tsv, .csv, .json or .jsonl' "$classify" --model m sheet.xlsx
"$classify" --model m --input text --no-header sheet.xlsx | wc -l | grep -qx 1 || fail "--input does not help against an ending"
cp -r m pointer && printf 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n' >pointer/model.safetensors
refuse 'pointer/model.safetensors: is a Git LFS pointer' "$classify" --model pointer dev.txt
: >empty.tsv
refuse 'empty.tsv: is empty' "$classify" --model m empty.tsv
printf '{"text": "a"}\n{"text": [1]}\n' >types.jsonl
refuse 'types.jsonl:2: "text" is no text or number' "$classify" --model m types.jsonl --out refused.tsv
printf '[1]\n' >array.jsonl
refuse 'array.jsonl:1: is no JSON object' "$classify" --model m array.jsonl
cp -r m activation && sed -i 's/"gelu"/"relu"/' activation/config.json
refuse '"relu"' "$classify" --model activation dev.txt
"$make_model" nan "$vocab" fill=classifier.bias:nan || exit 1
refuse 'nan: tensor "classifier.bias" holds nan at [0]' "$classify" --model nan dev.txt --out refused.tsv
"$make_model" inf "$vocab" fill=distilbert.transformer.layer.1.ffn.lin2.weight:inf || exit 1
refuse 'inf: tensor "distilbert.transformer.layer.1.ffn.lin2.weight" holds inf at [0, 0]' "$encode" --model inf dev.txt
# Finite weights, and logits beyond the largest float.
"$make_model" vast "$vocab" fill=classifier.weight:3e38 || exit 1
for output in tsv jsonl; do refuse 'dev.tsv:2: the model gives ' "$classify" --model vast dev.tsv --output $output --out refused.tsv; done
refuse 'standard input:1: the model gives ' "$classify" --model vast --output safetensors --out refused.tsv < <(head -1 dev.txt)
cp -r m shapes && sed -i 's/"dim": 16/"dim": 32/' shapes/config.json
refuse 'shape mismatch' "$classify" --model shapes dev.txt
cp -r m no_special && grep -vxF '[SEP]' "$vocab" >no_special/vocab.txt
refuse '[SEP]' "$classify" --model no_special dev.txt
cp -r m larger && echo extra >>larger/vocab.txt
refuse 'word embeddings' "$classify" --model larger dev.txt
refuse 'sentence/modules.json: module 2 is Dense' "$encode" --model sentence dev.txt
cp -r m several && sed -i 's/^{/{"problem_type": "multi_label_classification",/' several/config.json
refuse 'several labels' "$classify" --model several dev.txt
refuse 'several labels' "$encode" --model several dev.txt --pooling pooled
"$encode" --model several dev.txt >/dev/null || fail "several labels are nothing to vectors"
for program in "$classify" "$encode" "$inspect dump"; do
  refuse '--threads: found -1; expected 0 or more' $program --model m --threads -1
  [ "$(wc -c <err.txt)" -lt 200 ] || fail "--threads -1: $(wc -c <err.txt) bytes of message"
done
cp -r m tokenizer && printf '{"do_lower_case": "yes"}' >tokenizer/tokenizer_config.json
refuse 'do_lower_case' "$classify" --model tokenizer dev.txt

# What comes before a bad line is answered.
printf 'sentence\tlabel\ngood\t1\nbad\n' | "$classify" --model m --input tsv 2>/dev/null | wc -l | grep -qx 2 ||
  fail "the rows before a malformed one are lost"

# Too long: cut with a count, or refused. 32 positions.
{ head -2 dev.txt; printf 'dull %.0s' $(seq 60); echo; } >long.txt
"$classify" --model m long.txt >/dev/null 2>err.txt || fail "a long text: exit $?"
grep -qF '1 of 3 texts had more than 32 tokens and were cut' err.txt || { fail "no count of cut texts:"; cat err.txt; }
refuse 'long.txt:3: the text has 62 tokens; expected at most 32' "$classify" --model m long.txt --strict --out refused.tsv

# Invalid UTF-8: bad bytes vanish, or are refused with their offset.
printf 'pl\xffot\n' >bad.txt
printf 'plot\n' | "$classify" --model m >plain.tsv
"$classify" --model m bad.txt | cmp -s - plain.tsv || fail "bytes that are no UTF-8 do not vanish"
refuse 'bad.txt:1: text is not valid UTF-8 at byte 2' "$classify" --model m bad.txt --strict-utf8

# A folder as transformers 5 saves it: tokenizer.json and no vocab.txt.
# tokenizer_json <vocab.txt> <lowercase>
tokenizer_json() {
  printf '{"added_tokens": [], "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": %s}, "pre_tokenizer": {"type": "BertPreTokenizer"}, "model": {"type": "WordPiece", "vocab": {' "$2"
  sed 's/[\\"]/\\&/g' "$1" | awk '{ printf "%s\"%s\": %d", (NR > 1 ? ", " : ""), $0, NR - 1 }'
  printf '}}}'
}
cp -r m five && rm five/vocab.txt && tokenizer_json "$vocab" true >five/tokenizer.json
"$classify" --model five dev.txt | cmp -s - text.tsv || fail "a folder with tokenizer.json alone gives other answers"
"$inspect" dump --model five --text 'a plot' --out five.safetensors >/dev/null || fail "inspect: a folder with tokenizer.json alone"
cp -r m both && tokenizer_json "$vocab" false >both/tokenizer.json && printf '{"model_max_length": 512}' >both/tokenizer_config.json
printf 'PLOT\n' | "$classify" --model both | cmp -s - plain.tsv && fail "lowercase false of tokenizer.json is not followed"
sed 's/WordPiece/BPE/' five/tokenizer.json >five/bpe && mv five/bpe five/tokenizer.json
refuse 'five/tokenizer.json: holds a tokenizer of type BPE' "$classify" --model five dev.txt

# A cased tokenizer: upper case counts.
cp -r m cased && printf '{"do_lower_case": false}' >cased/tokenizer_config.json
printf 'PLOT\n' | "$classify" --model m | cmp -s - plain.tsv || fail "an uncased model sees upper case"
printf 'PLOT\n' | "$classify" --model cased | cmp -s - plain.tsv && fail "do_lower_case false is not followed"

end_checks classify
