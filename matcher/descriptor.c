/* What banks and payment providers put around a name on a statement: "VIR SEPA", "PAYPAL *", the
 * tail of a card, a date, a web address. */
#include "base/base.h"

#include "matcher/words.h"

/* In front of a star. */
static const char *const star_prefixes[] = {
    "adyen",  "alma",   "ccv",    "crv",        "fs",     "gocardless", "izettle", "iz", "klarna",
    "lydia",  "mollie", "paddle", "paddle.net", "paypal", "payplug",    "pp",      "sp", "sq",
    "square", "stripe", "sumup",  "tst",        "wpy",    "zettle",     "ztl"};

/* At the start; several may follow each other. */
static const char *const leading[] = {"kartenzahlung", "lastschrift", "paiement", "prelevement",
                                      "prlv",          "sct",         "sdd",      "sepa",
                                      "uberweisung",   "vir",         "virement"};

/* Part of a descriptor only after one of those, or before a day: they begin names as well. */
static const char *const following[] = {"avoir",  "card", "carte",      "cb",      "debit",
                                        "direct", "inst", "instantane", "payment", "recu"};

static bool listed(const char *const *list, size_t count, const char *chunk, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == n && strncmp(list[i], chunk, n) == 0)
            return true;
    }
    return false;
}

static bool all_digits(const char *chunk, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (chunk[i] < '0' || chunk[i] > '9')
            return false;
    }
    return n > 0;
}

/* 12/03 or 12/03/26 or 12/03/2026 */
static bool is_day(const char *chunk, size_t n)
{
    if (n != 5 && n != 8 && n != 10)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool separator = i == 2 || i == 5;
        if (separator ? chunk[i] != '/' : !all_digits(chunk + i, 1))
            return false;
    }
    return true;
}

/* x1234, xx1234, *1234 */
static bool is_card_tail(const char *chunk, size_t n)
{
    size_t marks = 0;
    while (marks < n && (chunk[marks] == 'x' || chunk[marks] == '*'))
        marks++;
    return marks > 0 && n - marks == 4 && all_digits(chunk + marks, 4);
}

static bool is_web_address(const char *chunk, size_t n)
{
    return (n > 4 && strncmp(chunk, "www.", 4) == 0) ||
           (n > 7 && strncmp(chunk, "http://", 7) == 0) ||
           (n > 8 && strncmp(chunk, "https://", 8) == 0);
}

/* "sq*coffee", "paypal *shop": the length up to and with the star, 0 when there is none. */
static size_t star_prefix(const char *at)
{
    size_t n = strcspn(at, " *");
    if (!listed(star_prefixes, COUNT(star_prefixes), at, n))
        return 0;
    size_t spaces = strspn(at + n, " ");
    return at[n + spaces] == '*' ? n + spaces + 1 : 0;
}

static void move_to(struct buf *buf, const char *chunk, size_t n)
{
    if (buf->n > 0)
        buf_add_char(buf, ' ');
    buf_add(buf, chunk, n);
}

/* Is there a chunk after this one that would be left as a name? */
static bool name_follows(const char *after)
{
    for (;;) {
        after += strspn(after, " ");
        size_t n = strcspn(after, " ");
        if (n == 0)
            return false;
        if (!is_day(after, n) && !is_card_tail(after, n) &&
            !listed(leading, COUNT(leading), after, n))
            return true;
        after += n;
    }
}

static bool in_front(const char *at, size_t n, bool after_leading)
{
    if (!name_follows(at + n))
        return false;
    if (listed(leading, COUNT(leading), at, n))
        return true;
    if (!listed(following, COUNT(following), at, n))
        return false;
    const char *next = at + n + strspn(at + n, " ");
    return after_leading || is_day(next, strcspn(next, " "));
}

char *descriptor_split(struct arena *arena, const char *folded, struct buf *descriptor)
{
    struct buf rest = buf_new(arena, strlen(folded) + 1);
    bool at_start = true;
    bool after_leading = false;
    for (const char *at = folded; *at;) {
        at += strspn(at, " ");
        size_t star = at_start ? star_prefix(at) : 0;
        if (star && name_follows(at + star)) {
            move_to(descriptor, at, star);
            at += star;
            continue;
        }
        size_t n = strcspn(at, " ");
        if (n == 0)
            break;
        bool front = at_start && in_front(at, n, after_leading);
        bool noise = (is_day(at, n) || is_card_tail(at, n) || is_web_address(at, n)) &&
                     (rest.n > 0 || name_follows(at + n));
        if (front || noise) {
            move_to(descriptor, at, n);
            after_leading = after_leading || front;
        } else {
            move_to(&rest, at, n);
            at_start = false;
        }
        at += n;
    }
    return rest.data;
}
