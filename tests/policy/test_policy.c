/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_policy.c - what is a layer policy, each way not to be one, and whose signature counts
 *
 * The documents are in tests/data/policy; each bad one differs from good-one-image in what its name says.
 */
#include "tests/policy/owner.h"

#include "common/file.h"
#include "policy/capability.h"
#include "policy/policy.h"
#include "policy/policy_write.h"

#include <limits.h>
#include <stdio.h>

static char dir[] = "/tmp/holdfast-policy-XXXXXX";
static struct owner owner, stranger;

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	owner_make(&owner, dir, "owner");
	owner_make(&stranger, dir, "stranger");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owner_free(&owner);
	owner_free(&stranger);
	owner_remove_folder(dir);
	return 0;
}

static void read_case(const char *name, struct buf *ret)
{
	char path[PATH_MAX];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "tests/data/policy/%s.json", name);
	assert_ok(file_read(path, POLICY_MAX_BYTES, ret, &e), &e);
}

static struct policy *parse_case(const char *name)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct policy *p = NULL;
	struct err e = ERR_INIT;

	read_case(name, &b);
	assert_ok(policy_parse(b.data, b.len, name, &p, &e), &e);
	return p;
}

/* --- parsing -------------------------------------------------------------------------------------------------- */

static void every_field_is_read(void **state)
{
	cleanup_policy struct policy *p = parse_case("good-two-images-all-fields");
	const struct policy_image *i = policy_image_find(p, "web-1.2_x");
	uint8_t want[HASH_SHA256_BYTES];

	(void)state;
	assert_string_equal(p->name, "demo");
	assert_int_equal(p->version, 4294967295u);
	assert_int_equal(p->n_images, 2);
	assert_int_equal(p->n_revoked, 2);
	assert_non_null(i);
	assert_string_equal(i->class_name, "edge");
	memset(want, 0xaa, sizeof(want));
	assert_memory_equal(i->manifest, want, sizeof(want));
	memset(want, 0xbb, sizeof(want));
	assert_memory_equal(i->config, want, sizeof(want));
	assert_int_equal(i->n_layers, 3);
	memset(want, 0x11, sizeof(want));
	assert_memory_equal(i->layer[0].diff_id, want, sizeof(want));
	memset(want, 0x66, sizeof(want));
	assert_memory_equal(i->layer[2].root_hash, want, sizeof(want));
	assert_int_equal(i->layer[2].data_bytes, 8192);
	assert_int_equal(i->run.n_argv, 2);
	assert_string_equal(i->run.argv[0][0], "/srv/web");
	assert_string_equal(i->run.argv[0][1], "");
	assert_null(i->run.argv[0][2]);
	assert_string_equal(i->run.argv[1][1], "-v");
	assert_int_equal(i->run.n_exec, 1);
	assert_string_equal(i->run.exec[0][0], "/bin/true");
	assert_int_equal(i->run.n_env, 3);
	assert_string_equal(i->run.env[2], "B=x=y");
	assert_string_equal(i->run.cwd, "/srv/a.b");
	assert_int_equal(i->run.uid, 4294967294u);
	assert_int_equal(i->run.gid, 10);
	assert_int_equal(i->run.n_caps, 2);
	assert_string_equal(i->run.caps[1], "CAP_CHECKPOINT_RESTORE");
	assert_int_equal(i->run.n_tmpfs, 2);
	assert_string_equal(i->run.tmpfs[1], "/run/web");
	assert_int_equal(i->run.network, POLICY_NETWORK_NONE);
	assert_int_equal(i->run.seccomp, POLICY_SECCOMP_DEFAULT);
}

/* $ sha256sum tests/data/policy/good-no-images.json */
static void the_digest_is_that_of_the_exact_bytes(void **state)
{
	cleanup_policy struct policy *p = parse_case("good-no-images");
	char hex[2 * HASH_SHA256_BYTES + 1];

	(void)state;
	hex_encode(p->digest, HASH_SHA256_BYTES, hex);
	assert_string_equal(hex, "44e00dc99b5f165a9f58bd8bd6a3c9c8fd9dfe9d6198559d2723994c3c561e2a");
	assert_int_equal(p->n_images, 0);
}

