/* Gives up what reading a document does not need. Private to reading. */
#ifndef SLUICE_CONFINE_H
#define SLUICE_CONFINE_H

#include "connectors/document/reading/reading.h"

/* For the whole process, and for good: address space and processor time as limited, no file that
 * grows, no descriptor beyond the standard three, no process, no core dump; dies with its parent;
 * system calls beyond memory, its own descriptors and its own end are refused with EPERM. False
 * when the kernel does not do one of them. AddressSanitizer and ThreadSanitizer reserve terabytes
 * of address space: under them that one limit is not set. */
bool confine(const struct reading_limits *limits);

#endif
