// Package sharedtest finds the sample data and reference values that lie beside the repository, for tests. Where they are absent a
// test is skipped with a message, and fails where CI is set.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Path answers where a file, a folder or a pattern of files of the shared folder lies; there is at least one.
func Path(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(root(t), "..", "shared", name)
	if found, _ := filepath.Glob(path); len(found) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("shared/%s is absent", name)
		}
		t.Skipf("shared/%s is absent", name)
	}
	return path
}

// root answers the folder of the module, above the test's own.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("the test does not run inside the module")
		}
		dir = up
	}
}
