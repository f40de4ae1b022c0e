// SPDX-License-Identifier: Apache-2.0

#include <map>
#include <set>
#include <type_traits>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/nn/losses.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/optim/schedule.hpp"
#include "inhibitor/reference/attention.hpp"
#include "inhibitor/training/masked_lm_objective.hpp"
#include "inhibitor/training/objectives.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

// The library against numbers that PyTorch computed from the formulas alone (tests/golden/make_golden.py).

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

template <class T>
constexpr bool is_double = std::is_same_v<T, double>;
template <class T>
constexpr double value_tolerance = is_double<T> ? 1e-9 : 1e-5;
template <class T>
constexpr double gradient_tolerance = is_double<T> ? 1e-9 : 1e-4;
constexpr double value_floor = 1e-2;

golden_file golden(const std::string& name) { return golden_file(INHIBITOR_GOLDEN_DIR "/" + name + ".safetensors"); }

template <class T>
heads_view<T> view(std::vector<std::remove_const_t<T>>& data, index_t heads, index_t rows, index_t size) {
  return {data.data(), heads * rows * size, size, rows * size};
}

/// One group of attention.safetensors.
template <class T>
struct attention_case {
  std::vector<T> q, k, v, dout;        // (B, H, L, D), (B, H, S, D), (B, H, S, Dv), (B, H, L, Dv)
  std::vector<T> gamma, delta, eta;    // (H), inhibitor only
  std::vector<std::uint8_t> key_mask;  // (B, S)
  attention_shape shape;
  inhibitor_options options;
  bool causal = false, is_inhibitor = false;

  attention_case(const golden_file& file, const std::string& name)
      : q(file.values<T>(name + "/q")),
        k(file.values<T>(name + "/k")),
        v(file.values<T>(name + "/v")),
        dout(file.values<T>(name + "/dout")),
        key_mask(file.integers<std::uint8_t>(name + "/key_mask")),
        is_inhibitor(file.has(name + "/gamma")) {
    shape.batch = file.extent(name + "/q", 0);
    shape.heads = file.extent(name + "/q", 1);
    shape.queries = file.extent(name + "/q", 2);
    shape.keys = file.extent(name + "/k", 2);
    shape.head_size = file.extent(name + "/q", 3);
    shape.value_size = file.extent(name + "/v", 3);
    const auto flags = file.integers<int>(name + "/options");
    options.is_signed = flags.at(0) != 0;
    options.center = flags.at(1) == 0   ? centering::none
                     : flags.at(1) == 1 ? centering::attended_keys
                                        : centering::all_keys;
    options.normalize_by_length = flags.at(2) != 0;
    causal = flags.at(3) != 0;
    if (!is_inhibitor) return;
    gamma = file.values<T>(name + "/gamma");
    delta = file.values<T>(name + "/delta");
    eta = file.values<T>(name + "/eta");
  }
};

std::set<std::string> case_names(const golden_file& file) {
  std::set<std::string> names;
  for (const tensor_info& t : file.tensors()) names.insert(t.name.substr(0, t.name.find('/')));
  return names;
}

/// Model, batch and work space of one encoder file.
template <class T>
struct encoder_case {
  golden_file file;
  encoder_config config;
  std::vector<std::int32_t> ids, token_types, labels, mlm_labels;
  std::vector<std::uint8_t> key_mask;
  token_view tokens;

  explicit encoder_case(const std::string& name)
      : file(golden(name)),
        ids(file.integers<std::int32_t>("input/ids")),
        labels(file.integers<std::int32_t>("input/labels")),
        mlm_labels(file.integers<std::int32_t>("input/mlm_labels")),
        key_mask(file.integers<std::uint8_t>("input/key_mask")) {
    const auto sizes = file.integers<index_t>("config");
    config.vocab_size = sizes.at(0);
    config.max_position_embeddings = sizes.at(1);
    config.n_layers = sizes.at(2);
    config.n_heads = sizes.at(3);
    config.intermediate_dim = sizes.at(4);
    config.num_labels = sizes.at(5);
    if (file.has("input/token_types")) {
      config.set_family(model_family::bert);
      config.type_vocab_size = file.extent("param/bert.embeddings.token_type_embeddings.weight", 0);
      token_types = file.integers<std::int32_t>("input/token_types");
    }
    const std::string root = config.family == model_family::bert ? "bert" : "distilbert";
    config.dim = file.extent("param/" + root + ".embeddings.word_embeddings.weight", 1);
    const bool is_inhibitor = file.has("param/distilbert.transformer.layer.0.attention.inhibitor_shift");
    config.attention.assign(static_cast<std::size_t>(config.n_layers), is_inhibitor ? "inhibitor" : "dot_product");
    tokens = {ids.data(), key_mask.data(), file.extent("input/ids", 0), file.extent("input/ids", 1),
              token_types.empty() ? nullptr : token_types.data()};
  }

