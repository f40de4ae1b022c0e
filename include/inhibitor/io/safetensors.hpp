// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything about safetensors files: element types, reading, writing, models split over several files.

#include "inhibitor/io/dtype.hpp"
#include "inhibitor/io/safetensors_index.hpp"
#include "inhibitor/io/safetensors_reader.hpp"
#include "inhibitor/io/safetensors_writer.hpp"
