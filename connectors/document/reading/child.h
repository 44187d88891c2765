/* What parent and child of a reading agree on. Private to reading. */
#ifndef SLUICE_CHILD_H
#define SLUICE_CHILD_H

enum {
    CHILD_ANSWER_BYTES_MAX = 256 * 1024,
    CHILD_STATUS_UNCONFINED = 70, /* it could not give up what it must, and read nothing */
};

#endif