static void fields_for_other_readers_are_ignored_everywhere(void **state)
{
	cleanup_policy struct policy *p = parse_case("good-x-fields");

	(void)state;
	assert_int_equal(p->n_images, 1);
}

static void classes_are_read_and_apart_in_both_directions(void **state)
{
	cleanup_policy struct policy *p = parse_case("good-classes"), *jit = parse_case("good-jit");

	(void)state;
	assert_false(p->image[0].run.jit); /* it need not stand there */
	assert_true(jit->image[0].run.jit);
	assert_int_equal(p->n_classes, 2);
	assert_string_equal(p->classes[0].name, "web");
	assert_int_equal(p->classes[0].first_id, 1000);
	assert_int_equal(p->classes[0].last_id, 1999);
	assert_true(policy_classes_are_apart(p, "web", "db"));
	assert_true(policy_classes_are_apart(p, "db", "web"));
	assert_false(policy_classes_are_apart(p, "web", "web"));
	assert_false(policy_classes_are_apart(p, "db", "other"));
}

static void lookups_find_what_is_there_and_nothing_else(void **state)
{
	cleanup_policy struct policy *p = parse_case("good-two-images-all-fields");
	uint8_t hash[HASH_SHA256_BYTES];

	(void)state;
	assert_non_null(policy_image_find(p, "hello"));
	assert_null(policy_image_find(p, "hell"));
	assert_null(policy_image_find(p, "hello2"));
	assert_null(policy_image_find(p, ""));
	memset(hash, 0x77, sizeof(hash));
	assert_true(policy_layer_is_revoked(p, hash));
	hash[31] ^= 1;
	assert_false(policy_layer_is_revoked(p, hash));
}

