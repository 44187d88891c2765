#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/base.h"
#include "db/internal.h"

static bool channel_valid(const char *channel)
{
    size_t n = strlen(channel);
    for (size_t i = 0; i < n; i++) {
        if (!islower((unsigned char)channel[i]) && !isdigit((unsigned char)channel[i]) &&
            channel[i] != '_')
            return false;
    }
    return n > 0 && n < 60;
}

static enum err say(struct db *db, struct arena *arena, const char *verb, const char *channel)
{
    char sql[96];
    assert(channel_valid(channel));
    assert(db->transaction == TX_NONE);
    TRY(db_ensure(db, arena));
    snprintf(sql, sizeof(sql), "%s %s", verb, channel);
    TRY(pipeline_send_text(db, arena, sql));
    return pipeline_collect(db, arena, NULL);
}

enum err db_listen(struct db *db, struct arena *arena, const char *channel)
{
    TRY(say(db, arena, "LISTEN", channel));
    snprintf(db->listening, sizeof(db->listening), "%s", channel);
    return OK;
}

enum err db_notify(struct db *db, struct arena *arena, const char *channel)
{
    return say(db, arena, "NOTIFY", channel);
}

static bool take_notifications(struct db *db)
{
    bool any = false;
    PGnotify *notification;
    while ((notification = PQnotifies(db->connection)) != NULL) {
        any = true;
        PQfreemem(notification);
    }
    return any;
}

enum err db_wait(struct db *db, struct arena *arena, int timeout_ms, int wake_fd, bool *notified)
{
    TRY(db_ensure(db, arena));
    *notified = take_notifications(db);
    if (*notified)
        return OK;
    struct pollfd fds[2] = {{.fd = PQsocket(db->connection), .events = POLLIN},
                            {.fd = wake_fd, .events = POLLIN}};
    int ready = poll(fds, 2, timeout_ms);
    if (ready < 0 && errno != EINTR)
        return db_broken(db, arena, "wait");
    if (ready > 0 && fds[0].revents && !PQconsumeInput(db->connection))
        return db_broken(db, arena, "wait");
    *notified = take_notifications(db);
    return OK;
}