  encoder_tensors<T> parameters(const head_names& heads) const {
    encoder_tensors<T> p(config, heads);
    p.visit([&](const std::string& visited, tensor<T>& t) {
      const std::string name = checkpoint_tensor_name(visited, config.family);
      const auto values = file.template values<T>("param/" + name);
      REQUIRE(static_cast<index_t>(values.size()) == t.size());
      std::copy(values.begin(), values.end(), t.data);
    });
    return p;
  }
};

const head_names both_heads{"sequence_classification", "masked_lm"}, classification{"sequence_classification"};
const char* const encoder_names[] = {"distilbert_inhibitor", "distilbert_dot_product", "bert"};

}  // namespace

TEMPLATE_TEST_CASE("multi_head_attention: equals PyTorch, forward and backward", "[golden]", float, double) {
  using T = TestType;
  const golden_file file = golden("attention");
  attention_workspace workspace;
  const executor workers;
  REQUIRE(case_names(file).size() == 27);
  for (const std::string& name : case_names(file)) {
    INFO(name);
    attention_case<T> c(file, name);
    const attention_shape& s = c.shape;
    const attention_mask mask{c.key_mask.data(), c.causal};
    const auto q = view<const T>(c.q, s.heads, s.queries, s.head_size);
    const auto k = view<const T>(c.k, s.heads, s.keys, s.head_size);
    const auto v = view<const T>(c.v, s.heads, s.keys, s.value_size);
    const auto dout = view<const T>(c.dout, s.heads, s.queries, s.value_size);
    // The output is overwritten; gradients are added to what is there.
    constexpr T before = T(0.5);
    std::vector<T> out(c.dout.size(), T(7)), dq(c.q.size(), before), dk(c.k.size(), before), dv(c.v.size(), before);
    const auto h = static_cast<std::size_t>(s.heads);
    std::vector<T> dgamma(h, before), ddelta(h, before), deta(h, before);
    const auto out_view = view<T>(out, s.heads, s.queries, s.value_size);
    const auto dq_view = view<T>(dq, s.heads, s.queries, s.head_size);
    const auto dk_view = view<T>(dk, s.heads, s.keys, s.head_size);
    const auto dv_view = view<T>(dv, s.heads, s.keys, s.value_size);
    if (c.is_inhibitor) {
      const inhibitor_attention<T> mechanism{c.options, {c.gamma.data(), c.delta.data(), c.eta.data()}};
      multi_head_attention_forward<T>(out_view, q, k, v, s, mask, mechanism, workspace, workers);
      multi_head_attention_backward<T>(dq_view, dk_view, dv_view, {dgamma.data(), ddelta.data(), deta.data()}, dout, q,
                                       k, v, s, mask, mechanism, workspace, workers);
    } else {
      const dot_product_attention<T> mechanism{};
      multi_head_attention_forward<T>(out_view, q, k, v, s, mask, mechanism, workspace, workers);
      multi_head_attention_backward<T>(dq_view, dk_view, dv_view, dout, q, k, v, s, mask, mechanism, workspace,
                                       workers);
    }
    check_close(out.data(), file, name + "/out", value_tolerance<T>, value_floor);
    std::map<std::string, std::vector<T>*> gradients{{"/dq", &dq}, {"/dk", &dk}, {"/dv", &dv}};
    if (c.is_inhibitor) gradients.insert({{"/dgamma", &dgamma}, {"/ddelta", &ddelta}, {"/deta", &deta}});
    for (const auto& [suffix, gradient] : gradients) {
      for (T& x : *gradient) x -= before;
      check_close(gradient->data(), file, name + suffix, gradient_tolerance<T>, value_floor);
    }
  }
}

