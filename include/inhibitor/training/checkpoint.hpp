// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/io/content_hash.hpp"
#include "inhibitor/io/json_file.hpp"
#include "inhibitor/io/safetensors.hpp"
#include "inhibitor/models/bert/encoder.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/pretrained/model_folder.hpp"
#include "inhibitor/training/run_identity.hpp"
#include "inhibitor/training/training_progress.hpp"

// A checkpoint is one safetensors file: the model in training and both moments of its optimizer as tensors
// "model.<name>", "first_moment.<name>", "second_moment.<name>", where weights are averaged "average.<name>", and in its
// metadata
//
//   "version"   of this layout
//   "state"     JSON: the run, its settings and data, and how far it is. Doubles are written so that they read back to
//               the same bits.
//   "checksum"  of the state and of every tensor's name and bytes
//
// While training goes on there are two: the newest under the name given, the one before it as <name>.previous, for the
// case that the newest is damaged.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What a checkpoint says beside its tensors.
struct checkpoint_state {
  std::string run;  ///< which of the runs that share a folder
  run_identity identity;
  training_progress progress;
};

namespace detail {

constexpr const char* checkpoint_version = "2";

inline std::string checkpoint_text(const checkpoint_state& s) {
  const training_progress& p = s.progress;
  return nlohmann::json{{"run", s.run},
                        {"identity", to_json(s.identity)},
                        {"stage", p.stage},
                        {"step", p.step},
                        {"epoch_loss", p.epoch_loss},
                        {"optimizer_step", p.optimizer_step},
                        {"examples", p.examples},
                        {"seconds", p.seconds},
                        {"epochs", p.epochs}}
      .dump();
}

inline checkpoint_state checkpoint_state_from(const nlohmann::json& j) {
  checkpoint_state s;
  s.run = j.at("run");
  s.identity = run_identity_from(j.at("identity"));
  s.progress.stage = j.at("stage");
  s.progress.step = j.at("step");
  s.progress.epoch_loss = j.at("epoch_loss");
  s.progress.optimizer_step = j.at("optimizer_step");
  s.progress.examples = j.at("examples");
  s.progress.seconds = j.at("seconds");
  s.progress.epochs = j.at("epochs");
  return s;
}

/// Calls f(name in the file, tensor) for everything a checkpoint holds; Model and Optimizer may be const, `average` may
/// be null.
template <class Model, class Optimizer, class Visitor>
void visit_checkpoint(Model& model, Optimizer& optimizer, Model* average, Visitor&& f) {
  const auto group = [&](const std::string& prefix, auto& tensors) {
    tensors.visit([&](const std::string& name, auto& t) { f(prefix + name, t); });
  };
  group("model.", model);
  group("first_moment.", optimizer.first_moment);
  group("second_moment.", optimizer.second_moment);
  if (average != nullptr) group("average.", *average);
}

/// `tensors`: name, then first byte and size.
inline std::string checkpoint_checksum(const std::string& state,
                                       const std::map<std::string, std::pair<const void*, std::size_t>>& tensors) {
  content_hash hash;
  hash.add(state);
  for (const auto& [name, bytes] : tensors) {
    hash.add(name);
    hash.add({static_cast<const char*>(bytes.first), bytes.second});
  }
  return hash.text();
}

}  // namespace detail

/// Writes the file whole or not at all; `average` may be null. Throws file_error.
template <class Model>
void write_checkpoint(const std::string& path, const checkpoint_state& state, const Model& model,
                      const adamw<Model>& optimizer, const Model* average = nullptr) {
  safetensors_writer file;
  std::map<std::string, std::pair<const void*, std::size_t>> tensors;
  detail::visit_checkpoint(model, optimizer, average, [&](const std::string& name, const auto& t) {
    file.add(name, dtype::f32, stored_shape(t), t.data);
    tensors[name] = {t.data, static_cast<std::size_t>(t.size()) * sizeof(*t.data)};
  });
  const std::string text = detail::checkpoint_text(state);
  file.metadata("version", detail::checkpoint_version);
  file.metadata("state", text);
  file.metadata("checksum", detail::checkpoint_checksum(text, tensors));
  file.write(path);
}

