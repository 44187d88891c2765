/* Slows down the guessing of passwords. Failures are counted per e-mail address, whether anybody
 * has it or not, and per network address; and only so many passwords are checked at a time, since
 * each check takes a tenth of a second of a processor and 32 MiB. Kept per process: with n
 * processes the limits are n times as high. */
#ifndef SLUICE_LOGIN_GUARD_H
#define SLUICE_LOGIN_GUARD_H

#include "base/time.h"

enum {
    LOGIN_FAILURES_MAX = 10,       /* of one e-mail address within the window */
    LOGIN_FAILURES_PEER_MAX = 100, /* of one network address; this host's is not counted */
    LOGIN_WINDOW_S = 15 * 60,
    LOGIN_SLOTS = 4096, /* addresses remembered; the oldest give way */
};

struct login_guard;

struct login_guard *login_guard_open(int checks_at_once_max);
void login_guard_close(struct login_guard *guard);

/* ERR_RATE_LIMITED with when to come back; ERR_BUSY when too many are checked right now. After OK
 * login_guard_leave must follow, with what came of it: OK forgets the failures, ERR_LOGIN_REFUSED
 * is one more, and anything else (a lock, a database that is away) says nothing about the guess. */
enum err login_guard_enter(struct login_guard *guard, struct arena *arena, struct instant now,
                           const char *email, const char *peer) MUST_USE;
void login_guard_leave(struct login_guard *guard, struct instant now, const char *email,
                       const char *peer, enum err outcome);

#endif