TEST_CASE("reference attention: equals PyTorch, forward and backward", "[golden]") {
  const golden_file file = golden("attention");
  for (const std::string& name : case_names(file)) {
    INFO(name);
    attention_case<double> c(file, name);
    const attention_shape& s = c.shape;
    std::vector<double> out(c.dout.size()), dq(c.q.size()), dk(c.k.size()), dv(c.v.size());
    const auto h = static_cast<std::size_t>(s.heads);
    std::vector<double> dgamma(h), ddelta(h), deta(h);
    for (index_t b = 0; b < s.batch; ++b) {
      std::vector<std::uint8_t> attend;  // (L, S)
      for (index_t i = 0; i < s.queries; ++i) {
        for (index_t j = 0; j < s.keys; ++j) {
          const bool visible = !c.causal || j <= i + s.keys - s.queries;
          attend.push_back(visible ? c.key_mask[static_cast<std::size_t>(b * s.keys + j)] : std::uint8_t{0});
        }
      }
      reference::attention_problem p;
      p.queries = s.queries;
      p.keys = s.keys;
      p.head_size = s.head_size;
      p.value_size = s.value_size;
      p.attend = attend.data();
      p.normalize_by_length = c.options.normalize_by_length;
      p.center = c.options.center == centering::none            ? reference::centered::no
                 : c.options.center == centering::attended_keys ? reference::centered::attended_keys
                                                                : reference::centered::all_keys;
      p.aggregate = c.options.is_signed ? reference::aggregation::signed_relu : reference::aggregation::unsigned_relu;
      if (!c.is_inhibitor) {
        p.score = reference::scoring::dot_product;
        p.aggregate = reference::aggregation::softmax;
      }
      for (index_t head = 0; head < s.heads; ++head) {
        const auto x = static_cast<std::size_t>(head);
        const index_t item = b * s.heads + head;
        const index_t q = item * s.queries * s.head_size, k = item * s.keys * s.head_size;
        const index_t v = item * s.keys * s.value_size, o = item * s.queries * s.value_size;
        reference::attention_scalars<double> scalars, dscalars{0, 0, 0};
        if (c.is_inhibitor) scalars = {c.gamma[x], c.delta[x], c.eta[x]};
        reference::attention_forward(out.data() + o, c.q.data() + q, c.k.data() + k, c.v.data() + v, scalars, p);
        reference::attention_backward(dq.data() + q, dk.data() + k, dv.data() + v, dscalars, c.dout.data() + o,
                                      c.q.data() + q, c.k.data() + k, c.v.data() + v, scalars, p);
        dgamma[x] += dscalars.score_scale;
        ddelta[x] += dscalars.shift;
        deta[x] += dscalars.output_scale;
      }
    }
    std::map<std::string, std::vector<double>*> results{{"/out", &out}, {"/dq", &dq}, {"/dk", &dk}, {"/dv", &dv}};
    if (c.is_inhibitor) results.insert({{"/dgamma", &dgamma}, {"/ddelta", &ddelta}, {"/deta", &deta}});
    for (const auto& [suffix, values] : results) check_close(values->data(), file, name + suffix, 1e-12, value_floor);
  }
}

