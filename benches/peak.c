/* Runs a command and prints the most memory that it had at once, in kilobytes (getrusage(2), ru_maxrss): the command's own, without
 * what it starts and leaves to others. Usage: peak COMMAND [ARGUMENT...] */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments)
{
	struct rusage usage;
	int status;
	pid_t child;

	if (count < 2)
		return 125;
	child = fork();
	if (child == 0) {
		execvp(arguments[1], arguments + 1);
		perror(arguments[1]);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		perror("peak");
		return 125;
	}
	printf("%ld\n", usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
