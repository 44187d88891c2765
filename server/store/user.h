/* People and their memberships. */
#ifndef SLUICE_STORE_USER_H
#define SLUICE_STORE_USER_H

#include "db/db.h"

enum { FAILED_LOGINS_MAX = 10, LOGIN_LOCK_S = 15 * 60 };

struct user {
    struct uuid id;
    const char *email; /* lower case */
    const char *name;
    const char *password_hash; /* NULL: cannot log in with a password */
    bool operator;
    bool active;
    struct instant locked_until; /* 0: not locked */
    struct instant created_at;
};

/* ERR_DUPLICATE (app_user_email) when the address is taken. Fills id and created_at. */
enum err user_add(const struct untenanted *directory, struct user *user) MUST_USE;
enum err user_get(const struct untenanted *directory, struct uuid id, struct user *into) MUST_USE;
/* `email` in any case. */
enum err user_by_email(const struct untenanted *directory, const char *email, struct user *into,
                       bool *found) MUST_USE;
/* After FAILED_LOGINS_MAX failures in a row the account is locked for LOGIN_LOCK_S. */
enum err user_login_noted(const struct untenanted *directory, struct uuid id,
                          bool succeeded) MUST_USE;
enum err user_password_set(const struct untenanted *directory, struct uuid id,
                           const char *password_hash) MUST_USE;

/* ---- members ---- */

struct member {
    struct uuid user_id;
    const char *email;
    const char *name;
    const char *role; /* owner, admin, reviewer, viewer */
    struct instant joined_at;
    int64_t row_version;
};

/* What the guard asks: the role, where the workspace lives, whether it is active. ERR_NOT_FOUND for
 * no member and for no workspace alike. */
struct membership {
    struct uuid workspace_id;
    const char *workspace_name;
    const char *region;
    const char *role;
    bool active;
};
enum err membership_get(const struct untenanted *directory, struct uuid workspace, struct uuid user,
                        struct membership *into) MUST_USE;
/* All of a user; rows of struct membership. */
enum err membership_list(const struct untenanted *directory, struct uuid user,
                         struct rows *into) MUST_USE;

/* ERR_DUPLICATE (member_pkey) when the user is one already. */
enum err member_add(const struct untenanted *directory, struct uuid workspace, struct uuid user,
                    const char *role) MUST_USE;
/* By user id, beyond `after` (nil: from the start). */
enum err member_list(const struct untenanted *directory, struct uuid workspace, struct uuid after,
                     int64_t limit, struct rows *into) MUST_USE;
enum err member_get(const struct untenanted *directory, struct uuid workspace, struct uuid user,
                    struct member *into) MUST_USE;

struct member_change {
    struct uuid workspace;
    struct uuid user;
    const char *role; /* NULL: leaves */
    int64_t version;  /* as read; 0: whatever it is */
    struct uuid by;   /* who changes it; nil: nobody whose rights are to be looked at */
    const char *as;   /* the role in which they do: a key's may be smaller than theirs */
};
struct member_changed {
    struct member before;
    struct rows keys; /* struct uuid: the API keys that went with who left */
};
/* Changes of one workspace wait for each other, and each looks at who makes it anew: of two who
 * remove each other one succeeds. ERR_FORBIDDEN: they may not, or not any more (owners are made and
 * unmade by owners). ERR_CONFLICT: the last owner stays. ERR_STALE: another version. Who leaves
 * takes along the API keys that they made. */
enum err member_change(const struct untenanted *directory, const struct member_change *change,
                       struct member_changed *into) MUST_USE;

#endif
