/* The invoice in a tree: UN/CEFACT CII (Factur-X, ZUGFeRD, XRechnung) and OASIS UBL 2.x. Private to
 * reading. */
#ifndef SLUICE_SYNTAX_H
#define SLUICE_SYNTAX_H

#include "connectors/document/reading/xml_tree.h"

bool cii_is(const struct xml_node *root); /* by the name and the namespace of the root */
void cii_read(struct arena *arena, const struct xml_node *root, struct reading_invoice *into);
bool ubl_is(const struct xml_node *root);
void ubl_read(struct arena *arena, const struct xml_node *root, struct reading_invoice *into);

#endif
