/* What applications do with the official C client, and what must survive the leader's end. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

enum { LIMIT = 30, EVENTS = 64 };

struct event {
    int type;
    char path[128];
};

struct session {
    zhandle_t *handle;
    struct event events[EVENTS];
    int count;
    int taken;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;

static void check(int right, const char *what) {
    printf(right ? "- %s\n" : "WRONG: %s\n", what);
    fflush(stdout);
    if (!right) {
        exit(1);
    }
}

static void watcher(zhandle_t *handle, int type, int state, const char *path, void *context) {
    struct session *session = context ? context : (struct session *)zoo_get_context(handle);
    (void)state;
    if (type == ZOO_SESSION_EVENT) {
        return;
    }
    pthread_mutex_lock(&mutex);
    if (session->count < EVENTS) {
        struct event *event = &session->events[session->count++];
        event->type = type;
        snprintf(event->path, sizeof event->path, "%s", path);
    }
    pthread_cond_broadcast(&arrived);
    pthread_mutex_unlock(&mutex);
}

static void expect(struct session *session, int type, const char *path, const char *what) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LIMIT;
    int right = 0;
    pthread_mutex_lock(&mutex);
    while (session->taken == session->count) {
        if (pthread_cond_timedwait(&arrived, &mutex, &until) != 0) {
            break;
        }
    }
    if (session->taken < session->count) {
        const struct event *event = &session->events[session->taken++];
        right = event->type == type && strcmp(event->path, path) == 0;
        if (!right) {
            printf("event %d of %s\n", event->type, event->path);
        }
    }
    pthread_mutex_unlock(&mutex);
    check(right, what);
}

static void await_connected(struct session *session, const char *what) {
    for (int tries = 0; tries < LIMIT * 50 && zoo_state(session->handle) != ZOO_CONNECTED_STATE; tries++) {
        usleep(20000);
    }
    check(zoo_state(session->handle) == ZOO_CONNECTED_STATE, what);
}

static struct session *connect_to(const char *servers) {
    struct session *session = calloc(1, sizeof *session);
    check(session != NULL, "memory");
    session->handle = zookeeper_init(servers, watcher, 20000, NULL, session, 0);
    check(session->handle != NULL, "a handle");
    await_connected(session, "a session is connected");
    return session;
}

/* The connection may be lost while servers change: then again, as applications do it. */
#define INSIST(code, call)                                                  \
    do {                                                                    \
        for (int tries = 0; tries < LIMIT * 20; tries++) {                  \
            (code) = (call);                                                \
            if ((code) != ZCONNECTIONLOSS && (code) != ZOPERATIONTIMEOUT) { \
                break;                                                      \
            }                                                               \
            usleep(50000);                                                  \
        }                                                                   \
    } while (0)

static int smallest(struct session *session, const char *root, char *name, size_t size) {
    struct String_vector names;
    if (zoo_get_children(session->handle, root, 0, &names) != ZOK || names.count == 0) {
        return 0;
    }
    const char *first = names.data[0];
    for (int index = 1; index < names.count; index++) {
        if (strcmp(names.data[index], first) < 0) {
            first = names.data[index];
        }
    }
    snprintf(name, size, "%s/%s", root, first);
    deallocate_String_vector(&names);
    return 1;
}

/* The first holds, the second waits until the first's session ends. */
static void queue(const char *servers, const char *root) {
    struct session *one = connect_to(servers);
    struct session *two = connect_to(servers);
    char place[128], first[128], second[128], found[128];
    snprintf(place, sizeof place, "%s/n-", root);
    check(zoo_create(one->handle, root, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK, root);
    int flags = ZOO_EPHEMERAL | ZOO_SEQUENCE;
    check(zoo_create(one->handle, place, "", 0, &ZOO_OPEN_ACL_UNSAFE, flags, first, sizeof first) == ZOK,
          "one enters");
    check(zoo_create(two->handle, place, "", 0, &ZOO_OPEN_ACL_UNSAFE, flags, second, sizeof second) == ZOK,
          "another enters");
    check(smallest(two, root, found, sizeof found) && strcmp(found, first) == 0, "the first holds it");
    check(zoo_wexists(two->handle, first, watcher, two, NULL) == ZOK, "the second watches the first");
    zookeeper_close(one->handle);
    expect(two, ZOO_DELETED_EVENT, first, "the first goes");
    check(smallest(two, root, found, sizeof found) && strcmp(found, second) == 0, "then the second holds it");
    zookeeper_close(two->handle);
    free(one);
    free(two);
}

int main(int count, char **arguments) {
    check(count == 2, "the servers are named");
    const char *servers = arguments[1];
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zoo_deterministic_conn_order(1);
    struct session *session = connect_to(servers);
    struct session *other = connect_to(servers);
    char buffer[128];
    int length = sizeof buffer;
    struct Stat stat;

    check(zoo_create(session->handle, "/c", "one", 3, &ZOO_OPEN_ACL_UNSAFE, 0, buffer, sizeof buffer) == ZOK
              && strcmp(buffer, "/c") == 0,
          "a node is created");
    check(zoo_wget(session->handle, "/c", watcher, session, buffer, &length, &stat) == ZOK && length == 3
              && memcmp(buffer, "one", 3) == 0 && stat.version == 0,
          "what was written is read");
    check(zoo_set(other->handle, "/c", "two", 3, 0) == ZOK, "the other writes");
    expect(session, ZOO_CHANGED_EVENT, "/c", "and the watch tells");
    check(zoo_set(other->handle, "/c", "three", 5, 0) == ZBADVERSION, "an old version is refused");

    zoo_op_t ops[4];
    zoo_op_result_t results[4];
    char created[128];
    zoo_create_op_init(&ops[0], "/c/a", "a", 1, &ZOO_OPEN_ACL_UNSAFE, 0, created, sizeof created);
    zoo_set_op_init(&ops[1], "/c/a", "b", 1, 0, &stat);
    zoo_check_op_init(&ops[2], "/c/a", 1);
    zoo_delete_op_init(&ops[3], "/c/a", 1);
    check(zoo_multi(session->handle, 4, ops, results) == ZOK, "a transaction of four");
    check(zoo_wexists(session->handle, "/c/a", watcher, session, NULL) == ZNONODE, "which left nothing");
    check(zoo_multi(session->handle, 2, &ops[1], results) == ZNONODE, "a transaction that fails says why");

    queue(servers, "/c-lock");
    queue(servers, "/c-election");

    check(zoo_create(session->handle, "/c/here", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0) == ZOK,
          "an ephemeral node");
    int64_t id = zoo_client_id(session->handle)->client_id;

    printf("KILL THE LEADER\n");
    fflush(stdout);
    check(getchar() == 'k', "the leader is killed");

    int code = ZOK;
    INSIST(code, zoo_set(session->handle, "/c", "after", 5, -1));
    check(code == ZOK, "the others go on without it");
    check(zoo_client_id(session->handle)->client_id == id, "in the same session");
    INSIST(code, zoo_exists(other->handle, "/c/here", 0, &stat));
    check(code == ZOK && stat.ephemeralOwner == id, "which keeps what it has");
    INSIST(code, zoo_create(other->handle, "/c/a", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
    check(code == ZOK || code == ZNODEEXISTS, "the other creates");
    expect(session, ZOO_CREATED_EVENT, "/c/a", "and a watch set before tells");
    zookeeper_close(session->handle);
    INSIST(code, zoo_exists(other->handle, "/c/here", 0, &stat));
    check(code == ZNONODE, "an ephemeral node goes with its session");
    zookeeper_close(other->handle);
    free(session);
    free(other);
    printf("PASSED\n");
    return 0;
}
