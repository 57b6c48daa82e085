/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sealed_volume.c - the state volume: opened, proved to be ours, activated; or made */
#include "init/sealed_volume.h"

#include "common/codes.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define VOLUME_LABEL        "volume"
#define TOKEN               0
#define KEYSLOT             0
#define MAX_SEGMENTS_BYTES  300
#define MAX_VOLUME_KEY      128

static char last_message[160]; /* of libcryptsetup; one thread */

static void take_message(int level, const char *text, void *none)
{
	(void)none;
	if (level == CRYPT_LOG_ERROR)
		(void)snprintf(last_message, sizeof(last_message), "%.*s", (int)strcspn(text, "\n"), text); /* cut is fine: for people */
}

int pid1_sealed_crypt_error(struct err *e, int r, const char *what)
{
	return err_set(e, -r, "%s: %s%s%s", what, err_text(-r), *last_message ? ": " : "", last_message);
}

void pid1_sealed_passphrase(const uint8_t key[static PID1_SEALED_KEY_BYTES], char ret[static PID1_SEALED_PASSPHRASE_BYTES + 1])
{
	(void)EVP_EncodeBlock((unsigned char *)ret, key, PID1_SEALED_KEY_BYTES); /* cannot fail */
}

/*
 * The header's one data segment as its text: kind, place, size, cipher, sector, integrity. A second one, of a
 * reencryption, could be "linear": not encrypted at all.
 */
