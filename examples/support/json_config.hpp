// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/cli11.hpp"

namespace inhibitor::examples {

/// Lets a CLI11 program take its options from a JSON object, {"epochs": 3, "size": "tiny", "text": ["a", "b"]}, where
/// keys are option names without dashes. Options on the command line win. Use:
/// app.config_formatter(make_shared<json_config>()).
class json_config : public CLI::Config {
 public:
  std::string to_config(const CLI::App*, bool, bool, std::string) const override {
    throw CLI::Error("json_config", "writing a configuration is not supported");
  }

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    nlohmann::json document;
    try {
      document = nlohmann::json::parse(input);
    } catch (const nlohmann::json::parse_error& e) {
      throw CLI::ConversionError("the configuration is not valid JSON: " + std::string(e.what()), "config");
    }
    if (!document.is_object()) throw CLI::ConversionError("the configuration must be a JSON object", "config");
    std::vector<CLI::ConfigItem> options;
    for (const auto& [key, value] : document.items()) {
      CLI::ConfigItem item;
      item.name = key;
      // Not given: CLI11 would ask for an element, or take it for a choice that excludes others.
      if (value == "" || (value.is_array() && value.empty())) continue;
      if (value.is_array()) {
        for (const auto& element : value) item.inputs.push_back(text(element));
      } else {
        item.inputs.push_back(text(value));
      }
      options.push_back(std::move(item));
    }
    return options;
  }

 private:
  static std::string text(const nlohmann::json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  }
};

}  // namespace inhibitor::examples