TEMPLATE_TEST_CASE("classification_objective: equals PyTorch in every activation and gradient", "[golden]", float,
                   double) {
  using T = TestType;
  for (const char* name : encoder_names) {
    INFO(name);
    const encoder_case<T> c(name);
    const encoder_tensors<T> p = c.parameters(both_heads);
    training_state<T> state(p);
    const double loss = classification_objective(state, p, c.tokens, c.labels.data(), {}, executor());
    CHECK(std::abs(loss - c.file.scalar("loss")) <= value_tolerance<T> * c.file.scalar("loss"));
    check_close(state.head.logits.data(), c.file, "logits", value_tolerance<T>, value_floor);
    for (std::size_t l = 0; l < state.activations.hidden.size(); ++l) {
      check_close(state.activations.hidden[l].data(), c.file, "hidden." + std::to_string(l), value_tolerance<T>,
                  value_floor);
    }
    for (std::size_t l = 0; l < state.activations.block.size(); ++l) {
      check_close(state.activations.block[l].mixing.context.data(), c.file, "context." + std::to_string(l),
                  value_tolerance<T>, value_floor);
    }
    check_tensors(state.gradients, c.file, "grad/", gradient_tolerance<T>, gradient_floor, true);
    const T* pad_row = state.gradients.embeddings.word_embeddings.data;
    CHECK(std::all_of(pad_row, pad_row + c.config.dim, [](T x) { return x == T(0); }));

    // A second call adds to the gradients.
    const encoder_tensors<T> once = state.gradients;
    classification_objective(state, p, c.tokens, c.labels.data(), {}, executor());
    index_t differing = 0;
    for (index_t i = 0; i < once.size(); ++i) {
      const double want = 2 * static_cast<double>(once.data()[i]);
      if (std::abs(static_cast<double>(state.gradients.data()[i]) - want) > gradient_tolerance<T> * gradient_floor)
        ++differing;
    }
    CHECK(differing == 0);
  }
}

TEMPLATE_TEST_CASE("masked_lm: equals PyTorch with a tied decoder and ignored labels", "[golden]", float, double) {
  using T = TestType;
  for (const char* name : encoder_names) {
    const encoder_case<T> c(name);
    const encoder_tensors<T> p = c.parameters(both_heads);
    std::vector<index_t> every_position, labeled_positions;
    std::vector<std::int32_t> labels_there;
    for (index_t i = 0; i < c.tokens.rows(); ++i) {
      every_position.push_back(i);
      const std::int32_t label = c.mlm_labels[static_cast<std::size_t>(i)];
      if (label == ignored_label) continue;
      labeled_positions.push_back(i);
      labels_there.push_back(label);
    }
    for (const bool labeled_only : {false, true}) {
      INFO(name << (labeled_only ? ", only the labeled positions" : ", every position"));
      const auto& labels = labeled_only ? labels_there : c.mlm_labels;
      training_state<T> state(p);
      masked_lm_activations<T> head;
      encoder_forward(state.activations, c.tokens, p, {}, executor());
      masked_lm_forward(head, labeled_only ? labeled_positions : every_position, state.activations, p, executor());
      if (!labeled_only) check_close(head.logits.data(), c.file, "mlm_logits", value_tolerance<T>, value_floor);
      state.dactivations.reset(c.config, c.tokens);
      std::vector<T> dlogits(static_cast<std::size_t>(head.logits.size()));
      const double loss = cross_entropy(dlogits.data(), head.logits.data(), labels.data(),
                                        static_cast<index_t>(labels.size()), c.config.vocab_size);
      CHECK(std::abs(loss - c.file.scalar("mlm_loss")) <= value_tolerance<T> * c.file.scalar("mlm_loss"));
      masked_lm_backward(state.gradients, state.dactivations, dlogits.data(), head, p, executor());
      encoder_backward(state.gradients, state.dactivations, state.activations, c.tokens, p, {}, executor());
      check_tensors(state.gradients, c.file, "mlm_grad/", gradient_tolerance<T>, gradient_floor, true);
    }
  }
}

TEST_CASE("adamw: ten training steps equal PyTorch's", "[golden]") {
  for (const char* name : encoder_names) {
    INFO(name);
    const encoder_case<double> c(name);
    encoder_tensors<double> p = c.parameters(classification);
    training_state<double> state(p);
    adamw<encoder_tensors<double>> optimizer(p, trainable_segments(p, [](const std::string&) { return true; }));
    adamw_options options;
    options.weight_decay = 0.01;
    const learning_rate_schedule schedule{schedule_kind::linear, 3, 10};
    const auto losses = c.file.values<double>("losses"), norms = c.file.values<double>("grad_norms");
    const auto rates = c.file.values<double>("learning_rates");
    REQUIRE(losses.size() == 10);
    for (std::size_t step = 0; step < losses.size(); ++step) {
      INFO("step " << step);
      const double loss = classification_objective(state, p, c.tokens, c.labels.data(), {}, executor());
      CHECK(std::abs(loss - losses[step]) <= 1e-7 * losses[step]);
      options.learning_rate = 1e-3 * schedule.factor(static_cast<index_t>(step));
      CHECK(std::abs(options.learning_rate - rates[step]) <= 1e-15);
      const double norm = optimizer.update(p, state.gradients, options, 1.0, executor());
      CHECK(std::abs(norm - norms[step]) <= 1e-7 * norms[step]);
    }
    check_tensors(p, c.file, "final/", 1e-7, value_floor, false);
    check_tensors(optimizer.first_moment, c.file, "moment/", 1e-8, gradient_floor, true);
  }
}