static void each_bad_document_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *name;
		const char *part;
	} bad[] = {
		{"bad-args-17", "images[0].run.args: has 17 entries, wanted at most 16"},
		{"bad-args-257-words", "images[0].run.args[0]: wanted a list of 1 to 256 strings"},
		{"bad-args-empty-program", "images[0].run.args[0][0]: the program's name is empty"},
		{"bad-args-empty", "images[0].run.args: names no argument vector, so nothing could run"},
		{"bad-args-no-words", "images[0].run.args[0]: wanted a list of 1 to 256 strings"},
		{"bad-args-number-inside", "images[0].run.args[0][1]: wanted a string"},
		{"bad-args-string", "images[0].run.args[0]: wanted a list of 1 to 256 strings"},
		{"bad-array", "document: wanted an object"},
		{"bad-capability-lower-case",
		 "images[0].run.capabilities[0]: \"cap_chown\" is no capability of Linux 6.12"},
		{"bad-capability-twice", "images[0].run.capabilities[1]: \"CAP_CHOWN\" stands twice"},
		{"bad-capability-unknown",
		 "images[0].run.capabilities[0]: \"CAP_EVERYTHING\" is no capability of Linux 6.12"},
		{"bad-class-blank",
		 "images[0].class: \"a b\" is no name: wanted 1 to 64 of [a-z0-9._-], a letter or digit first"},
		{"bad-classes-33", "document.classes: has 33 entries, wanted 1 to 32"},
		{"bad-classes-apart-itself", "classes[0].apart[0]: \"web\" is no other class"},
		{"bad-classes-apart-nobody", "classes[0].apart[0]: \"dc\" is no other class"},
		{"bad-classes-apart-twice", "classes[0].apart[1]: \"db\" stands twice"},
		{"bad-classes-empty", "document.classes: has 0 entries"},
		{"bad-classes-gid-outside", "images[0].run.user: 1000:2000 is not within 1000 to 1999 of class \"web\""},
		{"bad-classes-id-minus-one", "classes[0].ids: field \"last\""},
		{"bad-classes-inside", "classes[1].ids: 1000 to 2000 overlaps 1500 to 1500 of class \"db\""},
		{"bad-classes-no-apart", "classes[0]: field \"apart\" is missing"},
		{"bad-classes-one-name", "classes[1]: is named \"web\" as classes[0] is"},
		{"bad-classes-overlap", "classes[1].ids: 2000 to 2000 overlaps 1000 to 2000"},
		{"bad-classes-range", "classes[0].ids: from 1999 to 1000 is no range"},
		{"bad-classes-setuid", "images[0].run.capabilities[1]: with CAP_SETUID it could leave"},
		{"bad-classes-uid-outside", "images[0].run.user: 0:1000 is not within"},
		{"bad-classes-undeclared", "images[0].class: \"default\" is none of the document's classes"},
		{"bad-classes-unknown-field", "classes[0]: unknown field \"alone\""},
		{"bad-config-upper-case", "images[0]: field \"config\" is not 64 lower-case hex digits"},
		{"bad-cut", "ends at byte 831, wanted a key in quotes without escapes"},
		{"bad-cwd-4096-bytes", "images[0].run.cwd: path has 4096 bytes, wanted at most 4095"},
		{"bad-cwd-dot", "images[0].run.cwd: \"/a/.\" has a part that is empty, \".\" or \"..\""},
		{"bad-cwd-dotdot", "images[0].run.cwd: \"/a/../b\" has a part that is empty, \".\" or \"..\""},
		{"bad-cwd-double-slash", "images[0].run.cwd: \"//a\" has a part that is empty, \".\" or \"..\""},
		{"bad-cwd-empty", "images[0].run.cwd: \"\" is not absolute"},
		{"bad-cwd-relative", "images[0].run.cwd: \"tmp\" is not absolute"},
		{"bad-cwd-slash-behind", "images[0].run.cwd: \"/a/\" has a part that is empty, \".\" or \"..\""},
		{"bad-data-bytes-0", "images[0].layers[0].data_bytes: is 0, wanted a multiple of 4096 that is not 0"},
		{"bad-data-bytes-2-to-63",
		 "images[0].layers[0]: field \"data_bytes\" is 9223372036854775808, wanted 0 to 9223372036854775806"},
		{"bad-data-bytes-odd",
		 "images[0].layers[0].data_bytes: is 4097, wanted a multiple of 4096 that is not 0"},
		{"bad-diff-id-no-hex", "images[0].layers[0]: field \"diff_id\" is not 64 lower-case hex digits"},
		{"bad-duplicate-key-in-run", "key \"network\" at offset 833 stands twice in one object"},
		{"bad-duplicate-key", "key \"version\" at offset 62 stands twice in one object"},
		{"bad-empty", "ends at byte 0, wanted a value"},
		{"bad-env-257", "images[0].run.env: has 257 entries, wanted at most 256"},
		{"bad-env-key-twice", "images[0].run.env[1]: \"A=2\" stands twice"},
		{"bad-env-no-equals", "images[0].run.env[0]: \"PATH\" is not of the form K=V"},
		{"bad-env-no-key", "images[0].run.env[0]: \"=x\" is not of the form K=V"},
		{"bad-env-number", "images[0].run.env[0]: wanted a string"},
		{"bad-exec-17", "images[0].run.exec: has 17 entries, wanted at most 16"},
		{"bad-exec-no-words", "images[0].run.exec[0]: wanted a list of 1 to 256 strings"},
		{"bad-gid-negative", "images[0].run.user: field \"gid\" is -1, wanted 0 to 4294967294"},
		{"bad-image-name-dash-first",
		 "images[0].name: \"-hello\" is no name: wanted 1 to 64 of [a-z0-9._-], a letter or digit first"},
		{"bad-image-name-slash",
		 "images[0].name: \"../hello\" is no name: wanted 1 to 64 of [a-z0-9._-], a letter or digit first"},
		{"bad-image-null", "images[0]: wanted an object"},
		{"bad-images-object", "document: field \"images\" is of type object, wanted array"},
		{"bad-layer-string", "images[0].layers[0]: wanted an object"},
		{"bad-layer-twice", "images[0].layers[1]: is the layer of layers[0] again"},
		{"bad-layers-129", "images[0].layers: has 129 entries, wanted at most 128"},
		{"bad-layers-empty", "images[0].layers: is empty"},
		{"bad-manifest-short", "images[0]: field \"manifest\" is not 64 lower-case hex digits"},
		{"bad-name-65-bytes", "document: field \"name\" is longer than 64 bytes or holds a NUL"},
		{"bad-name-empty",
		 "document.name: \"\" is no name: wanted 1 to 64 of [a-z0-9._-], a letter or digit first"},
		{"bad-name-number", "document: field \"name\" is of type int, wanted string"},
		{"bad-name-upper-case",
		 "document.name: \"Demo\" is no name: wanted 1 to 64 of [a-z0-9._-], a letter or digit first"},
		{"bad-jit-17", ": 17 images have run.jit, wanted at most 16"},
		{"bad-jit-number", "images[0].run: field \"jit\""},
		{"bad-jit-outside-run", "document: unknown field \"jit\""},
		{"bad-network-host", "images[0].run.network: \"host\" is not known, wanted \"none\""},
		{"bad-no-args", "images[0].run: field \"args\" is missing"},
		{"bad-no-capabilities", "images[0].run: field \"capabilities\" is missing"},
		{"bad-no-config", "images[0]: field \"config\" is missing"},
		{"bad-no-cwd", "images[0].run: field \"cwd\" is missing"},
		{"bad-no-data-bytes", "images[0].layers[0]: field \"data_bytes\" is missing"},
		{"bad-no-env", "images[0].run: field \"env\" is missing"},
		{"bad-no-exec", "images[0].run: field \"exec\" is missing"},
		{"bad-no-format", "document: field \"holdfast\" is missing"},
		{"bad-no-gid", "images[0].run.user: field \"gid\" is missing"},
		{"bad-no-images", "document: field \"images\" is missing"},
		{"bad-no-manifest", "images[0]: field \"manifest\" is missing"},
		{"bad-no-name", "document: field \"name\" is missing"},
		{"bad-no-network", "images[0].run: field \"network\" is missing"},
		{"bad-no-revoked", "document: field \"revoked\" is missing"},
		{"bad-no-run", "images[0]: field \"run\" is missing"},
		{"bad-no-seccomp", "images[0].run: field \"seccomp\" is missing"},
		{"bad-no-tmpfs", "images[0].run: field \"tmpfs\" is missing"},
		{"bad-no-user", "images[0].run: field \"user\" is missing"},
		{"bad-no-version", "document: field \"version\" is missing"},
		{"bad-not-utf-8", "found byte 0x22 at offset 681, wanted a well-formed value"},
		{"bad-nul-in-argument", "found byte 0x22 at offset 681, wanted a well-formed value"},
		{"bad-one-root-hash-two-sizes",
		 "images[1].layers[1]: has 8192 data bytes, the same root hash has 4096 in images[0]"},
		{"bad-other-format", "document.holdfast: \"layer-policy/2\" is not known, wanted \"layer-policy/1\""},
		{"bad-revoked-513", "document.revoked: has 513 entries, wanted at most 512"},
		{"bad-revoked-in-use", "images[0].layers[1]: its root hash is revoked"},
		{"bad-revoked-number", "revoked[0]: wanted 64 lower-case hex digits"},
		{"bad-revoked-short", "revoked[0]: wanted 64 lower-case hex digits"},
		{"bad-revoked-twice", "revoked[2]: stands twice"},
		{"bad-root-hash-long",
		 "images[0].layers[1]: field \"root_hash\" is longer than 64 bytes or holds a NUL"},
		{"bad-seccomp-unconfined", "images[0].run.seccomp: \"unconfined\" is not known, wanted \"default\""},
		{"bad-tmpfs-33", "images[0].run.tmpfs: has 33 entries, wanted at most 32"},
		{"bad-tmpfs-dotdot", "images[0].run.tmpfs[0]: \"/..\" has a part that is empty, \".\" or \"..\""},
		{"bad-tmpfs-relative", "images[0].run.tmpfs[0]: \"tmp\" is not absolute"},
		{"bad-tmpfs-top", "images[0].run.tmpfs[0]: a tmpfs on \"/\" would hide the image"},
		{"bad-tmpfs-twice", "images[0].run.tmpfs[1]: \"/tmp\" stands twice"},
		{"bad-trailing-byte", "found byte 0x7d at offset 871, wanted the end of the document"},
		{"bad-two-images-of-one-name", "images[1]: is named \"hello\" as images[0] is"},
		{"bad-uid-minus-one", "images[0].run.user: field \"uid\" is 4294967295, wanted 0 to 4294967294"},
		{"bad-uid-name", "images[0].run.user: field \"uid\" is of type string, wanted int"},
		{"bad-unknown-field", "document: unknown field \"extra\""},
		{"bad-unknown-image-field", "images[0]: unknown field \"extra\""},
		{"bad-unknown-layer-field", "images[0].layers[0]: unknown field \"extra\""},
		{"bad-unknown-run-field", "images[0].run: unknown field \"mounts\""},
		{"bad-unknown-user-field", "images[0].run.user: unknown field \"groups\""},
		{"bad-version-0", "document: field \"version\" is 0, wanted 1 to 4294967295"},
		{"bad-version-fraction", "found byte 0x31 at offset 58, wanted a well-formed value"},
		{"bad-version-negative", "document: field \"version\" is -1, wanted 0 to 4294967295"},
		{"bad-version-string", "document: field \"version\" is of type string, wanted int"},
		{"bad-version-too-big", "document: field \"version\" is 4294967296, wanted 0 to 4294967295"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_buf struct buf b = BUF_INIT;
		struct policy *p = NULL;
		struct err e = ERR_INIT;

		read_case(bad[i].name, &b);
		assert_refused(policy_parse(b.data, b.len, bad[i].name, &p, &e), &e, EINVAL, bad[i].part);
		assert_null(p);
	}
}

