/* From elements to the fields of an invoice: one row says which element is which field. What both
 * syntaxes share. Private to reading. */
#ifndef SLUICE_FIELDS_H
#define SLUICE_FIELDS_H

#include "connectors/document/reading/xml_tree.h"

enum field_kind {
    FIELD_NAME,  /* text for people: white space folded, cut when long */
    FIELD_ID,    /* the same, never cut */
    FIELD_CODE,  /* without any white space, never cut: VAT ids, accounts */
    FIELD_DATE,  /* struct date; CII's DateTimeString or ISO 8601 */
    FIELD_MONEY, /* struct money in the invoice's currency */
};

struct field_path {
    const char *field; /* as the JSON calls it; what a doubt is called, behind the prefix */
    enum field_kind kind;
    size_t at; /* offset in what is filled */
    const char *path;
};

#define FIELD_OF(type, prefix, kind, field, path)                                                  \
    {                                                                                              \
        prefix #field, kind, offsetof(type, field), path                                           \
    }
#define INVOICE(kind, field, path) FIELD_OF(struct reading_invoice, "", kind, field, path)
#define PARTY(kind, field, path)   FIELD_OF(struct reading_party, "", kind, field, path)
#define ACCOUNT(kind, field, path) FIELD_OF(struct reading_account, "accounts.", kind, field, path)
#define REFERENCE(kind, field, path)                                                               \
    FIELD_OF(struct reading_reference, "references.", kind, field, path)
#define TAX(kind, field, path) FIELD_OF(struct reading_tax, "taxes.", kind, field, path)

struct field_table {
    const struct field_path *paths;
    size_t count;
};
#define FIELD_TABLE(paths) ((struct field_table){(paths), COUNT(paths)})

struct fields {
    struct arena *arena;
    struct reading_invoice *invoice;
    const char *prefix; /* of doubts: "seller.", "buyer.", "" */
};

/* Fills what is still absent, so that a later row for the same field is a second choice. */
void fields_read(const struct fields *fields, const struct xml_node *node,
                 const struct field_path *paths, size_t count, void *into);
void field_doubt(const struct fields *fields, const char *field);
/* An amount of `currency` (NULL: unknown); a doubt when it says another one or is none. */
struct money field_money(const struct fields *fields, const char *field,
                         const struct xml_node *amount, const char *currency);
/* The scheme that an id names beside itself; NULL when it has none of sane length. */
const char *field_scheme(const struct fields *fields, const struct xml_node *id);
/* BT-29, BT-46: one of a party's ids. The first is kept; of all, SIREN and SIRET are picked out. */
void field_party_id(const struct fields *fields, const struct xml_node *id,
                    struct reading_party *party);
/* BT-5: `said`, or else what the amount `total` says of itself. */
void field_currency(const struct fields *fields, const char *said, const struct xml_node *total);
void field_tax_currency(const struct fields *fields, const char *said); /* BT-6; NULL: none */
/* BT-110 and BT-111 among elements of the same name, told apart by their currency. */
void field_tax_totals(const struct fields *fields, const struct xml_node *first);
/* What an invoice has several of: `first` and its siblings of the same name, as many as there is
 * room for. An account without a number and a reference without one are left out; `others` are
 * fields of the invoice that stand beside an account. */
void fields_accounts(const struct fields *fields, const struct xml_node *first,
                     struct field_table account, struct field_table others);
void fields_references(const struct fields *fields, const struct xml_node *first,
                       struct field_table reference);
void fields_taxes(const struct fields *fields, const struct xml_node *first,
                  struct field_table tax);
/* What follows from the fields: profile, kind, SIREN and SIRET, takes_back. */
void fields_finish(const struct fields *fields);

#endif
