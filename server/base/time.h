/* Business time: one injected clock. Real time plus an offset that is stored in the database, so
 * that tests and the simulators play a year in minutes. Leases, hard deadlines and the earliest
 * look after an uncertain attempt do not use it: they use the database's own clock. */
#ifndef SLUICE_TIME_H
#define SLUICE_TIME_H

#include <stdatomic.h>

#include "base/arena.h"

struct instant {
    int64_t us; /* microseconds since 1970-01-01T00:00:00Z; 0 means "none" in optional fields */
};

struct date {
    int32_t days; /* days since 1970-01-01; DATE_NONE when absent */
};
#define DATE_NONE INT32_MIN

struct clock {
    _Atomic int64_t offset_us;
};

struct instant clock_now(const struct clock *clock);
void clock_set_offset(struct clock *clock, int64_t offset_us);
int64_t monotonic_us(void); /* for durations; never stored */

struct instant instant_add_s(struct instant at, int64_t seconds);
struct instant instant_from_unix_s(int64_t seconds);
int64_t instant_unix_s(struct instant at);

/* RFC 3339: "2026-11-20T10:22:23.000Z" (milliseconds) out; 0 to 9 fractional digits, Z or an offset
 * in. Dates "2026-11-20". Years 1970 to 9999. */
char *instant_format(struct arena *arena, struct instant at);
bool instant_parse(const char *text, struct instant *into);
char *date_format(struct arena *arena, struct date date);
bool date_parse(const char *text, struct date *into);
struct date date_of(struct instant at); /* in UTC */

#endif
