/* The floor: what the kernel alone costs for a container. One clone3 into six namespaces, eight mounts, pivot_root,
 * exec of /bin/true, wait. No checks beyond "it worked", no cgroup, no capabilities, no seccomp, no spec to read.
 * Usage: floor ROOTFS [steps], a folder with /bin/true and the empty folders proc, dev and sys; with a second argument it prints
 * what each step took, in nanoseconds. Needs root. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum step { BEGUN, CLONED, MOUNTED, PIVOTED, ENDED, STEPS };

/* When each step was over, in memory that parent and child share. */
static int64_t *over;

static void is_over(enum step step)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	over[step] = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void check(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
		_exit(125);
	}
}

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	if (mkdir(target, 0755) < 0 && errno != EEXIST)
		check(-1, target);
	check(mount(source, target, type, flags, data), target);
}

static void container(const char *root)
{
	const unsigned long nosuid = MS_NOSUID | MS_NOEXEC | MS_NODEV;

	is_over(CLONED);
	check(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "make / a slave");
	mount_at(root, root, NULL, MS_BIND | MS_REC, NULL);
	check(chdir(root), root);
	mount_at("proc", "proc", "proc", nosuid, NULL);
	mount_at("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	mount_at("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
	mount_at("shm", "dev/shm", "tmpfs", nosuid, "mode=1777,size=65536k");
	mount_at("mqueue", "dev/mqueue", "mqueue", nosuid, NULL);
	mount_at("sysfs", "sys", "sysfs", nosuid | MS_RDONLY, NULL);
	mount_at("cgroup", "sys/fs/cgroup", "cgroup2", nosuid | MS_RDONLY, NULL);
	is_over(MOUNTED);
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount of the old root");
	check(chdir("/"), "chdir to the new root");
	check(sethostname("floor", 5), "sethostname");
	is_over(PIVOTED);
	execl("/bin/true", "true", NULL);
	check(-1, "exec /bin/true");
}

int main(int count, char **arguments)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	int status;

	if (count < 2)
		return 125;
	over = mmap(NULL, STEPS * sizeof(*over), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (over == MAP_FAILED)
		check(-1, "mmap");
	is_over(BEGUN);
	long child = syscall(SYS_clone3, &args, sizeof(args));
	check(child, "clone3");
	if (child == 0)
		container(arguments[1]);
	check(waitpid(child, &status, 0), "waitpid");
	is_over(ENDED);
	for (enum step step = CLONED; count > 2 && step < STEPS; step++)
		printf("%lld\n", (long long)(over[step] - over[step - 1]));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
