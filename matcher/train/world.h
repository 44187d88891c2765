/* Generated worlds of records and entries with known truth. A world has parameters of its own,
 * drawn from one range for training and from another, harder one for measuring. */
#ifndef SLUICE_TRAIN_WORLD_H
#define SLUICE_TRAIN_WORLD_H

#include "matcher/matcher.h"
#include "matcher/train/company.h"
#include "matcher/train/pool.h"

struct world {
    uint64_t seed;
    enum match_role role;
    enum ledger_view view;
    int vocabulary;
    int companies;
    int records;
    double null_share;    /* records without an entry */
    double sibling_share; /* companies that look like another */
    double extra_entries; /* entries per company that belong to no record here */
    double name_missing;  /* of an entry */
    double record_name_missing;
    double record_reference_missing;
    double reference_missing, reference_equal, reference_in_text, reference_damaged;
    double net_of_fee, other_currency, partial, drift; /* of the amounts of true entries */
    double number_stated; /* records that say an invoice number in their description */
    double in_file_name;  /* documents whose file is named by the number */
    double paid_when_due; /* documents that are paid at the end of their term */
    double recurring;     /* records whose party buys the same every week, month, year */
    double round_amounts;
    double identifiers; /* chance that a side carries an identifier */
    double resolved;    /* chance that the pipeline knew the entry's counterparty */
    bool registered;    /* companies may be known by VAT id and account */
    double contacts;    /* chance that a side says where the party is, and its phone */
    int lag_days_max;
    double drift_spread; /* deviation of an amount that drifts; 0: up to 3 % */
    bool memos;          /* name and purpose stand in one short text, and nothing else is said */
    bool unit_unknown;   /* amounts without a currency */
    struct name_noise record_noise, entry_noise;
};

/* An entry with what the world knows of it. */
struct made_entry {
    struct match_entry entry;
    int company;
    int record; /* the one whose entry it truly is, -1: of none */
};

struct made_record {
    struct match_record record;
    const char *number; /* of the document that the party was given; NULL: the record's reference */
    const char *words;  /* the description without the number */
    int company;
    bool exists; /* an entry of it exists at the target */
    bool hidden; /* … which the ledger does not show */
};

/* A world as it was made, with its truth. */
struct play {
    struct arena *arena;
    const struct world *world;
    struct random random;
    struct company *companies;
    int company_count;
    struct made_record *records; /* as many as the world says */
    struct made_entry *entries;
    size_t entry_count, entry_capacity;
    int64_t invoice_number;
};

struct world world_draw(uint64_t seed, enum match_role role, bool held_out);

/* Companies, records and entries; for the role of counterparties the entries are the companies that
 * are known. `world` must outlive what was made. */
struct play world_make(struct arena *arena, const struct world *world);

/* The world as one batch; `play` must outlive the pool. */
struct pool world_pool(struct play *play);

/* Makes the world and adds it. */
enum err world_play(struct arena *arena, const struct world *world,
                    struct example_list *into) MUST_USE;

#endif
