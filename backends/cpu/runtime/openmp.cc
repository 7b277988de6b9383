// The same interface on top of OpenMP, to compare our thread pool with that of the compiler.

#include <algorithm>

#include "thread_pool.h"

struct lamina_pool {
  int threads;
};

static thread_local lamina_pool *current = nullptr;

lamina_pool *lamina_pool_create(int threads, const int *cpus) {
  return cpus ? nullptr : new lamina_pool{std::max(threads, 1)};  // OpenMP binds by OMP_PLACES
}

void lamina_pool_destroy(lamina_pool *p) { delete p; }

void lamina_pool_run(lamina_pool *p, void (*entry)(void **), void **table) {
  lamina_pool *const before = current;
  current = p;
  entry(table);
  current = before;
}

void lamina_parallel(void (*step)(void *, int64_t), void *context, int64_t steps) {
  lamina_pool *const mine = current;
  current = nullptr;  // within a step there is none
#pragma omp parallel for schedule(static) num_threads(mine ? mine->threads : 1)
  for (int64_t i = 0; i < steps; ++i) step(context, i);
  current = mine;
}