static int segment_text(struct crypt_device *cd, char ret[static MAX_SEGMENTS_BYTES], struct err *e)
{
	cleanup_json json_object *root = NULL;
	const char *text, *line;
	json_object *segments;
	int r = crypt_dump_json(cd, &text, 0);

	if (r)
		return pid1_sealed_crypt_error(e, r, "the header's metadata cannot be read");
	r = json_parse(text, strlen(text), "LUKS2 metadata", &root, e);
	r = r ? r : json_get(root, "LUKS2 metadata", "segments", json_type_object, &segments, e);
	if (r)
		return r;
	line = json_object_to_json_string_ext(segments, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (json_object_object_length(segments) != 1 || strlen(line) >= MAX_SEGMENTS_BYTES)
		return err_set(e, EBADMSG, "the header has %d data segments of %zu characters, wanted one of less than %d",
			       json_object_object_length(segments), strlen(line), MAX_SEGMENTS_BYTES);
	(void)snprintf(ret, MAX_SEGMENTS_BYTES, "%s", line); /* fits */
	return 0;
}

int pid1_sealed_volume_mac(const struct pid1_sealed_tpm *t, struct crypt_device *cd, const void *volume_key, size_t n,
			   uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	uint8_t b[MEASURE_UUID_BYTES + MAX_SEGMENTS_BYTES + MAX_VOLUME_KEY];
	char segments[MAX_SEGMENTS_BYTES] = "";
	int at, r = segment_text(cd, segments, e);

	if (r)
		return r;
	at = snprintf((char *)b, sizeof(b), "%s %s", crypt_get_uuid(cd), segments);
	if (at < 0 || n > sizeof(b) - (size_t)at - 1)
		return err_set(e, EBADMSG, "the volume key has %zu bytes, wanted at most %d", n, MAX_VOLUME_KEY);
	memcpy(b + at + 1, volume_key, n); /* behind the NUL */
	r = pid1_sealed_mac(t, VOLUME_LABEL, b, (size_t)at + 1 + n, ret, e);
	explicit_bzero(b, sizeof(b));
	return r;
}

/* --- an existing volume -------------------------------------------------------------------------------------------------- */

/* Set a failure code beside the sentence. */
static int refuse(uint32_t *ret_code, enum code code, int r)
{
	*ret_code = code;
	return r;
}

static int read_token(struct crypt_device *cd, struct pid1_sealed_token *ret, struct err *e)
{
	const char *text;
	int r = crypt_token_json_get(cd, TOKEN, &text);

	if (r < 0)
		return err_set(e, EEXIST, "a LUKS2 volume without our token: somebody else's");
	return pid1_sealed_token_parse(text, strlen(text), ret, e);
}

/* Nothing that a header may ask for beside plain opening. */
static int check_flags(struct crypt_device *cd, struct err *e)
{
	uint32_t flags = 0;
	int r = crypt_persistent_flags_get(cd, CRYPT_FLAGS_REQUIREMENTS, &flags);

	if (!r && !flags)
		r = crypt_persistent_flags_get(cd, CRYPT_FLAGS_ACTIVATION, &flags);
	if (r)
		return pid1_sealed_crypt_error(e, r, "the header's flags cannot be read");
	return flags ? err_set(e, EBADMSG, "the header asks for flags 0x%x, wanted none", (unsigned)flags) : 0;
}

/* The volume key is the one that this machine made, for this header. */
static int prove(const struct pid1_sealed_volume *v, struct crypt_device *cd, const char *passphrase,
		 const struct pid1_sealed_token *token, struct err *e)
{
	uint8_t key[MAX_VOLUME_KEY], mac[HASH_SHA256_BYTES];
	size_t n = sizeof(key);
	int r = crypt_volume_key_get(cd, KEYSLOT, (char *)key, &n, passphrase, PID1_SEALED_PASSPHRASE_BYTES);

	if (r < 0)
		return err_set(e, EBADMSG, "keyslot %d does not open with the unsealed key", KEYSLOT);
	r = pid1_sealed_volume_mac(v->tpm, cd, key, n, mac, e);
	explicit_bzero(key, sizeof(key));
	if (!r && !hash_equal(mac, sizeof(mac), token->mac, sizeof(token->mac)))
		r = err_set(e, EBADMSG, "volume key, cipher or place of the data are not those that this machine made");
	return r;
}

static int activate(struct crypt_device *cd, const char *passphrase, struct err *e)
{
	int r = crypt_activate_by_passphrase(cd, PID1_SEALED_LABEL, KEYSLOT, passphrase, PID1_SEALED_PASSPHRASE_BYTES, 0);

	return r < 0 ? pid1_sealed_crypt_error(e, r, "the state volume cannot be activated") : 0;
}

static int unlock(const struct pid1_sealed_volume *v, struct crypt_device *cd, const struct pid1_sealed_token *token, uint32_t *ret_code,
		  struct err *e)
{
	uint8_t key[PID1_SEALED_KEY_BYTES];
	char passphrase[PID1_SEALED_PASSPHRASE_BYTES + 1];
	int r = pid1_sealed_unseal(v->tpm, crypt_get_uuid(cd), token, key, e);

	if (r)
		return refuse(ret_code, r == -EBADMSG ? CODE_STATE_SWAPPED : CODE_STATE_SEALED, r);
	pid1_sealed_passphrase(key, passphrase);
	r = check_flags(cd, e);
	r = r ? r : prove(v, cd, passphrase, token, e);
	if (r)
		refuse(ret_code, CODE_STATE_SWAPPED, r);
	else if (v->activate)
		r = refuse(ret_code, CODE_STATE, activate(cd, passphrase, e));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(passphrase, sizeof(passphrase));
	return r;
}

/* How was the file system left? One that is not ext4 is told now, and refused by the mount. */
static int look_at_fs(struct pid1_sealed_answer *ret, struct err *e)
{
	cleanup_fd int fd = open(PID1_SEALED_MAPPING, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_errno(e, "cannot open " PID1_SEALED_MAPPING) : pid1_sealed_fs_look(fd, &ret->fs, e);
}

static int open_luks(const struct pid1_sealed_volume *v, struct pid1_sealed_answer *ret, uint32_t *ret_code, struct err *e)
{
	cleanup_crypt struct crypt_device *cd = NULL;
	struct pid1_sealed_token token;
	int r = crypt_init(&cd, v->partition);

	r = r ? r : crypt_load(cd, CRYPT_LUKS2, NULL);
	if (r)
		return refuse(ret_code, CODE_STATE_FOREIGN, pid1_sealed_crypt_error(e, r, "the LUKS2 header cannot be read"));
	r = read_token(cd, &token, e);
	if (!r && (!crypt_get_uuid(cd) || !measure_uuid_is_valid(crypt_get_uuid(cd))))
		r = err_set(e, EINVAL, "the volume's UUID is not one");
	if (r)
		return refuse(ret_code, CODE_STATE_FOREIGN, r);
	memcpy(ret->uuid, crypt_get_uuid(cd), MEASURE_UUID_BYTES);
	r = unlock(v, cd, &token, ret_code, e);
	return r || !v->activate ? r : refuse(ret_code, CODE_STATE, look_at_fs(ret, e));
}

static const char *found_text(const struct pid1_sealed_answer *a)
{
	static const char *const opened[] = {
		[PID1_SEALED_FS_CLOSED] = "opened: it was closed in order",
		[PID1_SEALED_FS_JOURNAL] = "opened: it was not closed in order, its journal is replayed",
		[PID1_SEALED_FS_ERRORS] = "opened: its file system has errors, recover it with fsck",
		[PID1_SEALED_FS_NONE] = "opened: there is no file system in it",
	};

	_Static_assert(ARRAY_SIZE(opened) == PID1_SEALED_FS_, "each has its words");
	if (a->made)
		return a->again ? "made anew: an unfinished one was found" : "made: the partition was blank";
	return opened[a->fs];
}

int pid1_sealed_volume_open(const struct pid1_sealed_volume *v, struct pid1_sealed_answer *ret, uint32_t *ret_code, struct err *e)
{
	cleanup_fd int fd = open(v->partition, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	enum pid1_sealed_content found = PID1_SEALED_OTHER;
	uint64_t bytes = 0;
	int r;

	*ret_code = CODE_STATE;
	crypt_set_log_callback(NULL, take_message, NULL); /* its locks stay on: without them it does not mend a torn first header */
	r = fd < 0 ? err_errno(e, "cannot open %s", v->partition) : pid1_sealed_look(fd, v->tpm, &found, &bytes, e);
	if (r)
		return r;
	switch (found) {
	case PID1_SEALED_LUKS:
		r = open_luks(v, ret, ret_code, e);
		break;
	case PID1_SEALED_UNFINISHED:
	case PID1_SEALED_BLANK:
		ret->again = found == PID1_SEALED_UNFINISHED;
		r = pid1_sealed_volume_make(v, fd, bytes, ret, e);
		if (r == -EPERM) /* the trial: this boot would make what it may not open */
			*ret_code = CODE_STATE_SEALED;
		break;
	case PID1_SEALED_OTHER:
		r = refuse(ret_code, CODE_STATE_FOREIGN,
			   err_set(e, EEXIST, "%s is neither blank, nor LUKS2, nor marked by us: it is left as it is", v->partition));
		break;
	}
	if (r)
		return err_context(e, "%s", v->partition);
	(void)snprintf(ret->found, sizeof(ret->found), "%s", found_text(ret)); /* fits */
	*ret_code = CODE_NONE;
	return 0;
}
