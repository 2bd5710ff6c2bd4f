// SPDX-License-Identifier: GPL-2.0
/*
 * What `dwell info' prints of a program whose names are hostile to a terminal.
 */
#include "image/model.h"
#include "image_program.h"
#include "printable.h"

static uint32_t add(struct model *m, enum model_table t)
{
	uint32_t at = model__add(m, t, 1);

	assert_int_not_equal(at, WALK_NONE);
	return at;
}

/* A model with a name in every place that has one. */
static struct image *hostile(void)
{
	struct model m;
	struct image_type *type;
	struct image_variant *v;
	struct walk_type *wt;
	struct image_fn *fn;
	struct model_block *b;
	struct image *img;

	model__init(&m);
	m.tier = IMAGE_TIER_FULL;
	m.hint = model__str(&m, "hint " HOSTILE);
	m.build_id = model__str(&m, "id " HOSTILE);
	m.debug_path = model__strn(&m, "path " HOSTILE, strlen("path " HOSTILE));
	m.producer = model__str(&m, "producer " HOSTILE);
	model__note(&m, "note %s", HOSTILE);
	type = model__at(&m, MODEL_TYPES, add(&m, MODEL_TYPES));
	wt = model__at(&m, MODEL_WALK_TYPES, add(&m, MODEL_WALK_TYPES));
	type->name = model__str(&m, "type " HOSTILE);
	wt->nr_variants = 1;
	wt->default_variant = WALK_NONE;
	add(&m, MODEL_WALK_VARIANTS);
	v = model__at(&m, MODEL_VARIANTS, add(&m, MODEL_VARIANTS));
	v->file = model__str(&m, "file " HOSTILE);
	v->line = 3;
	fn = model__at(&m, MODEL_FNS, add(&m, MODEL_FNS));
	fn->role = RUNTIME_FN_POLL;
	fn->cell = WALK_NONE;
	fn->task_long = model__str(&m, "task " HOSTILE);
	fn->scheduler = model__str(&m, "scheduler " HOSTILE);
	assert_int_equal(m.err, 0);
	b = model__freeze(&m, 1);
	assert_non_null(b);
	img = image__adopt(b, b->size, false, "path");
	assert_non_null(img);
	model__free(&m);
	return img;
}

static void printed(void **state)
{
	static const char *const words[] = { "hint", "id ", "path", "producer", "note", "type",
					     "file", "task", "scheduler" };
	struct image *img = hostile();
	char *text = image_text(img);

	(void)state;
	assert_printable(text, strlen(text));
	assert_null(strstr(text, "\nnew line"));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strstr(text, words[i]))
			fail_msg("'%s' is missing in:\n%s", words[i], text);
	free(text);
	image__free(img);
}

/* Names that say nothing, and names with a NUL inside, which a section's end allows. */
static void odd_names(void **state)
{
	struct model m;

	(void)state;
	model__init(&m);
	assert_int_equal(model__strn(&m, "\0a", 2), 0);
	assert_int_equal(model__strn(&m, "", 0), 0);
	assert_int_equal(model__strn(&m, "a\0b", 3), model__str(&m, "a"));
	assert_int_equal(model__str(&m, "\x1b"), model__str(&m, "?"));
	assert_string_equal(model__text(&m, model__str(&m, "caf\xc3\xa9")), "caf\xc3\xa9");
	model__free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printed),
		cmocka_unit_test(odd_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
