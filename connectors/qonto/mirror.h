/* Qonto's books as ledger entries, incrementally: streams "qonto.supplier_invoices" and
 * "qonto.transactions". One call reads one page and says whether another follows at once. */
#ifndef SLUICE_QONTO_MIRROR_H
#define SLUICE_QONTO_MIRROR_H

#include "connectors/target.h"

extern const char *const qonto_streams[]; /* NULL-terminated */

enum err qonto_mirror(struct provider_call *call, const struct mirror_request *request,
                      struct mirror_page *into) MUST_USE;

#endif
