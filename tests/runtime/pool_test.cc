// Tests of the thread pool without Python, to be run under sanitizers too.

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "ring.h"
#include "thread_pool.h"

#define CHECK(what)                                                        \
  if (!(what)) {                                                           \
    std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);        \
    std::exit(1);                                                          \
  }

namespace {

using Pool = std::unique_ptr<lamina_pool, void (*)(lamina_pool *)>;

Pool make(int threads, const int *cpus = nullptr) {
  return Pool(lamina_pool_create(threads, cpus), lamina_pool_destroy);
}

// Call a C++ function as an entry on a thread pool.
template <typename F>
void run(const Pool &pool, F function) {
  void *table = &function;
  lamina_pool_run(
      pool.get(), [](void **t) { (*static_cast<F *>(static_cast<void *>(t)))(); },
      static_cast<void **>(table));
}

// Call a C++ function as the steps of a region.
template <typename F>
void parallel(int64_t steps, F function) {
  lamina_parallel([](void *f, int64_t i) { (*static_cast<F *>(f))(i); }, &function, steps);
}

// What every region has to do: each step once, and all of it seen afterwards. Not atomic: if two
// threads did the same step, or the caller went on too early, ThreadSanitizer would see it.
void check_region(int64_t steps) {
  std::vector<int64_t> done(steps, 0);
  parallel(steps, [&](int64_t i) { done[i] += i + 1; });
  for (int64_t i = 0; i < steps; ++i) CHECK(done[i] == i + 1);
}

void a_ring_keeps_order_and_contents() {
  lamina::Ring ring;
  const int count = 20000;
  std::vector<int64_t> seen;
  std::thread consumer([&] {
    for (; ring.front().step; ring.pop()) seen.push_back(ring.front().begin);
    ring.pop();
  });
  const auto push = [&](const lamina::Share &share) {
    while (ring.full()) std::this_thread::yield();
    ring.push(share);
  };
  for (int i = 0; i < count; ++i) push({[](void *, int64_t) {}, nullptr, i, i});
  push({});
  ring.wait_until_done();
  consumer.join();
  CHECK(seen.size() == count);
  for (int i = 0; i < count; ++i) CHECK(seen[i] == i);
}

void a_number_may_wrap_around() {
  lamina::Signal signal;
  signal.set(0x7fffffffu);
  CHECK(signal.is(0x7fffffffu));
  signal.set(0x80000000u);
  CHECK(signal.is(0) && signal.is(0x80000000u) && !signal.is(1));
}

void every_step_runs_once() {
  for (int threads = 1; threads <= 4; ++threads) {
    const Pool pool = make(threads);
    run(pool, [] {
      for (int64_t steps = 0; steps < 40; ++steps) check_region(steps);
      for (int k = 0; k < 2000; ++k) check_region(4);
    });
  }
}

// Which thread did each step.
std::vector<std::thread::id> workers_of(int64_t steps) {
  std::vector<std::thread::id> found(steps);
  parallel(steps, [&](int64_t i) { found[i] = std::this_thread::get_id(); });
  return found;
}

void shares_are_even_contiguous_and_always_the_same() {
  const Pool pool = make(3);
  run(pool, [] {
    const auto first = workers_of(7);
    CHECK(first[0] == std::this_thread::get_id() && first[1] == first[0]);
    CHECK(first[2] == first[3] && first[2] != first[0]);
    CHECK(first[4] == first[5] && first[5] == first[6] && first[4] != first[2]);
    CHECK(workers_of(7) == first);
    const auto two = workers_of(2);
    CHECK(two[0] == first[0] && two[1] == first[2]);
  });
}

bool inline_here(int64_t steps) {
  for (const auto id : workers_of(steps)) {
    if (id != std::this_thread::get_id()) return false;
  }
  return true;
}

void without_a_pool_steps_run_in_line() {
  CHECK(inline_here(5));
  const Pool pool = make(2);
  CHECK(inline_here(5));
  run(pool, [] { CHECK(!inline_here(5)); });
  CHECK(inline_here(5));
}

void nested_regions_and_calls_run_in_line() {
  const Pool pool = make(2), other = make(2);
  run(pool, [&] {
    parallel(4, [&](int64_t) {
      CHECK(inline_here(3));
      run(pool, [] { CHECK(inline_here(3)); });
    });
    run(pool, [] { CHECK(inline_here(3)); });
    CHECK(!inline_here(3));
    run(other, [] { CHECK(!inline_here(3)); });
    CHECK(!inline_here(3));
  });
}

void many_callers_share_one_pool() {
  const Pool pool = make(3);
  std::vector<std::thread> callers;
  std::atomic<int> shared{0};
  for (int c = 0; c < 6; ++c) {
    callers.emplace_back([&] {
      for (int k = 0; k < 300; ++k) {
        run(pool, [&] {
          check_region(6);
          if (!inline_here(3)) ++shared;
        });
      }
    });
  }
  for (auto &caller : callers) caller.join();
  CHECK(shared > 0);
}

void sleepers_are_woken() {
  const Pool pool = make(2);
  for (int milliseconds : {0, 1, 10, 30, 10}) {
    run(pool, [&] {
      check_region(2);
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      check_region(2);
      parallel(2, [&](int64_t i) {  // now the caller waits
        if (i == 1) std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      });
    });
  }
}

void pools_come_and_go() {
  for (int k = 0; k < 50; ++k) {
    const Pool pool = make(3);
    if (k % 3) run(pool, [] { check_region(3); });
    if (k % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// The exit status of a child that runs regions on its parent's thread pool.
template <typename F>
void in_a_child(F function) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(20);
    function();
    _exit(7);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

void a_child_has_threads_of_its_own() {
#ifdef __SANITIZE_THREAD__  // which allows no new threads in such a child
  return;
#endif
  Pool pool = make(2);
  const auto works = [&] {
    run(pool, [] {
      check_region(4);
      CHECK(!inline_here(2));
    });
  };
  works();
  in_a_child([&] {
    works();
    in_a_child(works);
    works();
    pool.reset();
  });
  in_a_child([&] { pool.reset(); });
  run(pool, [&] { in_a_child([&] {
    CHECK(inline_here(3));
    works();
  }); });
  std::thread([&] { run(pool, [&] { in_a_child(works); }); }).join();  // forked while it runs
  works();
}

void threads_stay_on_their_cpus() {
  cpu_set_t allowed;
  CHECK(!sched_getaffinity(0, sizeof allowed, &allowed));
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
  }
  cpus.push_back(cpus.front());  // where there is only one
  const Pool pool = make(2, cpus.data());
  const auto here = [&](int64_t i) {
    cpu_set_t set;
    CHECK(!sched_getaffinity(0, sizeof set, &set));
    CHECK(CPU_COUNT(&set) == 1 && CPU_ISSET(cpus[i], &set) && sched_getcpu() == cpus[i]);
  };
  run(pool, [&] { parallel(2, here); });
  cpu_set_t after;
  CHECK(!sched_getaffinity(0, sizeof after, &after) && CPU_EQUAL(&after, &allowed));
}

// Threads that take turns on one processor want to go elsewhere; here they may not.
void one_processor_is_enough() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  std::thread([one] {
    CHECK(!sched_setaffinity(0, sizeof one, &one));
    const Pool pool = make(2);
    run(pool, [one] {
      for (int k = 0; k < 3000; ++k) check_region(2);
      parallel(2, [one](int64_t) {
        cpu_set_t now;
        CHECK(!sched_getaffinity(0, sizeof now, &now) && CPU_EQUAL(&now, &one));
      });
    });
  }).join();
}

}  // namespace

// The argument: after how many seconds whoever waits for ever has failed.
int main(int, char **arguments) {
  alarm(std::atoi(arguments[1]));
#define RUN(test) std::fprintf(stderr, "%s\n", #test), test()
  RUN(a_ring_keeps_order_and_contents);
  RUN(a_number_may_wrap_around);
  RUN(every_step_runs_once);
  RUN(shares_are_even_contiguous_and_always_the_same);
  RUN(without_a_pool_steps_run_in_line);
  RUN(nested_regions_and_calls_run_in_line);
  RUN(many_callers_share_one_pool);
  RUN(sleepers_are_woken);
  RUN(pools_come_and_go);
  RUN(a_child_has_threads_of_its_own);
  RUN(threads_stay_on_their_cpus);
  RUN(one_processor_is_enough);
  static const auto *running = new Pool(make(3));
  run(*running, [] { check_region(3); });  // and the process ends while its threads are there
  std::fprintf(stderr, "ok\n");
}
