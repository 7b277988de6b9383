// A thread pool for loops whose steps all take the same time: steps are shared out in advance.

#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "ring.h"

namespace lamina {
namespace {

class Team;
thread_local Team *current = nullptr;  // whose workers regions of this thread may use

// How often this process is a child made by fork, plus one. Threads do not survive a fork, so
// workers of another generation are not there.
std::atomic<uint32_t> generation{1};
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] {
  generation.fetch_add(1, std::memory_order_relaxed);
  current = nullptr;
});

constexpr int kAnyCpu = -1;

// Keeps this thread on one CPU, where the system lets it.
class Bound {
 public:
  explicit Bound(int cpu) : bound_(cpu != kAnyCpu) {
    bound_ = bound_ && !pthread_getaffinity_np(pthread_self(), sizeof before_, &before_);
    if (!bound_) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  }
  ~Bound() {
    if (bound_) pthread_setaffinity_np(pthread_self(), sizeof before_, &before_);
  }

 private:
  bool bound_;
  cpu_set_t before_;
};

// Lets this thread go on on another processor, if it may use any.
void move_away() {
  cpu_set_t allowed;
  if (pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed)) return;
  cpu_set_t others = allowed;
  CPU_CLR(sched_getcpu(), &others);
  if (CPU_COUNT(&others) == 0) return;
  pthread_setaffinity_np(pthread_self(), sizeof others, &others);
  pthread_setaffinity_np(pthread_self(), sizeof allowed, &allowed);
}

// Signals are for the program's own threads: it would not notice one that a worker got. Only what a
// thread does wrong itself is reported to it.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t set;
    sigfillset(&set);
    for (int own : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT}) sigdelset(&set, own);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// The workers, and a ring for each. The thread that has the team is one more.
class Team {
 public:
  Team(int workers, const int *cpus) : rings_(new Ring[workers]) {
    const SignalsBlocked blocked;
    try {
      threads_.reserve(workers);
      for (int w = 0; w < workers; ++w) {
        threads_.emplace_back(work, &rings_[w], cpus ? cpus[w] : kAnyCpu);
      }
    } catch (...) {
      end();
      throw;
    }
  }
  ~Team() { end(); }

  bool alive() const { return born_ == generation.load(std::memory_order_relaxed); }

  // Worker w of n takes the w-th contiguous share, the caller the first one.
  void run(void (*step)(void *, int64_t), void *context, int64_t steps) {
    const int64_t n = std::min<int64_t>(steps, threads_.size() + 1);
    const auto share = [=](int64_t w) {
      return Share{step, context, w * steps / n, (w + 1) * steps / n};
    };
    for (int64_t w = 1; w < n; ++w) rings_[w - 1].prepare();
    for (int64_t w = 1; w < n; ++w) rings_[w - 1].push(share(w));
    share(0).run();
    for (int64_t w = 1; w < n; ++w) rings_[w - 1].wait_until_done();
  }

 private:
  static void work(Ring *ring, int cpu) {
    pthread_setname_np(pthread_self(), "lamina");
    const Bound bound(cpu);
    while (ring->front().step) {
      ring->front().run();
      ring->pop();
      if (ring->takes_turns()) move_away();
    }
  }

  void end() {
    for (size_t w = 0; w < threads_.size(); ++w) rings_[w].push(Share{});
    for (auto &thread : threads_) thread.join();
  }

  const uint32_t born_ = generation.load(std::memory_order_relaxed);
  std::unique_ptr<Ring[]> rings_;
  std::vector<std::thread> threads_;
};

}  // namespace
}  // namespace lamina

struct lamina_pool {
  lamina_pool(int threads, const int *cpus)
      : workers(threads - 1),
        cpu(cpus ? cpus[0] : lamina::kAnyCpu),
        team(new lamina::Team(workers, cpus ? cpus + 1 : nullptr)) {}

  ~lamina_pool() {
    if (team && !team->alive()) team.release();
  }

  // Take the team, unless another thread has it. Whoever had it before a fork is no more.
  bool take() {
    uint32_t before = owned.load(std::memory_order_relaxed);
    const uint32_t now = lamina::generation.load(std::memory_order_relaxed);
    return before != now &&
           owned.compare_exchange_strong(before, now, std::memory_order_acquire);
  }
  void give_back() { owned.store(0, std::memory_order_release); }

  // Make workers anew that a fork left behind. The CPUs are the parent's, the child has no claim.
  void revive() {
    if (!team || team->alive()) return;
    team.release();  // threads that are not there can neither be joined nor give memory back
    cpu = lamina::kAnyCpu;
    try {
      team.reset(new lamina::Team(workers, nullptr));
    } catch (const std::exception &) {
      // no threads to be had: the child does without
    }
  }

  const int workers;
  int cpu;  // of the caller
  std::unique_ptr<lamina::Team> team;
  alignas(lamina::kLine) std::atomic<uint32_t> owned{0};  // generation of who has it; 0: nobody
};

lamina_pool *lamina_pool_create(int threads, const int *cpus) {
  try {
    return new lamina_pool(std::max(threads, 1), cpus);
  } catch (const std::exception &) {
    return nullptr;
  }
}

void lamina_pool_destroy(lamina_pool *p) { delete p; }

void lamina_pool_run(lamina_pool *p, void (*entry)(void **), void **table) {
  lamina::Team *const before = lamina::current;
  if (p->take()) {
    p->revive();
    const lamina::Bound bound(p->cpu);
    lamina::current = p->team.get();
    entry(table);
    lamina::current = before;
    p->give_back();
  } else {
    lamina::current = nullptr;
    entry(table);
    lamina::current = before;
  }
}

void lamina_parallel(void (*step)(void *, int64_t), void *context, int64_t steps) {
  lamina::Team *const team = lamina::current;
  if (!team || steps < 2) {
    lamina::Share{step, context, 0, steps}.run();
    return;
  }
  lamina::current = nullptr;  // within a step there is none
  team->run(step, context, steps);
  lamina::current = team;
}
