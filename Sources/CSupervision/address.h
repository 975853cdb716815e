#ifndef CSUPERVISION_ADDRESS_H
#define CSUPERVISION_ADDRESS_H

#include "CSupervisionSocket.h"

#include <sys/socket.h>
#include <sys/un.h>

/// Reads an IPv4 or IPv6 address, with or without a %scope. 1, or 0 where it is none.
int csupervision_address_parse(
    const char *host, int port, struct sockaddr_storage *address, socklen_t *size
);

/// The address of a path, or of an abstract name that begins with NUL. 0, or -ENAMETOOLONG.
int csupervision_address_unix(
    const char *bytes, size_t length, struct sockaddr_un *address, socklen_t *size
);

/// The kernel's address as text.
void csupervision_address_put(
    struct csupervision_address *result, const struct sockaddr_storage *address, socklen_t size
);

#endif
