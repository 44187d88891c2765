#include "jobs/wakeup.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct wakeup {
    int fd; /* for the fetcher of this process */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool pending;
    bool stopping;
    const struct db_settings *settings;
};

struct wakeup *wakeup_open(void)
{
    struct wakeup *wakeup = calloc(1, sizeof *wakeup);
    if (!wakeup)
        abort();
    wakeup->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&wakeup->lock, NULL);
    pthread_cond_init(&wakeup->changed, NULL);
    return wakeup;
}

void wakeup_signal(void *object)
{
    struct wakeup *wakeup = object;
    uint64_t one = 1;
    ssize_t written = write(wakeup->fd, &one, sizeof one);
    (void)written; /* a full counter is a signal too */
    pthread_mutex_lock(&wakeup->lock);
    wakeup->pending = true;
    pthread_cond_signal(&wakeup->changed);
    pthread_mutex_unlock(&wakeup->lock);
}

int wakeup_fd(const struct wakeup *wakeup)
{
    return wakeup->fd;
}

void wakeup_drain(const struct wakeup *wakeup)
{
    uint64_t count;
    ssize_t n = read(wakeup->fd, &count, sizeof count);
    (void)n; /* nothing to read is nothing to drain */
}

/* Waits for a signal; false when stopping. */
static bool await_signal(struct wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->lock);
    while (!wakeup->pending && !wakeup->stopping)
        pthread_cond_wait(&wakeup->changed, &wakeup->lock);
    wakeup->pending = false;
    bool more = !wakeup->stopping;
    pthread_mutex_unlock(&wakeup->lock);
    return more;
}

static void *notify_loop(void *object)
{
    struct wakeup *wakeup = object;
    struct arena *arena = arena_open();
    struct db *db = NULL;
    while (await_signal(wakeup)) {
        /* A lost notification costs the others one poll interval, no more. */
        bool connected =
            db ? db_ensure(db, arena) == OK : db_open(arena, wakeup->settings, &db) == OK;
        enum err error = connected ? db_notify(db, arena, WAKEUP_CHANNEL) : ERR_DB_DOWN;
        if (error != OK)
            log_event(wakeup->settings->log, LOG_WARN, "wakeup.failed",
                      LOG_T("code", err_slug(error)));
        arena_reset(arena);
        usleep(WAKEUP_NOTIFY_MS * 1000);
    }
    db_close(db);
    arena_close(arena);
    return NULL;
}

void wakeup_start(struct wakeup *wakeup, const struct db_settings *settings)
{
    wakeup->settings = settings;
    wakeup->started = pthread_create(&wakeup->thread, NULL, notify_loop, wakeup) == 0;
}

void wakeup_close(struct wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->lock);
    wakeup->stopping = true;
    pthread_cond_signal(&wakeup->changed);
    pthread_mutex_unlock(&wakeup->lock);
    if (wakeup->started)
        pthread_join(wakeup->thread, NULL);
    close(wakeup->fd);
    pthread_mutex_destroy(&wakeup->lock);
    pthread_cond_destroy(&wakeup->changed);
    free(wakeup);
}