/* A document from good-one-image with @n bytes @fill in place of the word httpd, or with its only image @n times. */
static void grown(struct buf *ret, size_t n, bool images)
{
	cleanup_buf struct buf b = BUF_INIT;
	const char *from, *to, *text;

	read_case("good-one-image", &b);
	text = (const char *)b.data;
	from = images ? strchr(strstr(text, "\"images\""), '{') : strstr(text, "httpd");
	to = images ? strstr(text, "}\n ],") + 1 : from + strlen("httpd");
	assert_non_null(from);
	buf_put(ret, text, (size_t)(from - text));
	for (size_t i = 0; i < n && !images; i++)
		buf_u8(ret, 'a');
	for (size_t i = 0; i < n && images; i++) {
		const char *name = strstr(from, "hello");

		buf_put(ret, from, (size_t)(name - from));
		buf_printf(ret, "image%zu", i);
		buf_put(ret, name + strlen("hello"), (size_t)(to - name) - strlen("hello"));
		buf_str(ret, i + 1 < n ? "," : "");
	}
	buf_str(ret, to);
	assert_false(ret->bad);
}

static void bounds_hold_at_their_edge(void **state)
{
	static const struct {
		bool images;
		size_t good, bad;
		const char *part;
	} edges[] = {
		{false, 131071, 131072, "images[0].run.args[0][1]: has 131072 bytes"},
		{true, 256, 257, "images: has 257 entries, wanted at most 256"},
		{false, 0, 5 << 20, "wanted at most 4194304"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		cleanup_policy struct policy *p = NULL;
		cleanup_buf struct buf good = BUF_INIT;
		cleanup_buf struct buf bad = BUF_INIT;
		struct policy *none = NULL;
		struct err e = ERR_INIT;

		grown(&good, edges[i].good, edges[i].images);
		assert_ok(policy_parse(good.data, good.len, "policy.json", &p, &e), &e);
		grown(&bad, edges[i].bad, edges[i].images);
		assert_refused(policy_parse(bad.data, bad.len, "policy.json", &none, &e), &e, EINVAL, edges[i].part);
	}
}

static void a_long_path_does_not_hide_the_place(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct policy *p = NULL;
	struct err e = ERR_INIT;
	char name[1024];

	(void)state;
	memset(name, 'd', sizeof(name));
	(void)strcpy(name + sizeof(name) - 13, "/policy.json");
	read_case("bad-network-host", &b);
	assert_refused(policy_parse(b.data, b.len, name, &p, &e), &e, EINVAL,
		       "/policy.json: images[0].run.network: \"host\" is not known");
}

/* Known answers: $ capsh --explain / include/uapi/linux/capability.h */
static void capabilities_have_the_kernels_numbers(void **state)
{
	(void)state;
	assert_int_equal(policy_capability_number("CAP_CHOWN"), 0);
	assert_int_equal(policy_capability_number("CAP_NET_BIND_SERVICE"), 10);
	assert_int_equal(policy_capability_number("CAP_SYS_ADMIN"), 21);
	assert_int_equal(policy_capability_number("CAP_CHECKPOINT_RESTORE"), 40);
	assert_int_equal(policy_capability_number("CHOWN"), -1);
	assert_int_equal(policy_capability_number(""), -1);
}

/* --- writing -------------------------------------------------------------------------------------------------- */

static void what_is_written_is_what_was_parsed(void **state)
{
	static const char *const names[] = {"good-one-image", "good-classes", "good-two-images-all-fields", "good-no-images",
					    "good-x-fields"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_policy struct policy *p = parse_case(names[i]);
		cleanup_policy struct policy *again = NULL;
		cleanup_buf struct buf one = BUF_INIT;
		cleanup_buf struct buf two = BUF_INIT;
		struct err e = ERR_INIT;

		assert_ok(policy_write(p, &one, &e), &e);
		assert_ok(policy_parse(one.data, one.len, names[i], &again, &e), &e);
		assert_ok(policy_write(again, &two, &e), &e);
		assert_int_equal(one.len, two.len);
		assert_memory_equal(one.data, two.data, one.len);
		assert_int_equal(p->n_images, again->n_images);
		assert_int_equal(p->n_classes, again->n_classes);
		assert_int_equal(p->version, again->version);
	}
}

/*
 * In full, so that nothing is left out of what the test above only compares with itself.
 * $ python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin),separators=(",",":")))' < good-one-image.json
 */
static void the_written_text_has_every_field(void **state)
{
	cleanup_policy struct policy *p = parse_case("good-one-image");
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(policy_write(p, &b, &e), &e);
	buf_u8(&b, 0);
	assert_string_equal(
		(char *)b.data,
		"{\"holdfast\":\"layer-policy/"
		"1\",\"name\":\"demo\",\"version\":1,\"images\":[{\"name\":\"hello\",\"class\":\""
		"default\",\"manifest\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"co"
		"nfig\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\",\"layers\":[{\"diff_"
		"id\":\"1111111111111111111111111111111111111111111111111111111111111111\",\"root_hash\":\"222222"
		"2222222222222222222222222222222222222222222222222222222222\",\"data_bytes\":1048576},{\"diff_i"
		"d\":\"3333333333333333333333333333333333333333333333333333333333333333\",\"root_hash\":\"4444444"
		"444444444444444444444444444444444444444444444444444444444\",\"data_bytes\":4096}],\"run\":{\"arg"
		"s\":[[\"/bin/busybox\",\"httpd\",\"-f\"]],\"exec\":[],\"env\":[\"PATH=/bin\"],\"cwd\":\"/"
		"\",\"user\":{\"uid\":0"
		",\"gid\":0},\"capabilities\":[],\"tmpfs\":[\"/"
		"tmp\"],\"network\":\"none\",\"seccomp\":\"default\"}}],\"revo"
		"ked\":[]}\n");
}

static void a_policy_that_would_not_parse_is_not_written(void **state)
{
	cleanup_policy struct policy *p = parse_case("good-one-image");
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	p->image[0].run.network = POLICY_NETWORK_UNSET;
	assert_refused(policy_write(p, &b, &e), &e, EINVAL, "run.network: \"unset\" is not known");
	assert_int_equal(b.len, 0);
}

/* --- signatures ----------------------------------------------------------------------------------------------- */

/* Lay out a root with policy, signature and certificate; @edit changes one of them before it is loaded. */
static void make_root(const struct owner *trusted, const struct owner *signer, enum pki_shape shape)
{
	cleanup_buf struct buf doc = BUF_INIT;
	cleanup_buf struct buf sig = BUF_INIT;
	struct err e = ERR_INIT;
	char path[PATH_MAX];

	read_case("good-one-image", &doc);
	assert_ok(pki_sign(&signer->by, doc.data, doc.len, shape, &sig, &e), &e);
	(void)snprintf(path, sizeof(path), "%s/etc/holdfast", dir);
	assert_ok(file_mkdirs(path, &e), &e);
	(void)snprintf(path, sizeof(path), "%s" POLICY_PATH, dir);
	assert_ok(file_write(path, doc.data, doc.len, 0644, &e), &e);
	(void)snprintf(path, sizeof(path), "%s" POLICY_SIG_PATH, dir);
	assert_ok(file_write(path, sig.data, sig.len, 0644, &e), &e);
	(void)snprintf(path, sizeof(path), "%s" POLICY_CERT_PATH, dir);
	owner_write_der(trusted, path);
}

/* Rewrite one file of the root: @at is the byte to flip, or SIZE_MAX to append one. */
static void damage(const char *file, size_t at)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s%s", dir, file);
	assert_ok(file_read(path, POLICY_MAX_BYTES, &b, &e), &e);
	if (at == SIZE_MAX)
		buf_u8(&b, '\n');
	else
		b.data[at < b.len ? at : b.len - 1] ^= 1;
	assert_ok(file_write(path, b.data, b.len, 0644, &e), &e);
}

