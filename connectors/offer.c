#include "base/base.h"

#include "connectors/offer.h"

static struct instant days_before(struct instant at, int64_t days)
{
    return instant_add_s(at, -days * 86400);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

size_t source_offers(const struct provider *provider, const struct stream_need *need,
                     struct stream_offer into[OFFERS_MAX])
{
    size_t count = provider->source ? provider->source->stream_count : 0;
    assert(count <= OFFERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct stream_info *info = &provider->source->streams[i];
        into[i] = (struct stream_offer){
            .name = info->name,
            .period_s = (int)least(info->cadence_s, need->poll_period_s),
            .reach = days_before(need->start, least(need->backfill_days, info->history_days_max)),
        };
    }
    return count;
}

size_t mirror_offers(const struct provider *provider, const struct stream_need *need,
                     struct stream_offer into[OFFERS_MAX])
{
    size_t count = 0;
    for (; provider->target && provider->target->streams[count]; count++) {
        assert(count < OFFERS_MAX);
        into[count] = (struct stream_offer){
            .name = provider->target->streams[count],
            .period_s = (int)least(need->poll_period_s, (need->ledger_age_s + 1) / 2),
            .reach = days_before(need->start, need->backfill_days + need->mirror_days),
        };
    }
    return count;
}
