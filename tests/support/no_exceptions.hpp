// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Calls in a translation unit compiled with -fno-exceptions -fno-rtti that includes the headers for engines alone.
namespace no_exceptions {

/// Largest difference of a forward and backward pass from numbers worked out by hand.
float largest_error();
/// The same of a call in bytes, from floats and from a cache, and of a call from a cache of floats.
float largest_error_of_others();
/// The status, as a number, of a call with that many keys.
int status_of_call(int keys);

}  // namespace no_exceptions
