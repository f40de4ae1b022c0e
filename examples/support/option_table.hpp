// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cli11.hpp"
#include "support/json_config.hpp"

// Options declared once: an entry of the table is the option on the command line, the key of a --config file, the
// setting that a run stores and that --resume compares, and the line on the page of options.

namespace inhibitor::examples {

/// What depends on an option.
enum class option_effect {
  none,       ///< nothing that a result says: where files go, how many threads
  numbers,    ///< results
  new_model,  ///< results of a program that makes a new model; models from a folder bring these with them
};

/// Options of a program, bound to the members that hold their values.
class option_table {
 public:
  /// `app` gets the options and --config; both must outlive the table, as must the members.
  explicit option_table(CLI::App& app) : app_(app) {
    app_.option_defaults()->always_capture_default();
    app_.config_formatter(std::make_shared<json_config>());
    app_.set_config("--config", "", "JSON file with these options, names without dashes; the command line wins");
  }

  /// Options that follow stand under this title.
  void group(std::string title) { group_ = std::move(title); }

  /// Declares an option, or a flag where the member is a bool; lists are separated by commas. The first of `names`,
  /// which have no dashes in front, is the one shown and stored; all may also be spelled with underscores for dashes,
  /// as Python tools spell theirs. Returns CLI11's option, for checks.
  template <class T>
  CLI::Option* add(std::initializer_list<std::string> names, T& member, option_effect effect, const std::string& help) {
    CLI::Option* option = nullptr;
    if constexpr (std::is_same_v<T, bool>) {
      option = app_.add_flag(spellings(names), member, help);
    } else {
      option = app_.add_option(spellings(names), member, help);
    }
    if constexpr (is_list<T>::value) option->delimiter(',');
    if (!group_.empty()) option->group(group_);
    entries_.push_back({*names.begin(), effect, option, [&member] { return nlohmann::json(member); }});
    return option;
  }

  /// The values of all options that change numbers, by name: a --config file that repeats the results. Those of a new
  /// model only when `makes_model`.
  nlohmann::json settings(bool makes_model) const {
    nlohmann::json out = nlohmann::json::object();
    for (const entry& e : entries_) {
      const bool counts = e.effect == option_effect::numbers || (e.effect == option_effect::new_model && makes_model);
      if (counts) out[e.name] = e.value();
    }
    return out;
  }

  /// True when results depend on the option.
  bool changes_numbers(const CLI::Option* option) const {
    for (const entry& e : entries_) {
      if (e.option == option) return e.effect != option_effect::none;
    }
    return false;
  }

 private:
  struct entry {
    std::string name;
    option_effect effect;
    const CLI::Option* option;
    std::function<nlohmann::json()> value;
  };
  template <class T>
  struct is_list : std::false_type {};
  template <class T>
  struct is_list<std::vector<T>> : std::true_type {};

  static std::string spellings(std::initializer_list<std::string> names) {
    std::string out;
    for (std::string name : names) {
      out += (out.empty() ? "--" : ",--") + name;
      const std::string dashed = name;
      for (char& c : name) c = c == '-' ? '_' : c;
      if (name != dashed) out += ",--" + name;
    }
    return out;
  }

  CLI::App& app_;
  std::string group_;
  std::vector<entry> entries_;
};

/// The settings that `options` stand for, whose options `declare_options(table, options)` declares.
template <class Options>
nlohmann::json settings_of(Options options, bool makes_model = true) {
  CLI::App app;
  option_table table(app);
  declare_options(table, options);
  return table.settings(makes_model);
}

}  // namespace inhibitor::examples
