#include "base/base.h"

#include <math.h>

#include "base/text.h"
#include "matcher/train/world.h"

enum {
    SERIES_MAX = 4, /* entries of other periods per record */
    FIRST_DAY = 20000,
    DAYS = 180
};

/* An entry that exists and is not shown: by the age or the kind of the ledger. */
static double hidden_share(enum ledger_view view)
{
    static const double shares[] = {0.004, 0.05, 0.15, 0.2, 1.0};
    return shares[view];
}

static void companies_make(struct play *play)
{
    const struct world *world = play->world;
    int capacity = world->companies * 2;
    play->companies = arena_array(play->arena, (size_t)capacity, sizeof *play->companies);
    for (int family = 0; family < world->companies; family++) {
        struct company company = company_new(play->arena, &play->random, world->vocabulary, family);
        play->companies[play->company_count++] = company;
        if (random_chance(&play->random, world->sibling_share))
            play->companies[play->company_count++] =
                company_sibling(play->arena, &play->random, world->vocabulary, &company);
    }
}

static struct uuid uuid_draw(struct random *random)
{
    uint8_t bytes[16];
    uint64_t high = random_next(random), low = random_next(random);
    memcpy(bytes, &high, sizeof high);
    memcpy(bytes + sizeof high, &low, sizeof low);
    return uuid_v4_from(bytes);
}

static int64_t amount_draw(struct play *play, const struct company *company)
{
    struct random *random = &play->random;
    if (company->subscription_minor && random_chance(random, 0.7))
        return company->subscription_minor;
    int64_t minor = (int64_t)(exp(8.5 + 1.4 * random_normal(random)));
    minor = minor < 100 ? 100 : minor > 5000000 ? 5000000 : minor;
    if (random_chance(random, play->world->round_amounts))
        minor = minor > 20000 ? minor / 5000 * 5000 : (minor + 99) / 100 * 100;
    return minor;
}

static struct money euros(int64_t minor)
{
    return (struct money){minor, "EUR"};
}

static const char *description_draw(struct random *random, int vocabulary)
{
    static const char *const list[2][8] = {
        {"Abonnement mensuel plan Pro", "Consulting services March", "Order of office supplies",
         "Licence annuelle", "Hosting and domains", "Workshop for two days", "Spare parts",
         "Transport Lyon Paris"},
        {"Monthly fee team plan", "Prestation de conseil avril", "Printer paper and toner",
         "Support contract", "Cloud storage", "Travaux de peinture", "Catering lunch", "Courier"}};
    return list[vocabulary][random_below(random, 8)];
}

static const char *invoice_number(struct play *play)
{
    play->invoice_number += 1 + (int64_t)random_below(&play->random, 3);
    return arena_format(play->arena, "INV-2026-%05" PRId64, play->invoice_number);
}

/* What the source says of itself: its own id or the number of the invoice as the reference, and the
 * number in the words. */
static void record_label(struct play *play, struct made_record *made)
{
    const struct world *world = play->world;
    struct random *random = &play->random;
    struct match_record *record = &made->record;
    const char *number = invoice_number(play);
    if (random_chance(random, 0.5))
        made->words = record->description = description_draw(random, world->vocabulary);
    bool own_id = random_chance(random, 0.4);
    if (!random_chance(random, world->record_reference_missing))
        record->reference =
            own_id ? arena_format(play->arena, "ch_%016" PRIX64, random_next(random)) : number;
    if (!random_chance(random, world->number_stated))
        return;
    const char *words = made->words ? made->words : "Invoice";
    made->number = number;
    record->description = random_chance(random, 0.5)
                              ? arena_format(play->arena, "%s %s", words, number)
                              : arena_format(play->arena, "%s (%s)", words, number);
}

static struct match_record record_draw(struct play *play, const struct company *company)
{
    const struct world *world = play->world;
    struct random *random = &play->random;
    int64_t minor = amount_draw(play, company);
    struct match_record record = {
        .id = uuid_draw(random),
        .amount = euros(minor),
        .fee = euros(minor * 15 / 1000 + 25),
        .date = {(int32_t)(FIRST_DAY + random_between(random, 0, DAYS))},
    };
    if (!random_chance(random, world->record_name_missing))
        record.name = company_name(play->arena, random, company, &world->record_noise);
    if (random_chance(random, 0.5))
        record.email = company_email(play->arena, random, company);
    if (random_chance(random, world->contacts))
        record.address = company_address(play->arena, random, company);
    if (random_chance(random, world->contacts))
        record.postcode = company_postcode(play->arena, random, company);
    if (random_chance(random, world->contacts * 0.7))
        record.phone = company_phone(play->arena, random, company);
    if (random_chance(random, world->identifiers))
        record.vat_id = company->vat_id;
    if (world->role == MATCH_SETTLEMENT && random_chance(random, world->identifiers))
        record.iban = company->iban;
    return record;
}

