/* A decision as a line of JSON. */
#include "base/base.h"

#include "matcher/batch/batch_types.h"
#include "matcher/joint.h"

enum { NUMBER_BYTES = 32 };

/* Millionths as a decimal number, written without the help of printf: there are millions of them.
 */
static const char *decimal(int64_t micro, char into[NUMBER_BYTES])
{
    char *at = &into[NUMBER_BYTES - 1];
    uint64_t left = micro < 0 ? 0 - (uint64_t)micro : (uint64_t)micro;
    *at = '\0';
    for (int digits = 0; digits < 6; digits++, left /= 10)
        *--at = (char)('0' + left % 10);
    *--at = '.';
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (micro < 0)
        *--at = '-';
    return at;
}

void batch_words_make(struct batch *batch, const struct joint *joint)
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature)i);
        for (int level = 0; level <= info->levels; level++) {
            char number[NUMBER_BYTES];
            int64_t weight = joint_weight(joint, (enum feature)i, level);
            if (weight == 0)
                continue;
            batch->words[i][level] = arena_format(
                batch->arena, "{\"feature\":\"%s\",\"value\":\"%s\",\"log_odds\":%s}", info->name,
                feature_reason((enum feature)i, level), decimal(weight, number));
        }
    }
}

static void add_candidate(const struct batch *batch, const struct scored *scored, struct buf *into)
{
    char number[NUMBER_BYTES];
    const char *separator = "";
    buf_add_text(into, "{\"entry\":");
    buf_add_json(into, batch->ledger->rows[scored->entry].text[TABLE_ID]);
    buf_add_text(into, ",\"p\":");
    buf_add_text(into, decimal(scored->p_micro, number));
    buf_add_text(into, ",\"contributions\":[");
    for (int i = 0; i < FEATURE_COUNT; i++) {
        const char *words = batch->words[i][scored->features.level[i]];
        if (!words)
            continue;
        buf_add_text(into, separator);
        buf_add_text(into, words);
        separator = ",";
    }
    if (scored->claimed_micro < 0) {
        buf_add_text(into, separator);
        buf_add_text(into, "{\"feature\":\"rivals\",\"value\":\"claimed_by_others\",\"log_odds\":");
        buf_add_text(into, decimal(scored->claimed_micro, number));
        buf_add_char(into, '}');
    }
    buf_add_text(into, "]}");
}

static bool is_shown(const struct verdict *verdict, uint32_t place)
{
    return place < BATCH_SHOWN_ALWAYS ||
           (place < BATCH_SHOWN_MAX &&
            verdict->candidates[place].p_micro >= BATCH_SHOWN_FROM_MICRO);
}

void batch_line(const struct batch *batch, size_t record, struct buf *into)
{
    const struct verdict *verdict = &batch->verdicts[record];
    bool links = verdict->chosen != VERDICT_CREATE;
    char number[NUMBER_BYTES];
    buf_add_text(into, "{\"record\":");
    buf_add_json(into, batch->records->rows[record].text[TABLE_ID]);
    buf_add_text(into, ",\"action\":\"");
    buf_add_text(into, match_action_name(links ? ACTION_LINK : ACTION_CREATE));
    buf_add_text(into, "\",\"entry\":");
    if (links) {
        const struct scored *chosen = &verdict->candidates[verdict->chosen];
        buf_add_json(into, batch->ledger->rows[chosen->entry].text[TABLE_ID]);
    } else {
        buf_add_text(into, "null");
    }
    buf_add_text(into, ",\"p\":");
    buf_add_text(into, decimal(verdict_p(verdict), number));
    buf_add_text(into, ",\"band\":\"");
    buf_add_text(into, match_band_name(verdict_band(verdict)));
    buf_add_text(into, "\",\"candidates\":[");
    for (uint32_t i = 0; i < verdict->count && is_shown(verdict, i); i++) {
        if (i > 0)
            buf_add_char(into, ',');
        add_candidate(batch, &verdict->candidates[i], into);
    }
    buf_add_text(into, "]}\n");
}
