// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Words that can't name a member of a skeleton.
 */
#include <string.h>

#include <linux/kernel.h>

#include "main.h"
#include "module.h"

static const char * const words[] = {
	/* C */
	"_Alignas", "_Alignof", "_Atomic", "_BitInt", "_Bool", "_Complex", "_Decimal128",
	"_Decimal32", "_Decimal64", "_Generic", "_Imaginary", "_Noreturn", "_Static_assert",
	"_Thread_local", "alignas", "alignof", "asm", "auto", "bool", "break", "case", "char",
	"const", "constexpr", "continue", "default", "do", "double", "else", "enum", "extern",
	"false", "float", "for", "goto", "if", "inline", "int", "long", "nullptr", "register",
	"restrict", "return", "short", "signed", "sizeof", "static", "static_assert", "struct",
	"switch", "thread_local", "true", "typedef", "typeof", "typeof_unqual", "union",
	"unsigned", "void", "volatile", "while",
	/* C++ */
	"and", "and_eq", "bitand", "bitor", "catch", "char16_t", "char32_t", "char8_t", "class",
	"co_await", "co_return", "co_yield", "compl", "concept", "const_cast", "consteval",
	"constinit", "decltype", "delete", "dynamic_cast", "explicit", "export", "friend",
	"mutable", "namespace", "new", "noexcept", "not", "not_eq", "operator", "or", "or_eq",
	"private", "protected", "public", "reinterpret_cast", "requires", "static_cast",
	"template", "this", "throw", "try", "typeid", "typename", "using", "virtual", "wchar_t",
	"xor", "xor_eq",
	/* macros of GNU C, and of what a skeleton includes */
	"NULL", "errno", "i386", "linux", "unix",
};

bool module_is_reserved_word(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}
