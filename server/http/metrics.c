#include "http/metrics.h"

#include "base/text.h"

static const int64_t bounds_us[] = {1000,   2500,   5000,    10000,   25000,   50000,    100000,
                                    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000};
enum { BUCKETS = COUNT(bounds_us) + 1 };

struct counter {
    _Atomic uint64_t value;
};

struct histogram {
    _Atomic uint64_t buckets[BUCKETS]; /* not cumulative */
    _Atomic uint64_t sum_us;
};

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric {
    enum metric_kind kind;
    const char *name, *labels, *help;
    struct counter counter;
    struct histogram histogram;
    int64_t (*read)(void *context);
    void *context;
    struct metric *next;
};

struct metrics {
    struct arena *arena;
    struct metric *first, **last;
};

struct metrics *metrics_new(struct arena *arena)
{
    struct metrics *metrics = arena_alloc(arena, sizeof *metrics);
    metrics->arena = arena;
    metrics->last = &metrics->first;
    return metrics;
}

static struct metric *add_metric(struct metrics *metrics, enum metric_kind kind, const char *name,
                                 const char *labels, const char *help)
{
    struct metric *metric = arena_alloc(metrics->arena, sizeof *metric);
    metric->kind = kind;
    metric->name = arena_text(metrics->arena, name);
    metric->labels = arena_text(metrics->arena, labels);
    metric->help = arena_text(metrics->arena, help);
    *metrics->last = metric;
    metrics->last = &metric->next;
    return metric;
}

struct counter *metrics_counter(struct metrics *metrics, const char *name, const char *labels,
                                const char *help)
{
    return &add_metric(metrics, METRIC_COUNTER, name, labels, help)->counter;
}

void metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                   int64_t (*read)(void *context), void *context)
{
    struct metric *metric = add_metric(metrics, METRIC_GAUGE, name, NULL, help);
    metric->read = read;
    metric->context = context;
}

struct histogram *metrics_histogram(struct metrics *metrics, const char *name, const char *help)
{
    return &add_metric(metrics, METRIC_HISTOGRAM, name, NULL, help)->histogram;
}

void counter_add(struct counter *counter, uint64_t n)
{
    atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed);
}

uint64_t counter_value(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

void histogram_observe_us(struct histogram *histogram, int64_t us)
{
    size_t bucket = 0;
    while (bucket < COUNT(bounds_us) && us > bounds_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, (uint64_t)(us > 0 ? us : 0),
                              memory_order_relaxed);
}

static void write_histogram(const struct metric *metric, struct buf *into)
{
    uint64_t total = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        total += atomic_load_explicit(&metric->histogram.buckets[i], memory_order_relaxed);
        if (i < COUNT(bounds_us))
            buf_format(into, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", metric->name,
                       (double)bounds_us[i] / 1e6, total);
        else
            buf_format(into, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", metric->name, total);
    }
    uint64_t sum_us = atomic_load_explicit(&metric->histogram.sum_us, memory_order_relaxed);
    buf_format(into, "%s_sum %.6f\n%s_count %" PRIu64 "\n", metric->name, (double)sum_us / 1e6,
               metric->name, total);
}

static void write_value(const struct metric *metric, struct buf *into)
{
    switch (metric->kind) {
    case METRIC_COUNTER:
        buf_add_text(into, metric->name);
        if (metric->labels)
            buf_format(into, "{%s}", metric->labels);
        buf_format(into, " %" PRIu64 "\n", counter_value(&metric->counter));
        break;
    case METRIC_GAUGE:
        buf_format(into, "%s %" PRId64 "\n", metric->name, metric->read(metric->context));
        break;
    case METRIC_HISTOGRAM:
        write_histogram(metric, into);
        break;
    }
}

void metrics_write(const struct metrics *metrics, struct buf *into)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    const char *family = NULL;
    for (const struct metric *metric = metrics->first; metric; metric = metric->next) {
        if (!text_equal(family, metric->name))
            buf_format(into, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
                       metric->name, kinds[metric->kind]);
        family = metric->name;
        write_value(metric, into);
    }
}
