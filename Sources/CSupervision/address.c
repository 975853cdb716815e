#define _GNU_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

int csupervision_address_parse(
    const char *host, int port, struct sockaddr_storage *address, socklen_t *size
) {
    memset(address, 0, sizeof *address);
    struct sockaddr_in *inet = (struct sockaddr_in *)address;
    if (inet_pton(AF_INET, host, &inet->sin_addr) == 1) {
        inet->sin_family = AF_INET;
        inet->sin_port = htons((uint16_t)port);
        *size = sizeof *inet;
        return 1;
    }

    char text[INET6_ADDRSTRLEN];
    const char *scope = strchr(host, '%');
    size_t length = scope ? (size_t)(scope - host) : strlen(host);
    if (length >= sizeof text)
        return 0;
    memcpy(text, host, length);
    text[length] = 0;
    struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)address;
    if (inet_pton(AF_INET6, text, &inet6->sin6_addr) != 1)
        return 0;
    inet6->sin6_family = AF_INET6;
    inet6->sin6_port = htons((uint16_t)port);
    if (scope && (inet6->sin6_scope_id = if_nametoindex(scope + 1)) == 0)
        return 0;
    *size = sizeof *inet6;
    return 1;
}

int csupervision_address_unix(
    const char *bytes, size_t length, struct sockaddr_un *address, socklen_t *size
) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    // A path keeps room for its NUL; an abstract name has none.
    size_t room = sizeof address->sun_path - (length > 0 && bytes[0] == 0 ? 0 : 1);
    if (length == 0 || length > room)
        return -ENAMETOOLONG;
    memcpy(address->sun_path, bytes, length);
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (bytes[0] == 0 ? 0 : 1));
    return 0;
}

static void put_unix(struct csupervision_address *result, const struct sockaddr_un *address, socklen_t size) {
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    if (size <= offset)
        return; // unnamed, as clients are
    size_t length = size - offset;
    if (length > sizeof address->sun_path)
        length = sizeof address->sun_path;
    if (address->sun_path[0] != 0)
        length = strnlen(address->sun_path, length);
    memcpy(result->text, address->sun_path, length);
    if (result->text[0] == 0 && length > 0)
        result->text[0] = '@';
    result->length = (int)length;
}

static void put_inet6(struct csupervision_address *result, const struct sockaddr_in6 *address) {
    // An IPv4 peer of a dual-stack socket: said as what it is.
    if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
        result->family = CSUPERVISION_FAMILY_INET;
        inet_ntop(AF_INET, &address->sin6_addr.s6_addr[12], result->text, sizeof result->text);
    } else {
        inet_ntop(AF_INET6, &address->sin6_addr, result->text, sizeof result->text);
        char interface[IF_NAMESIZE];
        if (address->sin6_scope_id != 0 && if_indextoname(address->sin6_scope_id, interface)) {
            size_t used = strlen(result->text);
            snprintf(result->text + used, sizeof result->text - used, "%%%s", interface);
        }
    }
    result->port = ntohs(address->sin6_port);
    result->length = (int)strlen(result->text);
}

void csupervision_address_put(
    struct csupervision_address *result, const struct sockaddr_storage *address, socklen_t size
) {
    memset(result, 0, sizeof *result);
    result->raw_family = address->ss_family;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *inet = (const struct sockaddr_in *)address;
        result->family = CSUPERVISION_FAMILY_INET;
        inet_ntop(AF_INET, &inet->sin_addr, result->text, sizeof result->text);
        result->port = ntohs(inet->sin_port);
        result->length = (int)strlen(result->text);
    } else if (address->ss_family == AF_INET6) {
        result->family = CSUPERVISION_FAMILY_INET6;
        put_inet6(result, (const struct sockaddr_in6 *)address);
    } else if (address->ss_family == AF_UNIX) {
        result->family = CSUPERVISION_FAMILY_UNIX;
        put_unix(result, (const struct sockaddr_un *)address, size);
    } else {
        result->family = CSUPERVISION_FAMILY_OTHER;
    }
}