static const char *damaged(struct play *play, const char *reference)
{
    char *other = arena_text(play->arena, reference);
    size_t n = strlen(other);
    switch (random_below(&play->random, 3)) {
    case 0:
        other[n - 1] = (char)('0' + random_below(&play->random, 10));
        return other;
    case 1:
        return other + (n > 6 ? n - 6 : 0);
    default:
        other[n - 2] = '\0';
        return other;
    }
}

static const char *other_number(struct play *play)
{
    return arena_format(play->arena, "F%" PRId64, random_between(&play->random, 1000, 99999));
}

/* A number that the record states is that of its document, seldom another one. */
static void reference_copy(struct play *play, const struct made_record *made,
                           struct match_entry *entry)
{
    static const double restated = 0.97, stated_damaged = 0.25;
    const struct world *world = play->world;
    struct random *random = &play->random;
    const char *reference = made->number ? made->number : made->record.reference;
    if (!reference)
        return;
    if (world->role == MATCH_DOCUMENT && random_chance(random, world->in_file_name))
        entry->file_name = arena_format(play->arena, "%s.pdf", reference);
    if (random_chance(random, world->reference_in_text))
        entry->description = arena_format(play->arena, "Paiement %s %s", reference,
                                          entry->description ? entry->description : "merci");
    if (random_chance(random, world->reference_missing))
        return;
    if (random_chance(random, world->reference_damaged * (made->number ? stated_damaged : 1)))
        entry->reference = damaged(play, reference);
    else if (random_chance(random, made->number ? restated : world->reference_equal))
        entry->reference = reference;
    else
        entry->reference = other_number(play);
}

static int64_t drifted(struct play *play, int64_t minor)
{
    struct random *random = &play->random;
    if (play->world->drift_spread == 0)
        return minor * random_between(random, 970, 1030) / 1000;
    int64_t moved =
        (int64_t)((double)minor * exp(play->world->drift_spread * random_normal(random)));
    return moved > 0 ? moved : 1;
}

static void amount_copy(struct play *play, const struct match_record *record,
                        struct match_entry *entry)
{
    const struct world *world = play->world;
    struct random *random = &play->random;
    double kind = random_unit(random);
    entry->amount = record->amount;
    if ((kind -= world->net_of_fee) < 0)
        entry->amount.minor = record->amount.minor - record->fee.minor;
    else if ((kind -= world->partial) < 0)
        entry->amount.minor = record->amount.minor * random_between(random, 20, 80) / 100;
    else if ((kind -= world->drift) < 0)
        entry->amount.minor = drifted(play, record->amount.minor);
    else if (kind - world->other_currency < 0)
        entry->amount =
            (struct money){record->amount.minor * random_between(random, 102, 120) / 100, "USD"};
}

static void identity_copy(struct play *play, const struct company *company,
                          struct match_entry *entry)
{
    const struct world *world = play->world;
    struct random *random = &play->random;
    if (!random_chance(random, world->name_missing))
        entry->name = company_name(play->arena, random, company, &world->entry_noise);
    if (random_chance(random, world->identifiers))
        entry->vat_id = company->vat_id;
    if (random_chance(random, world->identifiers))
        entry->iban = random_chance(random, 0.05) ? play->companies[0].iban : company->iban;
    if (random_chance(random, world->identifiers * 0.5))
        entry->email = company_email(play->arena, random, company);
    if (random_chance(random, world->contacts))
        entry->address = company_address(play->arena, random, company);
    if (random_chance(random, world->contacts))
        entry->postcode = company_postcode(play->arena, random, company);
    if (random_chance(random, world->contacts * 0.7))
        entry->phone = company_phone(play->arena, random, company);
}

static struct made_entry *entry_new(struct play *play, int company)
{
    assert(play->entry_count < play->entry_capacity);
    struct made_entry *made = &play->entries[play->entry_count++];
    made->company = company;
    made->record = -1;
    made->entry.id = uuid_draw(&play->random);
    made->entry.analysed = true;
    made->entry.date.days = made->entry.due_date.days = DATE_NONE;
    identity_copy(play, &play->companies[company], &made->entry);
    return made;
}

/* Days from the record to its entry: an invoice is mostly dated before it is paid, money arrives
 * after it was sent. */
