// Package browser tests the pages that the program writes in a real browser,
// Debian's chromium, and their modules by a parser. It is a module of its own, so
// that the program does not depend on what that needs. Without chromium the tests
// are skipped, unless ACDC_BROWSER is "required".
package browser
