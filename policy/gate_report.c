/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/gate_report.c - one sentence about a refusal, where the engine looks for it */
#include "policy/gate.h"

#include "common/file.h"
#include "policy/oci_spec_writer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

void gate_sentence(enum code code, const char *msg, char *ret, size_t size)
{
	(void)snprintf(ret, size, "E%u %s: %s", (unsigned)code, code_text(code), msg); /* cut is fine */
	/* What the engine said may stand in it; a terminal must not act on that. Cut UTF-8 would spoil the JSON. */
	for (char *s = ret; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			*s = '?';
}

/* As runc and crun write it: containerd's shim and conmon look for level and msg. */
static void format_json(const char *sentence, const struct tm *tm, struct buf *out)
{
	char text[32], line[2 * ERR_MSG_MAX];

	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", tm); /* fits */
	(void)snprintf(line, sizeof(line), "holdfast: %s", sentence);
	oci_spec_open(out, NULL, '{');
	oci_spec_put_str(out, "level", "error");
	oci_spec_put_str(out, "msg", line);
	oci_spec_put_str(out, "time", text);
	oci_spec_close(out, '}');
	buf_u8(out, '\n');
}

int gate_report(const struct gate_command *cmd, enum code code, const char *msg, struct err *e)
{
	char sentence[ERR_MSG_MAX + 128];
	cleanup_buf struct buf b = BUF_INIT;
	cleanup_fd int fd = -1;
	time_t now = time(NULL);
	struct tm tm = {0};
	struct stat st;

	if (!cmd->log)
		return 0;
	gate_sentence(code, msg, sentence, sizeof(sentence));
	(void)gmtime_r(&now, &tm); /* on failure the epoch stands there */
	if (cmd->log_json)
		format_json(sentence, &tm, &b);
	else
		buf_printf(&b, "holdfast: %s\n", sentence);
	if (b.bad)
		return err_set(e, ENOMEM, "no memory to write the log");
	fd = open(cmd->log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "cannot open the log %.150s", cmd->log);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return err_set(e, EINVAL, "the log %.150s is neither a file nor a pipe", cmd->log);
	return file_write_all(fd, b.data, b.len, cmd->log, e);
}