TEST_CASE("masked_lm_objective: a hundred steps of pretraining follow PyTorch's", "[golden]") {
  const golden_file file = golden("pretraining");
  for (const std::string name : {"distilbert_inhibitor", "distilbert_dot_product"}) {
    INFO(name);
    const encoder_case<double> c(name);
    encoder_tensors<double> p = c.parameters({"masked_lm"});
    masked_lm_state<double> state(p);
    adamw<encoder_tensors<double>> optimizer(p, trainable_segments(p, [](const std::string&) { return true; }));
    adamw_options options;
    options.weight_decay = 0.01;
    options.beta2 = 0.98;
    options.epsilon = 1e-6;
    const auto ids = file.integers<std::int32_t>(name + "/ids");
    const auto labels = file.integers<std::int32_t>(name + "/mlm_labels");
    const auto key_mask = file.integers<std::uint8_t>(name + "/key_mask");
    const auto losses = file.values<double>(name + "/losses"), norms = file.values<double>(name + "/grad_norms");
    const auto rates = file.values<double>(name + "/learning_rates");
    const index_t batch = file.extent(name + "/ids", 1), length = file.extent(name + "/ids", 2);
    for (index_t step = 0; step < file.extent(name + "/ids", 0); ++step) {
      INFO("step " << step);
      const index_t first = step * batch * length;
      std::vector<index_t> positions;
      std::vector<std::int32_t> guessed;
      for (index_t i = 0; i < batch * length; ++i) {
        const std::int32_t label = labels[static_cast<std::size_t>(first + i)];
        if (label == ignored_label) continue;
        positions.push_back(i);
        guessed.push_back(label);
      }
      const auto count = static_cast<double>(guessed.size());
      const token_view tokens{ids.data() + first, key_mask.data() + first, batch, length};
      const double loss = masked_lm_objective(state, p, tokens, positions, guessed, 1 / count, {}, executor()) / count;
      const auto s = static_cast<std::size_t>(step);
      CHECK(std::abs(loss - losses[s]) <= 1e-7);
      options.learning_rate = rates[s];
      const double norm = optimizer.update(p, state.gradients, options, 1.0, executor());
      CHECK(std::abs(norm - norms[s]) <= 1e-6 * norms[s]);
    }
  }
}

TEST_CASE("adamw: ten steps in float at a rate of 1e-4 stay with those in double", "[golden]") {
  // At higher rates a float run may pass a kink of the inhibitor on the other side and go its own way from there.
  const auto losses_of = [](const char* name, auto zero) {
    using T = decltype(zero);
    const encoder_case<T> c(name);
    encoder_tensors<T> p = c.parameters(classification);
    training_state<T> state(p);
    adamw<encoder_tensors<T>> optimizer(p, trainable_segments(p, [](const std::string&) { return true; }));
    adamw_options options;
    options.learning_rate = 1e-4;
    std::vector<double> losses;
    for (int step = 0; step < 10; ++step) {
      losses.push_back(classification_objective(state, p, c.tokens, c.labels.data(), {}, executor()));
      optimizer.update(p, state.gradients, options, 1.0, executor());
    }
    return losses;
  };
  for (const char* name : encoder_names) {
    INFO(name);
    const auto in_float = losses_of(name, 0.0F), in_double = losses_of(name, 0.0);
    CHECK(in_double.back() < in_double.front());
    for (std::size_t step = 0; step < in_double.size(); ++step) {
      CHECK(std::abs(in_float[step] - in_double[step]) <= 1e-5 * in_double[step]);
    }
  }
}

