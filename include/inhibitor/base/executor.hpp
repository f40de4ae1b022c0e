// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <type_traits>

#include "inhibitor/base/config.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

// How work is spread over threads. The library starts no threads of its own: functions that can run in parallel take an
// `executor`, a small copyable handle to whatever pool the caller has. Work is always cut by shape, never by the number
// of workers, so results do not depend on the executor.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Runs `items` independent tasks. A task gets its item index in [0, items) and a worker index in [0, workers()); two
/// tasks running at the same time have different worker indices, so per-worker scratch memory needs no lock.
class executor {
 public:
  using task = void (*)(void* context, index_t item, index_t worker);
  /// `run(pool, items, t, context)` must call `t(context, i, worker)` once for every i and return when all are done.
  using runner = void (*)(void* pool, index_t items, task t, void* context);

  /// One worker: the calling thread.
  executor() = default;
  /// A caller's own pool. `pool` is passed through to `run` and must outlive the executor.
  executor(index_t workers, runner run, void* pool) : workers_(workers), run_(run), pool_(pool) {}

  index_t workers() const { return workers_; }

  /// Calls body(item, worker) for every item in [0, items).
  template <class Body>
  void for_each(index_t items, Body&& body) const {
    if (run_ == nullptr || workers_ <= 1 || items <= 1) {
      for (index_t i = 0; i < items; ++i) body(i, index_t{0});
      return;
    }
    using body_type = std::remove_reference_t<Body>;
    auto call = [](void* context, index_t item, index_t worker) { (*static_cast<body_type*>(context))(item, worker); };
    run_(pool_, items, call, const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  index_t workers_ = 1;
  runner run_ = nullptr;
  void* pool_ = nullptr;
};

#if defined(_OPENMP)
/// An executor on `threads` OpenMP threads (0: as many as OpenMP would use). Exceptions thrown by a task are rethrown
/// on the calling thread (the first one seen).
inline executor openmp_executor(int threads = 0) {
  if (threads <= 0) threads = omp_get_max_threads();
  const auto run = [](void* pool, index_t items, executor::task t, void* context) {
    const int workers = static_cast<int>(reinterpret_cast<std::intptr_t>(pool));
#if defined(__cpp_exceptions)
    std::exception_ptr error;
#pragma omp parallel for num_threads(workers) schedule(dynamic, 1)
    for (index_t i = 0; i < items; ++i) {
      try {
        t(context, i, omp_get_thread_num());
      } catch (...) {
#pragma omp critical(inhibitor_executor_error)
        if (!error) error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
#else
#pragma omp parallel for num_threads(workers) schedule(dynamic, 1)
    for (index_t i = 0; i < items; ++i) t(context, i, omp_get_thread_num());
#endif
  };
  // The thread count travels in the pool pointer: nothing to own, nothing to outlive.
  return executor(threads, run, reinterpret_cast<void*>(static_cast<std::intptr_t>(threads)));
}
#endif

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
