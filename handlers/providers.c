/* The catalogue: what each provider can do as a source and as a target, taken from the connectors
 * themselves, and in words what it cannot. */
#include "base/text.h"
#include "connectors/registry.h"
#include "handlers/handlers.h"
#include "handlers/request.h"

enum { LIVE_CADENCE_S_MAX = 5 }; /* a source that is asked less often is not called live */

/* What no interface of a connector says. Countries by ISO 3166, or EU. */
struct remark {
    const char *provider;
    const char *authorisation; /* "oauth", or "oauth_mcp": a client registered on the fly */
    const char *hosted_in[3];
    bool documents; /* its records come with documents of their own */
    const char *notes[4];
};
static const struct remark remarks[] = {
    {
        .provider = "stripe",
        .authorisation = "oauth_mcp",
        .hosted_in = {"US"},
        .notes = {"Its MCP server pushes no events: changes are found by asking.",
                  "It issues no supplier invoices: we render a document of each record.",
                  "Charges older than two years are not read."},
    },
    {
        .provider = "qonto",
        .authorisation = "oauth",
        .hosted_in = {"EU"},
        .documents = true,
        .notes =
            {"A supplier invoice cannot be changed once it exists: we link to it, or ask, and "
             "never create a second one.",
             "What its document reader makes of a file is its own: amounts are not set by us."},
    },
};

static const struct remark *remark_on(const char *provider)
{
    for (size_t i = 0; i < COUNT(remarks); i++) {
        if (text_equal(remarks[i].provider, provider))
            return &remarks[i];
    }
    return NULL;
}

static void out_texts(struct json_out *out, const char *name, const char *const *texts, size_t max)
{
    out_array(out, name);
    for (size_t i = 0; i < max && texts[i]; i++)
        out_text(out, NULL, texts[i]);
    out_end(out);
}

static bool asked_often(const struct source *source)
{
    for (size_t i = 0; i < source->stream_count; i++) {
        if (source->streams[i].cadence_s > LIVE_CADENCE_S_MAX)
            return false;
    }
    return true;
}

static void out_source(struct json_out *out, const struct source *source, bool documents)
{
    if (!source) {
        out_null(out, "source");
        return;
    }
    out_object(out, "source");
    out_bool(out, "live", asked_often(source));
    out_bool(out, "attachments", documents && source->attachment != NULL);
    out_array(out, "streams");
    for (size_t i = 0; i < source->stream_count; i++) {
        const struct stream_info *stream = &source->streams[i];
        out_object(out, NULL);
        out_text(out, "stream", stream->name);
        out_text(out, "kind", record_kind_name(stream->kind));
        out_int(out, "history_days_max", stream->history_days_max);
        out_int(out, "cadence_s", stream->cadence_s);
        out_end(out);
    }
    out_end(out);
    out_end(out);
}

static void out_content_types(struct json_out *out, const char *list)
{
    out_array(out, "content_types");
    while (list && *list) {
        list += strspn(list, ", ");
        size_t n = strcspn(list, ",");
        if (n > 0)
            out_text(out, NULL, arena_text_n(out->buf.arena, list, n));
        list += n;
    }
    out_end(out);
}

static void out_target(struct json_out *out, const struct target *target)
{
    if (!target) {
        out_null(out, "target");
        return;
    }
    const struct target_capabilities *can = &target->capabilities;
    out_object(out, "target");
    out_bool(out, "create", can->create);
    out_bool(out, "update", can->update);
    out_bool(out, "attach", can->attach);
    out_bool(out, "mark_paid", can->mark_paid);
    out_bool(out, "read_back", can->read_back);
    out_bool(out, "search", can->search);
    out_int(out, "document_bytes_max", can->document_bytes_max);
    out_content_types(out, can->content_types);
    out_end(out);
}

static void out_provider(struct json_out *out, const struct provider *provider)
{
    const struct remark *remark = remark_on(provider->name);
    assert(remark);
    out_object(out, NULL);
    out_text(out, "provider", provider->name);
    out_text(out, "name", provider->title);
    out_text(out, "authorisation", remark->authorisation);
    out_texts(out, "hosted_in", remark->hosted_in, COUNT(remark->hosted_in));
    out_bool(out, "calibrated", false); /* the shipped model was fitted on generated data alone */
    out_source(out, provider->source, remark->documents);
    out_target(out, provider->target);
    out_texts(out, "notes", remark->notes, COUNT(remark->notes));
    out_end(out);
}

enum err api_provider_list(struct request *req)
{
    struct json_out out = list_begin(req);
    size_t count;
    const struct provider *const *rows = providers(&count);
    for (size_t i = 0; i < count; i++)
        out_provider(&out, rows[i]);
    return list_end(req, &out, NULL);
}
