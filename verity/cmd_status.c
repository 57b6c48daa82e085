/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_status.c - `holdfast-verity status` */
#include "verity/cmd.h"

#include "common/hex.h"
#include "verity/status.h"

#include <string.h>
#include <sys/sysmacros.h>

/* The kernel's name of a device, from sysfs; "?" if it has none to tell. */
static const char *device_name(dev_t dev, char ret[static 64])
{
	char path[64], line[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(dev), minor(dev)); /* fits */
	(void)snprintf(ret, 64, "?");
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "DEVNAME=", 8)) {
			line[strcspn(line, "\n")] = '\0';
			(void)snprintf(ret, 64, "/dev/%.50s", line + 8); /* a label */
		}
	if (f)
		(void)fclose(f); /* only read */
	return ret;
}

static void print_text(const struct verity_status *s, const char *root_hash, const char *salt)
{
	char name[64];

	printf("%s is active and is %s.\n", device_name(s->dev, name), s->name);
	printf("  type:            VERITY\n");
	printf("  status:          %s\n", s->is_corrupt ? "corrupted" : "verified");
	printf("  hash type:       %u\n", s->hash_type);
	printf("  data block:      %u\n", s->data_block_bytes);
	printf("  hash block:      %u\n", s->hash_block_bytes);
	printf("  hash name:       %s\n", s->algorithm);
	printf("  salt:            %s\n", *salt ? salt : "-");
	printf("  data device:     %s\n", device_name(s->data_dev, name));
	printf("  data blocks:     %llu\n", (unsigned long long)s->data_blocks);
	printf("  hash device:     %s\n", device_name(s->hash_dev, name));
	printf("  hash tree at:    %llu\n", (unsigned long long)(s->hash_start_block * s->hash_block_bytes));
	printf("  root hash:       %s\n", root_hash);
	printf("  signature key:   %s\n", s->signature_key[0] ? s->signature_key : "none: loaded without a signature");
	if (s->fec_roots) {
		printf("  FEC device:      %s\n", device_name(s->fec_dev, name));
		printf("  FEC offset:      %llu\n", (unsigned long long)(s->fec_start * s->data_block_bytes));
		printf("  FEC roots:       %u\n", s->fec_roots);
		printf("  FEC covers:      %llu blocks\n", (unsigned long long)s->fec_blocks);
		if (s->has_counter)
			printf("  FEC corrected:   %llu blocks\n", (unsigned long long)s->corrected);
		else
			printf("  FEC corrected:   not counted by this kernel\n");
	}
	printf("  options:        ");
	for (unsigned i = 0; i < VERITY_OPTIONS_; i++)
		if (s->options & (1u << i))
			printf(" %s", verity_option_str(i));
	printf(s->options ? "\n" : " none\n");
}

static void print_device(const char *key, dev_t dev)
{
	char name[64];

	printf(",\"%s\":{\"number\":\"%u:%u\",\"name\":\"", key, major(dev), minor(dev));
	verity_cmd_json_text(device_name(dev, name));
	printf("\"}");
}

static void print_json(const struct verity_status *s, const char *root_hash, const char *salt)
{
	const char *comma = "";

	printf("{\"name\":\"");
	verity_cmd_json_text(s->name);
	printf("\",\"status\":\"%s\"", s->is_corrupt ? "corrupted" : "verified");
	print_device("device", s->dev);
	print_device("data_device", s->data_dev);
	print_device("hash_device", s->hash_dev);
	printf(",\"hash_type\":%u,\"algorithm\":\"%s\",\"root_hash\":\"%s\",\"salt\":\"%s\",\"data_blocks\":%llu,"
	       "\"data_block_size\":%u,\"hash_block_size\":%u,\"tree_offset\":%llu,\"signature_key\":",
	       s->hash_type, s->algorithm, root_hash, salt, (unsigned long long)s->data_blocks, s->data_block_bytes,
	       s->hash_block_bytes, (unsigned long long)(s->hash_start_block * s->hash_block_bytes));
	if (s->signature_key[0]) {
		printf("\"");
		verity_cmd_json_text(s->signature_key);
		printf("\"");
	} else {
		printf("null");
	}
	printf(",\"options\":[");
	for (unsigned i = 0; i < VERITY_OPTIONS_; i++)
		if (s->options & (1u << i)) {
			printf("%s\"%s\"", comma, verity_option_str(i));
			comma = ",";
		}
	printf("],\"fec\":");
	if (!s->fec_roots) {
		printf("null}\n");
		return;
	}
	printf("{\"roots\":%u,\"blocks\":%llu,\"offset\":%llu,\"corrected\":", s->fec_roots,
	       (unsigned long long)s->fec_blocks, (unsigned long long)(s->fec_start * s->data_block_bytes));
	printf(s->has_counter ? "%llu" : "null", (unsigned long long)s->corrected);
	print_device("device", s->fec_dev);
	printf("}}\n");
}

int verity_cmd_status(int argc, char **argv)
{
	int json = 0;
	const struct cli_opt opts[] = {
		{"json", NULL, "one line of JSON", &json, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "NAME", "what the kernel says of a dm-verity device", opts);
	char root_hash[2 * VERITY_MAX_DIGEST_BYTES + 1], salt[2 * VERITY_MAX_SALT_BYTES + 1];
	struct err e = ERR_INIT;
	struct verity_status s;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1)
		return cli_usage(argv[0], "wanted one operand, NAME");
	if (verity_status_get(argv[1], &s, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	hex_encode(s.root_hash, s.root_hash_bytes, root_hash);
	hex_encode(s.salt, s.salt_bytes, salt);
	if (json)
		print_json(&s, root_hash, salt);
	else
		print_text(&s, root_hash, salt);
	return s.is_corrupt ? CLI_BAD : CLI_PASSED;
}
