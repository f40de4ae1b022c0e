// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/text/wordpiece.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

// First byte: options. Then vocabulary lines up to a zero byte, then the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inhibitor;
  if (size == 0) return 0;
  const unsigned flags = bytes[0];
  const std::string input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::size_t zero = std::min(input.find('\0'), input.size());
  std::vector<std::string> tokens = lines_of(std::string_view(input).substr(0, zero));
  tokens.insert(tokens.end(), {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a", "e", "##e", "-", "the"});
  const std::string text = input.substr(std::min(zero + 1, input.size()));

  wordpiece_options options;
  options.lower_case = (flags & 1) != 0;
  if ((flags & 2) != 0) options.strip_accents = (flags & 4) != 0;
  options.split_cjk = (flags & 8) != 0;
  options.special_tokens_in_text = (flags & 16) != 0;
  options.rules = (flags & 32) != 0 ? tokenizer_rules::slow : tokenizer_rules::fast;
  const wordpiece tokenizer(tokens, options);

  const std::vector<std::int32_t> ids = tokenizer.tokenize(text);
  const std::vector<token_span> spans = tokenizer.tokenize_with_offsets(text);
  require(ids.size() == spans.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    require(ids[i] == spans[i].id && ids[i] >= 0 && ids[i] < tokenizer.size());
    require(0 <= spans[i].begin && spans[i].begin < spans[i].end && spans[i].end <= static_cast<index_t>(text.size()));
  }
  tokenizer.decode(ids);

  const encoded_text pair = tokenizer.encode_pair(text, "the a", 9);
  require(pair.ids.size() <= 9 && pair.ids.size() == pair.token_types.size() && pair.ids.back() == tokenizer.sep_id());

  options.strict_utf8 = true;
  const index_t invalid = unicode::find_invalid_utf8(text);
  try {
    require(wordpiece(tokens, options).tokenize(text) == ids && invalid == -1);
  } catch (const utf8_error& error) {
    require(error.offset() == invalid);
  }

  // A character that the clean-up deletes, put at the start of every stretch, sends ASCII down the general path.
  if (!options.special_tokens_in_text) {
    const std::string deleted = "\xE2\x80\x8B";
    std::string marked = deleted;
    for (const char c : text) {
      marked.push_back(c);
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') marked += deleted;
    }
    require(tokenizer.tokenize(marked) == ids);
  }
  return 0;
}
