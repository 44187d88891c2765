#include "store/revocation.h"

#include "json/json.h"
#include "store/audit.h"
#include "store/connection.h"
#include "store/delivery_block.h"
#include "store/problem.h"
#include "store/queue.h"
#include "store/secrets.h"

enum { ENTRIES_MAX = 4 };

/* The receipt as the API shows it: [{what, status, http_status, at}]. */
static const char *receipt_text(const struct scope *scope, const struct revocation_entry *entries,
                                size_t count)
{
    const char *at = instant_format(scope->arena, db_now(scope));
    json_t *receipt = json_keep(scope->arena, json_array());
    for (size_t i = 0; i < count; i++) {
        json_t *entry = json_pack("{s:s, s:s, s:n, s:s}", "what", entries[i].what, "status",
                                  entries[i].status, "http_status", "at", at);
        if (entries[i].http_status)
            json_object_set_new(entry, "http_status", json_integer(entries[i].http_status));
        json_array_append_new(receipt, entry);
    }
    return json_write(scope->arena, receipt);
}

/* The tokens that are held, in the order in which they are revoked. */
static enum err held_tokens(const struct scope *scope, const struct secret *region_key,
                            struct uuid connection, struct revocation_entry entries[ENTRIES_MAX],
                            size_t *count)
{
    static const char *const fields[] = {CREDENTIAL_REFRESH_TOKEN, CREDENTIAL_ACCESS_TOKEN};
    *count = 0;
    for (size_t i = 0; i < COUNT(fields); i++) {
        const struct secret *token;
        TRY(credential_get(scope, region_key, (struct credential_place){connection, fields[i]},
                           &token));
        if (token)
            entries[(*count)++] = (struct revocation_entry){.what = fields[i], .status = "pending"};
    }
    return OK;
}

struct beginning {
    const struct secret *region_key;
    struct uuid connection;
};

static enum err begin(const struct scope *scope, void *arg)
{
    const struct beginning *beginning = arg;
    struct uuid id = beginning->connection;
    struct revocation_entry entries[ENTRIES_MAX];
    size_t held;
    int64_t resolved;
    TRY(held_tokens(scope, beginning->region_key, id, entries, &held));
    TRY(connection_disconnect(scope, id));
    TRY(queue_park(scope, id, true));
    TRY(deliveries_block(scope, id));
    TRY(problem_resolve(
        scope, &(struct problem_subject){.connection = id, .code = "connection_need_reconnect"},
        &resolved));
    TRY(connection_revocation_set(scope, id, receipt_text(scope, entries, held), held == 0));
    if (held == 0)
        return OK;
    /* Not in the lane of the connection, where nothing runs any more. */
    return queue_enqueue(
        scope, &(struct job_order){
                   .kind = JOB_REVOKE,
                   .subject = id,
                   .dedupe = arena_format(scope->arena, "revoke:%s", uuid_format(scope->arena, id)),
               });
}

enum err revocation_begin(const struct scope *scope, const struct secret *region_key,
                          struct uuid connection)
{
    struct beginning beginning = {region_key, connection};
    return db_transaction(scope, begin, &beginning);
}

static enum err note_try(const struct scope *scope, void *arg)
{
    const struct revocation_try *tried = arg;
    struct connection connection;
    TRY(connection_lock(scope, tried->connection, &connection));
    if (connection.state != CONNECTION_DISCONNECTED)
        return OK;
    const char *receipt = receipt_text(scope, tried->entries, tried->count);
    TRY(connection_revocation_set(scope, tried->connection, receipt, tried->complete));
    return audit_append(
        scope, &(struct audit_entry){
                   .action = tried->complete ? "connection.revoked" : "connection.revocation_tried",
                   .subject_kind = "connection",
                   .subject = tried->connection,
                   .detail = arena_format(scope->arena, "{\"revoked\":%s}", receipt)});
}

enum err revocation_tried(const struct scope *scope, const struct revocation_try *tried)
{
    struct revocation_try copy = *tried;
    return db_transaction(scope, note_try, &copy);
}