static void a_policy_signed_by_its_owner_is_loaded(void **state)
{
	cleanup_policy struct policy *p = NULL;
	struct err e = ERR_INIT;

	(void)state;
	make_root(&owner, &owner, PKI_DETACHED);
	assert_ok(policy_load_verified(dir, &p, &e), &e);
	assert_int_equal(p->n_images, 1);
}

static void no_other_signature_is_believed(void **state)
{
	static const struct {
		const char *what;
		const char *file; /* damaged, if set */
		size_t at;
		bool by_stranger;
		enum pki_shape shape;
		int code;
		const char *part;
	} bad[] = {
		{"a changed byte in the document", POLICY_PATH, 40, false, PKI_DETACHED, EBADMSG,
		 "not over these bytes"},
		{"a byte behind the document", POLICY_PATH, SIZE_MAX, false, PKI_DETACHED, EBADMSG,
		 "not over these bytes"},
		{"a byte behind the signature", POLICY_SIG_PATH, SIZE_MAX, false, PKI_DETACHED, EBADMSG, ""},
		{"a changed byte in the signature", POLICY_SIG_PATH, 100000, false, PKI_DETACHED, EBADMSG, ""},
		{"another key", NULL, 0, true, PKI_DETACHED, EBADMSG, "another certificate"},
		{"a signature with its own content", NULL, 0, false, PKI_ATTACHED, EBADMSG, "own content"},
		{"a certificate that is none", POLICY_CERT_PATH, 0, false, PKI_DETACHED, EINVAL, "certificate"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct policy *p = NULL;
		struct err e = ERR_INIT;

		make_root(&owner, bad[i].by_stranger ? &stranger : &owner, bad[i].shape);
		if (bad[i].file)
			damage(bad[i].file, bad[i].at);
		assert_refused(policy_load_verified(dir, &p, &e), &e, bad[i].code, bad[i].part);
		assert_null(p);
	}
}

static void a_missing_file_names_its_path(void **state)
{
	static const char *const files[] = {POLICY_PATH, POLICY_SIG_PATH, POLICY_CERT_PATH};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct policy *p = NULL;
		struct err e = ERR_INIT;
		char path[PATH_MAX];

		make_root(&owner, &owner, PKI_DETACHED);
		(void)snprintf(path, sizeof(path), "%s%s", dir, files[i]);
		assert_int_equal(unlink(path), 0);
		assert_refused(policy_load_verified(dir, &p, &e), &e, ENOENT, files[i]);
	}
}

