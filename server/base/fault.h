/* Named, numbered fault points: places where a run can be made to fail or to be killed, so that
 * what must survive a failure is tried and not believed. Compiled in under SLUICE_FAULTS.
 *
 *   SLUICE_FAULT=db.commit:3            the third time, fail
 *   SLUICE_FAULT=db.result:2+           from the second time on
 *   SLUICE_FAULT=delivery.sent:1:kill   the first time, die as by kill -9
 *
 * Several are separated by commas. Every point counts how often it was reached; with
 * SLUICE_FAULT_REPORT=FILE the counts are appended to FILE when the program ends (and at a kill),
 * so that a point that a fault run never reached is a failure of the run.
 *
 * This file keeps the one piece of process-wide state of the program: test builds only. */
#ifndef SLUICE_FAULT_H
#define SLUICE_FAULT_H

#include "base/base.h"

#define FAULT_TABLE(X)                                                                             \
    X(FAULT_DB_CONNECT, "db.connect")     /* the connection is refused */                          \
    X(FAULT_DB_SEND, "db.send")           /* lost before the statement left */                     \
    X(FAULT_DB_RESULT, "db.result")       /* lost while the answer is awaited */                   \
    X(FAULT_DB_COMMIT, "db.commit")       /* lost before COMMIT was sent */                        \
    X(FAULT_DB_COMMITTED, "db.committed") /* COMMIT was sent, its answer is lost */                \
    X(FAULT_NET_CONNECT, "net.connect")   /* the provider cannot be reached */                     \
    X(FAULT_NET_SEND, "net.send")         /* cut while the request is sent */                      \
    X(FAULT_NET_RESPONSE, "net.response") /* sent, the answer is lost */                           \
    X(FAULT_FILE_READ, "file.read")                                                                \
    X(FAULT_DELIVERY_CLAIMED, "delivery.claimed") /* state sending is committed */                 \
    X(FAULT_DELIVERY_SENT, "delivery.sent")       /* the target answered, nothing stored yet */    \
    X(FAULT_DELIVERY_STORED, "delivery.stored")   /* the outcome is committed */                   \
    X(FAULT_PAGE_PULLED, "page.pulled")           /* a page is read, not stored */                 \
    X(FAULT_PAGE_STORED, "page.stored")                                                            \
    X(FAULT_TOKEN_RECEIVED, "token.received") /* a refreshed token is read, not stored */          \
    X(FAULT_JOB_CLAIMED, "job.claimed")

#define FAULT_ENUM(code, name) code,
enum fault { FAULT_TABLE(FAULT_ENUM) FAULT_COUNT };
#undef FAULT_ENUM

#ifdef SLUICE_FAULTS
bool fault_point(enum fault fault); /* true: fail here */
/* Reads a plan as in SLUICE_FAULT, for tests inside one process; NULL or "" clears it and the
 * counts. False: the text is no plan. */
bool fault_plan(const char *plan);
int64_t fault_reached(enum fault fault);
#else
static inline bool fault_point(enum fault fault)
{
    (void)fault;
    return false;
}
#endif

#endif
