// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>
#include <vector>

#include "inhibitor/base/executor.hpp"

namespace inhibitor {
namespace test {

/// A pool that starts its threads anew for each call and deals items out one by one.
inline executor thread_executor(index_t workers) {
  const auto run = [](void* pool, index_t items, executor::task task, void* context) {
    const auto n = static_cast<index_t>(reinterpret_cast<std::intptr_t>(pool));
    std::vector<std::thread> threads;
    for (index_t w = 0; w < n; ++w) {
      threads.emplace_back([=] {
        for (index_t i = w; i < items; i += n) task(context, i, w);
      });
    }
    for (auto& t : threads) t.join();
  };
  return executor(workers, run, reinterpret_cast<void*>(static_cast<std::intptr_t>(workers)));
}

}  // namespace test
}  // namespace inhibitor
