#include "base/base.h"

#include "connectors/document/words.h"

#include "base/buf.h"
#include "base/text.h"

enum { WORD_BYTES_MAX = 1000 };

static const char *const words[WORD_COUNT][LANGUAGE_COUNT] = {
    [WORD_SUPPLIER] = {"Supplier", "Fournisseur"},
    [WORD_CUSTOMER] = {"Customer", "Client"},
    [WORD_VAT_ID] = {"VAT id", "N° de TVA"},
    [WORD_NUMBER] = {"Invoice number", "Numéro de facture"},
    [WORD_REFERENCE] = {"Our reference", "Notre référence"},
    [WORD_DATE] = {"Date", "Date"},
    [WORD_DUE_DATE] = {"Due date", "Date d’échéance"},
    [WORD_DESCRIPTION] = {"Description", "Désignation"},
    [WORD_AMOUNT] = {"Amount", "Montant"},
    [WORD_TAX] = {"Tax included", "Taxe incluse"},
    [WORD_TAX_NONE] = {"not stated by %", "non indiquée par %"},
    [WORD_TOTAL] = {"Total", "Total"},
    [WORD_FEE] = {"% fee", "Frais %"},
    [WORD_NET] = {"Net after fee", "Net de frais"},
    [WORD_REFERENCES] = {"References at %", "Références chez %"},
    [WORD_CHARGE_OF] = {"Of the charge", "Du paiement"},
    [WORD_TRANSACTION] = {"Balance transaction", "Mouvement de solde"},
    [WORD_EVENT] = {"Event", "Événement"},
    [WORD_ACCOUNT] = {"Account", "Compte"},
    [WORD_TESTMODE] = {"Test mode: no money moved", "Mode test : aucun argent n’a circulé"},
    [WORD_MORE_LINES] = {"Further lines not shown: ", "Autres lignes non affichées : "},
    [WORD_REVERSAL_TITLE] = {"Reversal", "Annulation"},
    [WORD_REVERSAL_SUBTITLE] = {"Takes back an earlier document made from % data",
                                "Annule un document précédent établi à partir des données %"},
    [WORD_REVERSAL_OF] = {"Document taken back", "Document annulé"},
    [WORD_REVERSAL_ENTRY] = {"Its entry", "Son écriture"},
    [WORD_REVERSAL_DATE] = {"Dated", "Daté du"},
    [WORD_REVERSAL_REASON] = {"Reason", "Motif"},
    [WORD_FOOTER] = {"Made from % data for bookkeeping. It is neither an e-invoice nor a tax "
                     "invoice, and does not replace the document that the seller issues.",
                     "Établi à partir des données % pour la comptabilité. Ce n’est ni une facture "
                     "électronique ni une facture fiscale, et cela ne remplace pas le document "
                     "émis par le vendeur."},
    [WORD_FOOTER_MARK] = {"Prepared by Sluice · page 1 of 1", "Préparé par Sluice · page 1 sur 1"},
    [WORD_UNNAMED] = {"Not named by %", "Non nommé par %"},
};

