// SPDX-License-Identifier: Apache-2.0

// PyTorch in a process of its own (pytorch_encoder.py), driven line by line so that it takes its turns like everybody.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "inhibitor/base/read_file.hpp"
#include "models/contenders.hpp"

namespace inhibitor {
namespace bench {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// A child process that answers lines by lines.
class service {
 public:
  explicit service(const std::vector<std::string>& command) {
    int to_child[2], from_child[2];
    if (::pipe(to_child) != 0 || ::pipe(from_child) != 0) throw std::runtime_error("no pipe");
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("no child process");
    if (child_ == 0) {
      ::dup2(to_child[0], 0);
      ::dup2(from_child[1], 1);
      for (const int end : {to_child[0], to_child[1], from_child[0], from_child[1]}) ::close(end);
      std::vector<char*> arguments;
      for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      // PyTorch's threads and those of its OpenBLAS share the cores; while one set spins the other starves, and two
      // threads take three times as long as one.
      ::setenv("OMP_WAIT_POLICY", "passive", 0);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(to_child[0]);
    ::close(from_child[1]);
    to_ = ::fdopen(to_child[1], "w");
    from_ = ::fdopen(from_child[0], "r");
  }
  service(const service&) = delete;
  service& operator=(const service&) = delete;
  ~service() {
    std::fclose(to_);
    std::fclose(from_);
    ::waitpid(child_, nullptr, 0);
  }

  void send(const json& request) {
    std::fputs((request.dump() + "\n").c_str(), to_);
    std::fflush(to_);
  }
  json receive() {
    std::string line;
    for (int c = std::fgetc(from_); c != '\n'; c = std::fgetc(from_)) {
      if (c == EOF) throw std::runtime_error("the PyTorch process has ended");
      line += static_cast<char>(c);
    }
    return json::parse(line);
  }
  json ask(const json& request) {
    send(request);
    return receive();
  }

 private:
  ::pid_t child_;
  std::FILE *to_, *from_;
};

/// The folder that the service reads its model from; removed at the end.
class model_files {
 public:
  explicit model_files(const bench_models& models)
      : folder_(fs::temp_directory_path() / ("bench_model-" + std::to_string(::getpid()))) {
    fs::create_directory(folder_);
    std::ofstream weights(folder_ / "weights.bin", std::ios::binary);
    index_t written = 0;
    json tensors;
    const auto write = [&](const std::string& name, const encoder_tensors<float>& p) {
      p.visit([&](const std::string& tensor_name, const tensor<const float>& t) {
        const json shape = t.rank == 1 ? json{t.cols} : json{t.rows, t.cols};
        tensors[name].push_back({{"name", tensor_name}, {"shape", shape}, {"begin", written + (t.data - p.data())}});
      });
      weights.write(reinterpret_cast<const char*>(p.data()), p.size() * static_cast<index_t>(sizeof(float)));
      written += p.size();
    };
    write("dot", models.dot);
    write("inhibitor", models.inhibitor);
    const encoder_config& c = models.dot.config();
    std::ofstream(folder_ / "model.json") << json{{"dim", c.dim},
                                                  {"n_heads", c.n_heads},
                                                  {"n_layers", c.n_layers},
                                                  {"layer_norm_epsilon", c.layer_norm_epsilon},
                                                  {"tensors", tensors}};
    if (!weights.flush()) throw std::runtime_error("cannot write " + folder_.string());
  }
  ~model_files() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string folder() const { return folder_.string(); }

 private:
  fs::path folder_;
};

/// The process and its files, for as long as one of its encoders lives.
struct pytorch {
  model_files files;
  service process;
  json greeting;

  pytorch(const bench_models& models, const std::string& python, const std::string& script)
      : files(models), process({python, script, files.folder()}), greeting(process.receive()) {}
};

class pytorch_encoder : public model_contender {
 public:
  pytorch_encoder(std::shared_ptr<pytorch> torch, std::string attention)
      : torch_(std::move(torch)), attention_(std::move(attention)) {}

  void prepare(const model_problem& p) override {
    problem_ = p;
    switch_to();
  }
  double run() override {
    switch_to();
    return torch_->process.ask({{"run", true}})["seconds"];
  }
  std::vector<float> result() override {
    const std::string file = torch_->files.folder() + "/hidden.bin";
    torch_->process.ask({{"result", file}});
    const std::string bytes = read_file(file);
    std::vector<float> hidden(bytes.size() / sizeof(float));
    std::memcpy(hidden.data(), bytes.data(), hidden.size() * sizeof(float));
    return hidden;
  }

 private:
  /// The encoders share a process: whoever ran last may have been another one.
  void switch_to() {
    const json wanted{{"attention", attention_},
                      {"batch", problem_.batch},
                      {"length", problem_.length},
                      {"threads", problem_.threads}};
    if (torch_->greeting["prepared"] == wanted) return;
    torch_->process.ask({{"prepare", wanted}});
    torch_->greeting["prepared"] = wanted;
  }

  std::shared_ptr<pytorch> torch_;
  std::string attention_;
  model_problem problem_;
};

}  // namespace

void add_pytorch(std::vector<model_entry>& entries, std::vector<std::string>& notes, const bench_models& models,
                 const std::string& python, const std::string& script) {
  std::shared_ptr<pytorch> torch;
  try {
    torch = std::make_shared<pytorch>(models, python, script);
  } catch (const std::exception& e) {
    notes.push_back("PyTorch: absent (" + python + " " + script + ": " + e.what() + ")");
    return;
  }
  notes.push_back("PyTorch: " + torch->greeting["version"].get<std::string>() +
                  (torch->greeting["openblas"].get<bool>() ? " on OpenBLAS" : ""));
  const auto add = [&](const std::string& name, const std::string& mechanism, const std::string& attention) {
    entries.push_back(
        {name, mechanism, 1e-4, [torch, attention] { return std::make_unique<pytorch_encoder>(torch, attention); }});
  };
  add("PyTorch, dot product", "dot", "dot");
  add("PyTorch, cdist inhibitor", "inhibitor", "cdist");
}

}  // namespace bench
}  // namespace inhibitor
