/* Generated worlds of records and entries with known truth. A world has parameters of its own,
 * drawn from one range for training and from another, harder one for measuring. */
#ifndef SLUICE_TRAIN_WORLD_H
#define SLUICE_TRAIN_WORLD_H

#include "matcher/matcher.h"
#include "matcher/train/company.h"

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
    int lag_days_max;
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

enum outcome { OUTCOME_UNSEEN = -2, OUTCOME_NONE = -1 }; /* else the index of the true candidate */

/* One decision with its truth. */
struct example {
    struct feature_vector *vectors;
    size_t count;
    int truth;
    int fields_missing;
    enum ledger_view view;
    int world; /* which one it came from */
};

struct example_list {
    struct example *at;
    size_t count;
    size_t capacity;
    size_t true_entries;    /* records whose entry was in the ledger that could be seen */
    size_t blocked_entries; /* … and among the candidates */
};

struct world world_draw(uint64_t seed, enum match_role role, bool held_out);

/* Companies, records and entries; for the role of counterparties the entries are the companies that
 * are known. `world` must outlive what was made. */
struct play world_make(struct arena *arena, const struct world *world);

/* Makes the world and every record's example, with the candidates that blocking finds. */
enum err world_play(struct arena *arena, const struct world *world, int number,
                    struct example_list *into) MUST_USE;

#endif
