/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_open.c - `holdfast-verity open` */
#include "verity/cmd.h"

#include "common/file.h"
#include "common/pki.h"
#include "verity/activate.h"

#include <string.h>

static bool parse_on_corruption(const char *verb, const char *text, enum verity_on_corruption *ret)
{
	static const char *const names[] = {[VERITY_CORRUPTION_EIO] = "eio",
					    [VERITY_CORRUPTION_PANIC] = "panic",
					    [VERITY_CORRUPTION_RESTART] = "restart"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], text)) {
			*ret = i;
			return true;
		}
	(void)cli_usage(verb, "--on-corruption \"%.20s\", wanted eio, panic or restart", text);
	return false;
}

int verity_cmd_open(int argc, char **argv)
{
	const char *offset_text = NULL, *sig_path = NULL, *on = "eio";
	int is_unsigned = 0;
	const struct cli_opt opts[] = {
		{"signature", "FILE", "PKCS#7 of the root hash; the kernel checks it", &sig_path, NULL, 0},
		{"unsigned", NULL, "open without a signature", &is_unsigned, NULL, 0},
		{"hash-offset", "BYTES", "where the superblock stands (0)", &offset_text, NULL, 0},
		{"on-corruption", "WHAT", "eio, panic or restart (eio)", &on, NULL, 0},
		{NULL, NULL, NULL, NULL, NULL, 0},
	};
	int n = cli_options(argc, argv, "DATA NAME HASH ROOTHASH", "activate a dm-verity device, read-only", opts);
	struct verity_activate_params p = {0};
	cleanup_buf struct buf sig = BUF_INIT;
	uint8_t root_hash[HASH_SHA256_BYTES];
	struct verity_device device;
	struct err e = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 4 || !sig_path == !is_unsigned)
		return cli_usage(argv[0], "wanted DATA NAME HASH ROOTHASH and either --signature or --unsigned");
	if (!verity_cmd_root_hash(argv[0], argv[4], root_hash) ||
	    !verity_cmd_offset(argv[0], offset_text, &p.hash_offset_bytes) ||
	    !parse_on_corruption(argv[0], on, &p.on_corruption))
		return CLI_USAGE;
	p.data_device = argv[1];
	p.name = argv[2];
	p.hash_device = argv[3];
	p.root_hash = root_hash;
	r = sig_path ? file_read(sig_path, PKI_MAX_SIGNATURE_BYTES, &sig, &e) : 0;
	if (r)
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	p.signature = sig_path ? sig.data : NULL;
	p.signature_bytes = sig.len;
	r = sig_path ? verity_activate(&p, &device, &e) : verity_activate_unsigned(&p, &device, &e);
	if (r)
		return cli_fail(verity_is_signature_error(r) || r == -EBADMSG ? CLI_BAD : CLI_COULD_NOT, argv[0], &e);
	printf("%s\n", device.path);
	return CLI_PASSED;
}