/// An opened checkpoint whose checksum has been found right.
class checkpoint_file {
 public:
  /// Throws file_error when the file is no checkpoint of this version or is damaged.
  explicit checkpoint_file(const std::string& path) : file_(safetensors_file::map(path)) {
    const auto field = [&](const char* key) {
      const auto found = file_.metadata().find(key);
      return found == file_.metadata().end() ? std::string() : found->second;
    };
    const std::string version = field("version");
    if (version != detail::checkpoint_version) {
      throw file_error(path, version.empty()
                                 ? "is no checkpoint that this program can read (its metadata has no \"version\")"
                                 : "is a checkpoint of version " + version + "; this program reads version " +
                                       detail::checkpoint_version);
    }
    std::map<std::string, std::pair<const void*, std::size_t>> tensors;
    for (const tensor_info& t : file_.tensors()) {
      tensors[t.name] = {file_.data(t), static_cast<std::size_t>(t.end - t.begin)};
    }
    const std::string text = field("state");
    if (field("checksum") != detail::checkpoint_checksum(text, tensors)) {
      throw file_error(path, "is damaged: its content does not have its checksum");
    }
    try {
      state_ = detail::checkpoint_state_from(parse_json(text, path));
    } catch (const nlohmann::json::exception& e) {
      throw file_error(path, std::string("is no checkpoint that this program can read: ") + e.what());
    }
  }

  const checkpoint_state& state() const { return state_; }

  /// Copies the numbers into a model, an optimizer and, unless that is null, an average of the same configuration.
  /// Throws file_error naming the tensor that is missing or has another shape.
  template <class Model>
  void read_tensors(Model& model, adamw<Model>& optimizer, Model* average = nullptr) const {
    detail::visit_checkpoint(model, optimizer, average, [&](const std::string& name, auto& t) {
      const tensor_info* info = file_.find(name);
      if (info == nullptr) throw file_error(file_.path(), "tensor \"" + name + "\" is missing");
      if (info->shape != stored_shape(t)) {
        throw file_error(file_.path(), "tensor \"" + name + "\" has another shape than in the model");
      }
      file_.copy_to(*info, t.data);
    });
    optimizer.step = state_.progress.optimizer_step;
  }

 private:
  safetensors_file file_;
  checkpoint_state state_;
};

/// The checkpoints of a training: the newest and the one before it.
class checkpoint_store {
 public:
  /// `path` is the newest's; empty: nothing is kept. Files appear with the first save.
  explicit checkpoint_store(std::string path) : path_(std::move(path)) {}

  /// The newest checkpoint that can be read; nothing when there is none. `log` is told when the newest is damaged and
  /// the one before it is used. Throws file_error when all that there are are damaged.
  std::optional<checkpoint_file> open(const log_sink& log) {
    std::string problem;
    for (const std::string& path : {path_, previous()}) {
      if (path_.empty() || !std::filesystem::exists(path)) continue;
      try {
        checkpoint_file file(path);
        if (!problem.empty()) {
          tell(log, problem + "; going on from the checkpoint before it, " + path);
          newest_is_damaged_ = true;
        }
        return file;
      } catch (const file_error& e) {
        if (problem.empty()) problem = e.what();
      }
    }
    // The message begins with the file's name.
    if (!problem.empty()) throw std::runtime_error(problem + "; there is no older one to go on from");
    return std::nullopt;
  }

  /// Writes a new checkpoint; the old one is kept until the next. Whatever ends the program meanwhile, one whole
  /// checkpoint is there. Throws file_error.
  template <class Model>
  void save(const checkpoint_state& state, const Model& model, const adamw<Model>& optimizer,
            const Model* average = nullptr) {
    if (path_.empty()) return;
    if (!newest_is_damaged_ && std::filesystem::exists(path_)) std::filesystem::rename(path_, previous());
    write_checkpoint(path_, state, model, optimizer, average);
    newest_is_damaged_ = false;
  }

  /// Removes both, once what they stand for is saved elsewhere.
  void remove() const {
    std::filesystem::remove(path_);
    std::filesystem::remove(previous());
  }

 private:
  std::string previous() const { return path_ + ".previous"; }

  std::string path_;
  bool newest_is_damaged_ = false;  ///< it must not replace a good one
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
