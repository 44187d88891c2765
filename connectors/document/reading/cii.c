/* UN/CEFACT Cross Industry Invoice D16B (Factur-X, ZUGFeRD 2.x, XRechnung) and the older Cross
 * Industry Document of ZUGFeRD 1.0, which has other names for the same things. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/document/reading/fields.h"
#include "connectors/document/reading/syntax.h"

#define AGREEMENT  "ApplicableHeaderTradeAgreement|ApplicableSupplyChainTradeAgreement"
#define DELIVERY   "ApplicableHeaderTradeDelivery|ApplicableSupplyChainTradeDelivery"
#define SETTLEMENT "ApplicableHeaderTradeSettlement|ApplicableSupplyChainTradeSettlement"
#define SUMMATION                                                                                  \
    "SpecifiedTradeSettlementHeaderMonetarySummation|SpecifiedTradeSettlementMonetarySummation"

static const struct field_path context_paths[] = {
    INVOICE(FIELD_ID, guideline, "GuidelineSpecifiedDocumentContextParameter/ID"),
};
static const struct field_path header_paths[] = {
    INVOICE(FIELD_ID, number, "ID"),
    INVOICE(FIELD_CODE, type_code, "TypeCode"),
    INVOICE(FIELD_DATE, issued, "IssueDateTime"),
};
static const struct field_path agreement_paths[] = {
    INVOICE(FIELD_ID, buyer_reference, "BuyerReference"),
    INVOICE(FIELD_ID, contract_reference, "ContractReferencedDocument/IssuerAssignedID|ID"),
    INVOICE(FIELD_ID, order_reference, "BuyerOrderReferencedDocument/IssuerAssignedID|ID"),
};
static const struct field_path delivery_paths[] = {
    INVOICE(FIELD_DATE, delivered, "ActualDeliverySupplyChainEvent/OccurrenceDateTime"),
};
static const struct field_path settlement_paths[] = {
    INVOICE(FIELD_ID, payment_reference, "PaymentReference"),
    INVOICE(FIELD_NAME, payee_name, "PayeeTradeParty/Name"),
};
static const struct field_path total_paths[] = {
    INVOICE(FIELD_MONEY, line_total, "LineTotalAmount"),
    INVOICE(FIELD_MONEY, tax_exclusive, "TaxBasisTotalAmount"),
    INVOICE(FIELD_MONEY, grand_total, "GrandTotalAmount"),
    INVOICE(FIELD_MONEY, prepaid, "TotalPrepaidAmount"),
    INVOICE(FIELD_MONEY, rounding, "RoundingAmount"),
    INVOICE(FIELD_MONEY, due_payable, "DuePayableAmount"),
};
static const struct field_path party_paths[] = {
    PARTY(FIELD_NAME, name, "Name"),
    PARTY(FIELD_NAME, trading_name, "SpecifiedLegalOrganization/TradingBusinessName"),
    PARTY(FIELD_ID, registration_id, "SpecifiedLegalOrganization/ID"),
    PARTY(FIELD_ID, endpoint, "URIUniversalCommunication/URIID"),
    PARTY(FIELD_ID, email, "DefinedTradeContact/EmailURIUniversalCommunication/URIID"),
    PARTY(FIELD_NAME, street, "PostalTradeAddress/LineOne"),
    PARTY(FIELD_ID, postcode, "PostalTradeAddress/PostcodeCode"),
    PARTY(FIELD_NAME, city, "PostalTradeAddress/CityName"),
    PARTY(FIELD_CODE, country, "PostalTradeAddress/CountryID"),
};
static const struct field_path due_path[] = {INVOICE(FIELD_DATE, due, "DueDateDateTime")};
static const struct field_path account_paths[] = {
    ACCOUNT(FIELD_CODE, iban, "PayeePartyCreditorFinancialAccount/IBANID"),
    ACCOUNT(FIELD_CODE, iban, "PayeePartyCreditorFinancialAccount/ProprietaryID"),
    ACCOUNT(FIELD_CODE, bic, "PayeeSpecifiedCreditorFinancialInstitution/BICID"),
};
static const struct field_path debited_path[] = {
    INVOICE(FIELD_CODE, debited_iban, "PayerPartyDebtorFinancialAccount/IBANID")};
static const struct field_path reference_paths[] = {
    REFERENCE(FIELD_ID, number, "IssuerAssignedID|ID"),
    REFERENCE(FIELD_DATE, issued, "FormattedIssueDateTime|IssueDateTime"),
};
static const struct field_path tax_paths[] = {
    TAX(FIELD_CODE, category, "CategoryCode"),
    TAX(FIELD_CODE, rate, "RateApplicablePercent|ApplicablePercent"),
    TAX(FIELD_MONEY, base, "BasisAmount"),
    TAX(FIELD_MONEY, tax, "CalculatedAmount"),
};

static bool zugferd_1(const struct xml_node *root)
{
    return strcmp(root->name, "CrossIndustryDocument") == 0 &&
           text_starts(root->namespace_name, "urn:ferd:CrossIndustryDocument:invoice:");
}

bool cii_is(const struct xml_node *root)
{
    return zugferd_1(root) ||
           (strcmp(root->name, "CrossIndustryInvoice") == 0 &&
            text_starts(root->namespace_name, "urn:un:unece:uncefact:data:standard:"));
}

/* Registrations are told apart by their scheme: VA is the VAT id, FC the local tax number. */
static void read_registrations(const struct fields *fields, const struct xml_node *party,
                               struct reading_party *into)
{
    static const struct field_path vat[] = {PARTY(FIELD_CODE, vat_id, "ID")};
    static const struct field_path local[] = {PARTY(FIELD_ID, tax_number, "ID")};
    const struct xml_node *at = xml_at(party, "SpecifiedTaxRegistration");
    for (; at; at = xml_again(at)) {
        const char *scheme = xml_attribute(xml_at(at, "ID"), "schemeID");
        if (text_equal(scheme, "VA") || text_equal(scheme, "VAT"))
            fields_read(fields, at, vat, COUNT(vat), into);
        else if (text_equal(scheme, "FC"))
            fields_read(fields, at, local, COUNT(local), into);
    }
}

