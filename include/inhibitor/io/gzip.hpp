// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "inhibitor/base/file_error.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// True for data that starts as gzip files do.
inline bool is_gzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1F\x8B"; }

/// Unpacks gzip data, one member or several. `name` stands for the file in messages. Throws file_error when the data is
/// cut off, damaged, or unpacks to more than `largest` bytes. Allocates.
inline std::string gunzip(const std::string& name, std::string_view bytes, std::size_t largest = std::size_t{1} << 34) {
  struct stream_guard {
    z_stream stream = {};
    ~stream_guard() { inflateEnd(&stream); }
  } guard;
  z_stream& stream = guard.stream;
  constexpr int gzip_only = 16 + MAX_WBITS;
  if (inflateInit2(&stream, gzip_only) != Z_OK) throw file_error(name, "cannot be unpacked: zlib does not start");
  std::string out;
  bool is_complete = false;
  std::string block(std::size_t{1} << 16, '\0');
  while (true) {
    if (stream.avail_in == 0) {
      constexpr std::size_t most = std::numeric_limits<uInt>::max();
      const std::size_t size = std::min(bytes.size(), most);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write through it
      stream.avail_in = static_cast<uInt>(size);
      bytes.remove_prefix(size);
    }
    if (is_complete && stream.avail_in == 0) return out;
    if (is_complete && inflateReset(&stream) != Z_OK) throw file_error(name, "cannot be unpacked");
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.append(block, 0, block.size() - stream.avail_out);
    if (out.size() > largest) throw file_error(name, "unpacks to more than " + std::to_string(largest) + " bytes");
    is_complete = result == Z_STREAM_END;
    if (result == Z_BUF_ERROR && stream.avail_in == 0 && bytes.empty()) {
      throw file_error(name,
                       "is cut off: the gzip data ends early, after " + std::to_string(out.size()) + " unpacked bytes");
    }
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      throw file_error(name, std::string("is damaged gzip data") +
                                 (stream.msg != nullptr ? std::string(" (") + stream.msg + ")" : ""));
    }
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
