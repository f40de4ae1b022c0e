// SPDX-License-Identifier: Apache-2.0
// Nothing but the headers that all tests share, which the compiler reads once (target_precompile_headers).