static int32_t lag_draw(struct play *play)
{
    int32_t days = (int32_t)random_between(&play->random, 0, play->world->lag_days_max);
    if (random_chance(&play->random, 0.5))
        days /= 4;
    bool usual = random_chance(&play->random, 0.85);
    return (play->world->role == MATCH_DOCUMENT) == usual ? -days : days;
}

/* Days until a document is to be paid. */
static int32_t term_draw(struct random *random)
{
    static const int32_t terms[] = {30, 30, 30, 14, 45, 60};
    return terms[random_below(random, COUNT(terms))];
}

static void date_copy(struct play *play, const struct match_record *record,
                      struct match_entry *entry)
{
    struct random *random = &play->random;
    int32_t term = term_draw(random);
    bool when_due = random_chance(random, play->world->paid_when_due);
    entry->date.days = record->date.days +
                       (when_due ? -term + (int32_t)random_between(random, -2, 2) : lag_draw(play));
    if (play->world->role == MATCH_DOCUMENT && (when_due || random_chance(random, 0.5)))
        entry->due_date.days = entry->date.days + term;
}

static void true_entry_make(struct play *play, int index)
{
    struct made_record *made = &play->records[index];
    struct made_entry *entry = entry_new(play, made->company);
    entry->record = index;
    date_copy(play, &made->record, &entry->entry);
    amount_copy(play, &made->record, &entry->entry);
    if (random_chance(&play->random, 0.5))
        entry->entry.description = random_chance(&play->random, 0.6)
                                       ? made->words
                                       : description_draw(&play->random, play->world->vocabulary);
    reference_copy(play, made, &entry->entry);
}

/* One entry of another period: all is as it would be now, but the day and the number. */
static void recurrence_make(struct play *play, const struct made_record *made, int32_t days)
{
    const struct world *world = play->world;
    struct random *random = &play->random;
    struct match_entry *entry = &entry_new(play, made->company)->entry;
    entry->date.days = made->record.date.days + days;
    if (world->role == MATCH_DOCUMENT && random_chance(random, 0.6))
        entry->due_date.days = entry->date.days + term_draw(random);
    entry->amount = made->record.amount;
    if (random_chance(random, world->net_of_fee))
        entry->amount.minor -= made->record.fee.minor;
    if (random_chance(random, 0.5))
        entry->description = made->words;
    if (!random_chance(random, world->reference_missing))
        entry->reference = random_chance(random, 0.5) ? invoice_number(play) : other_number(play);
}

/* The same party, the same amount, again and again. What is due when the next one is paid looks
 * like it by its due date. Most of a series lies before the record. */
static void series_make(struct play *play, int index)
{
    static const int32_t periods[] = {7, 14, 30, 30, 30, 30, 30, 30, 30, 30, 91, 365};
    struct random *random = &play->random;
    if (!random_chance(random, play->world->recurring))
        return;
    int32_t period = periods[random_below(random, COUNT(periods))];
    int32_t before = (int32_t)random_between(random, 0, SERIES_MAX - 1);
    int32_t after = before == 0 || random_chance(random, 0.2) ? 1 : 0;
    for (int32_t step = -before; step <= after; step++) {
        if (step != 0)
            recurrence_make(play, &play->records[index],
                            step * period + (int32_t)random_between(random, -3, 3));
    }
}

/* Entries that belong to no record here: other purchases of the same companies. */
static void other_entry_make(struct play *play)
{
    int company = (int)random_below(&play->random, (size_t)play->company_count);
    struct made_entry *entry = entry_new(play, company);
    entry->entry.date.days = (int32_t)(FIRST_DAY + random_between(&play->random, -30, DAYS + 30));
    entry->entry.amount = euros(amount_draw(play, &play->companies[company]));
    if (random_chance(&play->random, 0.5))
        entry->entry.description = description_draw(&play->random, play->world->vocabulary);
    play->invoice_number += 1 + (int64_t)random_below(&play->random, 2);
    if (!random_chance(&play->random, play->world->reference_missing))
        entry->entry.reference =
            arena_format(play->arena, "INV-2026-%05" PRId64, play->invoice_number);
}

static void records_make(struct play *play)
{
    const struct world *world = play->world;
    play->records = arena_array(play->arena, (size_t)world->records, sizeof *play->records);
    for (int i = 0; i < world->records; i++) {
        struct made_record *made = &play->records[i];
        made->company = (int)random_below(&play->random, (size_t)play->company_count);
        made->record = record_draw(play, &play->companies[made->company]);
        record_label(play, made);
        made->exists = !random_chance(&play->random, world->null_share);
        made->hidden = made->exists && random_chance(&play->random, hidden_share(world->view));
        if (made->exists && !made->hidden)
            true_entry_make(play, i);
        if (world->view != VIEW_NONE)
            series_make(play, i);
    }
}

