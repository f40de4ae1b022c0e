// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inhibitor attention for CPUs: everything of the core in one include. Each part can be included alone as well, and a
// program that wants only the attention compiles faster with "inhibitor/attention/attention.hpp".
//
//   Z_ij = max(score_scale / sqrt(D) * sum_k |Q_ik - K_jk| - mean + shift, 0)     mean over the keys query i attends to
//   H_ik = output_scale * sum_j sign(V_jk) * max(|V_jk| - Z_ij, 0)
//
// Shapes: B batch, L queries, S keys, H heads, D head size, Dv value head size, C = H * D, V vocabulary.
//
// One head on Eigen matrices (attention/attention.hpp)
//   attention(q, k, v, parameters) -> (L, Dv)      allocates its result
//   attention_forward, attention_backward          into the caller's matrices, with a reusable workspace
//
// All heads on pointers and strides (attention/multi_head.hpp), for inhibitor_attention and dot_product_attention alike
//   multi_head_attention_forward, multi_head_attention_backward
//   grouped key/value heads, boolean masks, packed sequences, ranges of rows: params.hpp
//   without exceptions, in the caller's memory: raw.hpp
//   decoding token by token from packed keys and values: kv_cache.hpp, growing_kv_cache.hpp, attention/u8/kv_cache.hpp
//
// All heads in bytes (attention/u8/attention.hpp): the same bits on every machine
//
// active_isa() names the instruction set that plain calls use: that of the compiler flags, or chosen at run time in a
// target with compiled variants (kernels/dispatch/dispatch.hpp)
//
// Models
//   nn/       linear, layer_norm, activation, embedding, dropout, transformer_block, decoder_block, losses: x_forward and
//             x_backward
//   models/   DistilBERT and BERT with either attention in each layer; parameters, gradients and moments are one structure
//             encoder_inference (models/bert/inference.hpp): forward alone, fast, on packed rows
//             encoder-decoders (models/seq2seq/encoder_decoder.hpp) with either attention in each layer of each place
//             seq2seq_inference, translate (models/seq2seq/translate.hpp): from key-value caches, by beam search
//   optim/    AdamW, learning-rate schedules
//
// What holds everywhere: backward adds into gradients; a mask entry other than zero means attend; results do not depend
// on the executor; std::invalid_argument for shapes that do not fit; no exception and no allocation inside kernels.
//
// Not included here, because they need more than Eigen and xsimd: the components io (file formats), text (tokenizer) and
// training (model folders, data sets, objectives).

#include "inhibitor/attention/add_only.hpp"
#include "inhibitor/attention/attention.hpp"
#include "inhibitor/attention/growing_kv_cache.hpp"
#include "inhibitor/attention/kv_cache.hpp"
#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/attention/params.hpp"
#include "inhibitor/attention/raw.hpp"
#include "inhibitor/attention/u8/attention.hpp"
#include "inhibitor/attention/u8/kv_cache.hpp"
#include "inhibitor/attention/u8/packed_key_values.hpp"
#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/base/executor.hpp"
#include "inhibitor/base/file_error.hpp"
#include "inhibitor/base/random.hpp"
#include "inhibitor/kernels/dispatch/dispatch.hpp"
#include "inhibitor/kernels/gemm/panel_gemm.hpp"
#include "inhibitor/models/beam_search.hpp"
#include "inhibitor/models/bert/config.hpp"
#include "inhibitor/models/bert/encoder.hpp"
#include "inhibitor/models/bert/fold_scales.hpp"
#include "inhibitor/models/bert/heads.hpp"
#include "inhibitor/models/bert/inference.hpp"
#include "inhibitor/models/bert/initialize_from.hpp"
#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/packed_tokens.hpp"
#include "inhibitor/models/bert/tensor_names.hpp"
#include "inhibitor/models/parameters.hpp"
#include "inhibitor/models/seq2seq/config.hpp"
#include "inhibitor/models/seq2seq/encoder_decoder.hpp"
#include "inhibitor/models/seq2seq/inference.hpp"
#include "inhibitor/models/seq2seq/model.hpp"
#include "inhibitor/models/seq2seq/tensor_names.hpp"
#include "inhibitor/models/seq2seq/token_views.hpp"
#include "inhibitor/models/seq2seq/translate.hpp"
#include "inhibitor/nn/activation.hpp"
#include "inhibitor/nn/decoder_block.hpp"
#include "inhibitor/nn/dropout.hpp"
#include "inhibitor/nn/embedding.hpp"
#include "inhibitor/nn/feed_forward.hpp"
#include "inhibitor/nn/gelu.hpp"
#include "inhibitor/nn/gemm_eigen.hpp"
#include "inhibitor/nn/label_smoothing.hpp"
#include "inhibitor/nn/layer_norm.hpp"
#include "inhibitor/nn/linear.hpp"
#include "inhibitor/nn/losses.hpp"
#include "inhibitor/nn/mixer.hpp"
#include "inhibitor/nn/packed_linear.hpp"
#include "inhibitor/nn/positions.hpp"
#include "inhibitor/nn/sublayers.hpp"
#include "inhibitor/nn/tensor.hpp"
#include "inhibitor/nn/transformer_block.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/optim/inverse_square_root.hpp"
#include "inhibitor/optim/schedule.hpp"
#include "inhibitor/version.hpp"
