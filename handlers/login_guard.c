#include "handlers/login_guard.h"

#include <pthread.h>

#include "base/text.h"
#include "crypto/crypto.h"

enum { LOGIN_WAYS = 8 }; /* slots that one address may have */

struct slot {
    uint64_t key; /* 0: free */
    int64_t since_s;
    int failures;
};

struct login_guard {
    pthread_mutex_t lock;
    int checking, checks_max;
    uint64_t salt;
    struct slot slots[LOGIN_SLOTS];
};

struct login_guard *login_guard_open(int checks_at_once_max)
{
    struct login_guard *guard = calloc(1, sizeof *guard);
    if (!guard)
        abort();
    guard->checks_max = checks_at_once_max;
    struct arena *arena = arena_open();
    memcpy(&guard->salt, secret_bytes(random_secret(arena, sizeof guard->salt)).at,
           sizeof guard->salt);
    arena_close(arena);
    pthread_mutex_init(&guard->lock, NULL);
    return guard;
}

void login_guard_close(struct login_guard *guard)
{
    pthread_mutex_destroy(&guard->lock);
    free(guard);
}

/* Nobody can choose addresses that meet in one slot: the hash is salted. */
static uint64_t key_of(const struct login_guard *guard, const char *kind, const char *text)
{
    uint8_t digest[SHA256_BYTES];
    char input[512];
    int n = snprintf(input, sizeof input, "%016" PRIx64 "%s%s", guard->salt, kind, text);
    size_t used = (size_t)n < sizeof input ? (size_t)n : sizeof input - 1;
    for (size_t i = 0; i < used; i++)
        input[i] = (char)(input[i] >= 'A' && input[i] <= 'Z' ? input[i] - 'A' + 'a' : input[i]);
    sha256((struct bytes){(const uint8_t *)input, used}, digest);
    uint64_t key;
    memcpy(&key, digest, sizeof key);
    return key ? key : 1;
}

static bool stale(const struct slot *slot, int64_t now_s)
{
    return now_s - slot->since_s >= LOGIN_WINDOW_S || slot->since_s > now_s;
}

/* Of the slots that an address may have, the one that holds it, else the one that remembers least:
 * many addresses with one failure each cannot push out one with many. */
static struct slot *slot_of(struct login_guard *guard, uint64_t key, int64_t now_s)
{
    struct slot *least = NULL;
    for (uint64_t way = 0; way < LOGIN_WAYS; way++) {
        struct slot *slot = &guard->slots[(key % LOGIN_SLOTS + way) % LOGIN_SLOTS];
        if (stale(slot, now_s))
            *slot = (struct slot){.since_s = now_s};
        if (slot->key == key)
            return slot;
        if (!least || slot->failures < least->failures)
            least = slot;
    }
    *least = (struct slot){key, now_s, 0};
    return least;
}

static bool counted(const char *peer)
{
    return *peer && !text_starts(peer, "127.") && !text_equal(peer, "::1");
}

static int64_t wait_s(struct login_guard *guard, uint64_t key, int64_t now_s, int failures_max)
{
    const struct slot *slot = slot_of(guard, key, now_s);
    return slot->failures >= failures_max ? slot->since_s + LOGIN_WINDOW_S - now_s : 0;
}

enum err login_guard_enter(struct login_guard *guard, struct arena *arena, struct instant now,
                           const char *email, const char *peer)
{
    int64_t now_s = instant_unix_s(now);
    uint64_t email_key = key_of(guard, "email:", email), peer_key = key_of(guard, "peer:", peer);
    pthread_mutex_lock(&guard->lock);
    int64_t wait = wait_s(guard, email_key, now_s, LOGIN_FAILURES_MAX);
    if (!wait && counted(peer))
        wait = wait_s(guard, peer_key, now_s, LOGIN_FAILURES_PEER_MAX);
    bool busy = guard->checking >= guard->checks_max;
    guard->checking += !wait && !busy;
    pthread_mutex_unlock(&guard->lock);
    if (wait)
        return arena_fail_retry(arena, ERR_RATE_LIMITED, wait,
                                "Too many attempts failed; try again in %" PRId64 " s.", wait);
    return busy ? arena_fail_retry(arena, ERR_BUSY, 1, "Many people are signing in right now.")
                : OK;
}

void login_guard_leave(struct login_guard *guard, struct instant now, const char *email,
                       const char *peer, enum err outcome)
{
    int64_t now_s = instant_unix_s(now);
    uint64_t email_key = key_of(guard, "email:", email), peer_key = key_of(guard, "peer:", peer);
    pthread_mutex_lock(&guard->lock);
    guard->checking--;
    if (outcome == OK)
        slot_of(guard, email_key, now_s)->failures = 0;
    if (outcome == ERR_LOGIN_REFUSED) {
        slot_of(guard, email_key, now_s)->failures++;
        if (counted(peer))
            slot_of(guard, peer_key, now_s)->failures++;
    }
    pthread_mutex_unlock(&guard->lock);
}
