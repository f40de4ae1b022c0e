// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <string>
#include <vector>

#include "support/trainer.hpp"
#include "inhibitor/pretrained/model_folder.hpp"

// A checkpoint is one safetensors file: the model in training and both moments of its optimizer as tensors
// "model.<name>", "first_moment.<name>", "second_moment.<name>", and the position as metadata.

namespace inhibitor::examples {

/// Which run and stage a checkpoint belongs to. A stage that has not begun has position.step 0.
struct checkpoint_position {
  std::string run;    ///< which of the runs that share a folder
  std::string stage;  ///< name of a stage_plan
  stage_position position;
  index_t optimizer_step = 0;
  std::string epochs;    ///< JSON of the record's epochs so far
  std::string settings;  ///< JSON of what must not change between a run and its resumption
};

namespace detail {

/// Calls f(name in the file, tensor) for everything a checkpoint holds; Model and Optimizer may be const.
template <class Model, class Optimizer, class Visitor>
void visit_checkpoint(Model& model, Optimizer& optimizer, Visitor&& f) {
  const auto group = [&](const std::string& prefix, auto& tensors) {
    tensors.visit([&](const std::string& name, auto& t) { f(prefix + name, t); });
  };
  group("model.", model);
  group("first_moment.", optimizer.first_moment);
  group("second_moment.", optimizer.second_moment);
}

}  // namespace detail

/// Writes the file whole or not at all. Throws file_error.
inline void write_checkpoint(const std::string& path, const checkpoint_position& where,
                             const encoder_tensors<float>& model, const adamw<encoder_tensors<float>>& optimizer) {
  safetensors_writer file;
  detail::visit_checkpoint(model, optimizer, [&](const std::string& name, const auto& t) {
    file.add(name, dtype::f32, stored_shape(t), t.data);
  });
  file.metadata("run", where.run);
  file.metadata("stage", where.stage);
  file.metadata("step", std::to_string(where.position.step));
  file.metadata("seconds", fmt::format("{}", where.position.seconds));
  file.metadata("examples", std::to_string(where.position.examples));
  file.metadata("optimizer_step", std::to_string(where.optimizer_step));
  file.metadata("epochs", where.epochs);
  file.metadata("settings", where.settings);
  file.write(path);
}

/// Reads the position alone. Throws file_error when the file is no checkpoint of this program.
inline checkpoint_position read_checkpoint_position(const safetensors_file& file) {
  const auto field = [&](const char* key) -> const std::string& {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end()) {
      throw file_error(file.path(),
                       std::string("metadata has no \"") + key + "\"; expected a checkpoint of our programs");
    }
    return found->second;
  };
  const auto number = [&](const char* key) {
    const std::string& text = field(key);
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !(value >= 0) || value > 1e15) {
      throw file_error(file.path(), std::string("metadata \"") + key + "\" is \"" + text + "\"; expected a number");
    }
    return value;
  };
  checkpoint_position where;
  where.run = field("run");
  where.stage = field("stage");
  where.position.step = static_cast<index_t>(number("step"));
  where.position.seconds = number("seconds");
  where.position.examples = static_cast<index_t>(number("examples"));
  where.optimizer_step = static_cast<index_t>(number("optimizer_step"));
  where.epochs = field("epochs");
  where.settings = field("settings");
  return where;
}

/// Copies the numbers into a model and an optimizer of the same configuration. Throws file_error naming the tensor that
/// is missing or has another shape.
inline void read_checkpoint_tensors(const safetensors_file& file, encoder_tensors<float>& model,
                                    adamw<encoder_tensors<float>>& optimizer) {
  detail::visit_checkpoint(model, optimizer, [&](const std::string& name, tensor<float>& t) {
    const tensor_info* info = file.find(name);
    if (info == nullptr) throw file_error(file.path(), "tensor \"" + name + "\" is missing");
    const std::vector<std::uint64_t> shape = stored_shape(t);
    if (info->shape != shape) {
      throw file_error(file.path(), fmt::format("tensor \"{}\" has shape [{}]; expected [{}]", name,
                                                fmt::join(info->shape, ", "), fmt::join(shape, ", ")));
    }
    file.copy_to(*info, t.data);
  });
}

}  // namespace inhibitor::examples
