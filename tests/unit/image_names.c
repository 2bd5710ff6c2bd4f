// SPDX-License-Identifier: GPL-2.0
/*
 * Names as the source spells them. The symbols are from programs of
 * tests/workloads, built with rustc 1.95 (legacy; std's are v0) and a nightly
 * of 1.97 (v0).
 */
#include "image_program.h"

#include "image/names.h"
#include "trace_random.h"

static void assert_text(char *got, const char *want, const char *of)
{
	if (!got != !want || (got && strcmp(got, want)))
		fail_msg("%s: '%s', wanted '%s'", of, got ? got : "(none)",
			 want ? want : "(none)");
	free(got);
}

static void plain(void **state)
{
	static const char *const wants[][2] = {
		{ "a::b::C<d::E>", "a::b::C" },
		{ "a::b", "a::b" },
		{ "u8", "u8" },
		{ "", "" },
		{ "a::b::<c::D>::e", "a::b::e" },			/* turbofish */
		{ "a::B<C>::d::<E>", "a::B::d" },
		{ "a::B<fn(c::D) -> e::F<g::H>>::i", "a::B::i" },
		{ "a::B<C<D>, E<F<G>>>::h<I>", "a::B::h" },
		/* what it begins with is the type itself */
		{ "<a::B<C> as c::D<E>>::f<G>", "<a::B as c::D>::f" },
		{ "{async_fn_env#0}<u32>", "{async_fn_env#0}" },
		{ "core::future::poll_fn::PollFn<tokio::task::join_set::{impl#1}::join_next::"
		  "{async_fn#0}::{closure_env#0}<u64>>", "core::future::poll_fn::PollFn" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++)
		assert_text(name__plain(wants[i][0]), wants[i][1], wants[i][0]);
}

static void shorten(void **state)
{
	static const char *const wants[][3] = {
		/* name, with its own path, last words only */
		{ "a::b::Map<c::Fut, d::f::{closure_env#0}>", "a::b::Map<Fut, f>", "Map<Fut, f>" },
		{ "a::b", "a::b", "b" },
		{ "u8", "u8", "u8" },
		{ "", "", "" },
		{ "tokio::sync::mpsc::bounded::{impl#0}::recv::{async_fn_env#0}<u64>",
		  "tokio::sync::mpsc::bounded::{impl#0}::recv::{async_fn_env#0}<u64>", "recv<u64>" },
		{ "tokio::time::timeout::Timeout<core::pin::Pin<alloc::boxed::Box<(dyn core::future::"
		  "future::Future<Output=u32> + core::marker::Send), alloc::alloc::Global>>>",
		  "tokio::time::timeout::Timeout<Pin<Box<(dyn Future<Output=u32> + Send), Global>>>",
		  "Timeout<Pin<Box<(dyn Future<Output=u32> + Send), Global>>>" },
		{ "(a::B, &mut c::D, *const [e::F; 4])", "(a::B, &mut c::D, *const [e::F; 4])",
		  "(B, &mut D, *const [F; 4])" },
		{ "a::B<fn(c::D) -> e::F>", "a::B<fn(D) -> F>", "B<fn(D) -> F>" },
		{ "alloc::sync::Arc<tokio::runtime::scheduler::multi_thread::handle::Handle>",
		  "alloc::sync::Arc<Handle>", "Arc<Handle>" },
		{ "<a::T as b::Trait>::f", "<a::T as b::Trait>::f", "<T as Trait>::f" },
		{ "{async_fn_env#0}<u8>", "{async_fn_env#0}<u8>", "{async_fn_env#0}<u8>" },
		{ "a::\xc3\xbc::\xd1\x82<b::\xc3\xa9>", "a::\xc3\xbc::\xd1\x82<\xc3\xa9>",
		  "\xd1\x82<\xc3\xa9>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		assert_text(name__shorten(wants[i][0], false), wants[i][1], wants[i][0]);
		assert_text(name__shorten(wants[i][0], true), wants[i][2], wants[i][0]);
	}
}

/* Symbol, path, what its last generics hold. */
static const char *const symbols[][3] = {
	/* legacy */
	{ "_ZN5tokio7runtime4task3raw4poll17he931a7633675f370E", "tokio::runtime::task::raw::poll",
	  NULL },
	{ "_ZN78_$LT$tokio..sync..notify..Notified$u20$as$u20$core..future..future..Future$GT$"
	  "4poll17h7ed8928aebce7b01E", "tokio::sync::notify::Notified::poll", NULL },
	{ "_ZN129_$LT$axum..boxed..MakeErasedHandler$LT$H$C$S$GT$$u20$as$u20$axum..boxed.."
	  "ErasedIntoRoute$LT$S$C$core..convert..Infallible$GT$$GT$15call_with_state"
	  "17hc75ae8ec4d4d615aE", "axum::boxed::MakeErasedHandler::call_with_state", NULL },
	{ "_ZN5tokio7runtime4task7harness20Harness$LT$T$C$S$GT$21drop_join_handle_slow"
	  "17hf63575391f4f2b73E", "tokio::runtime::task::harness::Harness::drop_join_handle_slow",
	  NULL },
	{ "_ZN6shapes7several6select28_$u7b$$u7b$closure$u7d$$u7d$17h55005203c6ce0b1fE.llvm."
	  "4994763337216288996", "shapes::several::select::{{closure}}", NULL },
	{ "_ZN12futures_util6stream17futures_unordered27FuturesUnordered$LT$Fut$GT$12release_task"
	  "17h5e5331fa6734495dE.llvm.16325038598499327046",
	  "futures_util::stream::futures_unordered::FuturesUnordered::release_task", NULL },
	{ "_ZN70_$LT$tokio..task..local..LocalSet$u20$as$u20$core..ops..drop..Drop$GT$4drop28_"
	  "$u7b$$u7b$closure$u7d$$u7d$17h41fb79ec6e4e2fb8E",
	  "tokio::task::local::LocalSet::drop::{{closure}}", NULL },
	{ "_ZN4core3ptr70drop_in_place$LT$web..Backend..answer..$u7b$$u7b$closure$u7d$$u7d$$GT$"
	  "17h1754d95d1104d3e4E", "core::ptr::drop_in_place", "web::Backend::answer::{{closure}}" },
	{ "_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt17h31f7c804a9d76897E", "&T::fmt",
	  NULL },
	/* v0 */
	{ "_RNvMs5_NtNtCsjrHSEGnQ3l9_3std2io5errorNtB5_5Error4kind.llvm.4132958632424007794",
	  "std::io::error::Error::kind", NULL },
	{ "_RNvXsq_NtCslNYArtu3iFV_5alloc6stringNtB5_6StringNtNtCsgEmfK2I1SDS_4core3fmt7Display3fmt"
	  ".llvm.3753153786522423043", "alloc::string::String::fmt", NULL },
	{ "_RNvMsn_NtCslNYArtu3iFV_5alloc4syncINtB5_3ArcNtNtNtCsjrHSEGnQ3l9_3std6thread9spawnhook"
	  "9SpawnHookE9drop_slowBM_", "alloc::sync::Arc::drop_slow", NULL },
	{ "_RNCNvMsi_NtNtNtCsjrHSEGnQ3l9_3std3sys2fs4unixNtB7_4File4open0Bd_",
	  "std::sys::fs::unix::File::open::{closure#0}", NULL },
	{ "_RINvNtCsgEmfK2I1SDS_4core9panicking13assert_failedyyEB4_",
	  "core::panicking::assert_failed", "u64, u64" },
	{ "_RNvYINtNtNtCsduwmD7cSIQq_5gimli4read12endian_slice11EndianSliceNtNtB9_9endianity"
	  "12LittleEndianENtNtB7_6reader6Reader12read_uleb128CsjrHSEGnQ3l9_3std",
	  "gimli::read::endian_slice::EndianSlice::read_uleb128", NULL },
	{ "_RINvNtNtNtCseYlg0eUFS6l_5tokio7runtime4task3raw4pollNCNvCs4T7TqLLp41f_6timers6ticker0"
	  "INtNtCsbEht8wFNRx7_5alloc4sync3ArcNtNtNtB6_9scheduler14current_thread6HandleEEBS_",
	  "tokio::runtime::task::raw::poll",
	  "timers::ticker::{closure#0}, "
	  "alloc::sync::Arc<tokio::runtime::scheduler::current_thread::Handle>" },
	{ "_RINvNtNtNtCseYlg0eUFS6l_5tokio7runtime4task3raw4pollINtNtNtB6_8blocking4task12Blocking"
	  "TaskNCNvMNtNtNtB6_9scheduler12multi_thread6workerNtB1v_6Launch6launch0ENtNtBT_8schedule"
	  "16BlockingScheduleEB8_", "tokio::runtime::task::raw::poll",
	  "tokio::runtime::blocking::task::BlockingTask<<tokio::runtime::scheduler::multi_thread::"
	  "worker::Launch>::launch::{closure#0}>, "
	  "tokio::runtime::blocking::schedule::BlockingSchedule" },
	{ "_RINvNtCs8NwYtU1Mohg_4core3ptr9drop_glueNCNvNtCscjOCiCUypym_5tokio3app5boxed0EBH_.llvm."
	  "6619024632446966371", "core::ptr::drop_glue", "tokio::app::boxed::{closure#0}" },
	/* not Rust's */
	{ "main", NULL, NULL },
	{ "", NULL, NULL },
	{ "__floattidf", NULL, NULL },
	{ "_ZN3fooC1Ev", NULL, NULL },
	{ "_ZNSt6vectorIiSaIiEE9push_backEOi", NULL, NULL },
	{ "_R", NULL, NULL },
	{ "_RNv", NULL, NULL },
	{ "_ZN", NULL, NULL },
	{ ".llvm.1", NULL, NULL },
};

static void of_symbol(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		char *generics;

		assert_text(name__of_symbol(symbols[i][0], &generics), symbols[i][1],
			    symbols[i][0]);
		assert_text(generics, symbols[i][2], symbols[i][0]);
		assert_text(name__of_symbol(symbols[i][0], NULL), symbols[i][1], symbols[i][0]);
	}
}

static void generic(void **state)
{
	static const struct {
		const char	*generics, *wants[3];
	} tests[] = {
		{ "timers::ticker::{closure#0}, alloc::sync::Arc<a::Handle>",
		  { "timers::ticker", "alloc::sync::Arc<a::Handle>", NULL } },
		{ "u64", { "u64", NULL, NULL } },
		{ "<a::B>::f::<u8>::{closure#0}, d::E", { "a::B::f<u8>", "d::E", NULL } },
		{ "<a::B<C, D> as e::F<G>>::h::{closure#0}", { "a::B<C, D>::h", NULL, NULL } },
		{ "a::B<<c::D>::e::{closure#0}>, (f::G, h::I), [j::K; 3]",
		  { "a::B<<c::D>::e>", "(f::G, h::I)", "[j::K; 3]" } },
		{ "fn(a::B, c::D) -> e::F<g::H>, i::J",
		  { "fn(a::B, c::D) -> e::F<g::H>", "i::J", NULL } },
		{ "a::f::{closure#0}::{closure#0}::<i16>", { "a::f<i16>", NULL, NULL } },
		{ "a::f::{{closure}}", { "a::f", NULL, NULL } },
		{ "", { NULL, NULL, NULL } },
		{ ",", { NULL, NULL, NULL } },
		{ "a,", { "a", NULL, NULL } },
		{ "a, ", { "a", NULL, NULL } },
		{ "a::{closure", { "a::{closure", NULL, NULL } },
		{ ">>>, a<<<", { ">>>", "a<<<", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		for (unsigned int n = 0; n < 3; n++)
			assert_text(name__generic(tests[i].generics, n), tests[i].wants[n],
				    tests[i].generics);
}

static void argument(void **state)
{
	/* the job of a poll function, spelled by a drop that was inlined into it */
	static const char job[] =
		"_ZN4core3ptr132drop_in_place$LT$tokio..runtime..task..core..CoreStage$LT$tokio..runtime"
		"..blocking..task..BlockingTask$LT$web..read_file$GT$$GT$$GT$17h9a9a974ea3021a5bE";
	static const char v0[] =
		"_RINvNtNtNtCseYlg0eUFS6l_5tokio7runtime4task3raw4pollINtNtNtB6_8blocking4task12Blocking"
		"TaskNCNvMNtNtNtB6_9scheduler12multi_thread6workerNtB1v_6Launch6launch0ENtNtBT_8schedule"
		"16BlockingScheduleEB8_";

	(void)state;
	assert_text(name__argument(job, "BlockingTask"), "web::read_file", job);
	assert_text(name__argument(job, "CoreStage"),
		    "tokio::runtime::blocking::task::BlockingTask<web::read_file>", job);
	assert_text(name__argument(v0, "BlockingTask"),
		    "<tokio::runtime::scheduler::multi_thread::worker::Launch>::launch::{closure#0}",
		    v0);
	assert_text(name__argument(job, "Task"), NULL, job);	/* a part of a word only */
	assert_text(name__argument(job, "read_file"), NULL, job);
	assert_text(name__argument(job, "None"), NULL, job);
	assert_text(name__argument("main", "BlockingTask"), NULL, "main");
}

static void kinds(void **state)
{
	static const char *const coroutines[] = {
		"{async_fn_env#0}", "{async_fn_env#12}<u8>", "{async_block_env#0}",
		"{async_closure_env#0}", "{gen_fn_env#0}", "{gen_block_env#1}", "{gen_closure_env#0}",
		"{async_gen_fn_env#0}", "{async_gen_block_env#0}", "{async_gen_closure_env#0}",
		"{coroutine_env#0}",
	};
	static const char *const others[] = {
		"{closure_env#0}", "{async_fn#0}", "{async_block#0}", "{impl#0}", "async_fn_env#0", "",
		"{", "{async_fn_env", "Foo<{async_fn_env#0}>", "{async_fn_envy#0}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(coroutines) / sizeof(*coroutines); i++) {
		assert_true(name__is_coroutine(coroutines[i]));
		assert_false(name__is_closure(coroutines[i]));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(name__is_coroutine(others[i]));
	assert_true(name__is_closure("{closure_env#0}"));
	assert_true(name__is_closure("{closure_env#3}<u8>"));
	assert_false(name__is_closure("{closure#0}"));
	assert_false(name__is_closure(""));
}

/* A short symbol whose back references would make of it more than memory holds. */
static void endless(void **state)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char symbol[2048] = "_RINvC5tokio4poll", back[8];
	char *generics, *path;
	size_t last = strlen(symbol) - 2;

	(void)state;
	strcat(symbol, "TuuE");
	for (int i = 0; i < 60; i++) {
		size_t at = strlen(symbol) - 2, n = last - 1;

		if (n < 62)
			snprintf(back, sizeof(back), "B%c_", digits[n]);
		else
			snprintf(back, sizeof(back), "B%c%c_", digits[n / 62], digits[n % 62]);
		sprintf(symbol + strlen(symbol), "T%s%sE", back, back);
		last = at;
		if (i == 2) {
			/* so far it is one that can be read */
			strcat(symbol, "E");
			assert_text(name__of_symbol(symbol, &generics), "tokio::poll", symbol);
			assert_non_null(generics);
			free(generics);
			symbol[strlen(symbol) - 1] = 0;
		}
	}
	strcat(symbol, "E");
	path = name__of_symbol(symbol, &generics);
	assert_null(path);
	assert_null(generics);
	assert_null(name__argument(symbol, "poll"));
}

static void use_all(const char *s)
{
	char *text, *generics;
	size_t len = strlen(s);

	text = name__plain(s);
	assert_non_null(text);
	assert_true(strlen(text) <= len);
	free(text);
	for (int last = 0; last < 2; last++) {
		text = name__shorten(s, last);
		assert_non_null(text);
		assert_true(strlen(text) <= len);
		free(text);
	}
	for (unsigned int n = 0; n < 3; n++)
		free(name__generic(s, n));
	text = name__of_symbol(s, &generics);
	free(text);
	free(generics);
	free(name__argument(s, "BlockingTask"));
	(void)name__is_coroutine(s);
	(void)name__is_closure(s);
}

static void hostile(void **state)
{
	static const char *const bits[] = {
		"<", ">", "::", ":", "{", "}", "{closure#0}", "{async_fn_env#0}", "(", ")", "[", "]",
		" as ", "->", ", ", "&mut ", "dyn ", "a", "Bc", "_", "#", "\xc3", "\xff", "<<<<<<<<",
		">>>>>>>>", "::<", ".llvm.", "$LT$", "$GT$", "..", "B_", "_R", "_ZN", "17h", "E",
	};
	static char s[70000];
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		size_t n = 0;

		s[0] = 0;
		for (uint64_t k = below(&seed, 24); k; k--) {
			const char *bit = bits[below(&seed, sizeof(bits) / sizeof(*bits))];

			strcpy(s + n, bit);
			n += strlen(bit);
		}
		use_all(s);
	}
	/* real symbols, a little wrong */
	for (int round = 0; round < 20000; round++) {
		size_t which = below(&seed, sizeof(symbols) / sizeof(*symbols));
		size_t len = strlen(symbols[which][0]);

		strcpy(s, symbols[which][0]);
		for (uint64_t k = 1 + below(&seed, 3); k && len; k--) {
			size_t at = below(&seed, len);

			switch (below(&seed, 4)) {
			case 0:
				s[at] = (char)(1 + below(&seed, 255));
				break;
			case 1:
				s[at] = s[below(&seed, len)];
				break;
			case 2:
				memmove(s + at, s + at + 1, len - at);
				len--;
				break;
			default:
				s[at] = (char)('0' + below(&seed, 10));
			}
		}
		use_all(s);
	}
	/* long ones */
	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		size_t n = 0, len = strlen(bits[i]);

		for (; n + len < 20000; n += len)
			memcpy(s + n, bits[i], len);
		s[n] = 0;
		use_all(s);
	}
}

/* {impl#N} gets its type's name from symbols; bodies go by their functions' names. */
static void of_types(void **state)
{
	static const struct image_opts opts = { .cache_dir = "", .jobs = 1 };
	static const char *const wants[] = {
		"tokio::app::main_task", "tokio::app::race", "tokio::app::boxed", "tokio::app::leaf",
		"tokio::app::Conn::serve<u32>", "tokio::app::Conn::serve<u16>", "tokio::main",
		"tokio::time::sleep::Sleep",
		"core::future::poll_fn::PollFn<tokio::app::race::{async_fn#0}::{closure_env#0}>",
	};
	const struct image_type *types;
	struct image *img;
	const char *why;
	size_t nr;

	(void)state;
	if (!build_tokio("-O", "tokio"))
		skip();
	assert_int_equal(image__open(at("tokio"), &opts, &img, &why), 0);
	assert_int_equal(image__tier(img), IMAGE_TIER_FULL);
	types = image__types(img, &nr);
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		bool found = false;

		for (size_t k = 0; k < nr; k++)
			found |= !strcmp(image__str(img, types[k].name), wants[i]);
		if (!found)
			fail_msg("no type is called %s", wants[i]);
	}
	image__free(img);
}

static void task(const struct image *img, const char *name, const char *scheduler)
{
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (fns[i].role == RUNTIME_FN_POLL && !strcmp(image__str(img, fns[i].task), name) &&
		    !strcmp(image__str(img, fns[i].scheduler), scheduler))
			return;
	fail_msg("no task is called '%s', scheduled by '%s'", name, scheduler);
}

/* Without debug information: v0 symbols name the tasks, legacy ones only number them. */
static void of_tasks(void **state)
{
	static const struct image_opts opts = { .cache_dir = "", .jobs = 1 };
	static const char *const names[] = { "tokio::main", "tokio::app::main_task",
					     "tokio::app::race", "tokio::time::sleep::Sleep" };
	struct image *img;
	const char *why;

	(void)state;
	if (!build_tokio("-O -C strip=debuginfo", "legacy"))
		skip();
	assert_int_equal(image__open(at("legacy"), &opts, &img, &why), 0);
	assert_int_equal(image__tier(img), IMAGE_TIER_SYMBOLS);
	image__free(img);
	/* stable takes the option when it can take the value */
	if (!build_tokio("-O -C strip=debuginfo -C symbol-mangling-version=v0", "v0"))
		skip();
	assert_int_equal(image__open(at("v0"), &opts, &img, &why), 0);
	assert_int_equal(image__tier(img), IMAGE_TIER_SYMBOLS);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		task(img, names[i], "Handle");
	image__free(img);
}

/* A closure that is polled goes by its function, and is told from it outside of the runtime. */
static void of_closures(void **state)
{
	static const struct {
		const char	*name;
		bool		 own;
		const char	*want;
	} tests[] = {
		{ "tokio::time::interval::Interval::tick", true,
		  "tokio::time::interval::Interval::tick" },
		{ "tokio::sync::mpsc::bounded::Receiver::recv<app::Job>", true,
		  "tokio::sync::mpsc::bounded::Receiver::recv<Job>" },
		{ "app::serve", false, "app::serve::{closure}" },
		{ "app::Conn::read<a::B<c::D>>", false, "app::Conn::read<B<D>>::{closure}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		char *text = name__closure_frame(tests[i].name, tests[i].own);

		assert_string_equal(text, tests[i].want);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(shorten),
		cmocka_unit_test(of_symbol),
		cmocka_unit_test(generic),
		cmocka_unit_test(argument),
		cmocka_unit_test(kinds),
		cmocka_unit_test(endless),
		cmocka_unit_test(hostile),
		cmocka_unit_test(of_types),
		cmocka_unit_test(of_closures),
		cmocka_unit_test(of_tasks),
	};

	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
