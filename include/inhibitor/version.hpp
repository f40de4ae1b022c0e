// SPDX-License-Identifier: Apache-2.0
#pragma once

// The only place the version is written. CMake reads these three lines; CHANGELOG.md must agree (tested).
#define INHIBITOR_VERSION_MAJOR 0
#define INHIBITOR_VERSION_MINOR 1
#define INHIBITOR_VERSION_PATCH 0
