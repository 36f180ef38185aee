#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <sys/uio.h>

ssize_t linux_pread_nowait(int descriptor, void *buffer, size_t count, int64_t offset) {
  struct iovec part = {.iov_base = buffer, .iov_len = count};
  return preadv2(descriptor, &part, 1, offset, RWF_NOWAIT);
}

int linux_begin_writing(int descriptor, int64_t offset, int64_t count) {
  return sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
}
