/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_spdx.c - packages of a tree, and the two places where an image tells of them */
#include "tests/image-builder/make.h"

#include "common/file.h"
#include "common/json.h"
#include "image-builder/refvalues_write.h"
#include "image-builder/spdx.h"

#define H  "e50984d2e1ef6300e3fd51303839842189a077b10cb5cadff1923df10c61c493"
#define H2 "c5755fd2cbf76961a1230e708b6bfc12c5400b57f3cd8a255675e9aa11d85848"

static int parse(const char *text, struct spdx_packages *ret, struct err *e)
{
	struct buf b = BUF_INIT;

	buf_str(&b, text);
	return spdx_packages_parse(&b, "list", ret, e);
}

static void malformed_lists_are_refused_with_the_line(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"adduser 3.152\n", "line 1 is not a package's name"},
		{"# Debian\nadduser 3.152 " H "\nlibc6  2 " H "\n", "line 3"},
		{"adduser v3 " H "\n", "line 1"},
		{"Adduser 3 " H "\n", "line 1"},
		{"adduser 3 00\n", "line 1"},
		{"adduser 3 " H " more\n", "line 1"},
		{"\n", "line 1"},
		{"adduser 3 " H "\nlibc6 1 " H "\nadduser 4 " H "\n", "adduser stands there twice"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spdx_packages p = {0};
		struct err e = ERR_INIT;

		assert_refused(parse(cases[i].text, &p, &e), &e, EINVAL, cases[i].part);
	}
}

static void the_document_names_each_package_once(void **state)
{
	const struct spdx_image image = {.name = "demo", .version = 7, .arch = "x86_64", .created = 1735689600};
	cleanup_spdx_packages struct spdx_packages p = {0};
	cleanup_buf struct buf out = BUF_INIT, again = BUF_INIT;
	cleanup_json json_object *doc = NULL;
	json_object *list, *o, *at;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("# Debian\nlibstdc++6 14.2.0-19 " H2 "\nbusybox-static 1:1.37.0-6+b9 " H, &p, &e), &e);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.package[0].name, "busybox-static"); /* ascending, whatever the list's order */
	assert_ok(spdx_write(&image, &p, &out, &e), &e);
	assert_ok(spdx_write(&image, &p, &again, &e), &e);
	assert_int_equal(out.len, again.len);
	assert_memory_equal(out.data, again.data, out.len);
	assert_ok(json_parse(out.data, out.len, "sbom", &doc, &e), &e);
	assert_ok(json_get(doc, "sbom", "creationInfo", json_type_object, &o, &e), &e);
	assert_string_equal(json_object_get_string(json_object_object_get(o, "created")), "2025-01-01T00:00:00Z");
	assert_ok(json_get(doc, "sbom", "packages", json_type_array, &list, &e), &e);
	assert_int_equal(json_object_array_length(list), 4); /* the image, ourselves, two */
	o = json_object_array_get_idx(list, 2);
	assert_string_equal(json_object_get_string(json_object_object_get(o, "versionInfo")), "1:1.37.0-6+b9");
	at = json_object_array_get_idx(json_object_object_get(o, "externalRefs"), 0);
	assert_string_equal(json_object_get_string(json_object_object_get(at, "referenceLocator")),
			    "pkg:deb/debian/busybox-static@1%3A1.37.0-6%2Bb9");
	at = json_object_array_get_idx(json_object_object_get(o, "checksums"), 0);
	assert_string_equal(json_object_get_string(json_object_object_get(at, "checksumValue")), H);
	assert_ok(json_get(doc, "sbom", "relationships", json_type_array, &list, &e), &e);
	assert_int_equal(json_object_array_length(list), 4);
}

/* Byte by byte the document that tests/attest/test_refvalues.c parses: the two sides of one format. */
static void reference_values_carry_names_and_versions(void **state)
{
	struct refvalues_image image = {.name = "demo", .version = 7, .arch = "x86_64", .profile = "enforce"};
	cleanup_spdx_packages struct spdx_packages p = {0};
	cleanup_buf struct buf out = BUF_INIT, want = BUF_INIT;
	struct predict rules = {0};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < PREDICT_PCRS; i++)
		rules.pcr[i].rule = PREDICT_ZERO;
	assert_ok(parse("libstdc++6 14.2.0-19 " H2 "\nbusybox-static 1:1.37.0-6+b9 " H "\nlibc6 2.41-12 " H "\n", &p, &e), &e);
	image.packages = &p;
	image.sbom[0] = 1;
	assert_ok(refvalues_write(&image, &rules, &out, &e), &e);
	assert_ok(file_read("tests/data/refvalues/good-sbom.json", 1 << 20, &want, &e), &e);
	assert_int_equal(out.len, want.len);
	assert_memory_equal(out.data, want.data, want.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_lists_are_refused_with_the_line),
		cmocka_unit_test(the_document_names_each_package_once),
		cmocka_unit_test(reference_values_carry_names_and_versions),
	};

	return cmocka_run_group_tests_name("image-builder/spdx", tests, NULL, NULL);
}
