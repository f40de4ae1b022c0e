// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace engine {

/// Threads that wait for work between calls. One `run` at a time; the calling thread works too, as worker 0.
class thread_pool {
 public:
  explicit thread_pool(std::ptrdiff_t workers) {
    for (std::ptrdiff_t worker = 1; worker < workers; ++worker) {
      threads_.emplace_back([this, worker] { serve(worker); });
    }
  }
  ~thread_pool() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    start_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  std::ptrdiff_t workers() const { return static_cast<std::ptrdiff_t>(threads_.size()) + 1; }

  /// Calls body(item, worker) once for every item in [0, items) and returns when all are done.
  void run(std::ptrdiff_t items, const std::function<void(std::ptrdiff_t, std::ptrdiff_t)>& body) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      body_ = &body;
      items_ = items;
      next_ = 0;
      busy_ = threads_.size();
      ++round_;
    }
    start_.notify_all();
    work(0);
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void work(std::ptrdiff_t worker) {
    for (std::ptrdiff_t item = next_++; item < items_; item = next_++) (*body_)(item, worker);
  }
  void serve(std::ptrdiff_t worker) {
    std::size_t seen = 0;
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        start_.wait(lock, [&] { return stop_ || round_ != seen; });
        if (stop_) return;
        seen = round_;
      }
      work(worker);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(std::ptrdiff_t, std::ptrdiff_t)>* body_ = nullptr;
  std::ptrdiff_t items_ = 0;
  std::atomic<std::ptrdiff_t> next_{0};
  std::size_t busy_ = 0, round_ = 0;
  bool stop_ = false;
};

}  // namespace engine
