// How one thread hands work to another: a ring of slots, and a way to wait.
//
// Nothing here takes a lock. What two threads write lies on different cache lines; a share of work
// and the news that it is there lie on the same one, so that it crosses between cores once.

#pragma once

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <thread>

#if defined(__linux__) && !defined(LAMINA_STANDARD_WAIT)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lamina {

inline constexpr std::size_t kLine = 64;  // bytes of a cache line

// How long a thread waits by each means before it turns to the next.
inline constexpr std::chrono::microseconds kSpin{50};
inline constexpr std::chrono::microseconds kYield{4000};

#ifdef LAMINA_BROKEN  // the tests see that ThreadSanitizer notices
inline constexpr auto kPublish = std::memory_order_relaxed;
#else
inline constexpr auto kPublish = std::memory_order_acq_rel;
#endif

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

// A number modulo 2^31 that one thread sets and one other waits for. The lowest bit of the word says
// that the other one sleeps: whoever sets the number learns of it in the same step, so no call is
// lost, and the system is asked only where it has to wake somebody.
class Signal {
 public:
  bool is(uint32_t number) const { return same(word_.load(std::memory_order_acquire), number); }

  void set(uint32_t number) {
    if (word_.exchange(number << 1, kPublish) & kAsleep) wake();
  }

  // Returns when the number is `number`.
  void wait(uint32_t number) {
    if (!spin(number) && !yield(number)) sleep(number);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr uint32_t kAsleep = 1;
  static bool same(uint32_t word, uint32_t number) { return (word & ~kAsleep) == number << 1; }

  bool spin(uint32_t number) const {
    const auto end = Clock::now() + kSpin;
    do {
      for (int i = 0; i < 64; ++i) {
        if (is(number)) return true;
        pause();
      }
    } while (Clock::now() < end);
    return false;
  }

  bool yield(uint32_t number) const {
    const auto end = Clock::now() + kYield;
    do {
      if (is(number)) return true;
      std::this_thread::yield();
    } while (Clock::now() < end);
    return false;
  }

  void sleep(uint32_t number) {
    for (;;) {
      uint32_t word = word_.load(std::memory_order_acquire);
      if (same(word, number)) return;
      if (word & kAsleep || word_.compare_exchange_weak(word, word | kAsleep)) {
        sleep_while(word | kAsleep);
      }
    }
  }

#if defined(__linux__) && !defined(LAMINA_STANDARD_WAIT)
  static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "a futex is a plain word");
  void sleep_while(uint32_t word) {
    syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, word, nullptr, nullptr, 0);
  }
  void wake() { syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0); }
#else
  void sleep_while(uint32_t word) { word_.wait(word); }
  void wake() { word_.notify_all(); }
#endif

  std::atomic<uint32_t> word_{0};
};

// Steps [begin, end) of a region; without a function it tells a worker to end.
struct Share {
  void (*step)(void *context, int64_t index);
  void *context;
  int64_t begin, end;

  void run() const {
    for (int64_t i = begin; i < end; ++i) step(context, i);
  }
};

// Shares for one worker, from one producer at a time. Both count the shares: the k-th lies in slot
// k mod kSlots, whose signal is k when it is there; `done_` is k when the worker has finished it.
class Ring {
 public:
  static constexpr uint32_t kSlots = 4;

  // The producer's side. There must be room: fewer than kSlots shares that are not done.
  void push(const Share &share) {
    Slot &slot = slots_[++pushed_ % kSlots];
    slot.share = share;
    slot.filled.set(pushed_);
  }
  bool full() const { return done_.is(pushed_ - kSlots); }
  void prepare() { __builtin_prefetch(&slots_[(pushed_ + 1) % kSlots], 1); }
  void wait_until_done() { done_.wait(pushed_); }

  // The worker's side: the next share, and that it is done.
  const Share &front() {
    Slot &slot = slots_[(popped_ + 1) % kSlots];
    slot.filled.wait(popped_ + 1);
    return slot.share;
  }
  void pop() { done_.set(++popped_); }

 private:
  struct alignas(kLine) Slot {
    Signal filled;
    Share share;
  };
  static_assert(sizeof(Slot) == kLine, "a slot is one cache line");

  Slot slots_[kSlots];
  alignas(kLine) Signal done_;           // written by the worker
  alignas(kLine) uint32_t popped_ = 0;   // of the worker alone
  alignas(kLine) uint32_t pushed_ = 0;   // of the producer alone
};

}  // namespace lamina
