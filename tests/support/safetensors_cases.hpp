// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Small safetensors files, each wrong in exactly one way, and some that look odd but are right. One table feeds the
// tests and the seed corpus of the fuzzer.

namespace inhibitor::test {

/// A file of header length `length`, then `json`, then `data_bytes` bytes of data.
inline std::string safetensors_bytes(std::uint64_t length, const std::string& json, std::size_t data_bytes) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>((length >> (8 * i)) & 0xFF);
  out += json;
  for (std::size_t i = 0; i < data_bytes; ++i) out += static_cast<char>(i * 37 + 1);
  return out;
}
inline std::string safetensors_bytes(const std::string& json, std::size_t data_bytes) {
  return safetensors_bytes(json.size(), json, data_bytes);
}

/// One entry of a header.
inline std::string tensor_json(const std::string& name, const std::string& dtype, const std::string& shape,
                               const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

struct safetensors_case {
  int rejection;        ///< number of the check that must refuse the file; 0: the file is valid
  std::string name;     ///< also the name of the seed file
  std::string bytes;    ///< the file
  std::string message;  ///< part of the expected error
};

inline std::vector<safetensors_case> safetensors_cases() {
  const auto file = [](const std::string& json, std::size_t data) { return safetensors_bytes(json, data); };
  const std::string good = tensor_json("a", "F32", "[1]", "[0,4]");
  std::vector<safetensors_case> cases;
  const auto bad = [&](int number, const char* name, std::string bytes, const char* message) {
    cases.push_back({number, name, std::move(bytes), message});
  };
  const auto entry = [&](int number, const char* name, const std::string& fields, std::size_t data,
                         const char* message) { bad(number, name, file("{\"a\":" + fields + "}", data), message); };

  bad(1, "empty", "", "has 0 bytes");
  bad(1, "seven_bytes", std::string(7, '\0'), "has 7 bytes");
  bad(2, "header_above_limit", safetensors_bytes(100'000'001, "{}", 0), "above the format's limit");
  bad(2, "header_2_64_minus_1", safetensors_bytes(~std::uint64_t{0}, "{}", 0), "above the format's limit");
  bad(3, "header_longer_than_file", safetensors_bytes(60, "{", 0), "exceeds the file size");
  bad(3, "header_one_too_long", safetensors_bytes(3, "{}", 0), "exceeds the file size");
  bad(4, "length_zero", safetensors_bytes(0, "", 0), "header length is 0");
  bad(4, "byte_ff", file("\xFF", 0), "not valid JSON");
  bad(4, "lone_brace", file("{", 0), "not valid JSON");
  bad(4, "not_utf8_in_name", file("{" + tensor_json("a\xC3(", "F32", "[1]", "[0,4]") + "}", 4), "not valid JSON");
  bad(4, "text_after_object", file("{} x", 0), "not valid JSON");
  bad(4, "second_object", file("{}{}", 0), "not valid JSON");
  bad(4, "nul_after_object", file(std::string("{}\0{}", 5), 0), "NUL byte");
  bad(4, "array", file("[]", 0), "not a JSON object");
  bad(4, "number", file("7", 0), "not a JSON object");
  bad(4, "comment", file("{/**/}", 0), "not valid JSON");
  bad(4, "blanks_only", file("    ", 0), "not valid JSON");
  bad(5, "byte_order_mark", file("\xEF\xBB\xBF{}", 0), "byte order mark");
  bad(6, "duplicate_tensor", file("{" + good + "," + tensor_json("a", "F32", "[1]", "[4,8]") + "}", 8),
      "duplicate tensor name 'a'");
  bad(6, "duplicate_tensor_escaped", file("{" + good + "," + tensor_json("\\u0061", "F32", "[1]", "[4,8]") + "}", 8),
      "duplicate tensor name 'a'");
  bad(6, "duplicate_metadata", file(R"({"__metadata__":{},"__metadata__":{}})", 0), "duplicate __metadata__");
  bad(6, "duplicate_metadata_key", file(R"({"__metadata__":{"k":"1","k":"2"}})", 0), "duplicate key 'k'");
  entry(6, "duplicate_dtype", R"({"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]})", 4,
        "duplicate field 'dtype'");
  entry(6, "duplicate_shape", R"({"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]})", 4,
        "duplicate field 'shape'");
  entry(6, "duplicate_offsets", R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets":[0,4]})", 4,
        "duplicate field 'data_offsets'");
  bad(7, "metadata_number", file(R"({"__metadata__":{"k":1}})", 0), "'k' in __metadata__ is not a string");
  bad(7, "metadata_null_value", file(R"({"__metadata__":{"k":null}})", 0), "'k' in __metadata__ is not a string");
  bad(7, "metadata_object_value", file(R"({"__metadata__":{"k":{}}})", 0), "'k' in __metadata__ is not a string");
  bad(7, "metadata_array", file(R"({"__metadata__":[]})", 0), "__metadata__ is not an object");
  bad(8, "dtype_unknown", file("{" + tensor_json("a", "F33", "[1]", "[0,4]") + "}", 4), "dtype 'F33' is unknown");
  bad(8, "dtype_lower_case", file("{" + tensor_json("a", "f32", "[1]", "[0,4]") + "}", 4), "dtype 'f32' is unknown");
  entry(8, "dtype_null", R"({"dtype":null,"shape":[1],"data_offsets":[0,4]})", 4, "dtype is not a string");
  entry(8, "dtype_array", R"({"dtype":["F32"],"shape":[1],"data_offsets":[0,4]})", 4, "dtype is not a string");
  const char* no_integer_shape = "shape holds something other than integers";
  const char* no_integer_offset = "data_offsets holds something other than integers";
  bad(9, "shape_float", file("{" + tensor_json("a", "F32", "[16.0]", "[0,64]") + "}", 64), no_integer_shape);
  bad(9, "shape_negative", file("{" + tensor_json("a", "F32", "[-1]", "[0,4]") + "}", 4), no_integer_shape);
  bad(9, "shape_minus_zero", file("{" + tensor_json("a", "F32", "[-0]", "[0,0]") + "}", 0), no_integer_shape);
  bad(9, "shape_2_64", file("{" + tensor_json("a", "F32", "[18446744073709551616]", "[0,4]") + "}", 4),
      no_integer_shape);
  bad(9, "shape_string", file("{" + tensor_json("a", "F32", "[\"1\"]", "[0,4]") + "}", 4), no_integer_shape);
  bad(9, "shape_nested", file("{" + tensor_json("a", "F32", "[[1]]", "[0,4]") + "}", 4), no_integer_shape);
  bad(9, "shape_number", file("{" + tensor_json("a", "F32", "1", "[0,4]") + "}", 4), "shape is not an array");
  bad(9, "shape_null", file("{" + tensor_json("a", "F32", "null", "[0,4]") + "}", 4), "shape is not an array");
  bad(9, "offsets_object", file("{" + tensor_json("a", "F32", "[1]", "{}") + "}", 4), "data_offsets is not an array");
  bad(9, "offsets_one", file("{" + tensor_json("a", "F32", "[1]", "[0]") + "}", 4), "data_offsets has 1 numbers");
  bad(9, "offsets_none", file("{" + tensor_json("a", "F32", "[0]", "[]") + "}", 0), "data_offsets has 0 numbers");
  bad(9, "offsets_three", file("{" + tensor_json("a", "F32", "[1]", "[0,4,4]") + "}", 4), "more than 2 numbers");
  bad(9, "offsets_negative", file("{" + tensor_json("a", "F32", "[1]", "[-4,0]") + "}", 4), no_integer_offset);
  bad(9, "offsets_float", file("{" + tensor_json("a", "F32", "[1]", "[0,4.0]") + "}", 4), no_integer_offset);
  bad(9, "offsets_exponent", file("{" + tensor_json("a", "F32", "[1]", "[0,4e0]") + "}", 4), no_integer_offset);
  entry(9, "no_dtype", R"({"shape":[1],"data_offsets":[0,4]})", 4, "field dtype is missing");
  entry(9, "no_shape", R"({"dtype":"F32","data_offsets":[0,4]})", 4, "field shape is missing");
  entry(9, "no_offsets", R"({"dtype":"F32","shape":[1]})", 4, "field data_offsets is missing");
  entry(9, "entry_null", "null", 0, "its entry is not an object");
  entry(9, "entry_array", "[]", 0, "its entry is not an object");
  entry(9, "entry_number", "3", 0, "its entry is not an object");
  bad(10, "product_overflow", file("{" + tensor_json("a", "F32", "[2,18446744073709551614]", "[0,4]") + "}", 4),
      "overflows 64 bits");
  bad(10, "bits_overflow", file("{" + tensor_json("a", "F32", "[2,9223372036854775807]", "[0,4]") + "}", 4),
      "overflows 64 bits");
  bad(10, "product_wraps_to_zero", file("{" + tensor_json("a", "U8", "[4294967296,4294967296]", "[0,0]") + "}", 0),
      "overflows 64 bits");
  bad(10, "overflow_then_zero", file("{" + tensor_json("a", "U8", "[9223372036854775808,4,0]", "[0,0]") + "}", 0),
      "overflows 64 bits");
  bad(10, "zero_then_overflow", file("{" + tensor_json("a", "U8", "[0,9223372036854775808,4]", "[0,0]") + "}", 0),
      "overflows 64 bits");
  bad(10, "half_a_byte", file("{" + tensor_json("a", "F4", "[3]", "[0,1]") + "}", 1), "does not fill whole bytes");
  bad(11, "end_before_begin", file("{" + tensor_json("a", "F32", "[1]", "[4,0]") + "}", 4), "end before they begin");
  bad(11, "end_before_begin_wraps", file("{" + tensor_json("a", "F32", "[1]", "[18446744073709551615,3]") + "}", 4),
      "end before they begin");
  bad(12, "too_few_bytes", file("{" + tensor_json("a", "F32", "[2]", "[0,4]") + "}", 4), "needs 8");
  bad(12, "too_many_bytes", file("{" + tensor_json("a", "F32", "[1]", "[0,8]") + "}", 8), "needs 4");
  bad(12, "scalar_without_bytes", file("{" + tensor_json("a", "F32", "[]", "[0,0]") + "}", 0), "needs 4");
  bad(12, "empty_with_bytes", file("{" + tensor_json("a", "F32", "[2,0]", "[0,4]") + "}", 4), "needs 0");
  bad(13, "overlap", file("{" + good + "," + tensor_json("b", "F32", "[1]", "[2,6]") + "}", 6), "overlap");
  bad(13, "hole", file("{" + good + "," + tensor_json("b", "F32", "[1]", "[5,9]") + "}", 9), "hole");
  bad(13, "first_not_at_zero", file("{" + tensor_json("a", "F32", "[1]", "[4,8]") + "}", 8), "hole");
  bad(13, "empty_in_the_middle", file("{" + good + "," + tensor_json("b", "F32", "[0]", "[2,2]") + "}", 4), "overlap");
  std::string same;
  for (int i = 0; i < 10; ++i) {
    same += (i == 0 ? "" : ",") + tensor_json("t" + std::to_string(i), "F32", "[1]", "[0,4]");
  }
  bad(13, "ten_aliases", file("{" + same + "}", 4), "overlap");
  bad(14, "truncated", file("{" + good + "}", 3), "truncated");
  bad(14, "truncated_far", file("{" + tensor_json("a", "U8", "[1000000000000]", "[0,1000000000000]") + "}", 3),
      "truncated");
  bad(14, "trailing_bytes", file("{" + good + "}", 5), "trailing bytes");
  bad(14, "no_tensors_but_data", file("{}", 1), "trailing bytes");
  entry(15, "nesting", "{\"x\":" + std::string(200, '[') + std::string(200, ']') + "}", 0, "nests deeper than 128");
  bad(15, "nesting_from_the_start", file(std::string(5'000, '['), 0), "not a JSON object");
  entry(15, "nesting_unclosed", "{\"x\":" + std::string(5'000, '['), 0, "nests deeper than 128");
  bad(16, "rank_9", file("{" + tensor_json("a", "U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") + "}", 1), "more than 8 extents");
  bad(16, "long_name", file("{" + tensor_json(std::string(4097, 'n'), "U8", "[1]", "[0,1]") + "}", 1), "4097 bytes");

  const auto fine = [&](const char* name, const std::string& json, std::size_t data) {
    bad(0, name, file(json, data), "");
  };
  fine("no_tensors", "{}      ", 0);
  fine("one_tensor", "{" + good + "}", 4);
  fine("blanks_around", " \r\t\n{" + good + "} \r\t\n ", 4);
  fine("scalar", "{" + tensor_json("a", "F32", "[]", "[0,4]") + "}", 4);
  fine("zero_extent", "{" + tensor_json("a", "F32", "[2,0]", "[0,0]") + "}", 0);
  fine("empty_shares_offset",
       "{" + tensor_json("b", "F32", "[1]", "[0,4]") + "," + tensor_json("a", "F32", "[0]", "[0,0]") + "," +
           tensor_json("c", "F32", "[0]", "[4,4]") + "}",
       4);
  fine("any_order", "{" + tensor_json("b", "F32", "[1]", "[4,8]") + "," + good + "}", 8);
  fine("odd_start", "{" + tensor_json("b", "F32", "[1]", "[1,5]") + "," + tensor_json("c", "U8", "[1]", "[0,1]") + "}",
       5);
  fine("metadata", R"({"__metadata__":{"format":"pt","k":"\u00e9 \" \\"}})", 0);
  fine("metadata_null", R"({"__metadata__":null})", 0);
  fine("unknown_field",
       R"({"a":{"dtype":"F32","x":{"dtype":[1,{"y":null}],"z":-1.5},"shape":[1],"data_offsets":[0,4]}})", 4);
  fine("packed_bits",
       "{" + tensor_json("a", "F4", "[2]", "[0,1]") + "," + tensor_json("b", "F6_E2M3", "[4]", "[1,4]") + "}", 4);
  fine("rank_8", "{" + tensor_json("a", "U8", "[1,1,1,1,1,1,1,1]", "[0,1]") + "}", 1);
  std::string all;
  std::size_t begin = 0;
  const auto add = [&](const char* type, std::size_t bytes) {
    all += (all.empty() ? "" : ",") +
           tensor_json(type, type, "[8]", "[" + std::to_string(begin) + "," + std::to_string(begin + bytes) + "]");
    begin += bytes;
  };
  for (const char* type : {"U64", "I64", "F64", "C64"}) add(type, 64);
  for (const char* type : {"F32", "U32", "I32"}) add(type, 32);
  for (const char* type : {"BF16", "F16", "U16", "I16"}) add(type, 16);
  for (const char* type : {"F8_E5M2FNUZ", "F8_E4M3FNUZ", "F8_E8M0", "F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL"})
    add(type, 8);
  for (const char* type : {"F6_E3M2", "F6_E2M3"}) add(type, 6);
  add("F4", 4);
  fine("every_type", "{" + all + "}", begin);
  return cases;
}

}  // namespace inhibitor::test
