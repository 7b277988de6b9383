/*
 * Threads for compiled models, as C.
 *
 * A model that was compiled for several threads calls lamina_parallel around each loop whose steps
 * they may share; lamina_pool_run calls such a model on a thread pool. Any thread may call any of
 * this at any time, but lamina_pool_destroy only when nobody is in lamina_pool_run.
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lamina_pool lamina_pool;

/*
 * A thread pool of so many threads, of which the caller of lamina_pool_run is one. `cpus` says on
 * which CPU each of them runs, the caller while it is in lamina_pool_run; NULL leaves that to the
 * system. NULL if the threads cannot be had.
 */
lamina_pool *lamina_pool_create(int threads, const int *cpus);

/* End the threads. */
void lamina_pool_destroy(lamina_pool *);

/*
 * Call entry(table); its parallel regions use the threads of this thread pool. Where another call
 * has them already, this one does without.
 */
void lamina_pool_run(lamina_pool *, void (*entry)(void **), void **table);

/*
 * Run step(context, i) for each i from 0 to steps - 1, and return when all are done: shared out
 * evenly, in order, among the threads that the model call on this thread has; one after the other
 * where it has none, or within a step.
 */
void lamina_parallel(void (*step)(void *context, int64_t index), void *context, int64_t steps);

#ifdef __cplusplus
}
#endif
