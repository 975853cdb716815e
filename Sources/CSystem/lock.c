#include "CSystemLock.h"

#include <stdlib.h>

pthread_mutex_t *csystem_lock_create(void) {
    pthread_mutex_t *lock = malloc(sizeof *lock);
    if (lock != NULL && pthread_mutex_init(lock, NULL) != 0) {
        free(lock);
        return NULL;
    }
    return lock;
}

void csystem_lock_destroy(pthread_mutex_t *lock) {
    pthread_mutex_destroy(lock);
    free(lock);
}
