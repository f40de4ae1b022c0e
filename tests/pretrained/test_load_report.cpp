// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/pretrained/load_report.hpp"

#include "support/catch.hpp"

using namespace inhibitor;

namespace {
std::string refusal(const load_report& report) {
  try {
    report.require_complete("model.safetensors");
  } catch (const file_error& e) {
    return e.what();
  }
  return "accepted";
}
}  // namespace

TEST_CASE("load_report: nothing to say when all fits") {
  const load_report report;
  CHECK(report.is_complete());
  CHECK(report.text().empty());
  CHECK(refusal(report) == "accepted");
}

TEST_CASE("load_report: every tensor in the text, the first three of each kind in the refusal") {
  load_report report;
  report.missing = {"a", "b", "c", "d", "e"};
  report.unexpected = {"x"};
  report.mismatched = {{"w", {2, 3}, {3, 2}}};
  CHECK_FALSE(report.is_complete());
  for (const char* part : {"missing, newly initialized: e\n", "unexpected, not used: x\n", "w has shape"}) {
    CHECK(report.text().find(part) != std::string::npos);
  }
  const std::string message = refusal(report);
  CHECK(message.find("model.safetensors") == 0);
  CHECK(message.find("missing: a, b, c and 2 more") != std::string::npos);
  CHECK(message.find("unexpected: x") != std::string::npos);
  CHECK(message.find("w has shape") != std::string::npos);
  CHECK(message.find("newly initialized") == std::string::npos);
}