TEMPLATE_TEST_CASE("distillation objectives: equal PyTorch", "[golden]", float, double) {
  using T = TestType;
  const golden_file file = golden("objectives");
  const encoder_case<T> student("distilbert_inhibitor"), teacher("distilbert_dot_product");
  const encoder_tensors<T> p = student.parameters(classification), teacher_p = teacher.parameters(classification);
  inference_state<T> teacher_state;
  const auto compare = [&](const std::string& group, double loss, const training_state<T>& state) {
    INFO(group);
    CHECK(std::abs(loss - file.scalar(group + "/loss")) <= value_tolerance<T> * file.scalar(group + "/loss"));
    check_tensors(state.gradients, file, group + "/grad/", gradient_tolerance<T>, gradient_floor, true);
  };
  for (index_t layer = 0; layer < student.config.n_layers; ++layer) {
    training_state<T> state(p);
    const double loss =
        layer_context_objective(state, p, teacher_state, teacher_p, layer, student.tokens, {}, executor());
    compare("context." + std::to_string(layer), loss, state);
  }
  training_state<T> hidden(p), task(p);
  const double hidden_loss =
      hidden_state_objective(hidden, p, teacher_state, teacher_p, student.tokens, {}, executor());
  compare("hidden", hidden_loss, hidden);
  const auto w = file.values<double>("task/weights");
  const distillation_weights weights{w.at(0), w.at(1), w.at(2), w.at(3)};
  const double task_loss = task_distillation_objective(task, p, teacher_state, teacher_p, weights, student.tokens,
                                                       student.labels.data(), {}, executor());
  compare("task", task_loss, task);
}

TEMPLATE_TEST_CASE("distillation losses: equal PyTorch and do not see padding", "[golden]", float, double) {
  using T = TestType;
  const golden_file file = golden("distillation");
  for (const std::string& name : case_names(file)) {
    INFO(name);
    const auto student = file.values<T>(name + "/student"), teacher = file.values<T>(name + "/teacher");
    std::vector<T> dstudent(student.size(), T(0));
    const index_t rank = file.has(name + "/key_mask") ? 3 : 2;
    const index_t cols = file.extent(name + "/student", static_cast<std::size_t>(rank - 1));
    const index_t rows = static_cast<index_t>(student.size()) / cols;
    double loss = 0;
    if (rank == 2) {
      loss = distillation_kl(dstudent.data(), student.data(), teacher.data(), rows, cols,
                             file.scalar(name + "/temperature"));
    } else if (name == "token_kl") {
      // Logits per token: the caller hands over the rows that count.
      const auto mask = file.integers<std::uint8_t>(name + "/key_mask");
      std::vector<T> s, t;
      std::vector<index_t> offsets;
      for (index_t i = 0; i < rows; ++i) {
        if (mask[static_cast<std::size_t>(i)] == 0) continue;
        offsets.push_back(i * cols);
        s.insert(s.end(), student.begin() + i * cols, student.begin() + (i + 1) * cols);
        t.insert(t.end(), teacher.begin() + i * cols, teacher.begin() + (i + 1) * cols);
      }
      std::vector<T> ds(s.size(), T(0));
      loss = distillation_kl(ds.data(), s.data(), t.data(), static_cast<index_t>(offsets.size()), cols,
                             file.scalar(name + "/temperature"));
      for (std::size_t i = 0; i < offsets.size(); ++i) {
        std::copy_n(ds.begin() + static_cast<index_t>(i) * cols, cols, dstudent.begin() + offsets[i]);
      }
    } else {
      const auto mask = file.integers<std::uint8_t>(name + "/key_mask");
      const auto function = name == "cosine" ? &masked_cosine<T> : &masked_mse<T>;
      loss = function(dstudent.data(), student.data(), teacher.data(), mask.data(), rows, cols, 1.0);
    }
    CHECK(std::abs(loss - file.scalar(name + "/loss")) <= value_tolerance<T>);
    check_close(dstudent.data(), file, name + "/dstudent", gradient_tolerance<T>, 0);
  }
}
