/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/platform.c - machines that cannot show all of their chain, as a fleet's owner declares them */
#include "attest/platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_state(json_object *o, const char *where, struct platform_state *ret, struct err *e)
{
	if (!json_object_is_type(o, json_type_object) || !json_object_object_length(o))
		return err_set(e, EINVAL, "%s: is not an object that names a PCR", where);
	json_object_object_foreach (o, key, value) {
		const unsigned pcr = (unsigned)(*key - '0');
		int rc;

		(void)value; /* is read by its name */
		if (pcr >= PLATFORM_PCRS || key[1])
			return err_set(e, EINVAL, "%s: \"%.16s\" is not a PCR from 0 to %d: the others have logs of their own",
				       where, key, PLATFORM_PCRS - 1);
		rc = json_get_hex(o, where, key, ret->value[pcr], HASH_SHA256_BYTES, e);
		if (rc)
			return rc;
		ret->pcrs |= 1u << pcr;
	}
	return 0;
}

static int parse_states(json_object *o, const char *where, struct platform *p, struct err *e)
{
	json_object *list;
	char at[96];
	size_t n;
	int rc = json_get_opt(o, where, "pcr_states", json_type_array, &list, e);

	if (rc)
		return rc;
	if (!p->no_firmware_log)
		return list ? err_set(e, EINVAL, "%s: pcr_states, but a firmware log: its events are judged", where) : 0;
	n = list ? json_object_array_length(list) : 0;
	if (n < 1 || n > PLATFORM_MAX_STATES)
		return err_set(e, EINVAL, "%s: has %zu pcr_states, wanted 1 to %d: without a firmware log PCRs are held to listed "
			       "values", where, n, PLATFORM_MAX_STATES);
	p->state = calloc(n, sizeof(*p->state));
	if (!p->state)
		return err_set(e, ENOMEM, "no memory for a platform");
	for (; p->n_states < n; p->n_states++) {
		(void)snprintf(at, sizeof(at), "%.32s pcr_states[%zu]", where, p->n_states); /* fits */
		rc = parse_state(json_object_array_get_idx(list, p->n_states), at, &p->state[p->n_states], e);
		if (rc)
			return rc;
	}
	return 0;
}

static int parse_eks(json_object *o, const char *where, struct platform *p, struct err *e)
{
	json_object *list;
	int rc = json_get(o, where, "ek", json_type_array, &list, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *word = json_str(json_object_array_get_idx(list, i));
		unsigned bit = 0;

		for (int ek = ENROLMENT_EK_CERTIFICATE; word && ek <= ENROLMENT_EK_PROVIDER; ek++)
			if (!strcmp(word, enrolment_ek_str((enum enrolment_ek)ek)))
				bit = 1u << ek;
		if (!bit || p->eks & bit)
			return err_set(e, EINVAL, "%s: ek[%zu] is none of certificate, pinned, provider, or stands twice", where, i);
		p->eks |= bit;
	}
	return p->eks ? 0 : err_set(e, EINVAL, "%s: ek is empty", where);
}

static int parse_one(json_object *o, const char *where, struct platform *p, struct err *e)
{
	static const char *const keys[] = {"name", "ek", "firmware_log", "pcr_states", NULL};
	const char *log;
	int rc;

	if ((rc = json_check_keys(o, where, keys, e)) ||
	    (rc = json_get_str(o, where, "name", PLATFORM_MAX_NAME_BYTES, &p->name, e)) ||
	    (rc = parse_eks(o, where, p, e)) || (rc = json_get_str(o, where, "firmware_log", 16, &log, e)))
		return rc;
	p->no_firmware_log = !strcmp(log, "absent");
	if (!p->no_firmware_log && strcmp(log, "present"))
		return err_set(e, EINVAL, "%s: firmware_log is \"%s\", wanted \"absent\" or \"present\"", where, log);
	if (!p->no_firmware_log && p->eks != 1u << ENROLMENT_EK_PROVIDER)
		return err_set(e, EINVAL, "%s: declares nothing to be absent: with a firmware log only ek [\"provider\"] needs a "
			       "platform", where);
	return parse_states(o, where, p, e);
}

int platform_parse_all(json_object *doc, const char *where, struct platforms *ret, struct err *e)
{
	json_object *list;
	char at[32];
	size_t n;
	int rc = json_get_opt(doc, where, "platforms", json_type_array, &list, e);

	if (rc || !list)
		return rc;
	n = json_object_array_length(list);
	if (n < 1 || n > PLATFORM_MAX)
		return err_set(e, EINVAL, "%s: has %zu platforms, wanted 1 to %d", where, n, PLATFORM_MAX);
	while (ret->n < n) {
		struct platform *p = &ret->item[ret->n];

		(void)snprintf(at, sizeof(at), "platforms[%zu]", ret->n++); /* fits; counted first: half a one is released, too */
		rc = parse_one(json_object_array_get_idx(list, ret->n - 1), at, p, e);
		for (size_t i = 0; !rc && i + 1 < ret->n; i++)
			if (!strcmp(ret->item[i].name, p->name))
				rc = err_set(e, EINVAL, "%s: the name \"%s\" stands twice", at, p->name);
		if (rc)
			return err_context(e, "%s", where);
	}
	return 0;
}

bool platform_fits(const struct platform *p, enum enrolment_ek ek, bool no_firmware_log)
{
	return p->no_firmware_log == no_firmware_log && p->eks & 1u << ek;
}

void platform_free_all(struct platforms *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->item[i].state);
	*p = (struct platforms){0};
}
