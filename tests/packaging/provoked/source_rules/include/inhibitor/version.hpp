// SPDX-License-Identifier: Apache-2.0
#pragma once

// A version that neither change log nor citation file agrees with.
#define INHIBITOR_VERSION_MAJOR 0
#define INHIBITOR_VERSION_MINOR 7
#define INHIBITOR_VERSION_PATCH 0
