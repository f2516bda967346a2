/*
 * Loaded before btvirt (LD_PRELOAD). Two changes, neither of which touches what is sent over the air:
 * 1. On a kernel without AF_ALG btvirt drops every LE client, for it cannot open its pairing crypto. We pair nothing, so it
 *    is handed /dev/null for that socket.
 * 2. Its socket folder is fixed to /tmp; with BTVIRT_FOLDER set it is that folder, so that two runs do not meet.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *moved(const char *path, char *out, size_t size) {
  const char *folder = getenv("BTVIRT_FOLDER");
  if (folder == NULL || strncmp(path, "/tmp/", 5) != 0) return path;
  return snprintf(out, size, "%s/%s", folder, path + 5) < (int)size ? out : NULL;
}

int socket(int domain, int type, int protocol) {
  int (*real)(int, int, int) = dlsym(RTLD_NEXT, "socket");
  return domain == AF_ALG ? open("/dev/null", O_RDWR | O_CLOEXEC) : real(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
  int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
  if (address->sa_family == AF_ALG) return 0;
  if (address->sa_family != AF_UNIX) return real(fd, address, length);
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  const char *path = moved(((const struct sockaddr_un *)address)->sun_path, to.sun_path, sizeof to.sun_path);
  if (path == NULL) return errno = ENAMETOOLONG, -1;
  return path == to.sun_path ? real(fd, (struct sockaddr *)&to, sizeof to) : real(fd, address, length);
}

int unlink(const char *path) {
  int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
  char to[108];
  const char *place = moved(path, to, sizeof to);
  return place == NULL ? (errno = ENAMETOOLONG, -1) : real(place);
}
