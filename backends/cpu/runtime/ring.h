// How one thread hands work to another: a ring of slots, and a way to wait.
//
// Nothing here takes a lock. What two threads write lies on different cache lines; a share of work
// and the news that it is there lie on the same one, so that it crosses between cores once.

#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <thread>

#if defined(__linux__) && !defined(LAMINA_STANDARD_WAIT)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lamina {

inline constexpr std::size_t kLine = 64;  // bytes of a cache line

// The tests break these to see that they would notice.
#ifdef LAMINA_BROKEN_ORDER
inline constexpr auto kPublish = std::memory_order_relaxed;
#else
inline constexpr auto kPublish = std::memory_order_acq_rel;
#endif
#ifdef LAMINA_BROKEN_WAKE
inline constexpr bool kWakes = false;
#else
inline constexpr bool kWakes = true;
#endif

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

// Waiting awake: spin for a while, then offer the processor to others again and again. To spin pays
// while whoever is waited for runs elsewhere; it only holds up those that want this very processor.
// So the time to spin doubles where that was enough, and halves where others turn out to run here.
class Patience {
 public:
  // Whether `ready()` came true; it did not within kAwake.
  template <typename Ready>
  bool wait(Ready ready) {
    if (spin_until(ready, Clock::time_point::min())) return true;
    const auto begin = Clock::now();
    if (spin_until(ready, begin + spin_)) {
      spin_ = std::min(2 * spin_, kMostSpin);
      turns_ = 0;
      return true;
    }
    bool first = true;
    for (auto before = Clock::now(); before < begin + kAwake; first = false) {
      std::this_thread::yield();
      const bool done = ready();
      const auto now = Clock::now();
      if ((first && done) || now - before > kSwitch) spin_ = std::max(spin_ / 2, kLeastSpin);
      if (first && done && now < begin + kShort) ++turns_;
      if (done) return true;
      before = now;
    }
    return false;
  }

  // Whether many short waits in a row ended as soon as another thread ran here: it and this one take
  // turns on one processor, for work that is shorter than to change from one to the other.
  bool takes_turns() {
    if (turns_ < kManyTurns) return false;
    turns_ = 0;
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Nanoseconds = std::chrono::nanoseconds;
  static constexpr Nanoseconds kLeastSpin{1000}, kMostSpin{50000};
  static constexpr Nanoseconds kSwitch{2000};    // a yield takes longer only if somebody else ran
  static constexpr Nanoseconds kAwake{4000000};  // as long as a model may work on one thread
  static constexpr Nanoseconds kShort{10000};
  static constexpr int kManyTurns = 200;

  template <typename Ready>
  static bool spin_until(Ready ready, Clock::time_point end) {
    do {
      for (int i = 0; i < 16; ++i) {
        if (ready()) return true;
        pause();
      }
    } while (Clock::now() < end);
    return false;
  }

  Nanoseconds spin_ = kMostSpin;
  int turns_ = 0;
};

// A number modulo 2^31 that one thread sets and one other waits for. The lowest bit of the word says
// that the other one sleeps: whoever sets the number learns of it in the same step, so no call is
// lost, and the system is asked only where it has to wake somebody.
class Signal {
 public:
  bool is(uint32_t number) const { return same(word_.load(std::memory_order_acquire), number); }

  void set(uint32_t number) {
    if (word_.exchange(number << 1, kPublish) & kAsleep && kWakes) wake();
  }

  // Returns when the number is `number`.
  void wait(uint32_t number, Patience &patience) {
    if (!patience.wait([this, number] { return is(number); })) sleep(number);
  }

 private:
  static constexpr uint32_t kAsleep = 1;
  static bool same(uint32_t word, uint32_t number) { return (word & ~kAsleep) == number << 1; }

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
  // Asks for the line of the next slot, so that those of several rings are on their way at once.
  void prepare() { __builtin_prefetch(&slots_[(pushed_ + 1) % kSlots], 1); }
  void wait_until_done() { done_.wait(pushed_, producers_patience_); }

  // The worker's side: the next share, and that it is done.
  const Share &front() {
    Slot &slot = slots_[(popped_ + 1) % kSlots];
    slot.filled.wait(popped_ + 1, workers_patience_);
    return slot.share;
  }
  void pop() { done_.set(++popped_); }
  bool takes_turns() { return workers_patience_.takes_turns(); }

 private:
  struct alignas(kLine) Slot {
    Signal filled;
    Share share;
  };
  static_assert(sizeof(Slot) == kLine, "a slot is one cache line");

  Slot slots_[kSlots];
  alignas(kLine) Signal done_;

  alignas(kLine) uint32_t popped_ = 0;  // the worker's
  Patience workers_patience_;

  alignas(kLine) uint32_t pushed_ = 0;  // the producer's
  Patience producers_patience_;
};

}  // namespace lamina
