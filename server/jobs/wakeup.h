/* Wake-ups of workers. A commit that made a job due signals it: in this process through an eventfd,
 * in others by at most one NOTIFY per WAKEUP_NOTIFY_MS, sent after the commit by a thread of its
 * own (a NOTIFY inside of the transaction would make all commits wait for each other). */
#ifndef SLUICE_JOBS_WAKEUP_H
#define SLUICE_JOBS_WAKEUP_H

#include "db/db.h"

#define WAKEUP_CHANNEL "sluice_jobs"
enum { WAKEUP_NOTIFY_MS = 10 };

struct wakeup;

struct wakeup *wakeup_open(void);
/* Starts the notifying thread; `settings` outlive it. */
void wakeup_start(struct wakeup *wakeup, const struct db_settings *settings);
void wakeup_close(struct wakeup *wakeup);   /* stops the thread */
void wakeup_signal(void *wakeup);           /* fits db_settings.wake; from any thread */
int wakeup_fd(const struct wakeup *wakeup); /* readable after a signal */
void wakeup_drain(const struct wakeup *wakeup);

#endif
