/* Stops a process at the n-th write, truncation or sync of a file below a directory, as a power cut or a kill would.
 *
 * Loaded with LD_PRELOAD; armed with powercut_arm(). Each of these calls is a boundary. At the boundary that was
 * asked for the process ends before the call is done. In the mode POWERCUT_DROP everything that was written since
 * the last sync of its file is taken back first: what the disk would have if it kept nothing it was not told to keep.
 * In POWERCUT_TEAR the older half of it stays, and half of the last write: disks write in what order they like.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POWERCUT_KILL = 0, POWERCUT_DROP = 1, POWERCUT_TEAR = 2 };
enum { MOST = 65536, EXIT_CODE = 97 };

struct undo {
    char path[PATH_MAX];
    off_t offset, size; /* size: of the file before */
    size_t length;      /* of the old bytes */
    char *old;
};

static struct undo *undone[MOST];
static int undos, mode, armed;
static long countdown, boundaries;
static char below[PATH_MAX];

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static void find(void) {
    if (real_pwrite)
        return;
    real_write = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    real_ftruncate = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    real_pwrite = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite64");
}

void powercut_arm(const char *directory, long at, int how) {
    snprintf(below, sizeof below, "%s/", directory);
    countdown = at;
    mode = how;
    boundaries = 0;
    undos = 0;
    armed = 1;
}

long powercut_boundaries(void) { return boundaries; }

/* The path of a file that matters; the shared memory index is no file on a disk: it is made anew. */
static int ours(int fd, char *path) {
    char link[64];
    if (!armed)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    if (strncmp(path, below, strlen(below)) != 0)
        return 0;
    return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

static void take_back(struct undo *each) {
    int fd = open(each->path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return; /* it has another name by now, under which it was synced */
    if (real_pwrite(fd, each->old, each->length, each->offset) < 0 || real_ftruncate(fd, each->size) < 0)
        abort();
    close(fd);
}

static void boundary(void) {
    boundaries++;
    if (--countdown != 0)
        return;
    armed = 0;
    int keep = mode == POWERCUT_KILL ? undos : mode == POWERCUT_TEAR ? undos / 2 : 0;
    for (int i = undos - 1; i >= keep; i--)
        take_back(undone[i]);
    _exit(EXIT_CODE);
}

static void remember(int fd, const char *path, off_t offset, size_t length) {
    struct stat status;
    if (mode == POWERCUT_KILL)
        return;
    if (undos == MOST || fstat(fd, &status) < 0)
        abort();
    struct undo *each = calloc(1, sizeof *each);
    strcpy(each->path, path);
    each->offset = offset;
    each->size = status.st_size;
    if (offset < status.st_size) {
        each->length = (size_t)(status.st_size - offset) < length ? (size_t)(status.st_size - offset) : length;
        each->old = malloc(each->length);
        int reading = open(path, O_RDONLY | O_CLOEXEC);
        if (reading < 0 || pread(reading, each->old, each->length, offset) != (ssize_t)each->length)
            abort();
        close(reading);
    }
    undone[undos++] = each;
}

static void synced(const char *path) {
    int left = 0;
    for (int i = 0; i < undos; i++) {
        if (strcmp(undone[i]->path, path) == 0) {
            free(undone[i]->old);
            free(undone[i]);
        } else {
            undone[left++] = undone[i];
        }
    }
    undos = left;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
    char path[PATH_MAX];
    find();
    if (!ours(fd, path))
        return real_pwrite(fd, data, length, offset);
    if (mode == POWERCUT_TEAR && countdown == 1 && length > 1) {
        remember(fd, path, offset, length);
        (void)!real_pwrite(fd, data, length / 2, offset);
        undone[undos - 1]->length = 0; /* this half stays, whatever goes */
        undos--;
    }
    boundary();
    remember(fd, path, offset, length);
    return real_pwrite(fd, data, length, offset);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
    char path[PATH_MAX];
    find();
    if (!ours(fd, path))
        return real_write(fd, data, length);
    boundary();
    off_t offset = lseek(fd, 0, SEEK_CUR);
    remember(fd, path, offset < 0 ? 0 : offset, length);
    return real_write(fd, data, length);
}

int ftruncate64(int fd, off_t size) {
    char path[PATH_MAX];
    struct stat status;
    find();
    if (!ours(fd, path))
        return real_ftruncate(fd, size);
    boundary();
    if (fstat(fd, &status) == 0 && size < status.st_size)
        remember(fd, path, size, (size_t)(status.st_size - size));
    else
        remember(fd, path, status.st_size, 0);
    return real_ftruncate(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int sync_file(int fd, int (*real)(int)) {
    char path[PATH_MAX];
    if (!ours(fd, path))
        return real(fd);
    boundary();
    synced(path);
    return real(fd);
}

int fsync(int fd) {
    find();
    return sync_file(fd, real_fsync);
}

int fdatasync(int fd) {
    find();
    return sync_file(fd, real_fdatasync);
}
