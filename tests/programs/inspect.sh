#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# inspect.sh <inspect> <make_model> <examples/data> <scratch folder>
#
# Every command of `inspect` on small models of random weights, and every kind of bad input: exit code 2, one clear
# message and no output file.
set -u
inspect=$1 make_model=$2 data=$3 scratch=$4
. "$(dirname "$0")/checks.sh"
begin_checks "$scratch"
# expect <exit code> <text on stdout or stderr> <arguments...>
expect() {
  local code=$1 text=$2
  shift 2
  "$inspect" "$@" >out.txt 2>err.txt
  local got=$?
  [ $got = "$code" ] || { fail "inspect $*: exit $got, expected $code"; cat out.txt err.txt; }
  cat out.txt err.txt | grep -qF -- "$text" || { fail "inspect $*: expected \"$text\" in:"; cat out.txt err.txt; }
}
# refuse <text> <arguments...>: exit code 2 and nothing written as refused.*
refuse() {
  rm -f refused.*
  expect 2 "$@"
  [ -z "$(find . -name 'refused.*')" ] || fail "inspect ${*:2}: left $(find . -name 'refused.*')"
}

vocab=$data/vocab.txt
"$make_model" dot "$vocab" heads=both || exit 1
"$make_model" inh "$vocab" attention=inhibitor || exit 1
"$make_model" bert "$vocab" family=bert heads=both || exit 1
"$make_model" masked "$vocab" heads=masked_lm || exit 1

# --- tensors -------------------------------------------------------------------------------------------------------------
expect 0 'distilbert.transformer.layer.0.attention.inhibitor_shift' tensors inh
expect 0 'classifier.weight' tensors inh/model.safetensors
head -3 out.txt | grep -q word_embeddings || fail "the word embeddings are not first"
refuse 'cannot be opened' tensors absent.safetensors
head -c 100 dot/model.safetensors >cut.safetensors
refuse 'cut.safetensors' tensors cut.safetensors

# --- dump and compare ----------------------------------------------------------------------------------------------------
expect 0 'one.safetensors' dump --model dot --text 'the plot is dull' --masked-lm --out one.safetensors --threads 1
expect 0 'two.safetensors' dump --model dot --text 'the plot is dull' --masked-lm --out two.safetensors --threads 2
cmp -s one.safetensors two.safetensors || fail "a dump depends on --threads"
expect 0 'agree' compare one.safetensors two.safetensors
expect 0 'masked_lm.logits' tensors one.safetensors
for name in embeddings.sum hidden_states.0 layer.1.context layer.1.sa_layer_norm layer.1.ffn_in layer.1.ffn_act \
    hidden_states.2 pooled logits; do
  grep -q "^$name " out.txt || fail "the dump has no $name"
done
# The ids of a dump are input for the next one.
expect 0 'again' dump --model dot --ids one.safetensors --out again.safetensors
expect 0 'agree' compare again.safetensors one.safetensors
expect 0 'only in the second file (1): masked_lm.logits' compare again.safetensors one.safetensors
# From stored embeddings: the same hidden states, without embeddings.sum.
expect 0 'embedded' dump --model dot --ids one.safetensors --embeddings hidden_states.0 --out embedded.safetensors
expect 0 'agree' compare embedded.safetensors one.safetensors
expect 0 'pair' dump --model bert --text 'the plot' --text-pair 'is dull' --out pair.safetensors
expect 0 'token_type_ids' tensors pair.safetensors
grep '^token_type_ids' out.txt | grep -q ' 1 ' || fail "no token of type 1 in a pair"

# Another model: everything differs from the embeddings on.
"$make_model" other "$vocab" heads=both seed=2 || exit 1
expect 0 'other' dump --model other --ids one.safetensors --out other.safetensors
expect 1 'first to diverge: embeddings.sum' compare other.safetensors one.safetensors
expect 0 'agree' compare other.safetensors one.safetensors --tolerance 1000
expect 1 'first to diverge: pooled' compare other.safetensors one.safetensors --tolerance 1000 --tolerance head=0
printf '{"hidden_states.*": "layer.*.q"}' >map.json
expect 1 'hidden_states.0 = layer.0.q' compare one.safetensors one.safetensors --map map.json
refuse 'unknown kind "depth"' compare one.safetensors two.safetensors --tolerance depth=1
refuse 'no number' compare one.safetensors two.safetensors --tolerance wide
refuse 'no tensor in common' compare one.safetensors dot/model.safetensors
printf '{"nothing": "hidden_states.1"}' >bad_map.json
refuse 'lacks tensor "nothing"' compare one.safetensors two.safetensors --map bad_map.json
printf '{"a*": "b"}' >bad_map.json
refuse 'at most one *' compare one.safetensors two.safetensors --map bad_map.json
refuse 'absent.safetensors' compare one.safetensors absent.safetensors

# --- attention maps ------------------------------------------------------------------------------------------------------
expect 0 'heat.html' attention --model inh --text 'the <plot> & "dull"' --out heat.html
grep -q '<svg' heat.html || fail "the page has no SVG"
[ "$(grep -c '<figure>' heat.html)" = 4 ] || fail "expected one map for each of 2 x 2 heads"
grep -q '&lt;' heat.html || fail "the page has no escaped token"
grep -qE '<plot>|<script|https?://' heat.html && fail "the page holds raw text, a script or an address"
expect 0 'one.html' attention --model dot --text 'dull' --layer 1 --head 0 --out one.html
[ "$(grep -c '<figure>' one.html)" = 1 ] || fail "expected one map"
refuse 'layer 2 does not exist' attention --model dot --text 'dull' --layer 2 --out refused.html
refuse 'head 2 does not exist' attention --model dot --text 'dull' --head 2 --out refused.html

# --- bad input -----------------------------------------------------------------------------------------------------------
refuse '--text or --ids' dump --model dot --out refused.safetensors
refuse 'no masked-LM head' dump --model inh --text dull --masked-lm --out refused.safetensors
refuse 'absent/config.json' dump --model absent --text dull --out refused.safetensors
refuse 'absent' dump --model dot --text dull --out absent/refused.safetensors
long=$(printf 'dull %.0s' $(seq 60))
refuse '32 positions' dump --model dot --text "$long" --out refused.safetensors
refuse 'no tensor '"'"'input_ids'"'" dump --model dot --ids dot/model.safetensors --out refused.safetensors
refuse 'no tensor '"'"'x'"'" dump --model dot --ids one.safetensors --embeddings x --out refused.safetensors
head -50 "$vocab" >small.txt
"$make_model" small small.txt || exit 1
refuse 'expected 0 <= id < vocab_size = 50' dump --model small --ids one.safetensors --out refused.safetensors
cp "$vocab" small/vocab.txt
refuse '50 word embeddings' dump --model small --text dull --out refused.safetensors
cp -r dot no_special && tail -n +6 "$vocab" >no_special/vocab.txt
refuse 'special token' dump --model no_special --text dull --out refused.safetensors
cp -r dot activation && sed -i 's/"gelu"/"swish"/' activation/config.json
refuse '"swish"' dump --model activation --text dull --out refused.safetensors
cp -r dot shapes && sed -i 's/"hidden_dim": 24/"hidden_dim": 25/' shapes/config.json
refuse 'has shape [24, 16], expected [25, 16]' dump --model shapes --text dull --out refused.safetensors

end_checks inspect
