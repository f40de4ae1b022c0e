// SPDX-License-Identifier: Apache-2.0

// make_model FOLDER VOCAB [key=value...]: a tiny model folder with random weights, for tests of programs.
//   family=distilbert|bert  attention=dot_product|inhibitor  labels=2  heads=classification|masked_lm|both|none
//   positions=32  seed=1  fill=TENSOR:NUMBER (all numbers of one tensor, for example classifier.bias:nan)

#include <fstream>
#include <iostream>
#include <map>

#include "inhibitor/pretrained/model_folder.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  try {
    check(argc >= 3, "usage: make_model FOLDER VOCAB [key=value...]");
    std::map<std::string, std::string> settings{{"family", "distilbert"},
                                                {"attention", "dot_product"},
                                                {"labels", "2"},
                                                {"heads", "classification"},
                                                {"positions", "32"},
                                                {"seed", "1"},
                                                {"fill", ""}};
    for (int i = 3; i < argc; ++i) {
      const std::string argument = argv[i];
      const std::size_t equals = argument.find('=');
      const std::string key = argument.substr(0, equals);
      check(equals != std::string::npos && settings.count(key) == 1, [&] { return "unknown setting " + argument; });
      settings[key] = argument.substr(equals + 1);
    }
    const std::string vocab = argv[2];
    index_t words = 0;
    std::ifstream lines(vocab);
    for (std::string line; std::getline(lines, line);) ++words;
    encoder_config config;
    config.vocab_size = words;
    config.max_position_embeddings = std::stoi(settings["positions"]);
    config.n_layers = 2;
    config.n_heads = 2;
    config.dim = 16;
    config.intermediate_dim = 24;
    config.num_labels = std::stoi(settings["labels"]);
    config.initializer_range = 0.5;  // large enough for predictions that differ from text to text
    if (settings["family"] == "bert") {
      config.set_family(model_family::bert);
      config.type_vocab_size = 2;
    }
    config.set_attention(settings["attention"]);
    const std::string which = settings["heads"];
    head_names heads;
    if (which == "classification" || which == "both") heads.emplace_back("sequence_classification");
    if (which == "masked_lm" || which == "both") heads.emplace_back("masked_lm");
    encoder_tensors<float> model(config, heads);
    initialize(model, static_cast<std::uint64_t>(std::stoi(settings["seed"])));
    const std::string fill = settings["fill"];
    const std::size_t colon = fill.find(':');
    model.visit([&](const std::string& name, auto& t) {
      if (name == fill.substr(0, colon)) std::fill_n(t.data, t.size(), std::stof(fill.substr(colon + 1)));
    });
    model_config_file file;
    if (config.num_labels == 2) file.labels = {"negative", "positive"};
    save_model_folder(argv[1], model, vocab, file);
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "make_model: " << e.what() << "\n";
    return 2;
  }
}
