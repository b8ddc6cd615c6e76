/* Restricts itself by Landlock: afterwards it may write files nowhere. Prints how writing ended before and after, a line each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void write_a_file(void) {
    int file = open("/tmp/file", O_WRONLY | O_CREAT, 0600);
    printf("%s\n", file < 0 ? strerrorname_np(errno) : "written");
    if (file >= 0)
        close(file);
}

int main(void) {
    struct landlock_ruleset_attr rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE};
    write_a_file();
    int ruleset = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (ruleset < 0) {
        printf("landlock_create_ruleset: %s\n", strerrorname_np(errno));
        return 1;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        printf("landlock_restrict_self: %s\n", strerrorname_np(errno));
        return 1;
    }
    write_a_file();
    return 0;
}
