/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_channel.c - a certificate's proof of its TLS key; and a whole certificate, by its extension */
#include "attest/channel.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *der = data;
	cleanup_channel_shown struct channel_shown shown = {0};
	struct channel_proof p;
	struct err e = ERR_INIT;
	X509 *cert;

	if (!channel_parse((struct bytes){data, size}, &p, &e) &&
	    (p.certify.p < data || p.certify.p + p.certify.n > data + size || p.point[0] != 4))
		abort();
	cert = d2i_X509(NULL, &der, (long)size);
	if (cert && !channel_shown_load(cert, &shown, &e) && shown.proof.len > CHANNEL_MAX_PROOF_BYTES)
		abort();
	X509_free(cert);
	return 0;
}
