/* OASIS UBL 2.x Invoice and CreditNote in the binding of EN 16931 (CEN/TS 16931-3-2). */
#include "base/base.h"

#include "base/text.h"
#include "connectors/document/reading/fields.h"
#include "connectors/document/reading/syntax.h"

static const struct field_path root_paths[] = {
    INVOICE(FIELD_ID, guideline, "CustomizationID"),
    INVOICE(FIELD_ID, number, "ID"),
    INVOICE(FIELD_CODE, type_code, "InvoiceTypeCode|CreditNoteTypeCode"),
    INVOICE(FIELD_DATE, issued, "IssueDate"),
    INVOICE(FIELD_DATE, due, "DueDate"),
    INVOICE(FIELD_DATE, due, "PaymentMeans/PaymentDueDate"),
    INVOICE(FIELD_DATE, delivered, "Delivery/ActualDeliveryDate"),
    INVOICE(FIELD_ID, buyer_reference, "BuyerReference"),
    INVOICE(FIELD_ID, contract_reference, "ContractDocumentReference/ID"),
    INVOICE(FIELD_ID, order_reference, "OrderReference/ID"),
    INVOICE(FIELD_ID, payment_reference, "PaymentMeans/PaymentID"),
    INVOICE(FIELD_NAME, payee_name, "PayeeParty/PartyName/Name"),
};
static const struct field_path total_paths[] = {
    INVOICE(FIELD_MONEY, line_total, "LineExtensionAmount"),
    INVOICE(FIELD_MONEY, tax_exclusive, "TaxExclusiveAmount"),
    INVOICE(FIELD_MONEY, grand_total, "TaxInclusiveAmount"),
    INVOICE(FIELD_MONEY, prepaid, "PrepaidAmount"),
    INVOICE(FIELD_MONEY, rounding, "PayableRoundingAmount"),
    INVOICE(FIELD_MONEY, due_payable, "PayableAmount"),
};
static const struct field_path party_paths[] = {
    PARTY(FIELD_NAME, name, "PartyLegalEntity/RegistrationName"),
    PARTY(FIELD_NAME, name, "PartyName/Name"),
    PARTY(FIELD_NAME, trading_name, "PartyName/Name"),
    PARTY(FIELD_ID, registration_id, "PartyLegalEntity/CompanyID"),
    PARTY(FIELD_ID, endpoint, "EndpointID"),
    PARTY(FIELD_ID, email, "Contact/ElectronicMail"),
    PARTY(FIELD_NAME, street, "PostalAddress/StreetName"),
    PARTY(FIELD_ID, postcode, "PostalAddress/PostalZone"),
    PARTY(FIELD_NAME, city, "PostalAddress/CityName"),
    PARTY(FIELD_CODE, country, "PostalAddress/Country/IdentificationCode"),
};
static const struct field_path account_paths[] = {
    ACCOUNT(FIELD_CODE, iban, "PayeeFinancialAccount/ID"),
    ACCOUNT(FIELD_CODE, bic, "PayeeFinancialAccount/FinancialInstitutionBranch/ID"),
};
static const struct field_path payment_paths[] = {
    INVOICE(FIELD_CODE, debited_iban, "PaymentMandate/PayerFinancialAccount/ID"),
    INVOICE(FIELD_DATE, due, "PaymentDueDate"),
};
static const struct field_path reference_paths[] = {
    REFERENCE(FIELD_ID, number, "InvoiceDocumentReference|CreditNoteDocumentReference/ID"),
    REFERENCE(FIELD_DATE, issued, "InvoiceDocumentReference|CreditNoteDocumentReference/IssueDate"),
};
static const struct field_path tax_paths[] = {
    TAX(FIELD_CODE, category, "TaxCategory/ID"),
    TAX(FIELD_CODE, rate, "TaxCategory/Percent"),
    TAX(FIELD_MONEY, base, "TaxableAmount"),
    TAX(FIELD_MONEY, tax, "TaxAmount"),
};

static bool credit_note(const struct xml_node *root)
{
    return strcmp(root->name, "CreditNote") == 0;
}

bool ubl_is(const struct xml_node *root)
{
    const char *wanted = credit_note(root)
                             ? "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
                             : "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2";
    return (credit_note(root) || strcmp(root->name, "Invoice") == 0) &&
           strcmp(root->namespace_name, wanted) == 0;
}

/* Registrations are told apart by their scheme: VAT is the VAT id, others are local numbers. */
static void read_registrations(const struct fields *fields, const struct xml_node *party,
                               struct reading_party *into)
{
    static const struct field_path vat[] = {PARTY(FIELD_CODE, vat_id, "CompanyID")};
    static const struct field_path local[] = {PARTY(FIELD_ID, tax_number, "CompanyID")};
    const struct xml_node *at = xml_at(party, "PartyTaxScheme");
    for (; at; at = xml_again(at)) {
        bool is_vat = text_equal(xml_text(at, "TaxScheme/ID"), "VAT");
        fields_read(fields, at, is_vat ? vat : local, 1, into);
    }
}

static void read_party(const struct fields *invoice, const char *prefix,
                       const struct xml_node *party, struct reading_party *into)
{
    const struct fields own = {invoice->arena, invoice->invoice, prefix};
    const struct fields *fields = &own;
    fields_read(fields, party, party_paths, COUNT(party_paths), into);
    into->registration_scheme = field_scheme(fields, xml_at(party, "PartyLegalEntity/CompanyID"));
    const struct xml_node *identification = xml_at(party, "PartyIdentification");
    for (; identification; identification = xml_again(identification))
        field_party_id(fields, xml_at(identification, "ID"), into);
    into->endpoint_scheme = field_scheme(fields, xml_at(party, "EndpointID"));
    read_registrations(fields, party, into);
}

/* Each tax total has one amount; the one in the accounting currency has no breakdown. */
static void read_tax_totals(const struct fields *fields, const struct xml_node *root)
{
    const struct xml_node *at = xml_at(root, "TaxTotal");
    for (; at; at = xml_again(at)) {
        field_tax_totals(fields, xml_at(at, "TaxAmount"));
        fields_taxes(fields, xml_at(at, "TaxSubtotal"), FIELD_TABLE(tax_paths));
    }
}

void ubl_read(struct arena *arena, const struct xml_node *root, struct reading_invoice *into)
{
    const struct fields fields = {arena, into, ""};
    const struct xml_node *totals = xml_at(root, "LegalMonetaryTotal");
    into->syntax = "ubl";
    fields_read(&fields, root, root_paths, COUNT(root_paths), into);
    if (!into->type_code && credit_note(root))
        into->type_code = "381";
    field_tax_currency(&fields, xml_text(root, "TaxCurrencyCode"));
    field_currency(&fields, xml_text(root, "DocumentCurrencyCode"),
                   xml_at(totals, "TaxInclusiveAmount|PayableAmount"));
    fields_read(&fields, totals, total_paths, COUNT(total_paths), into);
    read_tax_totals(&fields, root);
    read_party(&fields, "seller.", xml_at(root, "AccountingSupplierParty/Party"), &into->seller);
    read_party(&fields, "buyer.", xml_at(root, "AccountingCustomerParty/Party"), &into->buyer);
    fields_accounts(&fields, xml_at(root, "PaymentMeans"), FIELD_TABLE(account_paths),
                    FIELD_TABLE(payment_paths));
    fields_references(&fields, xml_at(root, "BillingReference"), FIELD_TABLE(reference_paths));
    into->line_count = xml_count(xml_at(root, "InvoiceLine|CreditNoteLine"));
    fields_finish(&fields);
}
