/* Counters, gauges and histograms as Prometheus text (exposition format 0.0.4). Declared while the
 * program starts, counted from any thread, written when asked. */
#ifndef SLUICE_METRICS_H
#define SLUICE_METRICS_H

#include <stdatomic.h>

#include "base/buf.h"

struct metrics;
struct counter;
struct histogram;

/* Lives in the arena, which must outlive every thread that counts. */
struct metrics *metrics_new(struct arena *arena);
/* `labels` is the inside of the braces, or NULL: "route=\"/v1/me\",status=\"2xx\"". Rows of one
 * name must be declared one after another with the same help. */
struct counter *metrics_counter(struct metrics *metrics, const char *name, const char *labels,
                                const char *help);
/* Read when the metrics are written. */
void metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                   int64_t (*read)(void *context), void *context);
/* Seconds, in buckets from 1 ms to 30 s. */
struct histogram *metrics_histogram(struct metrics *metrics, const char *name, const char *help);

void counter_add(struct counter *counter, uint64_t n);
uint64_t counter_value(const struct counter *counter);
void histogram_observe_us(struct histogram *histogram, int64_t us);

void metrics_write(const struct metrics *metrics, struct buf *into);

#endif