static void read_party(const struct fields *invoice, const char *prefix,
                       const struct xml_node *party, struct reading_party *into)
{
    const struct fields own = {invoice->arena, invoice->invoice, prefix};
    const struct fields *fields = &own;
    fields_read(fields, party, party_paths, COUNT(party_paths), into);
    into->registration_scheme =
        field_scheme(fields, xml_at(party, "SpecifiedLegalOrganization/ID"));
    for (const struct xml_node *id = xml_at(party, "GlobalID"); id; id = xml_again(id))
        field_party_id(fields, id, into);
    for (const struct xml_node *id = xml_at(party, "ID"); id; id = xml_again(id))
        field_party_id(fields, id, into);
    into->endpoint_scheme = field_scheme(fields, xml_at(party, "URIUniversalCommunication/URIID"));
    read_registrations(fields, party, into);
}

static void read_payment(const struct fields *fields, const struct xml_node *settlement)
{
    fields_accounts(fields, xml_at(settlement, "SpecifiedTradeSettlementPaymentMeans"),
                    FIELD_TABLE(account_paths), FIELD_TABLE(debited_path));
    const struct xml_node *at = xml_at(settlement, "SpecifiedTradePaymentTerms");
    for (; at; at = xml_again(at))
        fields_read(fields, at, due_path, COUNT(due_path), fields->invoice);
}

static void read_settlement(const struct fields *fields, const struct xml_node *settlement)
{
    const struct xml_node *totals = xml_at(settlement, SUMMATION);
    fields_read(fields, settlement, settlement_paths, COUNT(settlement_paths), fields->invoice);
    field_tax_currency(fields, xml_text(settlement, "TaxCurrencyCode"));
    field_currency(fields, xml_text(settlement, "InvoiceCurrencyCode"),
                   xml_at(totals, "GrandTotalAmount"));
    fields_read(fields, totals, total_paths, COUNT(total_paths), fields->invoice);
    field_tax_totals(fields, xml_at(totals, "TaxTotalAmount"));
    fields_taxes(fields, xml_at(settlement, "ApplicableTradeTax"), FIELD_TABLE(tax_paths));
    read_payment(fields, settlement);
    fields_references(fields, xml_at(settlement, "InvoiceReferencedDocument"),
                      FIELD_TABLE(reference_paths));
}

void cii_read(struct arena *arena, const struct xml_node *root, struct reading_invoice *into)
{
    const struct fields fields = {arena, into, ""};
    const struct xml_node *transaction =
        xml_at(root, "SupplyChainTradeTransaction|SpecifiedSupplyChainTradeTransaction");
    const struct xml_node *agreement = xml_at(transaction, AGREEMENT);
    into->syntax = zugferd_1(root) ? "zugferd_1" : "cii";
    fields_read(&fields, xml_at(root, "ExchangedDocumentContext|SpecifiedExchangedDocumentContext"),
                context_paths, COUNT(context_paths), into);
    fields_read(&fields, xml_at(root, "ExchangedDocument|HeaderExchangedDocument"), header_paths,
                COUNT(header_paths), into);
    fields_read(&fields, agreement, agreement_paths, COUNT(agreement_paths), into);
    fields_read(&fields, xml_at(transaction, DELIVERY), delivery_paths, COUNT(delivery_paths),
                into);
    read_party(&fields, "seller.", xml_at(agreement, "SellerTradeParty"), &into->seller);
    read_party(&fields, "buyer.", xml_at(agreement, "BuyerTradeParty"), &into->buyer);
    read_settlement(&fields, xml_at(transaction, SETTLEMENT));
    into->line_count = xml_count(xml_at(transaction, "IncludedSupplyChainTradeLineItem"));
    fields_finish(&fields);
}