static void a_signed_document_is_still_parsed_strictly(void **state)
{
	cleanup_buf struct buf doc = BUF_INIT;
	cleanup_buf struct buf sig = BUF_INIT;
	struct policy *p = NULL;
	struct err e = ERR_INIT;
	char path[PATH_MAX];

	(void)state;
	make_root(&owner, &owner, PKI_DETACHED);
	read_case("bad-unknown-run-field", &doc);
	assert_ok(pki_sign(&owner.by, doc.data, doc.len, PKI_DETACHED, &sig, &e), &e);
	(void)snprintf(path, sizeof(path), "%s" POLICY_PATH, dir);
	assert_ok(file_write(path, doc.data, doc.len, 0644, &e), &e);
	(void)snprintf(path, sizeof(path), "%s" POLICY_SIG_PATH, dir);
	assert_ok(file_write(path, sig.data, sig.len, 0644, &e), &e);
	assert_refused(policy_load_verified(dir, &p, &e), &e, EINVAL, "images[0].run: unknown field \"mounts\"");
}

static void saving_removes_a_signature_that_no_longer_fits(void **state)
{
	cleanup_policy struct policy *p = parse_case("good-one-image");
	cleanup_policy struct policy *again = NULL;
	struct policy *none = NULL;
	struct err e = ERR_INIT;
	char path[PATH_MAX];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/saved.json", dir);
	assert_ok(policy_save(p, path, &e), &e);
	assert_ok(policy_sign_file(path, &owner.by, &e), &e);
	assert_ok(policy_check_file(path, owner.by.cert, &again, &e), &e);
	assert_refused(policy_check_file(path, stranger.by.cert, &none, &e), &e, EBADMSG, "another certificate");
	assert_ok(policy_save(p, path, &e), &e);
	assert_refused(policy_check_file(path, owner.by.cert, &none, &e), &e, ENOENT, "saved.json.p7s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_read),
		cmocka_unit_test(the_digest_is_that_of_the_exact_bytes),
		cmocka_unit_test(fields_for_other_readers_are_ignored_everywhere),
		cmocka_unit_test(classes_are_read_and_apart_in_both_directions),
		cmocka_unit_test(lookups_find_what_is_there_and_nothing_else),
		cmocka_unit_test(each_bad_document_is_refused_with_its_place),
		cmocka_unit_test(bounds_hold_at_their_edge),
		cmocka_unit_test(a_long_path_does_not_hide_the_place),
		cmocka_unit_test(capabilities_have_the_kernels_numbers),
		cmocka_unit_test(what_is_written_is_what_was_parsed),
		cmocka_unit_test(the_written_text_has_every_field),
		cmocka_unit_test(a_policy_that_would_not_parse_is_not_written),
		cmocka_unit_test(a_policy_signed_by_its_owner_is_loaded),
		cmocka_unit_test(no_other_signature_is_believed),
		cmocka_unit_test(a_missing_file_names_its_path),
		cmocka_unit_test(a_signed_document_is_still_parsed_strictly),
		cmocka_unit_test(saving_removes_a_signature_that_no_longer_fits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
