// SPDX-License-Identifier: GPL-2.0
/*
 * Task types whose code the compiler has merged: a note says that a task may be one of
 * several, if and only if that is so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image_program.h"

/*
 * What looks like tokio. Of Left and Right the poll functions are the same, byte for
 * byte; that of Alone is another; of Wide and Broad they are the same, though they are of
 * different sizes; Often is spawned at two places. Never is a type that nothing spawns.
 */
static const char source[] =
	"pub mod runtime { pub mod task { pub mod core {\n"
	"  pub enum Stage<T> { Running(T), Consumed }\n"
	"  pub struct CoreStage<T> { pub stage: Stage<T> }\n"
	"  pub struct Core<T, S> { pub scheduler: S, pub stage: CoreStage<T> }\n"
	"  #[repr(C)] pub struct Header { pub state: u64, pub vtable: &'static super::raw::Vtable }\n"
	"  #[repr(C)] pub struct Cell<T, S> { pub header: Header, pub core: Core<T, S> }\n"
	" } pub mod raw {\n"
	"  use super::core::*;\n"
	"  pub struct Vtable { pub poll: unsafe fn(*mut Header), pub size: usize }\n"
	"  pub unsafe fn poll<T: crate::Task, S>(p: *mut Header) {\n"
	"   let cell = &mut *(p as *mut Cell<T, S>);\n"
	"   if let Stage::Running(t) = &mut cell.core.stage.stage {\n"
	"    if std::hint::black_box(t).done() { cell.core.stage.stage = Stage::Consumed; } }\n"
	"  }\n"
	"  pub trait Of { const TABLE: Vtable; }\n"
	"  impl<T: crate::Task, S> Of for Cell<T, S> {\n"
	"   const TABLE: Vtable = Vtable { poll: poll::<T, S>, size: size_of::<T>() };\n"
	"  }\n"
	"  #[inline(never)]\n"
	"  pub fn spawn<T: crate::Task + 'static, S: 'static>(t: T, s: S) -> *mut Header {\n"
	"   Box::into_raw(Box::new(Cell { header: Header { state: 0,\n"
	"    vtable: &<Cell<T, S> as Of>::TABLE }, core: Core { scheduler: s,\n"
	"    stage: CoreStage { stage: Stage::Running(t) } } })) as *mut Header\n"
	"  }\n"
	" } } }\n"
	"pub trait Task { fn done(&mut self) -> bool; }\n"
	"macro_rules! task { ($t:ident, $n:expr, $d:expr) => {\n"
	"  pub struct $t([u64; $n]);\n"
	"  impl Task for $t { fn done(&mut self) -> bool { self.0[0] += $d; self.0[0] > 9 } } } }\n"
	"task!(Left, 2, 1); task!(Right, 2, 1); task!(Alone, 2, 77); task!(Wide, 3, 3);\n"
	"task!(Broad, 4, 3); task!(Often, 2, 5); task!(Never, 2, 7);\n"
	"pub struct One(pub u64); pub struct Two(pub u64);\n"
	"use runtime::task::{core::*, raw::spawn};\n"
	"#[inline(never)] fn here() -> *mut Header { spawn(Often([0; 2]), One(1)) }\n"
	"fn main() {\n"
	"  let never: Option<&Cell<Never, Two>> = std::hint::black_box(None);\n"
	"  for p in [spawn(Left([0; 2]), One(1)), spawn(Right([0; 2]), One(1)), here(),\n"
	"            spawn(Alone([0; 2]), One(1)), spawn(Wide([0; 3]), One(1)),\n"
	"            spawn(Broad([0; 4]), One(1)), spawn(Often([0; 2]), One(2))] {\n"
	"    unsafe { ((*p).vtable.poll)(p) }\n"
	"  }\n"
	"  std::process::exit(never.is_some() as i32)\n"
	"}\n";

static char *text_of(const char *flags)
{
	const struct image_opts opts = { .cache_dir = "" };
	struct image *img;
	const char *why;
	char *text;

	if (!try_sh("PATH=$PATH:$HOME/.cargo/bin rustc --edition 2021 --crate-name tokio -g %s %s "
		    "-o %s", flags, at("twins.rs"), at("twins")))
		return NULL;
	sh("%s", at("twins"));
	if (image__open(at("twins"), &opts, &img, &why))
		fail_msg("%s", why);
	text = image_text(img);
	image__free(img);
	return text;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int nr = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		nr++;
	}
	return nr;
}

static void twins(void **state)
{
	char *text;

	(void)state;
	write_file(at("twins.rs"), source, strlen(source));
	text = text_of("-O -C codegen-units=1");
	if (!text)
		skip();
	/* which of both has the code is the compiler's choice */
	if (count(text, "called tokio::Left may be tokio::Right as well") +
	    count(text, "called tokio::Right may be tokio::Left as well") != 1 ||
	    count(text, "called tokio::Wide may be ") + count(text, "called tokio::Broad may be ") != 1 ||
	    count(text, "merged their code") != 2 || count(text, "code shared") != 2 ||
	    strstr(text, "Never"))
		fail_msg("%s", text);
	free(text);
	text = text_of("-C opt-level=0");
	if (count(text, "merged their code") || count(text, "code shared") ||
	    !strstr(text, "  tokio::Left  [") || !strstr(text, "  tokio::Right  ["))
		fail_msg("%s", text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twins),
	};

	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
