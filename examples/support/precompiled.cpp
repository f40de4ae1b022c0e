// SPDX-License-Identifier: Apache-2.0
// Compiled only so that the build has a target to precompile the headers of programs for (CMakeLists.txt).