static const struct document_kind_words kinds[KIND_COUNT][LANGUAGE_COUNT] = {
    [KIND_CHARGE] = {{"Invoice information", "Payment collected through %", "Payment", "% charge"},
                     {"Informations de facturation", "Paiement encaissé via %", "Paiement",
                      "Paiement %"}},
    [KIND_REFUND] = {{"Refund note", "Refund paid through %", "Refund", "% refund"},
                     {"Note de crédit", "Remboursement versé via %", "Remboursement",
                      "Remboursement %"}},
    [KIND_PAYOUT] = {{"Payout statement", "Payout sent by %", "Payout", "% payout"},
                     {"Relevé de virement", "Virement émis par %", "Virement", "Virement %"}},
    [KIND_DISPUTE] = {{"Dispute note", "Funds withdrawn by % after a dispute", "Disputed payment",
                       "% dispute"},
                      {"Note de litige", "Fonds retirés par % à la suite d’un litige",
                       "Paiement contesté", "Litige %"}},
    [KIND_FEE] = {{"Invoice information", "Fees charged by %", "Fees", "% fees"},
                  {"Informations de facturation", "Frais prélevés par %", "Frais", "Frais %"}},
    [KIND_CUSTOMER] = {{"Customer sheet", "Customer known to %", "Customer", "% customer"},
                       {"Fiche client", "Client connu de %", "Client", "Client %"}},
    [KIND_SUBSCRIPTION] = {{"Subscription sheet", "Subscription at %", "Subscription",
                            "% subscription"},
                           {"Fiche d’abonnement", "Abonnement chez %", "Abonnement",
                            "Abonnement %"}},
    [KIND_SUPPLIER_INVOICE] = {{"Invoice information", "Supplier invoice known to %", "Purchase",
                                "% invoice"},
                               {"Informations de facturation", "Facture fournisseur connue de %",
                                "Achat", "Facture %"}},
    [KIND_CLIENT_INVOICE] = {{"Invoice information", "Client invoice known to %", "Sale",
                              "% invoice"},
                             {"Informations de facturation", "Facture client connue de %", "Vente",
                              "Facture %"}},
    [KIND_CREDIT_NOTE] = {{"Credit information", "Credit note known to %", "Credit",
                           "% credit note"},
                          {"Note de crédit", "Avoir connu de %", "Avoir", "Avoir %"}},
};

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

enum document_language document_language_of(const char *code)
{
    return text_equal(code, "fr") ? LANGUAGE_FR : LANGUAGE_EN;
}

const char *document_language_tag(enum document_language language)
{
    return language == LANGUAGE_FR ? "fr" : "en";
}

static const char *fill(struct arena *arena, const char *text, const char *provider)
{
    struct buf into = buf_new(arena, WORD_BYTES_MAX);
    for (; *text; text++) {
        if (*text == '%')
            buf_add_text(&into, provider);
        else
            buf_add_char(&into, *text);
    }
    return into.data;
}

const char *document_word(struct arena *arena, enum document_language language,
                          enum document_word word, const char *provider)
{
    return fill(arena, words[word][language], provider);
}

struct document_kind_words document_kind_words(struct arena *arena, enum document_language language,
                                               enum record_kind kind, const char *provider)
{
    const struct document_kind_words *from = &kinds[kind][language];
    return (struct document_kind_words){
        .title = fill(arena, from->title, provider),
        .subtitle = fill(arena, from->subtitle, provider),
        .line = fill(arena, from->line, provider),
        .id_label = fill(arena, from->id_label, provider),
    };
}

const char *document_provider_name(struct arena *arena, const char *provider)
{
    char *name = arena_text(arena, provider);
    if (name[0] >= 'a' && name[0] <= 'z')
        name[0] = (char)(name[0] - 'a' + 'A');
    return name;
}

const char *document_date(struct arena *arena, enum document_language language, struct date date)
{
    const char *iso = date_format(arena, date);
    int64_t month = 0;
    if (strlen(iso) != strlen("2026-11-20") ||
        !int64_parse(arena_text_n(arena, iso + 5, 2), 1, 12, &month))
        return iso;
    if (language == LANGUAGE_FR)
        return arena_format(arena, "%.2s/%.2s/%.4s", iso + 8, iso + 5, iso);
    const char *day = iso[8] == '0' ? iso + 9 : iso + 8;
    return arena_format(arena, "%s %s %.4s", day, months[month - 1], iso);
}

const char *document_money(struct arena *arena, enum document_language language, struct money money)
{
    static const char *const group[] = {",", "\xe2\x80\xaf"};
    static const char *const point[] = {".", ","};
    const char *decimal = money_decimal(arena, money);
    struct buf into = buf_new(arena, WORD_BYTES_MAX);
    if (*decimal == '-') {
        buf_add_text(&into, "\xe2\x88\x92");
        decimal++;
    }
    size_t whole = strcspn(decimal, ".");
    for (size_t i = 0; i < whole; i++) {
        if (i > 0 && (whole - i) % 3 == 0)
            buf_add_text(&into, group[language]);
        buf_add_char(&into, decimal[i]);
    }
    if (decimal[whole] == '.') {
        buf_add_text(&into, point[language]);
        buf_add_text(&into, decimal + whole + 1);
    }
    buf_format(&into, " %s", money.currency);
    return into.data;
}
