#define _GNU_SOURCE
#include "CSupervisionPressure.h"
#include "CSupervisionSocket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int csupervision_pressure_connect(const char *path) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);

#ifdef SOCK_CLOEXEC
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int failure = 0;
#else
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    int failure = descriptor < 0 ? 0 : csupervision_socket_prepare(descriptor);
#endif
    if (descriptor < 0)
        return -errno;
    if (failure == 0 && connect(descriptor, (const struct sockaddr *)&address, sizeof address) < 0)
        failure = -errno;
    if (failure < 0) {
        close(descriptor);
        return failure;
    }
    return descriptor;
}

int csupervision_pressure_open(const char *path, int for_writing) {
    int descriptor = open(path, (for_writing ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return descriptor < 0 ? -errno : descriptor;
}