/* For the role of counterparties the entries are the companies that are known; a record's truth is
 * its own company, which exists unless it is new. */
static void counterparties_make(struct play *play)
{
    const struct world *world = play->world;
    play->records = arena_array(play->arena, (size_t)world->records, sizeof *play->records);
    bool *known = arena_array(play->arena, (size_t)play->company_count, sizeof *known);
    for (int i = 0; i < play->company_count; i++) {
        known[i] = !random_chance(&play->random, world->null_share);
        if (!known[i])
            continue;
        struct made_entry *entry = entry_new(play, i);
        entry->record = i; /* the company, compared with the record's */
        if (random_chance(&play->random, 0.5))
            entry->entry.customer_id = play->companies[i].customer_id;
    }
    for (int i = 0; i < world->records; i++) {
        struct made_record *made = &play->records[i];
        made->company = (int)random_below(&play->random, (size_t)play->company_count);
        made->record = record_draw(play, &play->companies[made->company]);
        record_label(play, made);
        /* Strong identifiers mostly decide before names are asked; a second account at the source
         * does not match. */
        if (!world->registered)
            made->record.vat_id = made->record.iban = NULL;
        if (random_chance(&play->random, 0.3))
            made->record.customer_id = arena_format(play->arena, "cus_%d_%d", i, made->company);
        made->exists = known[made->company];
    }
}

static const char *memo_whole(struct play *play, const char *name, const char *description)
{
    static const char *const kinds[] = {"payment", "transfer", "invoice", "fee",
                                        "CHQ",     "BGC",      "DD",      "money"};
    struct random *random = &play->random;
    return arena_format(play->arena, "%s %s %s", name ? name : "", description ? description : "",
                        random_chance(random, 0.6) ? kinds[random_below(random, COUNT(kinds))]
                                                   : "");
}

static const char *memo_cut(struct play *play, const char *whole)
{
    struct random *random = &play->random;
    char *text = arena_text(play->arena, whole);
    size_t bytes = 12 + random_below(random, 14);
    if (!random_chance(random, 0.7) || strlen(text) <= bytes)
        return text;
    while (bytes > 0 && ((unsigned char)text[bytes] & 0xC0) == 0x80)
        bytes--;
    text[bytes] = '\0';
    return text;
}

/* One text on either side, in the name or in the description, and amounts without a unit. The
 * memo of an entry mostly is that of its record, cut off elsewhere. */
static void statements_make(struct play *play)
{
    static const double memo_kept = 0.8;
    const struct world *world = play->world;
    if (!world->memos)
        return;
    bool as_name = random_chance(&play->random, 0.5);
    const char **whole = arena_array(play->arena, (size_t)world->records, sizeof *whole);
    for (int i = 0; i < world->records; i++) {
        struct match_record *record = &play->records[i].record;
        whole[i] = memo_whole(play, record->name, record->description);
        const char *text = memo_cut(play, whole[i]);
        record->name = as_name ? text : NULL;
        record->description = as_name ? NULL : text;
        record->email = record->vat_id = record->iban = NULL;
        if (world->unit_unknown)
            memcpy(record->amount.currency, "XXX", 4);
    }
    for (size_t i = 0; i < play->entry_count; i++) {
        struct match_entry *entry = &play->entries[i].entry;
        bool kept = play->entries[i].record >= 0 && random_chance(&play->random, memo_kept);
        const char *text = memo_cut(play, kept ? whole[play->entries[i].record]
                                               : memo_whole(play, entry->name, entry->description));
        entry->name = as_name ? text : NULL;
        entry->description = as_name ? NULL : text;
        entry->email = entry->vat_id = entry->iban = NULL;
        if (world->unit_unknown && strcmp(entry->amount.currency, "EUR") == 0)
            memcpy(entry->amount.currency, "XXX", 4);
    }
}

struct play world_make(struct arena *arena, const struct world *world)
{
    struct play play = {.arena = arena, .world = world, .random = {world->seed}};
    companies_make(&play);
    size_t others = (size_t)(world->extra_entries * play.company_count);
    bool counterparties = world->role == MATCH_COUNTERPARTY;
    play.entry_capacity =
        (size_t)world->records * (1 + SERIES_MAX) + (size_t)play.company_count + others;
    play.entries = arena_array(play.arena, play.entry_capacity, sizeof *play.entries);
    if (counterparties)
        counterparties_make(&play);
    else
        records_make(&play);
    for (size_t i = 0; i < others && !counterparties && world->view != VIEW_NONE; i++)
        other_entry_make(&play);
    statements_make(&play);
    return play;
}
